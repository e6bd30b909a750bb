import contextlib
import os
import tempfile
import threading
import weakref
from pathlib import Path

import cffi
from c_library import compile_library
from cffi import FFI

ffi = FFI()
ffi.cdef("""
    struct point { int x, y; };
    struct vtable { int (*get)(struct point *, int); struct vtable *next; };
    typedef int (*get_t)(struct point *, int);
    typedef void (*event_t)(int, void *);
    enum flags { FLAG_A = 0x01, FLAG_B = 0x80, FLAG_C = FLAG_A | 6 };
    #define VERSION 0x10203
""")
path = compile_library("""
    #include <pthread.h>
    #include <stdio.h>
    struct point { int x, y; };
    typedef int (*get_t)(struct point *, int);
    int sum(struct point *p, int n) { return p->x + p->y + n; }
    get_t give(void) { return sum; }
    static void *run(void *data) { struct { get_t f; int r; } *job = data; job->r = job->f(0, 5); return 0; }
    int from_thread(get_t f) {
        struct { get_t f; int r; } job = {f, 0}; pthread_t thread;
        pthread_create(&thread, 0, run, &job); pthread_join(thread, 0); return job.r;
    }
    int say(FILE *f, const char *s) { return fprintf(f, "%s", s); }
    int late(int n) { return n + 1; }
    int by_value(int (*f)(struct point), int n) { struct point p = {n, n + 1}; return f(p); }
""", "-pthread")

# Identity of ctypes. [311]
ffi.typeof("int8_t") is ffi.typeof("signed char"), ffi.typeof("int8_t") == ffi.typeof("signed char"), ffi.typeof("int32_t") == ffi.typeof("int")
ffi.typeof("int *") is FFI().typeof("int *"), ffi.typeof("uint8_t") == ffi.typeof("unsigned char"), ffi.typeof("size_t") is ffi.typeof("size_t")
ffi.typeof("size_t") == ffi.typeof("unsigned long"), ffi.typeof("get_t") is ffi.typeof("int(*)(struct point *, int)")
{ffi.typeof("int *"): "pointer", ffi.typeof("int"): "int"}[FFI().typeof("int*")]

# Cdata in a WeakKeyDictionary. [312]
table = weakref.WeakKeyDictionary()
keys = [ffi.new("int *"), ffi.new("struct point *"), ffi.new("char[3]"), ffi.cast("void *", 5)]
for key in keys:
    table[key] = ffi.typeof(key)

[table[key] for key in keys], len(table)
del keys[1:], key
len(table)

# Dlopen before any cdef. [313]
early = FFI()
lib = early.dlopen(path)
lib.late
early.cdef("int late(int); #define LATE 5\n#define ALSO 6" if False else "int late(int);\n#define LATE 5\n")
lib.late(4), lib.LATE
early.cdef("struct point { int x, y; }; int sum(struct point *, int);")
lib.sum([1, 2], 3)

# The text of getctype. [314]
ffi.getctype("double(*)(double, void *)"), ffi.getctype("double(*)(double, void *)", "name"), ffi.getctype("get_t", "table[3]")
ffi.getctype("struct vtable *[4]"), ffi.getctype("int(*(*)(long))[5]"), ffi.getctype("unsigned long int"), ffi.getctype("const char *", "s")

# Pointers between FFIs. [315]
including, unrelated = FFI(), FFI()
including.include(ffi)
unrelated.cdef("struct point { int x, y; };")
point = ffi.new("struct point *", [1, 2])
including.new("struct point **", point)[0] == point, including.typeof("struct point") is ffi.typeof("struct point")
including.callback("int(struct point *)", lambda p: p.y)(point)
unrelated.new("struct point **", point)
unrelated.new("int *", ffi.cast("int", 5))[0], unrelated.new("void **", point)[0] == point
including.cdef("struct holder { struct point p; };")
including.new("struct holder *", [point[0]]).p.y
ffi.new("struct holder *")
including.typeof("enum flags").elements

# A large cdef, and what build scripts look at. [316]
large = FFI()
large.cdef("".join("#define CODE_%d 0x%x\n" % (n, n * 37) for n in range(800))
           + "enum many { " + ", ".join("MANY_%d = 0x%x" % (n, n) for n in range(800)) + " };\n"
           + "".join("static const int CONST_%d = %d;\n" % (n, -n) for n in range(300))
           + "".join("/* %s */ int function_%d(struct point *, int, const char *);\n" % ("c" * 60, n) for n in range(500))
           + "struct point { int x, y; }; int by_value(int (*f)(struct point), int n); typedef int (*by_value_t)(struct point);")
large_lib = large.dlopen(path)
large_lib.CODE_799, large_lib.MANY_500, large_lib.CONST_299, large.typeof("enum many").elements[7]
large_lib.by_value(large.callback("by_value_t", lambda p: p.x * p.y), 4)
large.string(large.new("char[]", b"bounded"), 3), large.string(large.cast("char *", large.new("char[]", b"x")), maxlen=1) != b"no"
cffi.__version_info__, cffi.__version__
large.set_source("_row_316", None)
large.sizeof("struct point"), large_lib.CODE_1
folder = tempfile.TemporaryDirectory(prefix="keelback-tests-")
with contextlib.redirect_stdout(None):
    large.emit_python_code(os.path.join(folder.name, "_row_316.py"))

import sys
sys.path.insert(0, folder.name)
from _row_316 import ffi as out_of_line
out_of_line.dlopen(path).CODE_799, out_of_line.sizeof("struct point"), type(out_of_line).__name__

# What an in-line cdef takes besides. [317]
loose = FFI()
loose.cdef("struct bits { unsigned a : 3; int : 2; int b : 5; }; struct part { int x; ...; }; typedef ... hidden_t; typedef ... *hidden_p;\n#define ASKED ...")
b = loose.new("struct bits *", [5, -3])
b.a, b.b, loose.sizeof("struct bits")
loose.release(b)
loose.typeof("hidden_t"), loose.typeof("hidden_p"), loose.new("hidden_p *")[0]
loose.new("hidden_t *")
loose.sizeof("struct part")
loose.dlopen(path).ASKED

# FILE * from a Python file. [318]
writing = FFI()
writing.cdef("int say(FILE *, const char *); int fflush(FILE *);")
say = writing.dlopen(path)
process = writing.dlopen(None)
name = os.path.join(folder.name, "file")
file = open(name, "w+")
say.say(file, b"one "), process.fflush(file), say.say(file, b"two "), process.fflush(file)
Path(name).read_text()
os.fstat(file.fileno()).st_size
file.close()
say.say(file, b"three")
say.say("name", b"")
read_only = open(name)
say.say(read_only, b"x") <= 1
read_only.close()

# Callbacks in C's threads, by typedef name; except ffi.error. [319]
threaded = FFI()
threaded.cdef("struct point; typedef int (*get_t)(struct point *, int); int from_thread(get_t);")
run = threaded.dlopen(path)
run.from_thread(threaded.callback("get_t", lambda p, n: n + 1))
run.from_thread(threaded.callback("get_t", lambda p, n: 1 // 0, error=-3))
names = []
run.from_thread(threaded.callback("get_t", lambda p, n: names.append(threading.current_thread() is threading.main_thread()) or 0))
names
try:
    out_of_line.typeof("nosuch")
except out_of_line.error as error:
    print(type(error).__name__)

# Function pointers in structs. [320]
calls = FFI()
calls.cdef("struct point { int x, y; }; typedef int (*get_t)(struct point *, int); struct vtable { get_t get; struct vtable *next; }; get_t give(void); int sum(struct point *, int);")
c = calls.dlopen(path)
table = calls.new("struct vtable *")
table.get == calls.NULL, bool(table.get), table.next == calls.NULL
table.get = c.sum
table.get([1, 2], 3), table.get == c.sum, c.give() == c.sum, c.give()([4, 5], 6), calls.typeof(table.get), calls.typeof(table.get).kind, calls.typeof("get_t").kind
table.get = calls.NULL
table.get([1, 2], 3)
kept = calls.callback("get_t", lambda p, n: p.x * n)
table.get = kept
table.get([7, 0], 6)
table.get = lambda p, n: 0
table.get = 5

# Classes made of constants; init_once; annotations. [321]
lib = ffi.dlopen(path)
sorted(name for name in dir(lib) if not name.startswith("_"))
type("Flags", (), {name[5:]: getattr(lib, name) for name in dir(lib) if name.startswith("FLAG_")}).C
ffi.init_once(lambda: "made", "tag"), ffi.init_once(lambda: "again", "tag")


def annotated(handle: ffi.CData, kind: "ffi.CType" = None) -> ffi.CData:
    return handle


annotated.__annotations__["handle"] is ffi.CData, isinstance(annotated(point), annotated.__annotations__["return"])
FFI().CData is ffi.CData
first, second = FFI(), FFI()
first.set_source("_same_name", None)
second.set_source("_same_name", None)
first.cdef("#define ONE 1")
second.cdef("#define ONE 2")
first.dlopen(None).ONE, second.dlopen(None).ONE
