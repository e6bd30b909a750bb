import os
import sys

from errors import ffi


class HostError(Exception):
    pass


def deeper(kind):
    if kind == 0:
        raise HostError("from the init code")
    if kind == 1:
        sys.exit(3)
    if kind == 2:
        exit()
    if kind == 3:
        raise KeyboardInterrupt
    if kind == 4:
        return undefined_name
    if kind == 5:
        raise SystemExit("bye")


@ffi.def_extern()
def fail(kind):
    return deeper(kind)


@ffi.def_extern(error=-1)
def fail_with_value(kind):
    return 0 + deeper(kind)


@ffi.def_extern(error=2.5)
def fail_double():
    raise HostError("no double")


message = ffi.new("char[]", b"the error value")


@ffi.def_extern(error=message)
def fail_pointer():
    raise HostError("no pointer")


@ffi.def_extern(error=(7, 8))
def fail_struct():
    raise HostError("no struct")


@ffi.def_extern(error=-1)
def bad_result():
    return "text"


@ffi.def_extern(error=-1)
def too_big():
    return 1 << 40


@ffi.def_extern(error=-1)
def returns_none():
    pass


@ffi.def_extern()
def void_returns():
    return 5


def handle(exception, value, traceback):
    print("onerror got", exception.__name__, value, traceback.tb_next is not None, flush=True)
    if value.args[0] == 1:
        return 77
    if value.args[0] == 2:
        raise HostError("onerror fails too")


@ffi.def_extern(error=-5, onerror=handle)
def with_onerror(decides):
    def inner():
        raise HostError(decides)

    inner()


@ffi.def_extern()
def fine():
    return 1
