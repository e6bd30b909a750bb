# Integers are truncated to their type.
import ffi, sys

lib = ffi.open(sys.argv[1])
VALUES = (0, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
          0x100000000, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF, 0x10000000000000000)
for code in "bBhHiIlLqQ":
    same = lib.func(code, "same_" + code, code)
    for value in VALUES:
        print(code, hex(value), same(value), same(-value))
