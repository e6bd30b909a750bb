import gc

from cffi import FFI

ffi = FFI()
ffi.cdef("""
    struct point { int x, y; };
    struct line { struct point from, to[4]; int bits : 3; };
    struct opaque;
    int abs(int);
    extern char **environ;
    #define NUMBER 5
    enum color { RED };
    static const int CONSTANT = 6;
""")
lib = ffi.dlopen(None)
line = ffi.new("struct line *")
numbers = ffi.new("int[5]", [1, 2, 3, 4, 5])
log = []

# addressof a cdata. [150]
ffi.addressof(line[0]) == line, ffi.typeof(ffi.addressof(line[0])), ffi.addressof(line[0])
ffi.typeof(ffi.addressof(line[0], "to", 1, "x")), ffi.typeof(ffi.addressof(line, "to")), ffi.typeof(ffi.addressof(line[0], "to"))
ffi.typeof(ffi.addressof(numbers, 2)), ffi.addressof(numbers, 2)[0], ffi.typeof(ffi.addressof(numbers))
ffi.addressof(numbers, 5) - ffi.addressof(numbers, 0), ffi.addressof(numbers + 1, 2)[0]
ffi.addressof(line, "to", 3, "y") == ffi.cast("int *", line) + 9
ffi.addressof(line.to, 1) == line.to + 1
ffi.addressof(line)
ffi.addressof(ffi.new("int *"))
ffi.addressof(ffi.cast("int", 3))
ffi.addressof(ffi.NULL)
ffi.addressof(line[0], "nosuch")
ffi.addressof(line, "nosuch")
ffi.addressof(line[0], 1)
ffi.addressof(line[0], "bits")
ffi.addressof(line, "to", "x")
ffi.addressof(numbers, "x")
ffi.addressof(numbers, 1.5)
ffi.addressof(ffi.cast("int", 3), 0)
ffi.addressof(ffi.cast("struct opaque *", line), "x")
ffi.addressof(5)
ffi.addressof()
ffi.addressof(ffi.typeof("struct point"))
ffi.addressof(numbers, 6)
#! keelback: IndexError: index 6 is outside of 'int[5]' (5 items)
#! why: outside of an array of known length; CFFI does not check
ffi.addressof(numbers, -1)
#! keelback: IndexError: index -1 is outside of 'int[5]' (5 items)
#! why: outside of an array of known length; CFFI does not check
ffi.addressof(line, "to", 5)
#! keelback: IndexError: index 5 is outside of 'struct point[4]' (4 items)
#! why: outside of an array of known length; CFFI does not check
ffi.addressof(ffi.new("int *"), 2)
#! keelback: IndexError: index 2 is outside of 'int *' (1 item)
#! why: it owns one item; CFFI does not check

# addressof a function or variable. [151]
ffi.addressof(lib, "environ")[0] == lib.environ, ffi.typeof(ffi.addressof(lib, "environ"))
ffi.addressof(lib, "abs")(-6), ffi.addressof(lib, "abs") == lib.abs, ffi.typeof(ffi.addressof(lib, "abs"))
ffi.addressof(lib, "nosuch")
ffi.addressof(lib, "NUMBER")
#! keelback: AttributeError: cannot take the address of the constant 'NUMBER'
#! why: as in API mode; CFFI's in-line ffi gives the value
ffi.addressof(lib, "RED")
#! keelback: AttributeError: cannot take the address of the constant 'RED'
#! why: as in API mode; CFFI's in-line ffi gives the value
ffi.addressof(lib, "CONSTANT")
#! keelback: AttributeError: cannot take the address of the constant 'CONSTANT'
#! why: as in API mode; CFFI's in-line ffi gives the value
ffi.addressof(lib)
ffi.addressof(lib, 5)
#! keelback: TypeError: expected the name of a function or global variable, not int
#! why: no name at all; CFFI looks for it, and raises AttributeError
ffi.addressof(lib, "abs", "x")
ffi.addressof(lib.abs)

# gc. [152]
managed = ffi.gc(ffi.new("int *", 5), lambda old: log.append((ffi.typeof(old), old[0])))
managed[0], ffi.typeof(managed), managed is not None
del managed
log
ffi.gc(ffi.new("int *"), log.append, 10) is not None, ffi.gc(ffi.new("int *"), destructor=log.append, size=0) is not None
ffi.gc(cdata=ffi.cast("void *", 0), destructor=lambda old: None)
ffi.gc(lib.abs, lambda old: None)(-2)
ffi.gc(numbers, lambda old: None)[4], len(ffi.gc(numbers, lambda old: None))
ffi.gc(line[0], lambda old: None)
ffi.gc(ffi.cast("int", 3), lambda old: None)
ffi.gc(5, lambda old: None)
ffi.gc(None, None)
ffi.gc(numbers)
ffi.gc(numbers, len, "x")
ffi.gc(numbers, len, -5) is not None
ffi.gc(ffi.new("int *"), 5)
#! keelback: TypeError: gc(): the destructor must be callable or None, not int
#! why: CFFI finds out when the destructor should run
del log[:]
nested = ffi.gc(ffi.gc(ffi.new("int *"), lambda old: log.append("inner")), lambda old: log.append("outer"))
del nested
log

# No destructor any more. [153]
managed = ffi.gc(ffi.new("int *", 7), log.append)
ffi.gc(managed, None)
managed[0]
del managed
len(log)
ffi.gc(ffi.new("int *"), None)
ffi.gc(ffi.NULL, None)
ffi.gc(ffi.new_handle(5), None)
ffi.gc(5, None)

# Exceptions of destructors. [154]
managed = ffi.gc(ffi.new("int *"), lambda old: 1 // 0)
del managed
managed = ffi.gc(ffi.new("int *"), lambda: None)
del managed

# Cycles with destructors are collected, each destructor runs once. [155]
class Node:
    pass


def cycle():
    left, right = Node(), Node()
    left.other, right.other = right, left
    left.cdata = ffi.gc(ffi.new("int *"), lambda old: log.append("left"))
    right.cdata = ffi.gc(ffi.new("int *"), lambda old: log.append("right"))


del log[:]
cycle()
collected = gc.collect()
sorted(log)

# release. [156]
del log[:]
managed = ffi.gc(ffi.new("int *", 5), lambda old: log.append(old[0]))
ffi.release(managed), log
ffi.release(managed), log
source = bytearray(b"abc")
view = ffi.from_buffer(source)
ffi.release(view)
source.append(1)
ffi.release(view)
owner = ffi.new("int *", 8)
ffi.release(owner), owner[0]
ffi.release(ffi.new("int[3]")), ffi.release(ffi.new("struct point *"))
freed = []
allocated = ffi.new_allocator(lambda n: ffi.new("char[]", n), freed.append)("int *")
ffi.release(allocated), len(freed)
ffi.release(ffi.NULL)
ffi.release(ffi.new("struct point *")[0])
ffi.release(numbers + 0)
ffi.release(numbers[0:2])
ffi.release(ffi.cast("int", 5))
ffi.release(ffi.new_handle(5))
ffi.release(ffi.callback("int(int)", abs))
ffi.release(lib.abs)
ffi.release(5)
ffi.release()
managed[0]
#! keelback: RuntimeError: cdata 'int *' was released: its memory cannot be used any more
#! why: undefined, the memory may be gone
allocated[0]
#! keelback: RuntimeError: cdata 'int *' was released: its memory cannot be used any more
#! why: undefined, the memory may be gone
view[0]
#! keelback: RuntimeError: cdata 'char[]' was released: its memory cannot be used any more
#! why: undefined, the memory may be gone

# Handles. [157]
thing = ["thing"]
handle = ffi.new_handle(thing)
ffi.from_handle(handle) is thing, ffi.typeof(handle), handle != ffi.NULL, ffi.new_handle(thing) != ffi.new_handle(thing)
ffi.from_handle(ffi.cast("void *", int(ffi.cast("intptr_t", handle)))) is thing
handle
ffi.new_handle(None), ffi.from_handle(ffi.new_handle(x=5))
ffi.new_handle()
ffi.new_handle(1, 2)

# What is no handle. [158]
ffi.from_handle(ffi.cast("char *", handle)) is thing
ffi.from_handle(ffi.NULL)
ffi.from_handle(ffi.cast("int *", handle))
ffi.from_handle(5)
ffi.from_handle(None)
ffi.from_handle(thing)
ffi.from_handle()
address = int(ffi.cast("intptr_t", handle))
ffi.from_handle(ffi.cast("void *", address + 8))
#! keelback: SystemError: ffi.from_handle(): dead or bogus handle: the cdata from new_handle() must be kept alive as long as C has it
#! why: crashes
ffi.from_handle(ffi.cast("void *", 0x1234))
#! keelback: SystemError: ffi.from_handle(): dead or bogus handle: the cdata from new_handle() must be kept alive as long as C has it
#! why: crashes
ffi.from_handle(ffi.cast("void *", ffi.new("int *")))
#! keelback: SystemError: ffi.from_handle(): dead or bogus handle: the cdata from new_handle() must be kept alive as long as C has it
#! why: crashes
del handle
ffi.from_handle(ffi.cast("void *", address))
#! keelback: SystemError: ffi.from_handle(): dead or bogus handle: the cdata from new_handle() must be kept alive as long as C has it
#! why: crashes
