import weakref

from cffi import FFI

ffi = FFI()
ffi.cdef("""
    struct point { int x, y; };
    struct opaque;
    union number { int i; double d; };
    struct bits { unsigned a : 3; int b : 9; };
    struct holder { struct point p; struct { int inner; }; int grid[2][3]; };
    enum color { RED, GREEN = 5, BLUE };
    enum negative { BELOW = -2, ABOVE };
    enum never_defined;
    typedef int (*callback_t)(int, void *);
    typedef unsigned long word_t;
    typedef struct { int x; } unnamed_t;
""")
other = FFI()

# Equal types are one object, however they are spelt. [54]
ffi.typeof("int *") is ffi.typeof("int*")
ffi.typeof("  unsigned   int ") is ffi.typeof("unsigned")
ffi.typeof("int unsigned")
#! keelback: <ctype 'unsigned int'>
#! why: it is C, and CFFI refuses it
ffi.typeof("int(*)(int,char)") is ffi.typeof("int (*) ( int , char )")
ffi.typeof("struct point") is ffi.typeof("struct\tpoint\n")
ffi.typeof("word_t") is ffi.typeof("unsigned long")
ffi.typeof("int[5]") is ffi.typeof("int[0x5]")
ffi.typeof("int[5]") is ffi.typeof("int[6]")
ffi.typeof("int *") is other.typeof("int *")
ffi.typeof("int(*)(char, ...)")
ffi.typeof("const int * const")
ffi.typeof(cdecl="int")

# The type of a cdata and of a function. [55]
ffi.typeof(ffi.new("int *"))
ffi.typeof(ffi.new("struct point *")[0])
ffi.typeof(ffi.new("int[3]")[0:2])
ffi.typeof(ffi.cast("enum color", 5)) is ffi.typeof("enum color")
ffi.cdef("int abs(int); int printf(const char *, ...);")
ffi.typeof(ffi.dlopen(None).abs)
ffi.typeof(ffi.dlopen(None).printf).ellipsis
ffi.typeof(ffi.typeof("int"))
#! keelback: <ctype 'int'>
#! why: a type is taken as text or as a ctype everywhere else

# What is no type. [56]
ffi.typeof(5)
ffi.typeof(None)
ffi.typeof(b"int")
ffi.typeof([])
ffi.typeof()
ffi.typeof("int", "int")
ffi.typeof(nosuch="int")
ffi.typeof("nosuch")
ffi.typeof("nosuch *")
ffi.typeof("struct nosuch")
ffi.typeof("int(int)")
ffi.typeof("int[3")
ffi.typeof("int[-1]")
ffi.typeof("int x; int y")
ffi.typeof("int[nosuch]")
ffi.typeof("void[3]")
ffi.typeof("struct { int x; }")

# An empty string. [57]
ffi.typeof("")
#! keelback: CDefError: expected a C type, got an empty string
#! why: an internal AttributeError in CFFI
ffi.typeof("   ")
#! keelback: CDefError: expected a C type, got an empty string
#! why: an internal AttributeError in CFFI
ffi.new("")
#! keelback: CDefError: expected a C type, got an empty string
#! why: an internal AttributeError in CFFI
ffi.sizeof("")
#! keelback: CDefError: expected a C type, got an empty string
#! why: an internal AttributeError in CFFI

# A string or a ctype, wherever a type is wanted. [58]
int_p, array = ffi.typeof("int *"), ffi.typeof("int[3]")
ffi.new(int_p, 5)[0], ffi.new("int *", 5)[0]
ffi.cast(int_p, 0), ffi.cast("int *", 0)
ffi.sizeof(array), ffi.alignof(array), ffi.offsetof(array, 1), ffi.getctype(array, "x")
ffi.from_buffer(ffi.typeof("short[]"), b"abcd")[0] == ffi.from_buffer("short[]", b"abcd")[0]
ffi.callback(ffi.typeof("int(*)(int)"), abs)(-3), ffi.callback("int(*)(int)", abs)(-3)
ffi.offsetof(ffi.typeof("struct holder"), "p", "y")
ffi.new(5)
ffi.cast(None, 5)
ffi.sizeof(5.0)
ffi.getctype(5)

# repr, cname and kind. [59]
[ffi.typeof(t) for t in ("int", "unsigned char *", "int[3][4]", "int(*)(char *)", "struct point", "enum color", "void")]
[ffi.typeof(t).cname for t in ("int *", "int*[3]", "int(*)[3]", "callback_t", "int(*(*)(long))[5]", "struct point * *")]
[ffi.typeof(t).kind for t in ("int", "char", "_Bool", "double", "long double", "float _Complex", "wchar_t", "void")]
[ffi.typeof(t).kind for t in ("int *", "int[3]", "struct point", "union number", "enum color", "callback_t")]
ffi.typeof("unnamed_t"), ffi.typeof("unnamed_t *").item
ffi.typeof("callback_t").kind, ffi.typeof("callback_t")

# Items and lengths. [60]
ffi.typeof("int *").item, ffi.typeof("int[3]").item, ffi.typeof("int[2][3]").item
ffi.typeof("int[3]").length, ffi.typeof("int[]").length, ffi.typeof("int[0]").length
ffi.typeof("int *").length
ffi.typeof("int").item
ffi.typeof("void *").item
ffi.typeof("callback_t").item

# Fields. [61]
[(name, f.type, f.offset, f.bitshift, f.bitsize, f.flags) for name, f in ffi.typeof("struct point").fields]
[(name, f.type, f.offset, f.bitshift, f.bitsize, f.flags) for name, f in ffi.typeof("struct bits").fields]
[(name, f.type.kind, f.offset, f.flags) for name, f in ffi.typeof("struct holder").fields]
[(name, f.offset) for name, f in ffi.typeof("union number").fields]
ffi.typeof("struct opaque").fields
ffi.typeof("struct nosuch").fields
ffi.typeof("int").fields
ffi.typeof("struct point *").fields
ffi.typeof("struct point").fields[0][1]
ffi.typeof("struct point").fields[0][1].nosuch

# The parts of function types. [62]
ffi.typeof("callback_t").args, ffi.typeof("callback_t").result
ffi.typeof("callback_t").ellipsis, ffi.typeof("int(*)(int, ...)").ellipsis
ffi.typeof("callback_t").abi
ffi.typeof("void(*)(int[3], int(char))").args
ffi.typeof("int(*)()").args
ffi.typeof("int").args
ffi.typeof("struct point").result
ffi.typeof("int *").ellipsis
ffi.typeof("int").abi

# Enumerators. [63]
ffi.typeof("enum color").elements, ffi.typeof("enum color").relements
ffi.typeof("enum negative").elements
ffi.typeof("int").elements
ffi.typeof("struct point").relements
ffi.typeof("enum never_defined").elements

# An attribute that the kind does not have. [64]
ffi.typeof("int").length
ffi.typeof("enum color").fields
ffi.typeof("int").nosuch
setattr(ffi.typeof("int"), "kind", "x")
setattr(ffi.typeof("int"), "nosuch", "x")
delattr(ffi.typeof("int"), "cname")
dir(ffi.typeof("int"))
dir(ffi.typeof("int[3]"))
dir(ffi.typeof("struct opaque"))
dir(ffi.typeof("struct point"))
dir(ffi.typeof("callback_t"))
dir(ffi.typeof("enum color"))

# Ctypes as keys, weakly referenced, compared by identity. [65]
{ffi.typeof("int"): 1, ffi.typeof("int *"): 2}[ffi.typeof("int*")]
hash(ffi.typeof("int")) == hash(ffi.typeof("  int"))
ffi.typeof("int") == ffi.typeof("int"), ffi.typeof("int") == ffi.typeof("long"), ffi.typeof("int") == "int"
ffi.typeof("int") < ffi.typeof("long")
kept = ffi.typeof("int[77]")
weakref.ref(kept)() is kept

# The classes. [66]
isinstance(ffi.typeof("int"), ffi.CType), isinstance(5, ffi.CType)
isinstance(ffi.new("int *"), ffi.CData), isinstance(ffi.NULL, ffi.CData), isinstance(ffi.cast("int", 3), ffi.CData)
isinstance(ffi.new("struct point *")[0], ffi.CData), isinstance(ffi.typeof("int"), ffi.CData)
isinstance(ffi.buffer(ffi.new("int *")), ffi.buffer), isinstance(b"", ffi.buffer)
all(issubclass(type(x), ffi.CData) for x in (ffi.new("int *"), ffi.new_handle(5), ffi.from_buffer(b"")))
ffi.CData is other.CData, ffi.CType is other.CType, ffi.buffer is other.buffer
ffi.CData()
ffi.CType()
ffi.buffer()
type("Sub", (ffi.CType,), {})

# getctype. [67]
ffi.getctype("int[5]", "*"), ffi.getctype("char[80]", "a"), ffi.getctype("int(*)(int)", "foo")
ffi.getctype("int(*)(int)", "[5]"), ffi.getctype("int *", "[5]"), ffi.getctype("int", " [5]")
ffi.getctype("int", "**"), ffi.getctype("int", "x"), ffi.getctype("int *", "x"), ffi.getctype("int", "  x ")
ffi.getctype(ffi.typeof("struct point *"), ""), ffi.getctype("callback_t", "&")
ffi.getctype("int", replace_with="x")
ffi.getctype("int", extra="x")
ffi.getctype("int", 5)
#! keelback: TypeError: getctype() argument 2 must be str, not int
#! why: an internal error in CFFI
ffi.getctype("nosuch")
ffi.getctype()
ffi.getctype("int(int)", "f")

# list_types. [68]
ffi.list_types()
FFI().list_types()
ffi.list_types(5)

# Types that nobody uses are forgotten (with CFFI they stay: there is nothing else to see). [72]
[ffi.sizeof("int[%d]" % n) for n in range(1, 4)]
len({ffi.typeof("int[%d]" % n) for n in range(100)})
