# mod.close. What a closed library is good for no more is in test_micropython.py: MicroPython crashes there.
import ffi, sys

lib = ffi.open(sys.argv[1])
print(lib.func("i", "same_i", "i")(5), lib.close())
again = ffi.open(sys.argv[1])
print(again.func("i", "same_i", "i")(6))
try:
    again.close(1)
except TypeError as error:
    print("TypeError", error)
