# 64-bit integers.
import ffi, sys

lib = ffi.open(sys.argv[1])
for code in "lLqQ":
    same = lib.func(code, "same_" + code, code)
    variable = lib.var(code, "var_" + code)
    for value in (2**62, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 2**64 + 1, 2**100 + 7, -(2**62), -(2**63), -(2**63) - 1, -(2**100)):
        variable.set(value)
        print(code, value, same(value), variable.get())
libc = ffi.open("libc.so.6")
print(libc.func("q", "llabs", "q")(-(2**62)), libc.func("Q", "llabs", "Q")(2**63))
real = lib.func("d", "same_d", "d")
print(real(2**80), real(True + 1), real(-3))
for value in ("x", None, [1]):
    try:
        real(value)
    except TypeError as error:
        print("TypeError", error)
