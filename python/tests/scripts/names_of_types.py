import collections

from cffi import FFI

ffi = FFI()
ffi.cdef("""
    struct s { int a; struct { int x; } part; };
    union u { int a; };
    enum e { A };
    typedef int (*function)(int);
    int abs(int);
""")
lib = ffi.dlopen(None)
memory = ffi.new("char[64]")
data = bytearray(16)
struct = ffi.new("struct s *")
allocate = ffi.new_allocator(lambda size: memory, lambda pointer: None)
allocate_with_default_free = ffi.new_allocator(lambda size: memory)
allocate_plainly = ffi.new_allocator(should_clear_after_alloc=False)


def names(*objects):
    return [(type(one).__name__, type(one).__qualname__, type(one).__module__) for one in objects]


# Values and pointers. [122]
names(*[ffi.cast(number, 1) for number in ("int", "float", "long double", "char", "_Bool", "enum e", "double _Complex")])
names(ffi.cast("int *", 1), ffi.cast("void *", 1), ffi.cast("struct s *", 1), ffi.cast("function", 1), ffi.NULL, lib.abs)

# What ffi.new() and allocators make, and parts of it. [122]
names(*[ffi.new(made) for made in ("int *", "int[3]", "union u *", "function *", "char[2]", "struct s *", "struct s[2]")])
names(ffi.new("int[]", 3), ffi.new("char[]", b"x"), struct[0], struct.part, ffi.new("int **")[0], ffi.new("int[3]") + 1)
names(ffi.new("int[3]")[0:2], ffi.new("int[3][3]")[0], ffi.new("struct s[2]")[0], ffi.addressof(struct[0]))
names(ffi.addressof(struct[0], "a"), ffi.addressof(struct[0], "part"), ffi.addressof(ffi.new("int[3]"), 1))
names(allocate("int *"), allocate("int[2]"), allocate("struct s *"), allocate("struct s *")[0], allocate("struct s *").part)
names(allocate("int[4]")[0:2], allocate("struct s[2]")[0], allocate("union u *"), allocate("union u *")[0])
names(allocate_with_default_free("int[2]"), allocate_with_default_free("struct s *"), allocate_with_default_free("struct s *")[0])
names(allocate_plainly("int *"), allocate_plainly("struct s *"), allocate_plainly("struct s *")[0])

# Resources. [150]
names(ffi.callback("int(int)", abs), ffi.new_handle(data), ffi.gc(ffi.cast("int *", 1), id), ffi.gc(ffi.new("int *"), id))
names(ffi.gc(struct, id), ffi.gc(struct, id)[0], ffi.gc(struct[0], id), ffi.gc(ffi.cast("int", 1), id), ffi.gc(ffi.new("int[2]"), id, 5))
names(ffi.from_buffer(data), ffi.from_buffer("int[]", data), ffi.from_buffer("struct s *", data), ffi.from_buffer("struct s[]", data))
names(ffi.from_buffer("int[]", data)[0:2], ffi.from_buffer("struct s *", data)[0], ffi.from_buffer("struct s[]", data)[0])
names(ffi.from_buffer("struct s *", data).part, ffi.from_buffer("int[]", data) + 1)

# Other objects. [163]
names(iter(ffi.new("int[3]")), ffi.buffer(memory), ffi.typeof("int"), ffi.typeof("struct s").fields[0][1])
