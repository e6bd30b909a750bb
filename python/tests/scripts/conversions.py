import math
import os
import tempfile
from pathlib import Path

from cffi import FFI

ffi = FFI()
ffi.cdef("""
    struct point { int x, y; };
    struct other { int x, y; };
    struct bits { signed one : 1; unsigned a : 3; int b : 5; _Bool flag : 1; long long wide : 40; };
    struct holder { struct point p; int items[3]; char name[4]; wchar_t wide[3]; struct point *to; };
    enum color { RED, GREEN = 5 };
    typedef int (*callback_t)(int);
    int abs(int);
    size_t strlen(const char *);
    int memcmp(const void *, const void *, size_t);
    int fputs(const char *, FILE *);
    int fflush(FILE *);
    int isatty(int);
    void srand(unsigned);
    typedef struct { int quot, rem; } div_t;
    div_t div(int, int);
""")
lib = ffi.dlopen(None)


class Index:
    def __index__(self):
        return 7


class Int:
    def __int__(self):
        return 8


class BadInt:
    def __int__(self):
        return "x"


class Raises:
    def __index__(self):
        raise KeyError("from __index__")


def stored(ctype, value):
    """What is read after a write."""
    p = ffi.new(ctype + " *")
    p[0] = value
    return p[0]


# Integers. [98]
[stored("signed char", n) for n in (-128, 127)], [stored("unsigned char", n) for n in (0, 255)]
[stored("short", n) for n in (-2**15, 2**15 - 1)], [stored("unsigned short", n) for n in (0, 2**16 - 1)]
[stored("int", n) for n in (-2**31, 2**31 - 1)], [stored("unsigned", n) for n in (0, 2**32 - 1)]
[stored("long long", n) for n in (-2**63, 2**63 - 1)], [stored("uint64_t", n) for n in (0, 2**64 - 1)]
stored("int", True), stored("int", Index()), stored("int", ffi.cast("long long", 5)), stored("unsigned", ffi.cast("char", b"A"))
stored("int", Int())
stored("signed char", 128)
stored("signed char", -129)
stored("unsigned char", -1)
stored("unsigned char", 256)
stored("short", 2**15)
stored("unsigned short", -1)
stored("int", 2**31)
stored("int", -2**31 - 1)
stored("unsigned", 2**32)
stored("unsigned", -1)
stored("long", 2**63)
stored("unsigned long", 2**64)
stored("unsigned long", -1)
stored("int64_t", 2**100)
stored("int", ffi.cast("long long", 2**40))
stored("int", 2.5)
stored("int", "5")
stored("int", b"5")
stored("int", None)
stored("int", [5])
stored("int", BadInt())
stored("int", Raises())
stored("int", ffi.cast("double", 5))
stored("int", ffi.new("int *"))
stored("int", ffi.NULL)

# Signed and unsigned char are numbers, and their arrays take bytes. [99]
stored("signed char", 5), stored("unsigned char", 200), list(ffi.new("unsigned char[]", b"ab")), list(ffi.new("int8_t[2]", b"ab"))
stored("signed char", b"A")
stored("unsigned char", b"A")
list(ffi.new("unsigned char[2]", [1, 2]))
ffi.new("unsigned char[1]", b"ab")
ffi.new("unsigned char[]", "ab")

# char. [100]
stored("char", b"A"), stored("char", ffi.cast("char", 66)), stored("char", b"\xff")
stored("char", 65)
stored("char", "A")
stored("char", b"AB")
stored("char", b"")
stored("char", ffi.cast("int", 65))
stored("char", None)

# Wide characters. [101]
stored("wchar_t", "A"), stored("wchar_t", "\U00012345"), stored("char16_t", "\u1234"), stored("char32_t", "\U00012345")
stored("char16_t", ffi.cast("char16_t", 66)), stored("char16_t", "\ud800")
stored("char16_t", "\U00012345")
stored("wchar_t", "AB")
stored("wchar_t", "")
stored("wchar_t", b"A")
stored("wchar_t", 65)
stored("char32_t", ffi.cast("char16_t", 66))
stored("char16_t", None)

# str into arrays of wide characters. [102]
[ord(c) for c in ffi.new("char16_t[]", "a\U00012345b")], [ord(c) for c in ffi.new("wchar_t[]", "a\U00012345")]
ffi.string(ffi.new("char16_t[]", "a\U00012345b")), ffi.string(ffi.new("char32_t[4]", "a\U00012345"))
ffi.new("char16_t[2]", "\U00012345\U00012345")
ffi.new("char32_t[]", b"abc")
ffi.new("char16_t[]", "\ud800")[0]

# float and double. [103]
stored("double", 2.5), stored("double", 3), stored("double", True), stored("float", 1.1), stored("double", Index())
stored("float", 1e300), stored("float", -1e300), math.isnan(stored("float", float("nan"))), stored("double", 2**100)
stored("double", ffi.cast("float", 1.5)), stored("float", ffi.cast("double", 0.5)), stored("double", ffi.cast("long double", 2))
stored("double", "2.5")
stored("double", None)
stored("double", 1j)
stored("double", ffi.cast("int", 5))
stored("double", 2**2000)
stored("double", b"2")
stored("double", ffi.new("double *"))

# Long double. [104]
exact = ffi.cast("long double", 1)
stored("long double", exact), float(stored("long double", 0.1)) == 0.1
int(stored("long double", 2**60 + 1)) == 2**60 + 1
#! keelback: True
#! why: CFFI goes through a double, and loses bits
ffi.cdef("long double powl(long double, long double); long double sqrtl(long double);")
m = ffi.dlopen("m")
precise = m.powl(2, 64)
int(ffi.cast("unsigned long long", stored("long double", precise))) if False else int(precise) == 2**64
float(stored("long double", m.sqrtl(2))), ffi.typeof(stored("long double", m.sqrtl(2)))
bytes(ffi.buffer(ffi.new("long double *", m.sqrtl(2))))[:10] == bytes(ffi.buffer(ffi.new("long double *", float(m.sqrtl(2)))))[:10]
stored("long double", "x")
stored("long double", ffi.cast("int", 1))
stored("long double", 1j)

# Complex. [105]
stored("float _Complex", 1 + 2j), stored("double _Complex", 3), stored("double _Complex", 2.5), stored("double _Complex", True)
complex(ffi.cast("double _Complex", 1 + 2j)), stored("double _Complex", ffi.cast("float _Complex", 1j))
int(ffi.cast("double _Complex", 1))
float(ffi.cast("double _Complex", 1))
stored("double _Complex", "1")
stored("double _Complex", None)
stored("double _Complex", ffi.cast("double", 1.5))

# _Bool. [106]
[stored("_Bool", value) for value in (0, 1, True, False)], stored("_Bool", Index()) if False else stored("_Bool", ffi.cast("int", 1))
stored("_Bool", 2)
stored("_Bool", -1)
stored("_Bool", 0.0)
stored("_Bool", 1.0)
stored("_Bool", "x")
stored("_Bool", None)
memory = ffi.new("unsigned char *", 2)
ffi.cast("_Bool *", memory)[0]
bool(ffi.cast("_Bool", 1)), int(ffi.cast("_Bool", 7))

# Bytes into arrays of _Bool. [107]
list(ffi.new("_Bool[]", b"\0\1")), list(ffi.new("_Bool[2]", b"\1"))
ffi.new("_Bool[]", b"\2")
ffi.new("_Bool[2]", b"\0\1\1")
ffi.new("_Bool[2]", [0, 2])

# Enums. [108]
stored("enum color", 5), stored("enum color", 77), stored("enum color", ffi.cast("enum color", 5)), stored("enum color", ffi.cast("int", 0))
stored("enum color", "GREEN")
stored("enum color", -1)
stored("enum color", 2**32)
stored("enum color", None)
stored("enum color", 1.0)

# Pointers. [109]
number, numbers, point = ffi.new("int *", 5), ffi.new("int[3]", [1, 2, 3]), ffi.new("struct point *", [1, 2])
stored("int *", number)[0], stored("int *", numbers)[2], stored("void *", number) == number, stored("int *", ffi.cast("void *", number))[0]
stored("void *", numbers) == numbers, stored("int *", ffi.NULL), stored("struct point *", point).y
stored("char *", ffi.new("unsigned char[3]")) != ffi.NULL
stored("unsigned char *", ffi.new("char *")) != ffi.NULL
stored("int *", ffi.new("unsigned *"))
stored("int *", ffi.new("long[3]"))
stored("struct point *", ffi.new("struct other *"))
stored("struct point *", point[0])
stored("int **", number)
stored("int *", 0)
stored("int *", None)
stored("int *", [1])
stored("char *", b"abc")
stored("void *", b"abc")
stored("void *", 5)
stored("void *", lib.abs) != ffi.NULL
stored("callback_t", ffi.cast("void *", 0))
stored("int *", ffi.cast("char *", number)) != ffi.NULL

# Call arguments that become temporary arrays. [110]
lib.strlen([b"a", b"b", b"\0"]), lib.strlen((b"a", b"\0")), lib.strlen(b"abc"), lib.memcmp(b"ab", b"ab", 2)
ffi.callback("int(int *)", lambda p: p[2])([1, 2, 3]), ffi.callback("int(struct point *)", lambda p: p[1].y)([[1, 2], {"y": 4}])
ffi.callback("int(int **)", lambda p: p[0][0])([number])
lib.strlen([1, 2])
lib.strlen([b"ab"])
ffi.callback("int(int *)", lambda p: 0)([1, "x"])
ffi.callback("int(int *)", lambda p: 0)(b"abcd")
ffi.callback("int(int *)", lambda p: 0)(5)
ffi.callback("int(int *)", lambda p: 0)(iter([1]))
ffi.callback("int(void *)", lambda p: 0)([1])
ffi.callback("int(struct point *)", lambda p: p.x)([1, 2])
ffi.callback("int(struct point *)", lambda p: p.x)({"x": 1})
ffi.callback("int(wchar_t *)", lambda p: ord(p[1]))("ab")
ffi.callback("int(unsigned char *)", lambda p: p[1])(b"ab")
ffi.callback("int(_Bool *)", lambda p: p[1])(b"\0\2")

# Bytes are passed as they are, without a copy. [111]
text = b"some bytes"
ffi.callback("int(char *)", lambda p: p == ffi.from_buffer(text))(text)
lib.strlen(b"te\0xt")

# str and bytearray are no char *. [112]
lib.strlen("text")
lib.strlen(bytearray(b"text"))
lib.strlen(memoryview(b"text"))
lib.strlen(ffi.from_buffer(bytearray(b"text\0")))
lib.strlen(None)
lib.strlen(ffi.NULL) if False else lib.strlen(ffi.new("unsigned char[]", b"abc"))

# Files. [113]
name = os.path.join(tempfile.mkdtemp(), "file")
file = open(name, "w")
lib.fputs(b"from C", file) >= 0
file.flush(), Path(name).read_text()
ffi.typeof(ffi.cast("FILE *", file))
lib.fputs(b" again", ffi.cast("FILE *", file)) >= 0
file.close(), Path(name).read_text()
lib.fputs(b"closed", file)
lib.fputs(b"no file", 5)
lib.fputs(b"no file", "name")
lib.fputs(b"no file", ffi.new("int *"))
ffi.cast("FILE *", ffi.NULL)

# Function pointers. [114]
twice = ffi.callback("int(int)", lambda n: 2 * n)
call = ffi.callback("int(callback_t)", lambda f: f(21))
call(twice), call(lib.abs), call(ffi.cast("callback_t", twice)), stored("callback_t", twice)(4)
call(lambda n: n)
call(5)
call(None)
call(ffi.callback("int(long)", lambda n: 0))
call(ffi.new("callback_t *", twice)[0])
stored("callback_t", lambda n: n)

# Arrays as fields and items. [115]
holder = ffi.new("struct holder *", {"items": [1, 2, 3], "name": b"abc", "wide": "ab"})
holder.items = [9]
list(holder.items)
holder.items = (7, 8)
list(holder.items)
holder.items = ffi.new("int[3]", [4, 5, 6])
list(holder.items)
holder.name = b"x"
bytes(holder.name)
holder.name = b"wxyz"
holder.wide = "z"
list(holder.wide)
#! keelback: ['z', '\x00', '\x00']
#! why: CFFI writes no terminator here, and leaves "zb"; with bytes it writes one
holder.items = [1, 2, 3, 4]
holder.items = 5
holder.items = ffi.new("int[2]")
holder.items = ffi.new("int[]", 3)
holder.items = range(3)
holder.name = b"12345"
holder.name = "abc"
holder.wide = b"ab"
holder.wide = "abcd"
list(holder.items)

# Structs in structs. [116]
holder.p = [5, 6]
inner = holder.p
inner.x, inner.y
inner.x = 50
holder.p.x
holder.p = {"y": 60}
inner.y, inner.x
holder.p = point[0]
inner.x
holder.p = point
holder.p = [1, 2, 3]
holder.p = 5
holder.p = ffi.new("struct other *")[0]
inner

# Pointers, arrays and structs are read as new cdata that own nothing. [117]
holder.to = point
holder.to, holder.items, holder.p
holder.to is holder.to, holder.to == holder.to, holder.items is holder.items
holder.to[0].y

# Bit-fields. [118]
bits = ffi.new("struct bits *", [0, 7, -16, True, -5])
bits.one, bits.a, bits.b, bits.flag, bits.wide
bits.one = 1
bits.one
bits.one = -1
bits.one, bits.a
bits.one = 2
bits.a = 8
bits.a = -1
bits.b = 16
bits.b = -17
bits.flag = 2
bits.wide = 2**39
bits.a = 2.5
bits.a = "x"
bits.a = None
bits.a, bits.b
bits.a = 3
bits.a, bits.b

# Void. [119]
lib.srand(5)
ffi.callback("void(int)", lambda n: None)(1)

# Structs by value are new memory. [120]
result = lib.div(7, 2)
result, result.quot, result.rem
result.quot = 9
result.quot, lib.div(7, 2).quot
ffi.callback("struct point(struct point)", lambda p: [p.y, p.x])([1, 2]).x

# A function returning _Bool. [121]
ffi.callback("_Bool(int)", lambda n: n)(1), ffi.callback("_Bool(int)", lambda n: n)(0)
type(ffi.callback("_Bool(int)", lambda n: n)(1))
