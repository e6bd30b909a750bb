# mod.func.
import ffi

libc = ffi.open("libc.so.6")
absolute = libc.func("i", "abs", "i")
print(absolute(-5), libc.func("q", "llabs", "q")(-6), libc.func("v", "abs", "i")(1))
# Only a result's first letter counts.
print(libc.func("ii", "abs", "i")(-3))
for call in (
    lambda: libc.func("i", "keelback_has_no_such_name", "i"),
    lambda: ffi.open(None).func("i", "keelback_has_no_such_name", "i"),
):
    try:
        call()
    except OSError as error:
        print("OSError", error.args[0])
for call in (
    lambda: libc.func("i", "abs", "Z"),
    lambda: libc.func("i", "abs", "i?"),
    lambda: libc.func("i", "abs"),
    lambda: libc.func("i", "abs", "i", 1),
    lambda: libc.func(1, "abs", "i"),
):
    try:
        call()
    except TypeError as error:
        print("TypeError", error)
