"""The methods of FFI objects, expression by expression, with the same outcome in CFFI: the same repr, or an exception
of the same class. Rows 54-72 and 141-170 of the feature list.
"""
import re

import keelback
import pytest

cffi = pytest.importorskip("cffi")

CDEF = """
typedef struct { short n; union { int i; float f; }; int bits : 3; } record_t;
struct point { int x, y; };
struct line { struct point from, to[4]; };
struct var { int n; short tail[]; };
struct opaque;
union number { char c; double d; };
enum color { RED, GREEN = 5, BLUE };
typedef int (*callback_t)(int, void *);
"""

# An address is shown in hexadecimal, and differs.
EXPRESSIONS = """
ffi.typeof("int *") is ffi.typeof("int*")
ffi.typeof("  unsigned   int ")
ffi.typeof("int(*)(char, ...)")
ffi.typeof("callback_t").kind
ffi.typeof(ffi.new("int *"))
ffi.typeof(cdecl="int")
ffi.typeof(5)
ffi.typeof(b"int")
ffi.typeof("int(int)")
ffi.typeof("nosuch")
ffi.typeof("struct nosuch")
ffi.typeof("int[3")
ffi.typeof()
ffi.typeof("int", "int")
ffi.sizeof("int[7]")
ffi.sizeof("struct opaque")
ffi.sizeof("void")
ffi.sizeof("int[]")
ffi.sizeof(ffi.new("int[]", 6))
ffi.sizeof(ffi.new("struct var *", [1, [2, 3, 4]])[0])
ffi.sizeof(ffi.cast("short", 3))
ffi.sizeof("callback_t")
ffi.sizeof("int(int)")
ffi.sizeof(5)
ffi.alignof("double")
ffi.alignof("struct line")
ffi.alignof("int[5]")
ffi.alignof("struct opaque")
ffi.alignof("void")
ffi.alignof(5)
ffi.offsetof("struct line", "to")
ffi.offsetof("struct line", "to", 2, "y")
ffi.offsetof("struct line *", "to")
ffi.offsetof("struct line *", 3)
ffi.offsetof("int[5]", 7)
ffi.offsetof("record_t", "f")
ffi.offsetof("record_t", "bits")
ffi.offsetof("record_t", "nosuch")
ffi.offsetof("struct opaque", "x")
ffi.offsetof("record_t")
ffi.offsetof("int", 2)
ffi.offsetof("int", "x")
ffi.offsetof("int[5]", 2.5)
ffi.offsetof("int[5]", 2**62)
ffi.getctype("int[5]", "*")
ffi.getctype("char[80]", "a")
ffi.getctype("int(*)(int)", "foo")
ffi.getctype("int(*)(int)", "[5]")
ffi.getctype("int", " [5]")
ffi.getctype("int", replace_with="x")
ffi.getctype(ffi.typeof("struct point *"), "")
ffi.getctype(5)
ffi.list_types()
ffi.new("int")
ffi.new("struct opaque *")
ffi.new("int[]")
ffi.new("int[]", -1)
ffi.new("int *", 3)[0]
ffi.new(cdecl="int[2]", init=[4, 5])[1]
ffi.new("int *", nosuch=2)
ffi.cast("int", 3.9)
ffi.cast("enum color", 5)
ffi.cast("struct point", 5)
ffi.cast("int")
ffi.string(ffi.new("char[]", b"hello"))
ffi.string(ffi.new("char[]", b"hello"), 3)
ffi.string(ffi.new("char[3]", b"abc"))
ffi.string(ffi.new("signed char[]", b"hello"), maxlen=2)
ffi.string(ffi.new("wchar_t[]", "h\\xe9\\u1234"))
ffi.string(ffi.new("char16_t[]", "a\\U00012345b"))
ffi.string(ffi.new("char32_t[]", "a\\U00012345b"), 2)
ffi.string(ffi.cast("char", b"x"))
ffi.string(ffi.cast("wchar_t", "x"))
ffi.string(ffi.cast("unsigned char", 65))
ffi.string(ffi.cast("enum color", 5))
ffi.string(ffi.cast("enum color", 77))
ffi.string(ffi.cast("int", 5))
ffi.string(ffi.cast("_Bool", 1))
ffi.string(ffi.new("int[3]"))
ffi.string(ffi.new("_Bool[3]"))
ffi.string(ffi.NULL)
ffi.string(ffi.cast("char *", 0))
ffi.string(b"abc")
ffi.unpack(ffi.new("char[]", b"a\\0b"), 4)
ffi.unpack(ffi.new("wchar_t[]", "abc"), 2)
ffi.unpack(ffi.new("short[]", [1, -2, 3]), 3)
ffi.unpack(ffi.new("double[]", [1, 2.5]), 2)
ffi.unpack(ffi.new("_Bool[]", [0, 1]), 2)
ffi.unpack(ffi.new("int *[]", [ffi.NULL]), 1)
ffi.unpack(ffi.new("int[3]"), 0)
ffi.unpack(ffi.new("int[3]"), -1)
ffi.unpack(ffi.NULL, 1)
ffi.unpack(ffi.cast("void *", 1), 1)
ffi.unpack(ffi.cast("int", 1), 1)
ffi.unpack(cdata=ffi.new("int[3]"), length=2)
bytes(ffi.buffer(ffi.new("int *", 0x01020304)))
bytes(ffi.buffer(ffi.new("char[]", b"hello"), 3))
bytes(ffi.buffer(cdata=ffi.new("char[]", b"hello"), size=2))
len(ffi.buffer(ffi.new("struct var *", [1, [2, 3, 4]])))
len(ffi.buffer(ffi.new("int[4]")[1:3]))
ffi.buffer(ffi.cast("int", 3))
ffi.buffer(ffi.NULL)
ffi.buffer(b"abc")
ffi.buffer(ffi.new("char[]", b"hello"))[1:3]
ffi.buffer(ffi.new("char[]", b"hello"))[-1]
ffi.buffer(ffi.new("char[]", b"hello"))[6]
ffi.buffer(ffi.new("char[]", b"hello"))[::2]
ffi.buffer(ffi.new("char[]", b"hello"))["x"]
ffi.buffer(ffi.new("char[]", b"hello")) == b"hello\\0"
ffi.buffer(ffi.new("char[]", b"hello")) < b"help"
ffi.buffer(ffi.new("char[]", b"hello")) == 5
ffi.buffer(ffi.new("char[]", b"hello")) < 5
hash(ffi.buffer(ffi.new("char[]", b"hello")))
memoryview(ffi.buffer(ffi.new("char[]", b"hello"))).format
isinstance(ffi.buffer(ffi.new("int *")), ffi.buffer)
ffi.buffer(ffi.new("char[]", b"hello")).__setitem__(0, b"J")
ffi.buffer(ffi.new("char[]", b"hello")).__setitem__(0, 5)
ffi.buffer(ffi.new("char[]", b"hello")).__setitem__(slice(0, 2), b"x")
ffi.buffer(ffi.new("char[]", b"hello")).__delitem__(0)
ffi.from_buffer(b"hello")
ffi.from_buffer(bytearray(b"hello"))[1]
ffi.from_buffer("short[]", b"hello")
ffi.from_buffer("short[2]", b"hello")
ffi.from_buffer("short[3]", b"hello")
ffi.from_buffer("struct point *", b"hello")
ffi.from_buffer("int", b"hello")
ffi.from_buffer("str")
ffi.from_buffer(5)
ffi.from_buffer(b"hello", require_writable=True)
ffi.from_buffer("char[]", bytearray(b"hello"), True)[0]
ffi.from_buffer(memoryview(b"hello")[::2])
ffi.from_buffer(ffi.new("int *"))
len(ffi.from_buffer(ffi.buffer(ffi.new("int *"))))
ffi.memmove(ffi.new("char[4]"), b"abcd", 4)
ffi.memmove(bytearray(3), ffi.new("char[]", b"abc"), 3)
ffi.memmove(b"abc", b"def", 1)
ffi.memmove(ffi.new("char[4]"), b"abcd", -1)
ffi.memmove(ffi.new("char[4]"), "abcd", 1)
ffi.memmove(ffi.cast("int", 3), b"abcd", 1)
ffi.memmove(dest=ffi.new("char[4]"), src=b"abcd", n=2)
ffi.addressof(ffi.new("struct line *")[0])
ffi.typeof(ffi.addressof(ffi.new("struct line *")[0], "to", 1, "x"))
ffi.typeof(ffi.addressof(ffi.new("struct line *"), "to"))
ffi.typeof(ffi.addressof(ffi.new("int[5]"), 2))
ffi.typeof(ffi.addressof(ffi.new("int[5]")))
ffi.addressof(ffi.new("int *"))
ffi.addressof(ffi.cast("int", 3))
ffi.addressof(ffi.new("struct line *")[0], "nosuch")
ffi.addressof(ffi.new("struct line *")[0], 1)
ffi.addressof(5)
ffi.gc(ffi.new("int *", 3), lambda p: None)[0]
ffi.gc(ffi.new("int *"), lambda p: None, size=10)
ffi.gc(ffi.new("int *"), None)
ffi.gc(5, None)
ffi.gc(ffi.gc(ffi.new("int *"), lambda p: None), None)
ffi.release(ffi.new("int *"))
ffi.release(ffi.NULL)
ffi.release(5)
ffi.release(ffi.new_handle(5))
ffi.from_handle(ffi.new_handle([1, 2]))
(lambda h: ffi.from_handle(ffi.cast("char *", h)))(ffi.new_handle([1, 2]))
ffi.new_handle([1, 2])
ffi.from_handle(ffi.NULL)
ffi.from_handle(ffi.new("int *"))
ffi.from_handle(5)
ffi.callback("int(int)", lambda n: n + 1)(4)
ffi.callback("callback_t", lambda n, p: n)(4, ffi.NULL)
ffi.callback("int(*)(int)")(lambda n: n * 2)(4)
ffi.callback("int(int)", error=3)(abs)(-4)
ffi.callback("int(int)", 5)
ffi.callback("int(int)", abs, "x")
ffi.callback("int(int)", abs, onerror=5)
ffi.callback("int", abs)
ffi.callback("int(int, ...)", abs)
ffi.init_once(lambda: 5, "tag")
ffi.init_once(lambda: 6, "tag") + ffi.init_once(lambda: 7, "tag")
ffi.init_once(lambda: 1 / 0, "tag")
ffi.init_once(5, "tag")
ffi.init_once(int, [])
ffi.errno
setattr(ffi, "errno", 5) or ffi.errno
setattr(ffi, "errno", "x")
delattr(ffi, "errno")
ffi.NULL
ffi.NULL == ffi.cast("int *", 0)
isinstance(ffi.NULL, ffi.CData)
isinstance(ffi.typeof("int"), ffi.CType)
ffi.RTLD_NOW | ffi.RTLD_LAZY | ffi.RTLD_GLOBAL | ffi.RTLD_LOCAL | ffi.RTLD_NODELETE
ffi.def_extern()
ffi.nosuch
setattr(ffi, "anything", 5)
ffi.cdef(5)
ffi.cdef(b"int x;")
ffi.cdef("int f(int", override=True)
ffi.cdef("struct point { int z; };")
ffi.cdef("struct packed { char c; int i; };", packed=True) or ffi.sizeof("struct packed")
ffi.cdef("struct packed { char c; long i; };", pack=2) or ffi.sizeof("struct packed")
ffi.cdef("struct packed { char c; };", packed=True, pack=2)
ffi.cdef("struct packed { char c; };", pack=3)
ffi.cdef("typedef int new_t;") or ffi.typeof("new_t")
ffi.include(5)
ffi.include(ffi)
ffi.set_unicode(True) or ffi.typeof("TCHAR")
ffi.set_unicode(False) or ffi.set_unicode(False)
ffi.dlopen(5)
ffi.dlopen("nosuch")
ffi.dlopen("libnosuch.so")
ffi.dlopen(None, "x")
ffi.dlopen(ffi.NULL)
ffi.dlopen(ffi.new("int *"))
ffi.new_allocator(lambda n: ffi.new("char[]", n))("int *", 5)[0]
ffi.new_allocator(lambda n: ffi.NULL)("int *", 5)
ffi.new_allocator(lambda n: 5)("int *", 5)
ffi.new_allocator(lambda n: ffi.cast("int", 5))("int *", 5)
ffi.new_allocator(5)("int *")
ffi.new_allocator(None, 5)
ffi.new_allocator()("int[3]", [1, 2, 3])[2]
""".strip().splitlines()

# What CFFI does without meaning it, and what Keelback does instead.
BETTER = {
    'ffi.typeof("")': keelback.CDefError,  # an internal AttributeError
    'ffi.getctype("int", 5)': TypeError,  # an internal AttributeError
    'ffi.typeof("LPCTSTR")': keelback.FFIError,  # CDefError, and does not name set_unicode
    "ffi.dlclose(5)": TypeError,  # an internal AttributeError
    'ffi.gc(ffi.new("int *"), 5)': TypeError,  # fails when the destructor should run
    'ffi.memmove(ffi.new("char[3]"), b"abcdef", 6)': ValueError,  # overwrites memory
    'ffi.memmove(bytearray(2), b"abc", 3)': ValueError,
    'ffi.memmove(ffi.new("char[9]"), b"abc", 4)': ValueError,
    "ffi.memmove(ffi.NULL, b'abc', 3)": RuntimeError,  # crashes
    'ffi.addressof(ffi.new("int[5]"), 6)': IndexError,
    'ffi.addressof(ffi.new("int[5]"), -1)': IndexError,
    'ffi.addressof(ffi.cast("struct point *", 0), "y")': RuntimeError,
    'ffi.from_handle(ffi.cast("void *", 0x1234))': SystemError,  # crashes
    'ffi.from_handle(ffi.cast("void *", ffi.cast("intptr_t", ffi.new_handle(5))))': SystemError,
    'bytes(ffi.buffer(ffi.cast("char *", 0), 5))': RuntimeError,  # crashes
}


def outcome(ffi, expression):
    """The repr of the value, or the class of the exception."""
    try:
        value = repr(eval(expression, {"ffi": ffi}))
    except Exception as exception:
        return type(exception).__name__
    return re.sub(r"0x[0-9a-f]+", "0x...", value)


@pytest.fixture
def ffis():
    pair = keelback.FFI(), cffi.FFI()
    for ffi in pair:
        ffi.cdef(CDEF)
    return pair


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_same_outcome(ffis, expression):
    ours, theirs = ffis
    expression = expression.encode().decode("unicode_escape")
    assert outcome(ours, expression) == outcome(theirs, expression)


@pytest.mark.parametrize("expression,exception", BETTER.items())
def test_better_than_cffi(ffis, expression, exception):
    with pytest.raises(exception):
        eval(expression, {"ffi": ffis[0]})
