# The example of MicroPython's ffi documentation: time() through libc, qsort with a comparison in Python.
import ffi
import uctypes

libc = ffi.open("libc.so.6")
time = libc.func("i", "time", "p")
print(time(None) > 1500000000)

perror = libc.func("v", "perror", "s")
open_file = libc.func("i", "open", "si")
print(open_file("/keelback/has/no/such/file", 0))

qsort = libc.func("v", "qsort", "piip")


def compare(pa, pb):
    a = uctypes.bytearray_at(pa, 1)
    b = uctypes.bytearray_at(pb, 1)
    return a[0] - b[0]


callback = ffi.callback("i", compare, "PP")
letters = bytearray(b"foobar")
print("original string:", letters)
qsort(letters, len(letters), 1, callback)
print("sorted string:", letters)
