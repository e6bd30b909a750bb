"""Nothing that is used again and again may leave memory behind."""
import functools
import ctypes.util
import gc
import importlib
import re
import resource
import sys
import sysconfig
import tempfile

import keelback
import pytest

from cdata_types import CDEF

LIBRARY = """
    typedef struct { int div, rem; } div_t;
    div_t div(int, int);
    int abs(int);
    size_t strlen(const char *);
    int snprintf(char *, size_t, const char *, ...);
    void qsort(void *, size_t, size_t, int (*)(const void *, const void *));
    extern char **environ;
    void free(void *);
"""

SETUP = """
a = ffi.new("int[5]", [1, 2, 3, 4, 5])
s = ffi.new("struct P *", [1, 2])
n = ffi.new("struct N *")
def cycle():
    class Keeper: pass
    keeper = Keeper()
    keeper.cdata = ffi.gc(ffi.new("int *"), lambda x: keeper)
def handle_cycle():
    class Keeper: pass
    keeper = Keeper()
    keeper.handle = ffi.new_handle(keeper)
def new_ffi():
    other = keelback.FFI()
    other.cdef("struct node { struct node *next; int (*f)(struct node *); int v[5]; };")
    p = other.new("struct node *")
    p.next = p
    p.v, p.f, other.typeof("struct node").fields
def released():
    with ffi.gc(ffi.new("int *"), lambda x: None): pass
def callback():
    return ffi.callback("int(int)", lambda x: x)(5)
def callback_cycle():
    class Keeper: pass
    keeper = Keeper()
    keeper.callback = ffi.callback("int(int)", lambda x: keeper)
lib = ffi.dlopen(None)
text = ffi.new("char[64]")
numbers = ffi.new("int[]", [5, 3, 9, 1])
source = bytearray(b"0123456789")
kept = ffi.new_handle(s)
class Odd:
    def __index__(self): raise RuntimeError("odd")
def raising(*args):
    raise ZeroDivisionError("no")
quiet = {"onerror": lambda *args: None}
def sorts(compare):
    lib.qsort(numbers, 4, 4, ffi.callback("int(const void *, const void *)", compare, 0, **quiet))
def decorated():
    @ffi.callback("struct P(struct P, char *)", error=[1, 2], **quiet)
    def function(p, text):
        return {"x": p.y, "y": p.x, "z": text}
    function(s[0], text)
    function(s[0], ffi.NULL)
def opened():
    other = keelback.FFI()
    other.cdef("double cos(double);")
    library = other.dlopen("libm.so.6")
    library.cos(1.0), library.cos, dir(library)
    other.dlclose(library)
    library.cos
def included():
    other = keelback.FFI()
    other.include(ffi)
    other.cdef("struct more { struct P p; fn_t f; };")
    other.new("struct more *", [s[0]]).p.x, other.list_types()
def refused():
    other = keelback.FFI()
    other.cdef("struct A { int x; }; typedef struct A a_t; enum { ONE = 1 }; int f(int, ...);")
    other.cdef("struct A { double x; };")
def unparsed():
    keelback.FFI().cdef("int f(struct { int x; } y; #")
def once():
    other = keelback.FFI()
    for _ in range(2):
        assert other.init_once(lambda: [other], "tag")[0] is other
    other.init_once(raising, "other")
def allocated():
    gone = []
    make = ffi.new_allocator(lambda size: ffi.new("char[]", size), gone.append, False)
    make("int[]", [1, 2]), make("struct P *"), make("int[]", ["x"])
def weak():
    import weakref
    table = weakref.WeakKeyDictionary()
    for _ in range(3):
        table[ffi.new("int *")] = table
def thread():
    import threading
    def run():
        ffi.errno = 5
        sorts(lambda a, b: 0)
    one = threading.Thread(target=run)
    one.start()
    one.join()
def unicode():
    other = keelback.FFI()
    other.set_unicode(True)
    other.typeof("TCHAR *"), other.alignof("LPTSTR")
def file_arguments():
    import tempfile
    with tempfile.TemporaryFile() as file:
        ffi.cast("FILE *", file)
def by_value():
    other = keelback.FFI()
    other.cdef("struct bits { unsigned a : 3; int b : 9; }; union both { int i; double d; };")
    f = other.callback("struct bits(struct bits, union both)", lambda bits, both: [bits.a, both.i])
    f([1, 2], {"i": 5}), f([1, 2], [5.0])
def described():
    other = keelback.FFI()
    other.embedding_api("int exported(int);")
    other.embedding_init_code("from leaks import ffi")
    other.set_source("leaks", "int more;")
    other.emit_c_code("/dev/null")
    third = keelback.FFI()
    third.cdef("struct s { int x; }; int abs(int);")
    third.set_source("leaks", None)
    third.emit_python_code("/dev/null")
def missing_variable():
    other = keelback.FFI()
    other.cdef("extern int no_such_variable;")
    other.dlopen(None).no_such_variable
def released_view():
    p = ffi.new_allocator(lambda size: ffi.new("char[]", size))("struct P *")
    view, memory = p[0], ffi.buffer(p)
    ffi.release(p)
    try:
        memory[0]
    finally:
        view.x
def view_released():
    view = ffi.from_buffer("unsigned char[]", source)
    ffi.release(view)
    source.append(source.pop())
    view[0]
"""

OPERATIONS = """
    lib.abs(-5)
    lib.abs("x")
    lib.abs(Odd())
    lib.abs(2**80)
    lib.abs()
    lib.abs(x=1)
    lib.nosuch
    lib.free(ffi.malloc("int[]", 100))
    lib.free(ffi.malloc("struct P *", [1, 2]))
    ffi.malloc("int *", "x")
    ffi.malloc("int")
    ffi.BVoidP, ffi.BCharA
    api.ffi.library_path
    lib.div(7, 2).rem
    lib.strlen(b"abc")
    lib.strlen("abc")
    lib.strlen([b"a", b"b", b"\\0"])
    lib.strlen([b"a", "b"])
    lib.snprintf(text, 64, b"%d %s %f", ffi.cast("int", 5), text + 60, ffi.cast("double", 2))
    lib.snprintf(text, 64, b"%d", 5)
    lib.environ
    setattr(lib, "abs", 5)
    dir(lib)
    repr(lib.abs)
    ffi.addressof(lib, "abs")
    ffi.addressof(lib, "environ")
    ffi.addressof(n, "p", "x")[0]
    ffi.addressof(n, "nope")
    ffi.addressof(a, 9)
    ffi.cast("fn_t", lib.abs)(3)
    sorts(lambda a, b: ffi.cast("int *", a)[0] - ffi.cast("int *", b)[0])
    sorts(raising)
    sorts(lambda a, b: "x")
    decorated()
    ffi.callback("int(int)", 5)
    ffi.callback("int(int)", raising, error="x")
    ffi.callback("int")
    opened()
    included()
    refused()
    unparsed()
    once()
    allocated()
    weak()
    thread()
    view_released()
    ffi.from_handle(kept)
    ffi.from_handle(ffi.cast("void *", 12345))
    ffi.from_buffer("int[]", source, require_writable=True)[0]
    ffi.from_buffer(b"abc", require_writable=True)
    ffi.from_buffer("int[5]", source)
    ffi.from_buffer("int", source)
    ffi.buffer(a)[2:6]
    ffi.buffer(a) == b"abc"
    ffi.buffer(a).__setitem__(slice(0, 2), b"abc")
    memoryview(ffi.buffer(a))[3]
    list(ffi.buffer(text, 4))
    ffi.buffer(5)
    ffi.memmove(text, b"abc", 3)
    ffi.memmove(b"abc", text, 3)
    ffi.memmove(text, source, 1000)
    ffi.string(ffi.new("char[]", b"abc"))
    ffi.string(ffi.new("char32_t[]", "abc"))
    ffi.string(ffi.cast("enum E", 5))
    ffi.string(ffi.NULL)
    ffi.unpack(a, 5)
    ffi.unpack(ffi.new("wchar_t[]", "abc"), 3)
    ffi.unpack(ffi.NULL, 1)
    ffi.typeof("int[")
    ffi.typeof("struct P[3][4]").item.length
    ffi.typeof(5)
    ffi.offsetof("struct N", "arr", 1)
    ffi.offsetof("struct N", "nope")
    ffi.getctype("fn_t", "*x[5]")
    ffi.sizeof("struct O")
    ffi.list_types()
    ffi.gc(a, None)
    ffi.gc(5, raising)
    ffi.gc(ffi.new("int *"), lib.abs)
    ffi.release(ffi.cast("int *", 0))
    ffi.release(ffi.gc(ffi.new("int *"), lambda x: None, 1000))
    ffi.def_extern()
    ffi.nosuch
    ffi.dlopen("/no/such/library.so")
    keelback.FFI()
    ffi.new("struct Anon *", {"k": 1, "m": 2}).m
    ffi.new("union U *", [1, 2])
    ffi.new("struct N *", {"p": {"x": "y"}})
    ffi.new("char16_t[]", "a\\U00012345b")
    ffi.new("float _Complex *", 1 + 2j)[0]
    unicode()
    file_arguments()
    by_value()
    described()
    missing_variable()
    released_view()
    ffi.sizeof("struct N") + ffi.alignof("struct N")
    setattr(ffi, "errno", 5)
    ffi.memmove(n.arr, b"abc", 99)
    ffi.cast("int[3]", 0)[0:2]
    a.__delitem__(0)
    ffi.callback("struct B named(void)", lambda: [1])
    api.lib.add(1, 2)
    api.lib.add("x", 2)
    api.lib.add(1)
    api.lib.mirror([1, 2]).x
    api.lib.total(2, ffi.cast("int", 1), ffi.cast("int", 2))
    api.lib.counter
    setattr(api.lib, "counter", 5)
    setattr(api.lib, "counter", "x")
    list(api.lib.table)
    api.lib.TEXT
    api.lib.ORIGIN.x
    api.lib.nosuch
    dir(api.lib) and api.lib.__dict__
    api.lib.call(5)
    api.ffi.def_extern("handler", error=7)(lambda n: n + 1)
    api.ffi.def_extern("handler", onerror=raising)(lambda n: 1 // 0) and api.lib.call(1)
    api.ffi.def_extern("nosuch")(raising)
    api.ffi.integer_const("SIZE")
    api.ffi.integer_const("nosuch")
    api.ffi.typeof("nosuch")
    api.ffi.new("point_t *", [1, 2])[0].y
    api.ffi.addressof(api.lib, "add")(1, 2)
    api.ffi.include(ffi)
    ffi.new("int *", 2**40)
    ffi.new("int[]", -1)
    ffi.new("struct O *")
    ffi.cast("struct P", 1)
    ffi.cast("int", "xx")
    ffi.NULL[0]
    ffi.cast("struct P *", 0).x
    a + 2 - a
    s < a
    a < 5
    float(s)
    setattr(s, "nope", 5)
    a()
    ffi.new("fn_t *")[0](1)
    ffi.new("int *")
    ffi.new("int[]", [1, "x"])
    ffi.new("int[]", list(range(100)))
    ffi.new("struct P *", {"x": 1, "y": 2})
    ffi.new("struct P *", {"z": 1})
    ffi.new("struct F *", [1, [2, 3]]).a
    ffi.new("struct B *", [1, 2, 3])
    ffi.new("char[]", b"abc")
    ffi.new("wchar_t[]", "abc")
    ffi.new("int[3]", iter([]))
    ffi.new("int[%d]" % 7)
    ffi.new_handle(s)
    ffi.from_buffer(b"abc")
    ffi.new_allocator(lambda n: ffi.new("char[]", n), lambda p: None)("int *")
    ffi.cast("int", 5)
    ffi.cast("int *", a) + 1
    ffi.cast("long double", 5)
    int(ffi.cast("long double", 1e300))
    ffi.cast("enum E", 5)
    ffi.typeof("struct N").fields
    ffi.typeof("enum E").elements
    ffi.typeof("fn_t").args
    s.x
    s.nope
    s[0]
    s[0].x
    s == a
    hash(s)
    repr(s)
    dir(s)
    a[1:3]
    a[9]
    list(a)
    n.arr
    n.p
    n.q
    setattr(n, "name", b"abc")
    setattr(n, "arr", [1, 2])
    setattr(n, "q", s)
    a.__setitem__(slice(0, 2), [8, 9])
    a.__setitem__(slice(0, 2), iter([8]))
    ffi.new('struct N *').p.x
    list(ffi.new('struct P[3]'))
    released()
    cycle()
    handle_cycle()
    new_ffi()
    callback()
    callback_cycle()
    ffi.keep_gil(lib.abs)(-5)
    ffi.keep_gil(lib, "div"), lib.div(7, 2).rem
    ffi.keep_gil(lib, "nosuch")
"""


@functools.lru_cache(maxsize=None)
def api_module():
    """A module in API mode."""
    builder = keelback.FFI()
    builder.cdef(
        """
        typedef struct { int x, y; ...; } point_t;
        int add(int, int); point_t mirror(point_t); int total(int, ...); int call(int);
        extern "Python" int handler(int);
        #define SIZE ...
        static char *const TEXT; static const point_t ORIGIN; extern int counter, table[3];
        """
    )
    builder.set_source(
        "_leaks_api",
        """
        #include <stdarg.h>
        typedef struct { int x, y; } point_t;
        static int add(int a, int b) { return a + b; }
        static point_t mirror(point_t p) { point_t r = {p.y, p.x}; return r; }
        static int total(int n, ...) {
            int sum = 0; va_list list; va_start(list, n); while (n--) sum += va_arg(list, int); va_end(list); return sum;
        }
        static int handler(int);
        static int call(int n) { return handler(n); }
        #define SIZE 5
        static char *const TEXT = "text";
        static const point_t ORIGIN = {1, 2};
        int counter, table[3];
        """,
    )
    folder = tempfile.TemporaryDirectory(prefix="keelback-tests-")
    builder.compile(tmpdir=folder.name)
    sys.path.insert(0, folder.name)
    importlib.invalidate_caches()
    module = importlib.import_module("_leaks_api")
    module.folder = folder
    return module


# What reads headers, writes files or runs a compiler: used once, when a module is built.
BUILDING = {"compile", "distutils_extension", "header", "set_source_pkgconfig", "verify"}


@pytest.mark.parametrize("kind", [keelback.FFI, keelback._runtime.CompiledFFI])
def test_every_method_is_among_them(kind):
    text = SETUP + OPERATIONS
    names = {name for name in dir(kind) if not name.startswith("_")} - BUILDING
    names -= {name for name in names if name.startswith("RTLD_") or name in ("CData", "CType", "error")}
    assert {name for name in names if not re.search(rf"[.\"]{name}\b", text)} == set()


# What makes a function that is in no other one, or a class.
MAKES_FUNCTIONS = re.compile(r"\blambda\b|\b(callback_|handle_)?cycle\(")


def keeps_functions():
    """Whether this Python frees no function and no class any more: a free-threaded 3.13, once it had a second thread."""
    return sys.getrefcount(eval("lambda: 0")) > 1 << 20


@pytest.mark.parametrize("operation", [line.strip() for line in OPERATIONS.strip().splitlines()])
def test_leaves_nothing(operation, monkeypatch):
    if keeps_functions() and MAKES_FUNCTIONS.search(operation):
        pytest.skip("this Python keeps all functions and classes")
    # pytest keeps what it is told.
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: None)
    # What the runtime asks for a library that the loader does not find. It starts compilers, six thousand times.
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None)
    ffi = keelback.FFI()
    ffi.cdef(CDEF + LIBRARY)
    namespace = {"ffi": ffi, "keelback": keelback}
    if "api." in operation:
        namespace["api"] = api_module()
    exec(SETUP, namespace)
    code = compile(operation, "<operation>", "eval")

    def repeat(times):
        for _ in range(times):
            try:
                eval(code, namespace)
            except Exception:
                pass
        gc.collect()
        return sys.getallocatedblocks(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    repeat(200)
    # What grows once (a table, a cache) does not grow again; what leaks does in every round. One block or 100 bytes
    # a time would be 1500 blocks, 150 kB.
    for _ in range(4):
        blocks, resident = repeat(20)
        blocks_after, resident_after = repeat(1500)
        if blocks_after - blocks < 100 and resident_after - resident < 600:
            return
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        # What is freed there waits for other threads, and the garbage collector for more objects: counts go up and down by
        # some thousands, and the first of such long rounds is the one that needs most memory.
        for _ in range(3):
            blocks, resident = repeat(20)
            blocks_after, resident_after = repeat(12000)
            if blocks_after - blocks < 6000 and resident_after - resident < 1200:
                return
    pytest.fail(f"each round of 1500 leaves {blocks_after - blocks} blocks, {resident_after - resident} kB")
