from vec import ffi, lib


@ffi.def_extern()
def dot(a, b, n):
    return sum(a[i] * b[i] for i in range(n))


@ffi.def_extern(error=-1)
def parse(text):
    return int(ffi.string(text))


@ffi.def_extern(error=-1)
def total(text, count, length):
    return sum(ffi.buffer(text, length)[:]) + count


@ffi.def_extern()
def fill(out, count, value):
    for i in range(count):
        out[i] = value


@ffi.def_extern(error=-2)
def lenient(text):
    return lib.parse(text)
