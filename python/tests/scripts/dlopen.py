import os
from pathlib import Path

from c_library import compile_library
from cffi import FFI

SOURCE = """
    int number = 5;
    int add(int a, int b) { return a + b; }
    int get_number(void) { return number; }
"""
CDEF = "int add(int, int); int get_number(void); int missing(int); extern int number; extern int missing_number;"
path = compile_library(SOURCE)
ffi = FFI()
ffi.cdef(CDEF + "void *dlopen(const char *, int); int dlclose(void *);")

# Opening by path. [171]
ffi.dlopen(path).add(1, 2), ffi.dlopen(path, ffi.RTLD_LAZY | ffi.RTLD_GLOBAL).add(2, 3), ffi.dlopen(name=path, flags=ffi.RTLD_NOW).add(3, 4)
ffi.dlopen("/no/such/library.so")
ffi.dlopen("./nothere.so")
ffi.dlopen("libnosuch.so")
ffi.dlopen("")
ffi.dlopen(path, "x")
ffi.dlopen(5)
ffi.dlopen(5.5)
ffi.dlopen([])
ffi.dlopen("nul\0byte.so")
ffi.dlopen()
ffi.dlopen(Path(path)).add(1, 1)
#! keelback: 2
#! why: a path object names a file; CFFI takes str alone
ffi.dlopen(os.fsencode(path)).add(1, 1)
#! keelback: 2
#! why: bytes name a file as well; CFFI fails with an internal error

# The short name of a library. [172]
hasattr(ffi.dlopen("c"), "add"), ffi.dlopen("m") is not None
ffi.dlopen("nosuch")

# What the process has already. [173]
process = FFI()
process.cdef("size_t strlen(const char *);")
process.dlopen(None).strlen(b"abc")

# A handle that somebody else opened. [174]
handle = ffi.dlopen(None).dlopen(path.encode(), ffi.RTLD_NOW)
wrapped = ffi.dlopen(handle)
wrapped.add(4, 5)
del wrapped
ffi.dlopen(handle).add(5, 6)
ffi.dlopen(ffi.NULL)
ffi.dlopen(ffi.new("int *"))
ffi.dlopen(ffi.cast("int", 5))
ffi.dlopen(handle, ffi.RTLD_NOW).add(1, 1)
closed = ffi.dlopen(handle)
ffi.dlclose(closed)
closed.add
handle = ffi.dlopen(None).dlopen(path.encode(), ffi.RTLD_NOW) != ffi.NULL

# Windows' flags are Windows' own: here the loader gets them as they are. [175]
ffi.dlopen(path, 0).add(1, 1)
ffi.dlopen(path, 55)

# Closing. [176]
lib = ffi.dlopen(path)
lib.add(1, 2), lib.number
ffi.dlclose(lib)
lib.add
lib.get_number
lib.number
lib.number = 5
ffi.dlclose(lib)
ffi.dlclose(5)
#! keelback: TypeError: dlclose(): expected a library from dlopen(), not int
#! why: an internal AttributeError in CFFI
ffi.dlclose(None)
#! keelback: TypeError: dlclose(): expected a library from dlopen(), not NoneType
#! why: an internal AttributeError in CFFI
ffi.dlclose()

# Functions are cdata, found when they are first asked for. [177]
lib = ffi.dlopen(path)
lib.add, ffi.typeof(lib.add), lib.add is lib.add, lib.add(2, 2), getattr(lib, "get_number")()
lib.missing
lib.missing_number
#! keelback: MissingVariable: variable 'missing_number' not found in library 'LIBRARY': LIBRARY: undefined symbol: missing_number
#! why: a KeyError as in CFFI, and an AttributeError besides: so hasattr() works
try:
    lib.missing_number
except KeyError as error:
    print(error.args[0].startswith("variable 'missing_number' not found in library"))

lib.nosuch
hasattr(lib, "missing"), hasattr(lib, "nosuch")
hasattr(lib, "missing_number")
#! keelback: False
#! why: it is an AttributeError; with CFFI hasattr() raises KeyError
