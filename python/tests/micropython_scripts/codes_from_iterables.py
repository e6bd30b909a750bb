# Codes from any iterable. Not in MicroPython, which takes a str.
import ffi, sys

lib = ffi.open(sys.argv[1])
for codes in ("lllllllli", list("lllllllli"), tuple("lllllllli")):
    print(lib.func("l", "nine", codes)(*range(9)))
print(lib.func("i", "call", ["C", "i"])(ffi.callback("i", lambda x: x + 1, ("i",)), 4))
for codes in (["i", "Z"], [1], (None,), 5):
    try:
        lib.func("i", "same_i", codes)
    except TypeError:
        print("TypeError")
