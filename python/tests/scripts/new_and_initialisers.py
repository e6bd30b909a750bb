import gc
import weakref

from cffi import FFI

ffi = FFI()
ffi.cdef("""
    struct point { int x, y; };
    struct line { struct point from, to; char name[8]; };
    union number { int i; double d; };
    struct anon { int k; struct { int l; union { int m; float f; }; }; };
    struct var { int n; short tail[]; };
    struct opaque;
    struct list { struct list *next; int value; };
    typedef int (*callback_t)(int);
    enum color { RED, GREEN };
""")


def assigned(target, value):
    target[0] = value
    return target[0]


# One zeroed item, or an array of them. [73]
ffi.new("int *"), ffi.new("int *")[0], ffi.new("int *", 3)[0]
ffi.new("int[3]"), list(ffi.new("int[3]")), list(ffi.new("int[3]", [1, 2]))
ffi.new("struct point *").y, ffi.new("void **")[0] == ffi.NULL, ffi.new("callback_t *")[0] == ffi.NULL
ffi.new("int[2][3]", [[1, 2], [3]])[1][0]
ffi.new(cdecl="int[2]", init=[4, 5])[1]
ffi.new("int *", None)[0]
ffi.new("int *", nosuch=2)
ffi.new("int *", 1, 2)
ffi.new()

# What is neither pointer nor array. [74]
ffi.new("int")
ffi.new("struct point")
ffi.new("enum color")
ffi.new("callback_t")
ffi.new("int(int)")
ffi.new("void")

# The length in place of the items. [75]
len(ffi.new("int[]", 5)), len(ffi.new("int[]", 0)), len(ffi.new("char[]", True))
ffi.new("int[]")
ffi.new("int[]", -1)
ffi.new("int[]", 2**62)
ffi.new("int[]", 2**70)
ffi.new("int[]", 2.5)
ffi.new("int[]", None)
len(ffi.new("int[]", ffi.cast("int", 4)))
ffi.new("int[][3]", 2)

# The length from the items. [76]
list(ffi.new("int[]", [1, 2, 3])), list(ffi.new("int[]", (4,))), len(ffi.new("int[]", []))
len(ffi.new("char[]", b"abc")), ffi.new("char[]", b"abc")[3], ffi.string(ffi.new("char[]", b"a\0b"))
len(ffi.new("wchar_t[]", "abc")), len(ffi.new("char16_t[]", "a\U00012345")), len(ffi.new("char32_t[]", "\U00012345"))
len(ffi.new("signed char[]", b"ab")), len(ffi.new("unsigned char[]", b"ab")), len(ffi.new("_Bool[]", b"\0\1"))
ffi.new("char[]", "abc")
ffi.new("wchar_t[]", b"abc")
ffi.new("int[]", b"abc")
ffi.new("int[]", "abc")
ffi.new("_Bool[]", b"\2")
ffi.new("int[]", [1, "x"])
ffi.new("int[]", {1: 2})

# Fewer items, or too many. [77]
list(ffi.new("int[4]", [1, 2])), list(ffi.new("int[2]", (1, 2)))
ffi.new("int[2]", [1, 2, 3])
ffi.new("int[2]", (1, 2, 3))
ffi.new("int[2][2]", [[1, 2, 3]])
ffi.new("int[0]", [1])

# Bytes that just fit. [78]
bytes(ffi.buffer(ffi.new("char[3]", b"abc"))), bytes(ffi.buffer(ffi.new("char[4]", b"abc")))
bytes(ffi.buffer(ffi.new("char[6]", b"abc")))
ffi.new("char[3]", b"abcd")
ffi.new("char16_t[2]", "abc")
ffi.new("char16_t[1]", "\U00012345")
list(ffi.new("wchar_t[3]", "abc"))

# What initialises no array. [79]
ffi.new("int[4]", 5)
ffi.new("int[4]", iter([1, 2]))
ffi.new("int[4]", range(4))
ffi.new("int[4]", {1, 2})
ffi.new("int[4]", 2.5)
ffi.new("char[4]", 5)
ffi.new("char[4]", bytearray(b"abc"))

# An array of the same type is copied. [80]
four = ffi.new("int[4]", [1, 2, 3, 4])
list(ffi.new("int[4]", four)), ffi.new("int[4]", four) == four
ffi.new("int[5]", four)
ffi.new("int[4]", ffi.new("unsigned[4]"))
ffi.new("int[4]", four + 0)

# An array of unknown length takes no array. [81]
ffi.new("int[]", four)
ffi.new("int[]", four[0:2])
ffi.new("char[]", ffi.new("char[]", b"abc"))

# Structs from sequences, dicts and structs. [82]
[(p.x, p.y) for p in (ffi.new("struct point *", init) for init in ([1, 2], (1,), [], {"y": 5}, {}))]
point = ffi.new("struct point *", [8, 9])
ffi.new("struct point *", point[0]).y
ffi.new("struct point *", [1, 2, 3])
ffi.new("struct point *", {"z": 1})
ffi.new("struct point *", {1: 2})
ffi.new("struct point *", 5)
ffi.new("struct point *", "ab")
ffi.new("struct point *", b"ab")
ffi.new("struct point *", point)
ffi.new("struct point *", ffi.new("struct list *")[0])
ffi.new("struct point *", {"x": "text"})
assigned(point, {"y": 7}).x, point.y

# Unions. [83]
ffi.new("union number *", [5]).i, ffi.new("union number *", {"d": 2.5}).d, ffi.new("union number *", []).i
ffi.new("union number *", [1, 2])
ffi.new("union number *", {"i": 1, "d": 2})
ffi.new("union number *", {"x": 1})
ffi.new("union number *", 5)

# Nested initialisers. [84]
line = ffi.new("struct line *", [[1, 2], {"y": 4}, b"name"])
line.from_y if hasattr(line, "from_y") else (getattr(line, "from").y, line.to.x, line.to.y, ffi.string(line.name))
ffi.new("struct anon *", [1, 2, 3]).m, ffi.new("struct anon *", {"k": 1, "f": 2.5}).f
ffi.new("struct line[2]", [[[1, 2]], {"to": point[0]}])[1].to.x
ffi.new("struct line *", [[1, 2, 3]])
ffi.new("struct line *", {"name": b"123456789"})
ffi.new("struct anon *", [1, 2, 3, 4, 5])

# Flexible arrays. [85]
[list(ffi.new("struct var *", init).tail) for init in ([5, [6, 7, 8]], [5, 3], {"tail": 2}, {"tail": [1]}, [1, []])]
ffi.sizeof(ffi.new("struct var *", [5, [6, 7, 8]])[0])
len(ffi.new("struct var *", [1, 3]).tail)
ffi.new("struct var *", [1, 3]).tail[3]
ffi.new("struct var *").tail
ffi.new("struct var *", [1, -1])
ffi.new("struct var *", [1, "x"])
ffi.new("struct var *", [1, [2**20]])

# Types of unknown size. [86]
ffi.new("struct opaque *")
ffi.new("struct opaque[3]")
ffi.new("void *")
ffi.new("struct nosuch *")

# The same initialisers in assignments. [87]
assigned(ffi.new("int *"), 5), assigned(ffi.new("struct point *"), [1, 2]).y, assigned(ffi.new("struct point[2]"), {"y": 3}).y
assigned(ffi.new("char[2][4]"), b"abc")[2], assigned(ffi.new("int[2][2]"), [5, 6])[1]
assigned(ffi.new("struct point *"), 5)
assigned(ffi.new("int *"), "x")
assigned(ffi.new("int[2][2]"), [1, 2, 3])
assigned(ffi.new("int **"), [1, 2])
assigned(ffi.new("char **"), b"abc")

# repr. [88]
ffi.new("int *"), ffi.new("int[3]"), ffi.new("struct point *"), ffi.new("struct point *")[0], ffi.new("char[]", b"ab")
ffi.new("int[3]") + 1, ffi.cast("int *", 0), ffi.NULL, ffi.new("struct var *", [1, 3]), ffi.new("void *[2]")

# Who keeps the memory. [89]
def survives(kind):
    p = ffi.new(kind, [7, 8])
    item = p[0]
    reference = weakref.ref(p)
    del p
    gc.collect()
    return item.x, item.y


survives("struct point *")
ffi.new("struct point *", [1, 2])[0].y

# Memory goes with its owner; weak references. [90]
table = weakref.WeakKeyDictionary()
owner = ffi.new("struct point *")
child = ffi.new("struct list *")
table[owner] = child
table[owner] is child, len(table)
del owner
len(table)

# Allocators. [97]
log = []


def allocate(size):
    log.append(size)
    return ffi.new("char[]", b"\xff" * size)


make = ffi.new_allocator(allocate)
make("int *")[0], make("int[]", 3)[2], make("struct point *", [1, 2]).y, log
ffi.new_allocator(allocate, should_clear_after_alloc=False)("int *")[0]
ffi.new_allocator()("int[3]", [1, 2, 3])[2]
freed = []
make = ffi.new_allocator(allocate, lambda memory: freed.append(ffi.typeof(memory)))
p = make("int *", 4)
p
del p
freed
make("int *", "x")
len(freed)
ffi.new_allocator(lambda size: ffi.NULL)("int *")
ffi.new_allocator(lambda size: 5)("int *")
ffi.new_allocator(lambda size: ffi.cast("int", 5))("int *")
ffi.new_allocator(lambda size: None)("int *")
ffi.new_allocator(lambda size: 1 // 0)("int *")
ffi.new_allocator(None, len)
ffi.new_allocator(free=len)
ffi.new_allocator(5)("int *")
ffi.new_allocator(allocate, 5)("int *")[0]
ffi.new_allocator(allocate)("int")
ffi.new_allocator(allocate)("int[]", -1)
ffi.cdef("void *malloc(size_t); void free(void *);")
C = ffi.dlopen(None)
ffi.new_allocator(C.malloc, C.free)("int[]", [1, 2])[1]
