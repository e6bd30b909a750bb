# addressof, bytes_at, bytearray_at.
import uctypes as u

data = bytearray(b"0123456789")
address = u.addressof(data)
print(u.bytes_at(address, 4), u.bytes_at(address + 4, 3), u.bytearray_at(address, 4))
print(u.addressof(memoryview(data)[2:]) - address, u.bytes_at(u.addressof(b"abc"), 3), u.bytes_at(u.addressof("abc"), 4))
window = u.bytearray_at(address + 2, 4)
window[0] = ord("a")
window[2:4] = b"yz"
print(data, window, window == b"a3yz", window[1:], bytes(window), list(window))
data[3] = 0x41
print(window, type(window), isinstance(window, bytearray))
view = u.struct(address, {"text": (0 | u.ARRAY, 10 | u.UINT8)})
view.text[9] = ord("!")
print(view.text, u.bytes_at(address, 0))
