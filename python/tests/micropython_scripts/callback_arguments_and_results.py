# A callback's arguments and result.
import ffi, sys

lib = ffi.open(sys.argv[1])
call = lib.func("i", "call", "Ci")
seen = []
print(call(ffi.callback("i", lambda x: seen.append(x) or 4, "i"), 41), seen)
print(call(ffi.callback("i", lambda x: 2**32 + x, "i"), 5), call(ffi.callback("i", lambda x: -1, "i"), 5))
thrice = lib.func("i", "call_three_times", "C")
print(thrice(ffi.callback("i", lambda x: x * 10, "i")))
# Nothing to return: nobody looks at the result.
print(lib.func("v", "call_void", "C")(ffi.callback("v", lambda: None, "")))
call(ffi.callback("i", lambda x: None, "i"), 1)
try:
    call(ffi.callback("i", lambda: 1, "i"), 1)
except TypeError:
    print("TypeError")
