# What is returned.
import ffi, sys

libc = ffi.open("libc.so.6")
lib = ffi.open(sys.argv[1])
print(libc.func("s", "strerror", "i")(2))
print(libc.func("s", "strchr", "si")("hello", ord("l")), libc.func("s", "strchr", "si")("hello", ord("x")))
print(libc.func("p", "strchr", "si")("hello", ord("x")), libc.func("P", "strchr", "si")("hello", ord("x")))
print(libc.func("p", "mmap", "pLiiil")(None, 0, 0, 0, -1, 0))
thing = [1, 2]
print(lib.func("O", "same_p", "O")(thing) is thing, lib.func("O", "same_p", "O")(None))
print(type(lib.func("s", "same_p", "s")("x")), type(lib.func("p", "same_p", "s")("x")))
