# What is passed.
import ffi, sys, uctypes

libc = ffi.open("libc.so.6")
lib = ffi.open(sys.argv[1])
absolute = libc.func("i", "abs", "i")
length = libc.func("L", "strlen", "s")
same = lib.func("p", "same_p", "p")
print(absolute(None), same(None), same(0x1234), same(-1))
print(length("hello"), length("h\u00e9"), length(b"hello"), length(bytearray(b"hey\0you")), length("in\0side"))
data = bytearray(b"abcd")
print(same(data) == uctypes.addressof(data), same(memoryview(data)[1:]) == uctypes.addressof(data) + 1)
view = uctypes.struct(uctypes.addressof(data), {"x": uctypes.UINT8 | 0})
print(same(view) == uctypes.addressof(data))
callback = ffi.callback("i", lambda x: x, "i")
print(same(callback) == callback.cfun())
copied = bytearray(4)
libc.func("p", "memcpy", "pPL")(copied, b"abcd", 3)
print(copied)
text = bytearray(16)
print(libc.func("i", "snprintf", "pLss")(text, 16, "%s!", "word"), text[:5])
for call in (
    lambda: absolute(1.5),
    lambda: absolute([1]),
    lambda: absolute({}),
    lambda: length(lambda: 0),
    lambda: same(()),
    lambda: same(1.5),
):
    try:
        print(call())
    except TypeError as error:
        print("TypeError", error)
