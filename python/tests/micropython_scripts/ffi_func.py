# Rows 254, 258, 263, 264, 266: functions by name and by address, what is passed and returned.
import ffi

libc = ffi.open("libc.so.6")
absolute = libc.func("i", "abs", "i")
print(repr(absolute)[:9], absolute(-5), absolute(None), absolute(2**32 + 5), absolute(2**70 + 5))
print(ffi.func("i", libc.addr("abs"), "i")(-7))
print(libc.func("ii", "abs", "i")(-3))
print(libc.func("q", "llabs", "q")(-(2**62)), libc.func("Q", "llabs", "Q")(2**63))

length = libc.func("L", "strlen", "s")
print(length("hello"), length("h\u00e9"), length(b"hello"), length(bytearray(b"hey\0you")))
print(libc.func("s", "strerror", "i")(2))
print(libc.func("s", "strchr", "si")("hello", ord("l")), libc.func("s", "strchr", "si")("hello", ord("x")))
print(libc.func("p", "strchr", "si")("hello", ord("x")))
print(libc.func("v", "abs", "i")(1))
copied = bytearray(4)
libc.func("p", "memcpy", "pPL")(copied, b"abcd", 3)
print(copied)
print(libc.func("p", "mmap", "pLiiil")(None, 0, 0, 0, -1, 0))

libm = ffi.open("libm.so.6")
root = libm.func("d", "sqrt", "d")
print(root(2.25), root(4), root(True), libm.func("f", "sqrtf", "f")(6.25), root(2**80))
mixed = libc.func("i", "snprintf", "pLss")
text = bytearray(16)
print(mixed(text, 16, "%s!", "word"), text[:5])

for call in (
    lambda: absolute(1.5),
    lambda: absolute([1]),
    lambda: length(lambda: 0),
    lambda: root("x"),
    lambda: root(None),
    lambda: libc.func("i", "abs", "Z"),
    lambda: libc.func("i", "abs", "i?"),
):
    try:
        print(call())
    except TypeError as error:
        print("TypeError", error)
