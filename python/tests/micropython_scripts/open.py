# ffi.open.
import ffi

libc = ffi.open("libc.so.6")
program = ffi.open(None)
print(program.addr("abs") == libc.addr("abs"), program.addr("abs") == ffi.open("libc.so.6").addr("abs"))
for name in ("libkeelback-has-no-such-name.so", "/dev/null", "/keelback/no/such/path.so"):
    try:
        ffi.open(name)
    except OSError as error:
        print("OSError", isinstance(error.args[0], int), error.args[0] > 0)
for call in (
    lambda: ffi.open(),
    lambda: ffi.open(1),
    lambda: libc.nothing,
):
    try:
        call()
    except (TypeError, AttributeError) as error:
        print(type(error).__name__, error)
