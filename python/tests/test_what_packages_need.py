"""What packages written for CFFI rely on and is easy to miss, and error cases of libs, callbacks and includes: the same
outcome as in CFFI, to the letter. (scripts/ has each feature, and what differs and why.)"""
from differential import Cases

CDEF = """
    typedef struct { int div, rem; } div_t;
    div_t div(int, int);
    int abs(int);
    size_t strlen(const char *);
    int snprintf(char *, size_t, const char *, ...);
    double atof(const char *);
    extern char **environ;
    int nowhere(int);
    extern int no_variable;
    struct point { int x, y; };
    struct vtable { int (*get)(struct point *, int); void *data; struct vtable *next; };
    typedef int (*get_t)(struct point *, int);
    struct bits { unsigned a : 3; int b : 5; };
    typedef struct opaque *opaque_t;
    enum flags { FLAG_A = 0x01, FLAG_B = 0x80000000, FLAG_C = FLAG_A | 6 };
    #define VERSION 0x10203
    #define NEGATIVE -7
    static const int ANSWER = 42;
    static const long long BIG = 0x7fffffffffffffff;
"""

SETUP = """
import weakref, pickle, copy
lib = ffi.dlopen(None)
FFI = type(ffi)
other = FFI()
other.cdef("struct point { int x, y; }; struct own { int z; };")
included = FFI()
included.include(ffi)
late = FFI()
late_lib = late.dlopen(None)
table = new("struct vtable *")
point = new("struct point *", [1, 2])
getter = ffi.callback("int(struct point *, int)", lambda p, n: p.x + n)
def lately(cdef, name):
    late.cdef(cdef)
    return getattr(late_lib, name)
def keyed(key):
    keys = weakref.WeakKeyDictionary({key: 1})
    return len(keys), key in keys
"""

CASES = Cases(
    cdef=CDEF,
    setup=SETUP,
    expressions="""
        typeof("int8_t") is typeof("signed char")
        typeof("int8_t") == typeof("signed char")
        typeof("int32_t") == typeof("int")
        typeof("int *") is other.typeof("int *")
        typeof("struct point") is other.typeof("struct point")
        typeof("struct point") is included.typeof("struct point")
        typeof("get_t") is included.typeof("get_t")
        {typeof("int *"): 1, typeof("char *"): 2}[other.typeof("int*")]
        sorted(k.cname for k in {typeof("int"), typeof("long"), other.typeof("int")})
        keyed(new("int *"))
        keyed(new("int[3]"))
        keyed(cast("int", 3))
        keyed(NULL)
        lately("int abs(int);", "abs")(-4)
        lately("#define LATE 5", "LATE")
        lately("int nowhere(int);", "nowhere")
        ffi.getctype("double(*)(double, void *)")
        ffi.getctype("double(*)(double, void *)", "name")
        ffi.getctype("get_t", "table[3]")
        ffi.getctype("struct vtable *[4]")
        ffi.getctype("opaque_t")
        ffi.getctype("int(*(*)(long))[5]")
        other.new("struct point **", point)
        new("struct point *", other.new("struct point *")[0])
        setitem(new("struct point *[1]"), 0, other.new("struct point *"))
        setitem(new("struct own **") if 0 else other.new("struct own *"), 0, point[0])
        included.new("struct point **", point)[0] == point
        getter(other.new("struct point *"), 1)
        cast("struct point *", other.new("struct point *", [3, 4])).y
        table.get == NULL
        bool(table.get)
        setfield(table, "get", getter)(point, 5)
        setfield(table, "get", NULL)
        setfield(table, "get", 5)
        setfield(table, "get", lambda p, n: 0)
        setfield(table, "get", lib.abs)
        setfield(table, "get", cast("get_t", lib.abs)) == lib.abs
        table.get(point, 1)
        typeof(table.get).kind
        typeof("get_t").kind, typeof("get_t").args, typeof("get_t").result
        typeof(getter) is typeof("get_t")
        getter(point)
        getter(point, "x")
        getter(5, 5)
        getter(point, n=5)
        ffi.callback("get_t", lambda p, n: "x", error=9)(point, 1)
        ffi.callback("get_t", lambda p, n: 2**40, error=9)(point, 1)
        ffi.callback("get_t", lambda: 1)(point, 1)
        ffi.callback("get_t", error="x")(getter)
        ffi.callback("int", lambda: 1)
        ffi.callback("int(int, ...)", lambda x: 1)
        ffi.callback("struct point", lambda: 1)
        ffi.callback("get_t", lambda p, n: 1 // 0, onerror=lambda *a: 7)(point, 1)
        ffi.callback("get_t", lambda p, n: 1 // 0, error=3, onerror=lambda *a: None)(point, 1)
        ffi.callback("get_t", lambda p, n: 1, onerror=5)
        ffi.callback("void(int)", lambda n: n)(1)
        ffi.callback("struct point(int)", lambda n: [n, n + 1])(1).y
        ffi.callback("struct point(int)", lambda n: {"y": n})(1).y
        ffi.callback("struct point *(int)", lambda n: point)(1) == point
        lib.VERSION, lib.NEGATIVE, lib.ANSWER, lib.BIG
        lib.FLAG_A, lib.FLAG_B, lib.FLAG_C
        sorted(name for name in dir(lib) if not name.startswith("_"))
        {name: getattr(lib, name) for name in dir(lib) if name.startswith("FLAG_")}
        included.dlopen(None).FLAG_C
        lib.nowhere
        lib.div(7, 2).quot
        lib.div([7], 2)
        lib.div(7)
        lib.div(7, 2, 3)
        lib.abs(2**31)
        lib.abs(1.0)
        lib.abs(None)
        lib.abs(cast("long", 5))
        lib.abs(cast("float", 5))
        lib.strlen(None)
        lib.strlen("text")
        lib.strlen(bytearray(b"text"))
        lib.strlen(b"te\\0xt")
        lib.strlen([b"a", b"\\0"])
        lib.strlen([1, 2])
        lib.strlen(NULL) if 0 else lib.strlen(new("int *"))
        lib.strlen(new("unsigned char[]", b"abc"))
        lib.strlen(new("void **")[0]) if 0 else lib.strlen(cast("void *", new("char[]", b"abcd")))
        lib.atof(5)
        lib.snprintf(NULL, 0, b"%d", 5)
        lib.snprintf(NULL, 0, b"%d", None)
        lib.snprintf(NULL, 0, b"%d", cast("char", b"A"))
        lib.snprintf(NULL, 0, b"%s", b"bytes")
        lib.snprintf(NULL, 0, b"%p", NULL) > 0
        lib.snprintf(NULL, 0)
        lib.snprintf(NULL, 0, b"%d", point[0])
        pickle.dumps(point)
        copy.copy(point)
        copy.deepcopy(new("int *"))
        pickle.dumps(typeof("int"))
        ffi.dlopen("/no/such/file.so")
        ffi.dlopen(cast("int *", 0))
        ffi.dlopen(cast("void *", 0))
        ffi.dlclose(5) if 0 else None
        ffi.include(5)
        ffi.include(ffi)
        included.new("struct own *")
        included.cdef("int abs(int);")
        ffi.cdef("int abs(long);")
        ffi.cdef("int abs(long);", override=True)
        ffi.cdef("enum flags { OTHER };")
        ffi.cdef("#define VERSION 5")
        ffi.cdef("typedef long get_t;")
        ffi.cdef("static const int ANSWER = 43;")
        ffi.cdef("struct unfinished { int x; ...; };")
        ffi.cdef(5)
        ffi.cdef("int x", packed=True, pack=2)
        ffi.cdef("int x;", pack=3)
        new("struct bits *", [7, -16]).b
        new("struct bits *", [8, 0])
        setfield(new("struct bits *"), "b", 16)
        ffi.addressof(new("struct bits *"), "a")
        ffi.addressof(lib, "environ")[0] == lib.environ
        ffi.addressof(lib, "abs")(-6)
        ffi.addressof(point, 0)
        ffi.def_extern()
        ffi.def_extern("abs")
        ffi.init_once(lambda: 5, "tag"), ffi.init_once(lambda: 6, "tag")
        ffi.init_once(lambda: 1 // 0, "tag")
        ffi.init_once(5, "tag")
        ffi.init_once(lambda: 1)
        ffi.init_once(lambda: 1, [])
        isinstance(point, ffi.CData), isinstance(point, other.CData), ffi.CData is other.CData
        isinstance(typeof("int"), ffi.CType), isinstance(ffi.buffer(point), ffi.buffer)
        type("Annotated", (), {"__annotations__": {"x": ffi.CData}}).__annotations__["x"] is type(point)
        ffi.set_unicode(True)
        ffi.set_unicode("x") if 0 else None
    """,
)
test_same, test_different = CASES.tests()
