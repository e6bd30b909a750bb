from bench_plugin import ffi


@ffi.def_extern()
def add1(a, b):
    return a + b


@ffi.def_extern()
def multiply(a, b):
    return a * b


def scale(x):
    return x * 2.5


def scale_arrays(x, result):
    import numpy  # Here, so that the start of the plugin is not measured with it.

    numpy.multiply(numpy.frombuffer(ffi.buffer(x)), 2.5, out=numpy.frombuffer(ffi.buffer(result)))


try:
    ffi.def_extern("scale", batch=True)(scale_arrays)
except TypeError:  # CFFI has no batches.
    ffi.def_extern()(scale)


@ffi.def_extern()
def noop():
    pass


@ffi.def_extern()
def length(text):
    return len(ffi.string(text))


@ffi.def_extern()
def point(p):
    return p.x * p.x + p.y * p.y


@ffi.def_extern()
def point_val(p):
    return p.x * p.x + p.y * p.y


class Number:
    def __init__(self):
        self.value = 7


kept = ffi.new_handle(Number())


@ffi.def_extern()
def make_handle():
    return kept


@ffi.def_extern()
def handle(h):
    return ffi.from_handle(h).value


@ffi.def_extern(error=-1)
def raises(n):
    raise KeyError(n)


@ffi.def_extern(error=-1)
def wrong(n):
    return "no number"
