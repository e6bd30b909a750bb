"""Uses a module as an old CFFI generated it, with either run time; prints what comes out, as JSON.

    old_use.py cffi|keelback NAME
"""
import importlib
import json
import re
import sys

if sys.argv[1] == "keelback":
    import keelback

    keelback.install_as_cffi()
module = importlib.import_module(sys.argv[2])
ffi, lib = module.ffi, module.lib
EXPRESSIONS = """
dir(lib)
ffi.list_types()
lib.add(2, 3)
lib.add('x', 1)
lib.neg(2)
lib.seven(), lib.nothing()
lib.scale(ffi.new('part_t *', {'a': 1, 'b': 2.0}), 3)
lib.mirror([1, 2]).x
lib.sum([1, 2, 3], 3)
lib.length(b'abc')
lib.variadic(b'x', ffi.cast('int', 5))
float(lib.ld(1.5))
lib.fail(), ffi.errno
lib.widest('a')
lib.flip(True) == False
lib.u8(4)
lib.LIMIT, lib.BIG, lib.computed, lib.ratio, ffi.string(lib.greeting)
lib.WRONG
lib.counter, lib.table, lib.corner.y
lib.wrong_variable
ffi.addressof(lib, 'wrong_variable')
ffi.addressof(lib, 'counter'), ffi.addressof(lib, 'corner')
lib.RED, lib.GREEN, lib.SMALL
ffi.typeof('level').elements, ffi.typeof('enum color').elements
ffi.sizeof('part_t'), ffi.offsetof('part_t', 'a'), [name for name, field in ffi.typeof('part_t').fields]
ffi.sizeof('struct whole'), ffi.sizeof('struct bits')
ffi.sizeof('struct wrong_size')
ffi.new('struct wrong_size *')
[(name, field.bitshift, field.bitsize) for name, field in ffi.typeof('struct bits').fields]
ffi.typeof('unnamed_p'), ffi.typeof('unnamed_p').item
ffi.new('unnamed_p').f
ffi.typeof('hidden')
[getattr(lib, name).__doc__ for name in ('add', 'neg', 'seven', 'scale', 'mirror', 'length', 'u8')]
ffi.typeof(lib.add), ffi.typeof(lib.mirror)
ffi.addressof(lib, 'mirror')
ffi.addressof(lib, 'add')
lib.call_hook(4)
ffi.def_extern(name='hook')(lambda n, d: int(n * d)) and None
lib.call_hook(4)
"""
outcomes = []
for expression in EXPRESSIONS.strip().splitlines():
    try:
        outcome = repr(eval(expression))
    except Exception as error:
        outcome = f"{type(error).__module__}.{type(error).__name__}: {error}"
    outcomes.append([expression, re.sub("0x[0-9a-f]{6,}", "ADDRESS", outcome)])
print(json.dumps(outcomes))
