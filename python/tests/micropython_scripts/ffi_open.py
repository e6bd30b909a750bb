# Rows 253, 256, 268, 270: opening, addresses, what things look like.
import ffi

libc = ffi.open("libc.so.6")
print(repr(libc)[:8], repr(libc)[-1])
program = ffi.open(None)
print(program.addr("abs") == libc.addr("abs"))
print(ffi.open("libc.so.6", 1).addr("abs") == libc.addr("abs"))
for name in ("libkeelback-has-no-such-name.so", "/dev/null"):
    try:
        ffi.open(name)
    except OSError as error:
        print("OSError", isinstance(error.args[0], int), error.args[0] > 0)
for call in (
    lambda: ffi.open(),
    lambda: ffi.open(1),
    lambda: ffi.open(None, 1, 2),
    lambda: libc.addr(),
    lambda: libc.func("i", "abs"),
    lambda: libc.func(1, "abs", "i"),
    lambda: libc.nothing,
):
    try:
        call()
    except (TypeError, AttributeError) as error:
        print(type(error).__name__, error)
for call in (
    lambda: libc.func("i", "keelback_has_no_such_name", "i"),
    lambda: libc.var("i", "keelback_has_no_such_name"),
    lambda: libc.addr("keelback_has_no_such_name"),
):
    try:
        call()
    except OSError as error:
        print("OSError", error.args[0])
