# The type codes.
import ffi, sys

lib = ffi.open(sys.argv[1])
for code, value in (("b", -128), ("B", 255), ("h", -32768), ("H", 65535), ("i", -(2**31)), ("I", 2**32 - 1),
                    ("l", -(2**63)), ("L", 2**64 - 1), ("q", -(2**63)), ("Q", 2**64 - 1), ("f", 0.5), ("d", 0.1)):
    print(code, lib.func(code, "same_" + code, code)(value))
print(lib.func("p", "same_p", "p")(0x1234), lib.func("P", "same_p", "P")(0x1234))
print(lib.func("s", "same_p", "s")("text"), lib.func("O", "same_p", "O")(lib) is lib)
print(lib.func("v", "same_i", "i")(1))
callback = ffi.callback("i", lambda x: x, "i")
print(lib.func("p", "same_p", "C")(callback) == callback.cfun())
for make in (
    lambda: lib.func("i", "same_i", "Z"),
    lambda: lib.func("i", "same_i", "x"),
    lambda: lib.func("i", "same_i", "i i"),
    lambda: ffi.callback("i", lambda: 1, "y"),
):
    try:
        make()
    except TypeError as error:
        print("TypeError", error)
