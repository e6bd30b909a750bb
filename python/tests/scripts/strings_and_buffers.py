from cffi import FFI

ffi = FFI()
ffi.cdef("""
    struct point { int x, y; };
    struct var { int n; short tail[]; };
    struct opaque;
    enum color { RED, GREEN = 5, BLUE };
""")
hello = ffi.new("char[]", b"hello")
null = ffi.cast("char *", 0)

# string. [141]
ffi.string(hello), ffi.string(hello, 3), ffi.string(hello, 0), ffi.string(hello, 99), ffi.string(hello + 1), ffi.string(ffi.new("char[3]", b"abc"))
ffi.string(ffi.new("signed char[]", b"hello"), maxlen=2), ffi.string(ffi.new("unsigned char[]", b"a\0b"))
ffi.string(ffi.new("wchar_t[]", "h\xe9\u1234")), ffi.string(ffi.new("char16_t[]", "a\U00012345b")), ffi.string(ffi.new("char32_t[]", "a\U00012345b"), 2)
ffi.string(ffi.new("char16_t[]", "a\U00012345b"), 2)
ffi.string(hello[1:3]), ffi.string(hello, maxlen=-1), ffi.string(cdata=hello)
ffi.string(hello, -5)
ffi.string(hello, "x")
ffi.string(hello, None)
ffi.string(hello, 2, 3)

# string of single values, and of what is no text. [142]
ffi.string(ffi.cast("char", b"x")), ffi.string(ffi.cast("wchar_t", "x")), ffi.string(ffi.cast("unsigned char", 65)), ffi.string(ffi.cast("char32_t", "x"))
ffi.string(ffi.cast("enum color", 5)), ffi.string(ffi.cast("enum color", 77))
ffi.string(null)
ffi.string(ffi.cast("wchar_t *", 0))
ffi.string(ffi.NULL)
ffi.string(ffi.cast("int *", 0))
ffi.string(ffi.new("int[3]"))
ffi.string(ffi.new("_Bool[3]"))
ffi.string(ffi.cast("void *", hello))
ffi.string(ffi.cast("int", 5))
ffi.string(ffi.cast("_Bool", 1))
ffi.string(ffi.cast("double", 1))
ffi.string(ffi.new("struct point *"))
ffi.string(b"abc")
ffi.string("abc")
ffi.string()

# unpack. [143]
ffi.unpack(ffi.new("char[]", b"a\0b"), 4), ffi.unpack(ffi.new("wchar_t[]", "abc"), 2), ffi.unpack(hello + 1, 2)
ffi.unpack(ffi.new("short[]", [1, -2, 3]), 3), ffi.unpack(ffi.new("double[]", [1, 2.5]), 2), ffi.unpack(ffi.new("_Bool[]", [0, 1]), 2)
ffi.unpack(ffi.new("int *[]", [ffi.NULL]), 1), [part.y for part in ffi.unpack(ffi.new("struct point[]", [[1, 2]]), 1)]
ffi.unpack(ffi.new("unsigned char[]", b"ab"), 2), ffi.unpack(ffi.new("int[3]"), 0), ffi.unpack(cdata=ffi.new("int[3]"), length=2)
ffi.unpack(hello, -1)
ffi.unpack(null, 1)
ffi.unpack(ffi.NULL, 1)
ffi.unpack(ffi.cast("int *", 0), 2)
ffi.unpack(ffi.cast("void *", hello), 1)
ffi.unpack(ffi.cast("struct opaque *", hello), 1)
ffi.unpack(ffi.cast("int", 1), 1)
ffi.unpack(ffi.new("struct point *")[0], 1)
ffi.unpack(b"abc", 1)
ffi.unpack(hello)
ffi.unpack(hello, "x")

# buffer. [144]
bytes(ffi.buffer(ffi.new("int *", 0x01020304))), bytes(ffi.buffer(hello)), bytes(ffi.buffer(hello, 3)), len(ffi.buffer(hello, 0))
bytes(ffi.buffer(cdata=hello, size=2)), len(ffi.buffer(ffi.new("struct var *", [1, [2, 3, 4]]))), len(ffi.buffer(ffi.new("int[4]")[1:3]))
len(ffi.buffer(ffi.cast("int *", hello))), len(ffi.buffer(ffi.cast("void *", hello), 4))
ffi.buffer(ffi.cast("void *", hello))
ffi.buffer(ffi.cast("struct opaque *", hello))
ffi.buffer(ffi.cast("int", 3))
ffi.buffer(ffi.new("struct point *")[0])
ffi.buffer(b"abc")
ffi.buffer(hello, "x")
ffi.buffer(hello, -5)
ffi.buffer()
memoryview(hello)
bytes(ffi.new("int *")) if False else memoryview(ffi.new("int *"))
kept = ffi.buffer(ffi.new("char[]", b"kept alive"))
kept[:]
ffi.buffer(ffi.NULL, 4)[0]
#! keelback: RuntimeError: this buffer is over a NULL pointer
#! why: crashes

# What a buffer can do. [145]
buffer = ffi.buffer(ffi.new("char[]", b"hello"))
len(buffer), buffer[0], buffer[-1], buffer[1:3], buffer[-3:], list(buffer)[1], buffer[:]
buffer[6]
buffer[-7]
buffer[::2]
buffer["x"]
buffer[0] = b"J"
buffer[1:3] = b"EL"
buffer[3:4] = bytearray(b"x")
buffer[:]
buffer[0] = 5
buffer[0] = b"ab"
buffer[0] = "J"
buffer[9] = b"x"
buffer[0:2] = b"x"
buffer[0:2] = b"xyz"
buffer[0:2] = "xy"
buffer[::2] = b"xyz"
del buffer[0]
memoryview(buffer).format, memoryview(buffer).readonly, memoryview(buffer).nbytes, memoryview(buffer)[1]
buffer == b"JELxo\0", buffer != b"", buffer < b"K", buffer >= bytearray(b"A"), buffer == ffi.buffer(hello), buffer == 5, buffer == "x"
buffer < 5
buffer < "x"
hash(buffer)
b"".join([buffer]), bytearray(buffer)[1]
repr(buffer), str(type(buffer))

# from_buffer. [146]
len(ffi.from_buffer(b"hello")), ffi.from_buffer(bytearray(b"hello"))[1], len(ffi.from_buffer("short[]", b"hello")), len(ffi.from_buffer("short[2]", b"hello"))
ffi.from_buffer("struct point *", bytearray(b"\1\0\0\0\2\0\0\0")).y, ffi.from_buffer("char[]", memoryview(bytearray(b"abc"))[1:])[0]
source = bytearray(b"abcd")
view = ffi.from_buffer("unsigned char[]", source)
view[0] = 65
source
ffi.from_buffer("short[3]", b"hello")
ffi.from_buffer("struct point *", b"hello struct") != ffi.NULL
ffi.from_buffer("int", b"hello")
ffi.from_buffer("struct point", b"12345678")
ffi.from_buffer("str")
ffi.from_buffer("char[]", "str")
ffi.from_buffer(5)
ffi.from_buffer("char[]", 5)
ffi.from_buffer(memoryview(b"hello")[::2])
ffi.from_buffer(ffi.new("int *"))
ffi.from_buffer("struct opaque[]", b"hello")
ffi.from_buffer("struct opaque *", b"hello") != ffi.NULL
ffi.from_buffer()
len(ffi.from_buffer(ffi.buffer(ffi.new("int *")))), len(ffi.from_buffer(b""))
ffi.from_buffer("char[]", b"x", nosuch=1)

# The object is locked and kept. [147]
source.append(5)
ffi.release(view)
source.append(69)
source
ffi.from_buffer(b"hello", require_writable=True)
ffi.from_buffer("char[]", bytearray(b"hello"), True)[0], ffi.from_buffer("char[]", bytearray(b"hello"), require_writable=True)[4]
ffi.from_buffer(bytearray(b"kept by the cdata alone"))[3]

# Its repr. [148]
ffi.from_buffer(b"abc"), ffi.from_buffer("int[]", bytearray(9)), ffi.from_buffer("int *", bytearray(4)), ffi.from_buffer(memoryview(b"ab"))
view

# memmove. [149]
target = ffi.new("char[6]")
ffi.memmove(target, b"abcd", 4)
ffi.memmove(target + 4, bytearray(b"ef"), 2)
bytes(target)
ffi.memmove(target + 1, target, 5)
bytes(target)
python = bytearray(3)
ffi.memmove(python, target, 3)
ffi.memmove(dest=memoryview(python)[1:], src=b"z", n=1)
python
ffi.memmove(ffi.buffer(target), ffi.buffer(hello), 5), bytes(target)
ffi.memmove(target, ffi.new("int *", 5), 4), ffi.memmove(target, b"", 0)
ffi.memmove(b"abc", b"def", 1)
ffi.memmove(target, b"abcd", -1)
ffi.memmove(target, "abcd", 1)
ffi.memmove("abcd", b"x", 1)
ffi.memmove(target, 5, 1)
ffi.memmove(ffi.cast("int", 3), b"abcd", 1)
ffi.memmove(target, ffi.new("struct point *")[0], 1)
ffi.memmove(target, b"abc", "x")
ffi.memmove(target, b"abc")
ffi.memmove(memoryview(bytearray(4))[::2], b"ab", 2)
ffi.memmove(ffi.new("char[3]"), b"abcdef", 6)
#! keelback: ValueError: memmove of 6 bytes: the destination has only 3
#! why: undefined, writes over other memory
ffi.memmove(bytearray(2), b"abc", 3)
#! keelback: ValueError: memmove of 3 bytes: the destination has only 2
#! why: undefined, writes over other memory
ffi.memmove(ffi.new("char[9]"), b"abc", 4)
#! keelback: ValueError: memmove of 4 bytes: the source has only 3
#! why: undefined, reads beyond the memory
ffi.memmove(ffi.new("char[9]"), ffi.new("struct point *"), 9)
#! keelback: ValueError: memmove of 9 bytes: the source has only 8
#! why: undefined, reads beyond the memory
ffi.memmove(ffi.NULL, b"abc", 3)
#! keelback: RuntimeError: memmove: the destination is a NULL pointer
#! why: crashes
ffi.memmove(target, ffi.NULL, 3)
#! keelback: RuntimeError: memmove: the source is a NULL pointer
#! why: crashes
