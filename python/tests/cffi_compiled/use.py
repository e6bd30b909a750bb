"""Uses the modules that compile.py made, with either run time; prints what comes out, as JSON."""
import copy
import json
import pickle
import re
import sys
import threading

if sys.argv[1] == "keelback":
    import keelback

    keelback.install_as_cffi()

import compiled_everything
import compiled_including
from compiled_everything import ffi, lib
from compiled_everything.lib import add as imported_add
from compiled_including import ffi as ffi2, lib as lib2

OUTCOMES = []
# The tables are written by CFFI, in both runs.
EXPRESSIONS = """
lib.add(2, 3)
lib.add(1)
lib.add(1, 2, 3)
lib.add("x", 1)
lib.add(2**31, 1)
lib.add(a=1)
lib.neg(5)
lib.neg()
lib.neg(1, 2)
lib.neg(1.5)
lib.seven()
lib.seven(1)
lib.nothing()
imported_add(4, 4)
lib.LIMIT
lib.BIG
lib.NEGATIVE
lib.WRONG
lib.computed
lib.ratio
ffi.string(lib.greeting)
lib.origin.x, lib.origin.y
lib.adder
lib.adder(3, 4)
lib.counter
lib.table
lib.table[2]
lib.corner.y
lib.nobody
lib.unsized
lib.unsized[3]
lib.RED, lib.GREEN, lib.BLUE, lib.SMALL, lib.LARGE, lib.ONE, lib.TWO
lib.nosuch
ffi.sizeof('part_t'), ffi.alignof('part_t'), ffi.offsetof('part_t', 'a')
ffi.sizeof('struct whole'), [(n, f.offset, f.type) for n, f in ffi.typeof('struct whole').fields]
ffi.sizeof('struct bits'), [(n, f.offset, f.bitshift, f.bitsize) for n, f in ffi.typeof('struct bits').fields]
ffi.sizeof('struct wrong')
ffi.new('struct wrong *')
ffi.sizeof('struct wrong_size')
ffi.new('struct wrong_size *').a
ffi.sizeof('struct tail'), len(ffi.new('struct tail *', [3, [1, 2, 3]]).items)
ffi.sizeof('struct middle'), [(n, f.offset, f.type) for n, f in ffi.typeof('struct middle').fields]
ffi.new('struct middle *', {'n': 2}).n
ffi.new('struct middle *').items
ffi.sizeof('struct opaque')
ffi.typeof('struct opaque').kind
ffi.typeof('struct recursive').fields
ffi.sizeof('hidden')
ffi.typeof('hidden'), ffi.typeof('handle'), ffi.typeof('hidden *')
ffi.typeof('num_t'), ffi.sizeof('num_t'), ffi.typeof('real_t'), ffi.sizeof('real_t')
ffi.typeof('level').elements, ffi.typeof('enum color').relements, ffi.typeof('enum known').elements
ffi.sizeof('level'), int(ffi.cast('level', 70000)), ffi.string(ffi.cast('enum color', 5))
ffi.typeof('point').fields[1][1].offset
ffi.typeof('union either').kind, ffi.sizeof('union either')
ffi.typeof('int[LIMIT]'), ffi.sizeof('char[GREEN]')
ffi.typeof('int[computed]')
ffi.typeof('nosuch')
ffi.typeof('struct nosuch')
ffi.integer_const('LIMIT'), ffi.integer_const('BLUE')
ffi.integer_const('add')
ffi.integer_const('WRONG')
ffi.list_types()
lib.scale(ffi.new('part_t *', {'a': 1, 'b': 2.0}), 3)
lib.scale(None, 3)
lib.by_value({'a': 1, 'b': 2.5}, 3).b
lib.by_value({'a': 1, 'b': 2.5}, 3)
lib.by_value(1, 2)
lib.by_value()
lib.small({'f': 1.5}).f
lib.mirror({'x': 1, 'y': 2}).x
lib.mirror([7, 8])
lib.mirror(lib.corner).y
lib.mirror(ffi.new('point *', [1, 2])[0]).x
lib.mirror(None)
lib.either({'d': 2.5}).d
lib.whole(4), lib.whole(4).d, lib.whole(4).y[2]
lib.bits({'a': 1, 'b': 5, 'c': 9}).b
lib.sum([1, 2, 3], 3)
lib.sum((1, 2**40), 1)
lib.sum(ffi.new('int[]', [4, 5]), 2)
lib.sum(b'abc', 3)
lib.sum(None, 0)
lib.sum(ffi.NULL, 0)
lib.length(b'abcd')
lib.length('abcd')
lib.length(ffi.new('char[]', b'xyz'))
lib.length(5)
lib.wide_length('wide text')
lib.wide_length(b'narrow')
lib.variadic(b'x', ffi.cast('int', 5))
lib.variadic(b'x', 5)
lib.variadic
lib.ld(1.5)
float(lib.ld(ffi.cast('long double', 2.25)))
lib.ld('x')
lib.fail(), ffi.errno
lib.get_errno()
lib.wide('a'), lib.wider('b'), lib.widest('c'), lib.letter(b'd')
lib.wide('ab')
lib.wide('\\U00012345')
lib.wider('\\U00012345')
lib.letter('d')
lib.flip(True), lib.flip(0)
lib.flip(2)
lib.half(5), lib.half(2.5)
lib.half('x')
lib.conjugate(1 + 2j), lib.conjugate2(1 + 2j)
lib.conjugate('x')
lib.raise_level(-1, 5), lib.raise_level(lib.SMALL, 0)
lib.raise_level('SMALL', 5)
lib.number(65535)
lib.number(65536)
lib.use(lib.make())
lib.make()
lib.fill(ffi.new('char[4]'), 65)
lib.fill(bytearray(4), 65)
lib.standard() != ffi.NULL, ffi.typeof(lib.standard())
lib.u8(255), lib.i64(-2**62, 2**63)
lib.u8(256)
lib.i64(2**63, 0)
lib.ten(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
lib.ten(1)
lib.sum_point([1, 2], [[3, 4], [5, 6]], 1)
lib.held(5, ffi.callback('int(int)', lambda n: n * n))
lib.held(5, lib.neg)
lib.held_standard(5, ffi.callback('int(int)', lambda n: n * n))
ffi.typeof('standard_fn')
ffi.sizeof('not_real_t')
lib.held(5, 7)
lib.add, lib.add.__name__, lib.add.__module__, type(lib.add), lib.add.__doc__
lib.neg.__doc__, lib.by_value.__doc__, lib.adder
lib.by_value, lib.hook
type(lib.hook), ffi.typeof(lib.hook)
ffi.typeof(lib.add), ffi.typeof(lib.by_value), ffi.typeof(lib.variadic)
ffi.cast('int(*)(int, int)', lib.add)
ffi.addressof(lib, 'add'), ffi.addressof(lib, 'counter'), ffi.addressof(lib, 'table'), ffi.addressof(lib, 'by_value')
ffi.addressof(lib, 'add')(2, 2)
ffi.addressof(lib, 'by_value')({'a': 1, 'b': 1}, 2).a
ffi.addressof(lib, 'small')({'f': 1})
ffi.addressof(lib, 'LIMIT')
ffi.addressof(lib, 'adder')
ffi.addressof(lib, 'hook')
ffi.addressof(lib, 'nosuch')
dir(lib)
sorted(lib.__dict__)
lib.__all__
lib, lib.__name__, type(lib)
compiled_everything.__name__, compiled_everything.__doc__, compiled_everything.__spec__.name, type(compiled_everything)
sys.modules['compiled_everything.lib'] is lib, sys.modules['compiled_everything'].lib is lib
lib.call_hook(1)
lib2.more(ffi2.new('struct more *', {'p': [1, 2], 'other': lib.nobody}), [3, 4])
lib2.add(1, 1), lib2.LIMIT, lib2.counter, lib2.greeting, lib2.origin.y
lib2.nosuch
dir(lib2)
lib2.add is lib.add
ffi2.typeof('point') is ffi.typeof('point'), ffi2.typeof('part_t') is ffi.typeof('part_t')
ffi2.integer_const('LIMIT')
ffi2.addressof(lib2, 'add'), ffi2.addressof(lib2, 'counter')
ffi2.list_types()
ffi.dlopen(None)
ffi.def_extern()(5)
ffi.def_extern(name='nosuch')(int)
ffi.def_extern(name='add')(int)
ffi.def_extern(name='hook', error='x')(int)
ffi.cdef('int x;')
"""
# Apart from those that the test of memory repeats.
MORE_EXPRESSIONS = """
lib.__doc__
lib.__init__
lib.__file__
lib.__path__
lib.__reduce_ex__
copy.copy(lib)
pickle.dumps(lib)
vars(lib)
sorted(lib2.__dict__), lib2.__dict__['more'] is lib2.more
ffi.typeof('int[nosuch]')
ffi.typeof('int[WRONG]')
ffi2.typeof('int[LIMIT]')
"""
ASSIGNMENTS = """
lib.counter = 8
lib.counter = 'x'
lib.table[1] = 77
lib.corner = [8, 9]
lib.add = 5
lib.LIMIT = 5
lib.nosuch = 5
del lib.counter
lib2.counter = 9
lib.unsized = [1]
"""


def short(text):
    return re.sub(r"0x[0-9a-fA-F]{6,}", "ADDRESS", text)


def note(label, function):
    try:
        outcome = repr(function())
    except Exception as error:
        outcome = f"{type(error).__module__}.{type(error).__name__}: {error}"
    OUTCOMES.append([label, short(outcome)])


def evaluate(expression):
    note(expression, lambda: eval(expression, globals()))


for line in EXPRESSIONS.strip().splitlines() + MORE_EXPRESSIONS.strip().splitlines():
    evaluate(line)
for line in ASSIGNMENTS.strip().splitlines():
    note(line, lambda: exec(line, globals()))
evaluate("lib.counter, lib2.counter, lib.table[1], lib.corner.x")


@ffi.def_extern()
def hook(n, d, part):
    return int(n * d) + part.a


@ffi.def_extern(name="hook_point")
def anything(p, d):
    return [p.y, int(d)]


@ffi.def_extern()
def hook_complex(z, n):
    return z.real * 10 + z.imag + n


@ffi.def_extern()
def hook_long():
    return 2.75


SEEN = []


@ffi.def_extern()
def hook_void(text, flag):
    SEEN.append((ffi.string(text), flag))


@ffi.def_extern(error=-7, onerror=lambda kind, value, traceback: SEEN.append(repr(value)))
def hook_c(n):
    raise ValueError(n)


evaluate("lib.call_hook(4)")
evaluate("lib.call_hook_thread(4)")
evaluate("lib.call_hook_point(4, 5.5).x")
evaluate("lib.call_hook_point(4, 5.5).y")
evaluate("lib.call_hook_complex(1 + 2j, 3)")
evaluate("float(lib.call_hook_long())")
evaluate("lib.call_hook_void(b'text', True)")
evaluate("lib.call_hook_c(5)")
evaluate("lib.hook(2, 2.0, {'a': 1})")
threads = [threading.Thread(target=lib.call_hook, args=(n,)) for n in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
evaluate("SEEN")


@ffi.def_extern(name="hook")
def again(n, d, part):
    return None


evaluate("lib.call_hook(4)")
print(json.dumps(OUTCOMES))
