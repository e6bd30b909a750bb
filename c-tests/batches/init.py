from batches import ffi, lib

calls = []


@ffi.def_extern(error=-1.0)
def score(x):
    if x == 13:
        raise ValueError("unlucky")
    if x == 14:
        return "no number"
    if x == 15:
        raise KeyboardInterrupt
    if x == 16:
        return lib.score(13.0) + 100
    return x * 2


@ffi.def_extern()
def weigh(count, factor, label):
    return int(count * factor) + len(ffi.string(label))


@ffi.def_extern()
def length(p):
    return p.x + p.y


@ffi.def_extern()
def area(a, b):
    return (b.x - a.x) * (b.y - a.y)


@ffi.def_extern()
def middle(a, b):
    return [(a.x + b.x) / 2, (a.y + b.y) / 2]


@ffi.def_extern()
def move_by(p, n):
    p.x += n


@ffi.def_extern()
def wide(x):
    return x


@ffi.def_extern()
def flip(m, really):
    return lib.ANGRY if really and m == lib.CALM else lib.CALM


@ffi.def_extern()
def same(handle):
    return handle


@ffi.def_extern()
def draw():
    calls.append(1)
    return len(calls)


@ffi.def_extern()
def plain(n):
    return n
