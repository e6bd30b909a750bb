import copy
import gc
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from built_module import build
from c_library import compile_library
from cffi import FFI

ffi = FFI()
ffi.cdef("struct point { int x, y; }; int abs(int);")
folder = tempfile.TemporaryDirectory(prefix="keelback-tests-")
library = compile_library("""
    int twice(int n) { return 2 * n; }
    int call(int (*f)(int), int n) { return f(n); }
""")

# Many FFIs, made and used in many threads. [285]
results = []


def work(n):
    for i in range(20):
        own = FFI()
        own.cdef("struct s%d { int a[%d]; }; int abs(int);" % (n, i + 1))
        p = own.new("struct s%d *" % n, [[7]])
        results.append((own.sizeof(p[0]) == 4 * (i + 1), p.a[0], own.dlopen(None).abs(-3), own.typeof("int *") is ffi.typeof("int *")))


threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
len(results), set(results)

# Errors from C to Python are seen: sys.unraisablehook gets them. [286]
ffi.callback("int(int)", lambda n: 1 // n)(0)
ffi.callback("int(int)", lambda n: "text")(0)
managed = ffi.gc(ffi.new("int *"), lambda old: 1 // 0)
del managed
ffi.callback("int(int)", lambda n: 1 // n, onerror=lambda *args: [][5])(0)

# The Python that runs this (tools/test-other-pythons runs it with each that there is). [287]
sys.version_info >= (3, 10), ffi.sizeof("void *") * 8 == sys.maxsize.bit_length() + 1

# The platform's own library names. [288]
FFI().dlopen("c") is not None

# Compiled modules need no parser at run time. [289]
module = build("_row_289", "int five(void);", "static int five(void) { return 5; }")
module.lib.five(), module.ffi.typeof("int(*)(void)"), module.ffi.new("int[]", [1, 2])[1]
"pycparser" in sys.modules, isinstance(module.ffi, FFI)
#! keelback: (False, False)
#! why: Keelback has no pycparser; with CFFI the build has loaded it here

# The module behind the ffi, for bundlers. [290]
import _cffi_backend
_cffi_backend.FFI is type(module.ffi), _cffi_backend.__name__, _cffi_backend.__file__.endswith(".so")

# Odd names of libraries, odd strings. [291]
odd = os.path.join(folder.name, "libé \u1234.so")
shutil.copy(library, odd) == odd
loading = FFI()
loading.cdef("int twice(int);")
loading.dlopen(odd).twice(4)
not_utf8 = os.fsdecode(os.fsencode(folder.name) + b"/lib\xff\xfe.so")
shutil.copy(library, not_utf8) == not_utf8
loading.dlopen(not_utf8).twice(5)
#! keelback: 10
#! why: file names are bytes; CFFI encodes them as UTF-8
loading.dlopen(odd[:-3] + "\ud800.so")
loading.dlopen("lib\0.so")
ffi.string(ffi.new("char[]", b"\xff\xfe\x80")), ffi.string(ffi.new("wchar_t[]", "\ud800")) == "\ud800", ffi.new("char[]", b"a\0b")[2]
ffi.typeof("int\0")
ffi.cdef("int f\0(int);")

# No pickling; a copy is made by new. [292]
point = ffi.new("struct point *", [1, 2])
pickle.dumps(point)
pickle.dumps(ffi.typeof("int"))
pickle.dumps(ffi.cast("int", 5))
copy.copy(point)
copy.deepcopy(point)
copied = ffi.new("struct point *", point[0])
copied.x = 9
point.x, copied.y

# A type of the same name from an unrelated ffi. [293]
other = FFI()
other.cdef("struct point { int x, y; };")
foreign = other.new("struct point *", [3, 4])
ffi.new("struct point **", foreign)
ffi.new("struct point *", foreign[0])
ffi.callback("int(struct point *)", lambda p: p.x)(foreign)
ffi.callback("int(struct point)", lambda p: p.x)(foreign[0])
ffi.typeof("struct point") is other.typeof("struct point"), ffi.typeof("struct point") == other.typeof("struct point")
ffi.cast("struct point *", foreign).y

# A debug build of Python is told by its flags. [294]
hasattr(sys, "gettotalrefcount")

# A callback still works in a forked child, and the child's do too. [295]
calling = FFI()
calling.cdef("int call(int (*f)(int), int n);")
lib = calling.dlopen(library)
callback = calling.callback("int(int)", lambda n: n + 1)


def in_child(function):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(write, str(function()).encode())
        os._exit(0)
    os.close(write)
    text = os.read(read, 100)
    os.close(read)
    return text, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


in_child(lambda: lib.call(callback, 41))
in_child(lambda: lib.call(calling.callback("int(int)", lambda n: n * 2), 4))
lib.call(callback, 1)
