# ffi.callback.
import ffi, sys, uctypes

libc = ffi.open("libc.so.6")
lib = ffi.open(sys.argv[1])
sort = libc.func("v", "qsort", "pLLC")


def compare(a, b):
    return uctypes.bytes_at(a, 1)[0] - uctypes.bytes_at(b, 1)[0]


data = bytearray(b"foobar")
sort(data, len(data), 1, ffi.callback("i", compare, "PP"))
print(data)
plain = ffi.callback("i", compare, "PP")
print(isinstance(plain.cfun(), int), plain.cfun() == plain.cfun())
data = bytearray(b"foobar")
libc.func("v", "qsort", "pLLp")(data, len(data), 1, plain.cfun())
print(data)
call = lib.func("i", "call", "Ci")
print(call(ffi.callback("i", lambda x: x + 1, "i"), 41))
print(lib.func("v", "call_void", "C")(ffi.callback("v", lambda: None, "")))


def fails(x):
    raise ValueError("boom")


try:
    call(ffi.callback("i", fails, "i"), 1)
except ValueError as error:
    print("ValueError", error)
print(call(ffi.callback("i", lambda x: x, "i"), 3))
for bad in (
    lambda: ffi.callback("i", fails),
    lambda: ffi.callback("i", fails, "i", 1),
    lambda: ffi.callback("i", fails, "i", key=1),
    lambda: ffi.callback("i", fails, "Z"),
    lambda: call(fails, 1),
):
    try:
        bad()
    except TypeError as error:
        print("TypeError", error)
