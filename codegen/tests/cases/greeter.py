from greeter import ffi, lib


@ffi.def_extern()
def add1(x, y):
    return x + y


@ffi.def_extern()
def greet(name):
    return keep("Hello, " + ffi.string(name).decode() + "?!?? \\ é")
