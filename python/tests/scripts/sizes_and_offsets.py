from cffi import FFI

ffi = FFI()
ffi.cdef("""
    struct point { int x, y; };
    struct line { struct point from, to[4]; };
    struct mixed { short n; union { int i; float f; }; int bits : 3; };
    struct var { int n; short tail[]; };
    struct opaque;
    struct holds_var { int z; struct var v; };
    enum color { RED };
    typedef int (*callback_t)(int, void *);
""")

# sizeof. [69]
[ffi.sizeof(t) for t in ("char", "short", "int", "long long", "double", "long double", "_Bool", "wchar_t", "void *")]
[ffi.sizeof(t) for t in ("int[7]", "int[2][3]", "int[0]", "struct point", "struct line", "enum color", "callback_t")]
[ffi.sizeof(t) for t in ("float _Complex", "double _Complex", "struct mixed", "struct var", "struct holds_var")]
ffi.sizeof(ffi.new("int[]", 6))
ffi.sizeof(ffi.new("int[6]")[1:3])
ffi.sizeof(ffi.new("struct var *", [1, [2, 3, 4]])[0])
ffi.sizeof(ffi.new("struct var *", [1, [2, 3, 4]]))
ffi.sizeof(ffi.new("struct holds_var *", [1, [2, [3, 4]]])[0])
ffi.sizeof(ffi.cast("short", 3)), ffi.sizeof(ffi.new("short *")), ffi.sizeof(ffi.NULL)
ffi.sizeof("struct opaque")
ffi.sizeof("void")
ffi.sizeof("int[]")
ffi.sizeof("int(int)")
ffi.sizeof(5)
ffi.sizeof(b"int")
ffi.sizeof("nosuch")
ffi.sizeof()
ffi.sizeof(ffi.cast("struct opaque *", 1)[0])
#! keelback: ValueError: ctype 'struct opaque' is of unknown size
#! why: CFFI tells -1
ffi.sizeof(cdecl="int")

# alignof. [70]
[ffi.alignof(t) for t in ("char", "short", "int", "double", "long double", "void *", "struct point", "int[5]", "int[]")]
ffi.alignof("struct mixed"), ffi.alignof("enum color"), ffi.alignof("callback_t")
ffi.alignof(ffi.new("struct point *")), ffi.alignof(ffi.new("short[3]"))
#! keelback: (8, 2)
#! why: as an out-of-line ffi of CFFI; its in-line one raises TypeError
ffi.alignof("struct opaque")
ffi.alignof("void")
ffi.alignof("int(int)")
ffi.alignof(5)
ffi.alignof()

# offsetof. [71]
ffi.offsetof("struct line", "to"), ffi.offsetof("struct line", "to", 2, "y"), ffi.offsetof("struct line *", "to")
ffi.offsetof("struct line", "from", "y"), ffi.offsetof("struct mixed", "f"), ffi.offsetof("struct mixed", "n")
ffi.offsetof("struct line *", 3), ffi.offsetof("int[5]", 2), ffi.offsetof("int[5]", 7), ffi.offsetof("int *", -1)
ffi.offsetof("int[2][3]", 1, 2)
ffi.offsetof("struct mixed", "bits")
ffi.offsetof("struct mixed", "nosuch")
ffi.offsetof("struct point", "x", "y")
ffi.offsetof("struct opaque", "x")
ffi.offsetof("struct point")
ffi.offsetof("struct point", 2)
ffi.offsetof("int", 2)
ffi.offsetof("int", "x")
ffi.offsetof("int *", "x")
ffi.offsetof("int[5]", 2.5)
ffi.offsetof("int[5]", None)
ffi.offsetof("int[5]", 2**62)
ffi.offsetof("int[5]", 2**70)
ffi.offsetof("void *", 1)
ffi.offsetof(5, "x")
ffi.offsetof()
