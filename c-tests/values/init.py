from values import ffi, lib

keep = []


def export(function):
    ffi.def_extern()(function)
    return function


@ffi.def_extern(name="not_")
def not_(value):
    assert type(value) is bool, value
    return not value


@export
def next_char(c):
    assert type(c) is bytes and len(c) == 1
    return bytes([c[0] + 1])


for name in ("neg8", "neg16", "neg32", "negl", "neg64"):
    ffi.def_extern(name=name)(lambda v: -v)
for name, bits in (("inv8", 8), ("inv16", 16), ("inv32", 32), ("invl", 8 * ffi.sizeof("long")), ("inv64", 64)):
    ffi.def_extern(name=name)(lambda v, top=(1 << bits) - 1: top - v)


@export
def halff(v):
    assert type(v) is float
    return v / 2


@export
def half(v):
    return v / 2


@export
def halfl(v):
    # long double comes as cdata: a Python float would lose digits.
    assert ffi.typeof(v) is ffi.typeof("long double")
    return ffi.cast("long double", v)


@export
def conjf_(v):
    return v.conjugate()


@export
def conj_(v):
    assert type(v) is complex
    return v.conjugate()


@export
def next_wide(c):
    assert type(c) is str
    return chr(ord(c) + 1)


@export
def next_color(c):
    return {lib.RED: lib.GREEN, lib.GREEN: lib.BLUE, lib.BLUE: lib.RED}[c]


@export
def length(text):
    return len(ffi.string(text))


@export
def upper(text):
    i = 0
    while text[i] != b"\0":
        text[i] = text[i].upper()
        i += 1
    return text


@export
def same(pointer):
    return pointer


@export
def swap(p):
    return [p.y, p.x]


@export
def mix(m, times):
    m.d *= times
    m.l *= times
    m.c = bytes([m.c[0] + times])
    return m


@export
def scale(f, by):
    return ([x * by for x in f.f],)


@export
def fill(value, with_):
    value.big = with_ * 99
    value.last += 1
    return value


@export
def bump(b):
    return {"a": b.a + 1, "b": b.b - 1, "c": b.c * 2}


@export
def flip(e):
    e.i = ~e.i
    return e


@export
def turn(n):
    n.p.x, n.p.y = n.p.y, n.p.x
    n.m.d = -n.m.d
    for p in n.ps:
        p.x, p.y = p.y, p.x
    return n


@export
def point_move(p, dx, dy):
    p.x += dx
    p.y += dy
    return p.x + p.y


@export
def sum(values, count):
    return __builtins__["sum"](values[0:count]) if isinstance(__builtins__, dict) else __builtins__.sum(values[0:count])


@export
def many(*args):
    a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q = args
    print(a, b, c, d, e, f, g, h, i, (j.x, j.y), k, ffi.string(l), float(m), n, (o.d, o.l, o.c), p, q, flush=True)
    return len(args)


@export
def doubles(*args):
    return __import__("math").fsum((i + 1) * v for i, v in enumerate(args))


@export
def integers(*args):
    total = 0
    for i, v in enumerate(args):
        total += (i + 1) * v
    return total


@export
def call_back(function, a, b):
    return function(a, b)


@ffi.callback("binary")
def adder(a, b):
    return a + b


@export
def get_adder():
    return adder


@export
def call_entry(e, a, b):
    return e.function(a, b) + len(ffi.string(e.name))


@export
def visit(count, visitor, data):
    for i in range(count):
        visitor(i, data)
    return count


@export
def sum_array(values):
    assert ffi.typeof(values) is ffi.typeof("int *")
    return values[0] + values[1] + values[2] + values[3]


@export
def fill_out(out, other, text):
    out[0] = 11
    other[0] = 2.25
    keep.append(ffi.new("char[]", b"out of Python"))
    text[0] = keep[-1]
