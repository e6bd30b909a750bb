# Memory by reference.
import ffi, uctypes

data = bytearray(b"abcdef")
window = ffi.as_bytearray(uctypes.addressof(data), 4)
print(window, len(window), window == b"abcd", isinstance(window, bytearray), type(window))
window[0] = 65
window[1:3] = b"xy"
print(data, window[1:], window + b"!")
data[3] = 0
print(window)
