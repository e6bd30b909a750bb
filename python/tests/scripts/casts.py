from cffi import FFI

ffi = FFI()
ffi.cdef("""
    struct point { int x, y; };
    enum color { RED, GREEN = 5 };
    typedef int (*callback_t)(int);
    int abs(int);
""")


class Index:
    def __index__(self):
        return 7


class Int:
    def __int__(self):
        return 8


class Float:
    def __float__(self):
        return 2.5


p = ffi.new("int *", 5)

# cast, from everything. [91]
[int(ffi.cast("signed char", n)) for n in (127, 128, 255, -129, 2**100 + 3)]
[int(ffi.cast("unsigned char", n)) for n in (-1, 256, 300.9, -2**70)]
[int(ffi.cast(t, -1)) for t in ("unsigned short", "unsigned", "unsigned long", "uint64_t", "int8_t")]
int(ffi.cast("int", b"A")), int(ffi.cast("int", ffi.cast("char", b"\xff"))), int(ffi.cast("int", ffi.cast("double", 3.7)))
int(ffi.cast("int", True)), int(ffi.cast("int", Index())), int(ffi.cast("int", Int()))
float(ffi.cast("float", 1.1)), float(ffi.cast("double", 3)), float(ffi.cast("double", b"A")), float(ffi.cast("double", Float()))
float(ffi.cast("double", ffi.cast("float", 1.5))), float(ffi.cast("float", 1e300)), float(ffi.cast("double", 2**100))
ffi.cast("char", 65), ffi.cast("char", b"A"), ffi.cast("wchar_t", "A"), ffi.cast("char16_t", 65), ffi.cast("char32_t", "\U00012345")
ffi.cast("char *", p) == p, ffi.cast("void *", ffi.new("int[3]")) == ffi.NULL, ffi.cast("int[3]", p)
ffi.cast("enum color", 5), ffi.cast("enum color", 77), ffi.cast("enum color", ffi.cast("int", 5)), int(ffi.cast("enum color", -1))
ffi.cast("float _Complex", 1 + 2j), complex(ffi.cast("double _Complex", 3)), ffi.cast("long double", 1.5)
ffi.cast("callback_t", 0), ffi.cast("callback_t", ffi.dlopen(None).abs)(-4)
ffi.cast("int", "A")
ffi.cast("int", b"AB")
ffi.cast("int", None)
ffi.cast("int", [])
ffi.cast("int", ffi.new("struct point *")[0])
ffi.cast("int", 1j)
ffi.cast("int", float("inf"))
ffi.cast("int", float("nan"))
ffi.cast("double", "x")
ffi.cast("double", None)
ffi.cast("double", p)
ffi.cast("double", 1j)
ffi.cast("char", b"AB")
ffi.cast("char", "A")
ffi.cast("wchar_t", "AB")
ffi.cast("wchar_t", b"A")
ffi.cast("char16_t", "\U00012345")
ffi.cast("enum color", "RED")
int(ffi.cast("enum color", p)) == int(ffi.cast("unsigned", p))
ffi.cast("int *", 1.5)
ffi.cast("int *", b"ab")
ffi.cast("int *", None)
ffi.cast("int *", ffi.cast("double", 1))
ffi.cast("float _Complex", "x")
ffi.cast("int")
ffi.cast("int", 1, 2)
ffi.cast(cdecl="int", source=5)
ffi.cast("nosuch", 5)

# What is no scalar. [92]
ffi.cast("struct point", 5)
ffi.cast("struct point", ffi.new("struct point *")[0])
ffi.cast("void", 5)
ffi.cast("int(int)", 5)
ffi.cast("int[]", p)

# Truncation and wrapping. [93]
ffi.cast("int", 3.9), ffi.cast("int", -3.9), ffi.cast("char", 300), ffi.cast("_Bool", 5), ffi.cast("_Bool", 0.0)
ffi.cast("_Bool", 0.5), ffi.cast("_Bool", -0.0), ffi.cast("int *", -1), ffi.cast("unsigned char", -1.5)
ffi.cast("_Bool", "x")

# Addresses as numbers. [94]
ffi.cast("int *", int(ffi.cast("intptr_t", p))) == p, int(ffi.cast("uintptr_t", ffi.NULL))
ffi.cast("int *", ffi.cast("uintptr_t", p))[0]
int(ffi.cast("uintptr_t", ffi.cast("void *", 0x1234))), ffi.cast("void *", 2**64 + 5) == ffi.cast("void *", 5)
int(p)
float(p)

# NULL. [95]
ffi.NULL, ffi.typeof(ffi.NULL), bool(ffi.NULL), ffi.NULL == ffi.cast("int *", 0), ffi.NULL != p
ffi.NULL == 0, ffi.NULL == None, ffi.NULL is ffi.NULL
setattr(ffi, "NULL", 5) if False else ffi.NULL == FFI().NULL

# Primitive cdata come from cast alone: reading gives Python's own. [96]
type(ffi.cast("int", 3)) is type(ffi.NULL), p[0], type(p[0]), type(ffi.new("double *")[0]), type(ffi.new("char *")[0])
type(ffi.dlopen(None).abs(-1))
