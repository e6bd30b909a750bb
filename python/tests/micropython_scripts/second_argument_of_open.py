# The second argument of ffi.open is accepted and ignored.
import ffi

libc = ffi.open("libc.so.6")
for second in (1, 0, None, "x", 2**70):
    print(ffi.open("libc.so.6", second).addr("abs") == libc.addr("abs"))
try:
    ffi.open(None, 1, 2)
except TypeError as error:
    print("TypeError", error)
