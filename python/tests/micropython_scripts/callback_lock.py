# lock=True. MicroPython's function must not allocate memory then. That an exception is printed and not raised
# is in test_micropython.py.
import ffi, sys

lib = ffi.open(sys.argv[1])
call = lib.func("i", "call", "Ci")
print(call(ffi.callback("i", lambda x: 7, "i", lock=True), 1))
print(call(ffi.callback("i", lambda x: 8, "i", lock=False), 1))
print(lib.func("i", "call_three_times", "C")(ffi.callback("i", lambda x: 5, "i", lock=1)))
