from batches import ffi, lib

seen = []


@ffi.def_extern(error=-1.0, batch=True)
def score(x, result):
    seen.append((repr(x), len(x), ffi.sizeof(x), len(result)))
    if x[0] == 13:
        result[1] = 5
        raise ValueError("unlucky")
    if x[0] == 14:
        return result
    ffi.memmove(result, x, ffi.sizeof(x))
    values = memoryview(ffi.buffer(result)).cast("d")
    for index in range(len(values)):
        values[index] *= 3


@ffi.def_extern("weigh", batch=True)
def weigh_all(count, factor, label, result):
    for index in range(len(result)):
        result[index] = int(count[index] * factor[index]) + len(ffi.string(label[index]))


@ffi.def_extern(batch=True)
def length(p, result):
    for index, point in enumerate(p):
        result[index] = point.x + point.y


@ffi.def_extern(batch=True)
def area(a, b, result):
    for index in range(len(result)):
        result[index] = (b[index].x - a[index].x) * (b[index].y - a[index].y)


@ffi.def_extern(batch=True)
def middle(a, b, result):
    for index in range(len(result)):
        result[index] = [(a[index].x + b[index].x) / 2, (a[index].y + b[index].y) / 2]


@ffi.def_extern(batch=True)
def move_by(p, n):
    assert ffi.typeof(p) is ffi.typeof("struct point[]")
    for index in range(len(p)):
        p[index].x += n[index]


@ffi.def_extern(batch=True)
def wide(x, result):
    for index in range(len(x)):
        result[index] = x[index]


@ffi.def_extern(batch=True)
def flip(m, really, result):
    for index in range(len(m)):
        result[index] = lib.ANGRY if really[index] and m[index] == lib.CALM else lib.CALM


@ffi.def_extern(batch=True)
def same(handle, result):
    result[0 : len(result)] = handle


@ffi.def_extern(batch=True)
def draw(result):
    for index in range(len(result)):
        result[index] = index + 1


@ffi.def_extern()
def plain(n):
    ffi.def_extern("score")(lambda x: x + 1)
    return len(seen)
