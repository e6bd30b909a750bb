"""Every operation on every thing that can be released, after it was (with the argument `live`: while it was not). Run by
test_released_things.py: prints one line each, `thing | operation: outcome`. Each runs in a child process, so that a crash
is an outcome."""
import os
import signal
import sys

import keelback

ffi = keelback.FFI()
ffi.cdef("""
    struct point { int x, y; };
    union both { int i; float f; };
    enum hue { RED, GREEN };
    int abs(int); double fabs(double); size_t strlen(const char *);
    struct holder { int n; double d; char c; struct point p; int *q; int a[2]; enum hue h; int (*f)(int); };
""")
lib = ffi.dlopen(None)
memory = bytearray(range(64))
keep = []
allocate = ffi.new_allocator(lambda size: keep.append(ffi.new("char[]", size)) or keep[-1], lambda p: None)


def nothing(cdata):
    pass


def of(cdecl, value):
    return lambda: ffi.gc(ffi.cast(cdecl, value), nothing)


THINGS = {
    "gc int": of("int", 3),
    "gc unsigned char": of("unsigned char", 3),
    "gc long long": of("long long", 3),
    "gc uint64_t": of("uint64_t", 3),
    "gc bool": of("bool", 1),
    "gc char": of("char", b"a"),
    "gc wchar_t": of("wchar_t", "a"),
    "gc char16_t": of("char16_t", "a"),
    "gc float": of("float", 1.5),
    "gc double": of("double", 1.5),
    "gc long double": of("long double", 1.5),
    "gc double _Complex": of("double _Complex", 1.5),
    "gc enum": of("enum hue", 1),
    "gc int *": lambda: ffi.gc(ffi.new("int *", 7), nothing),
    "gc char *": lambda: ffi.gc(ffi.cast("char *", ffi.new("char[]", b"abc")), nothing),
    "gc void *": lambda: ffi.gc(ffi.cast("void *", 16), nothing),
    "gc int[3]": lambda: ffi.gc(ffi.new("int[3]", [1, 2, 3]), nothing),
    "gc char[]": lambda: ffi.gc(ffi.new("char[]", b"abc"), nothing),
    "gc struct": lambda: ffi.gc(ffi.new("struct point *", [1, 2])[0], nothing),
    "gc struct *": lambda: ffi.gc(ffi.new("struct point *", [1, 2]), nothing),
    "gc union": lambda: ffi.gc(ffi.new("union both *", [1])[0], nothing),
    "gc function": lambda: ffi.gc(lib.abs if isinstance(lib.abs, ffi.CData) else ffi.addressof(lib, "abs"), nothing),
    "from_buffer": lambda: ffi.from_buffer(memory),
    "from_buffer int[4]": lambda: ffi.from_buffer("int[4]", memory),
    "from_buffer struct *": lambda: ffi.from_buffer("struct point *", memory),
    "allocator struct *": lambda: allocate("struct point *", [1, 2]),
    "allocator int[3]": lambda: allocate("int[3]", [1, 2, 3]),
    "allocator int *": lambda: allocate("int *", 5),
    "new int *": lambda: ffi.new("int *", 5),
    "new int[3]": lambda: ffi.new("int[3]", [1, 2, 3]),
}

OPERATIONS = {
    "repr": repr,
    "str": str,
    "bool": bool,
    "int": int,
    "float": float,
    "complex": complex,
    "hash": lambda x: hash(x) and None,
    "==": lambda x: x == x,
    "== 3": lambda x: x == 3,
    "<": lambda x: x < ffi.cast(ffi.typeof(x), 0),
    "len": len,
    "iter": list,
    "dir": lambda x: len(dir(x)) and None,
    "x[0]": lambda x: x[0],
    "x[0] = ": lambda x: x.__setitem__(0, 0),
    "x[0:1]": lambda x: x[0:1],
    "x[0:1] = ": lambda x: x.__setitem__(slice(0, 1), [0]),
    "x + 1": lambda x: x + 1,
    "x - x": lambda x: x - x,
    "x.x": lambda x: x.x,
    "x.x = ": lambda x: setattr(x, "x", 1),
    "x()": lambda x: x(),
    "x(1)": lambda x: x(1),
    "x(-1)": lambda x: x(-1),
    "string": ffi.string,
    "unpack": lambda x: ffi.unpack(x, 1),
    "slice of all": lambda x: x[0 : len(x)],
    "buffer": lambda x: bytes(ffi.buffer(x)),
    "buffer 1": lambda x: bytes(ffi.buffer(x, 1)),
    "memmove from": lambda x: ffi.memmove(bytearray(1), x, 1),
    "memmove to": lambda x: ffi.memmove(x, b"a", 1),
    "sizeof": ffi.sizeof,
    "typeof": lambda x: ffi.typeof(x),
    "addressof": lambda x: ffi.addressof(x),
    "addressof x": lambda x: ffi.addressof(x, "x"),
    "addressof 0": lambda x: ffi.addressof(x, 0),
    "cast int": lambda x: int(ffi.cast("int", x)),
    "cast double": lambda x: float(ffi.cast("double", x)),
    "cast char": lambda x: ffi.cast("char", x),
    "cast bool": lambda x: ffi.cast("bool", x),
    "cast complex": lambda x: ffi.cast("double _Complex", x),
    "cast long double": lambda x: ffi.cast("long double", x),
    "cast void *": lambda x: ffi.cast("void *", x),
    "cast enum": lambda x: ffi.cast("enum hue", x),
    "new": lambda x: ffi.new(ffi.getctype(ffi.typeof(x), "*") if True else "", x),
    "new int": lambda x: ffi.new("int *", x),
    "new double": lambda x: ffi.new("double *", x),
    "new char": lambda x: ffi.new("char *", x),
    "new long double": lambda x: ffi.new("long double *", x),
    "new int[]": lambda x: ffi.new("int[]", x),
    "field": lambda x: setattr(ffi.new("struct holder *"), {"struct point": "p", "int *": "q", "int[3]": "a"}.get(
        ffi.typeof(x).cname, "n"), x),
    "call abs": lambda x: lib.abs(x),
    "call fabs": lambda x: lib.fabs(x),
    "call strlen": lambda x: lib.strlen(x),
    "gc": lambda x: ffi.gc(x, nothing),
    "gc None": lambda x: ffi.gc(x, None),
    "release": ffi.release,
    "with": lambda x: x.__enter__() and None,
    "from_buffer": ffi.from_buffer,
    "from_handle": ffi.from_handle,
}


def outcome(operation, make):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        x = make()
        if "live" not in sys.argv:
            ffi.release(x)
        try:
            said = "ok" if operation(x) is None else "answers"
        except Exception as error:
            said = type(error).__name__
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    said = os.read(read, 1000).decode()
    os.close(read)
    _, status = os.waitpid(child, 0)
    return signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else said


for thing, make in THINGS.items():
    for name, operation in OPERATIONS.items():
        print(f"{thing} | {name}: {outcome(operation, make)}")
sys.stdout.flush()
