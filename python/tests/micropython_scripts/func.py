# ffi.func.
import ffi, sys

libc = ffi.open("libc.so.6")
print(ffi.func("i", libc.addr("abs"), "i")(-7))
print(ffi.func("d", ffi.open(sys.argv[1]).addr("same_d"), "d")(2.5))
callback = ffi.callback("i", lambda x: x + 1, "i")
print(ffi.func("i", callback.cfun(), "i")(41))
for call in (
    lambda: ffi.func("i", libc.addr("abs")),
    lambda: ffi.func("i", libc.addr("abs"), "Z"),
):
    try:
        call()
    except TypeError as error:
        print("TypeError", error)
