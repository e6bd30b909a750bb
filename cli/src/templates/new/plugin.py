"""The code behind api.h. It is frozen into the library, and runs at the first call."""
from @NAME@ import ffi


@ffi.def_extern()
def @NAME@_add(a, b):
    return a + b


@ffi.def_extern(error=-1)
def @NAME@_greet(name, text, size):
    greeting = b"Hello, " + ffi.string(name) + b"!\0"
    if len(greeting) > size:
        return -1
    ffi.memmove(text, greeting, len(greeting))
    return len(greeting) - 1
