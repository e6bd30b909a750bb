"""Out-of-line ABI modules that CFFI itself generated load on Keelback after `install_as_cffi()`, and do what they do on
CFFI: they are generated when the test runs, and the same expressions are run on both."""
import json
import subprocess
import sys

import pytest

from c_library import compile_library
from differential import need_cffi

LIBRARY = r"""
#include <complex.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdint.h>
#include <uchar.h>
#include <wchar.h>
typedef struct { int x, y; } point;
typedef struct base_s { int a; void *o; } base_t;
struct nest { int p; struct { int q; } in; union { int u1; float u2; }; point pts[3]; point (*fp)(int, ...); };
union both { int i; float f; };
int counter = 5;
int fives[5][2] = {{1, 2}, {3, 4}};
int open_ended[] = {7, 8, 9};
point origin = {10, 20};
const double RATIO = 2.5;
const char *const GREETING = "hello";
const int ANSWER = 42;
int ten(void) { return 10; }
double mixed(double a, float b, long double c, wchar_t d, char16_t e, char32_t f, _Bool g)
{ return a + b + (double)c + d + e + f + g; }
int64_t wide(int8_t a, uint64_t b, size_t c, ptrdiff_t d, intptr_t e, int_fast8_t f, uint_least16_t g, intmax_t h)
{ return a + (int64_t)b + (int64_t)c + d + e + f + g + h; }
long sum(int count, ...)
{ va_list list; long sum = 0; va_start(list, count); while (count--) sum += va_arg(list, int); va_end(list); return sum; }
struct nest nested(base_t *base) { struct nest made = {base->a, {base->a + 1}}; made.pts[2].y = 9; return made; }
point swap(point p) { point q = {p.y, p.x}; return q; }
int call(int (*callback)(const char *, void **), void **data) { return callback("called", data); }
int put(FILE *file, const char *text) { return fputs(text, file); }
float _Complex turn(float _Complex value) { return value * I; }
int base_of(base_t *base) { return base->a; }
enum col { RED, GREEN = 5, BLUE = -1 };
enum col next_colour(enum col c) { return c == RED ? GREEN : BLUE; }
"""

GENERATE = r'''
import cffi
base = cffi.FFI()
base.cdef("""
    typedef struct base_s { int a; struct opq *o; } base_t;
    struct opq;
    typedef union { int i; float f; } base_union;
    enum be { BE1, BE2 = 7 };
    #define BASEK 77
    typedef int bint;
    int base_of(base_t *);
    extern int counter;
""")
base.set_source("made_base", None)
base.emit_python_code("made_base.py")
middle = cffi.FFI()
middle.include(base)
middle.cdef("struct middle { base_t base; bint n; }; typedef struct middle *middle_p;")
middle.set_source("made_middle", None)
middle.emit_python_code("made_middle.py")
ffi = cffi.FFI()
ffi.include(middle)
ffi.cdef("""
    typedef struct { int x, y; } point;
    typedef union { int i; float f; } uni;
    union both { int i; float f; };
    struct bits { int a:3; unsigned b:5; int :2; long c; int :0; char d:1; };
    struct nest { int p; struct { int q; } in; union { int u1; float u2; }; point pts[3]; point (*fp)(int, ...); };
    struct partial { int a; ...; };
    struct opaque;
    typedef ... opq_t;
    typedef ... *opq_p;
    enum col { RED, GREEN = 5, BLUE = -1 };
    typedef enum { X1, X2 = 1LL<<40 } big_e;
    enum { AN1 = 3, AN2 };
    enum unsigned_e { U1 = 0xFFFFFFFF };
    #define K1 5
    #define K2 -7
    #define K3 0xFFFFFFFFFFFFFFFF
    #define K4 -0x8000000000000000
    static const long ninety_nine = 99;
    static const int ANSWER;
    static const char *const GREETING;
    extern const double RATIO;
    static const int nowhere_constant;
    int ten(void);
    int nowhere(int);
    long sum(int count, ...);
    double mixed(double, float, long double, wchar_t, char16_t, char32_t, _Bool);
    int64_t wide(int8_t, uint64_t, size_t, ptrdiff_t, intptr_t, int_fast8_t, uint_least16_t, intmax_t);
    struct nest nested(base_t *);
    point swap(point);
    int call(int (*)(const char *, void **), void **);
    int put(FILE *, const char *);
    float _Complex turn(float _Complex);
    double _Complex turn_double(double _Complex);
    enum col next_colour(enum col);
    extern int fives[5][2];
    extern int open_ended[];
    extern point origin;
    extern int nowhere_variable;
    struct flex { int n; int items[]; };
    struct loop { struct loop *next; struct pool *other; };
    struct pool { struct loop first, *second[3]; };
    typedef int (*function_t)(struct loop *, base_t, enum be, ...);
    typedef struct middle middle_t;
    typedef int row_t[4];
    typedef struct { union { struct { int deep; }; }; base_t base; middle_p up; } anonymous;
    struct globals {
        int8_t i8; uint8_t u8; int16_t i16; uint16_t u16; int32_t i32; uint32_t u32; int64_t i64; uint64_t u64;
        int_least8_t l8; uint_least8_t ul8; int_least16_t l16; uint_least16_t ul16; int_least32_t l32; uint_least32_t ul32;
        int_least64_t l64; uint_least64_t ul64; int_fast8_t f8; uint_fast8_t uf8; int_fast16_t f16; uint_fast16_t uf16;
        int_fast32_t f32; uint_fast32_t uf32; int_fast64_t f64; uint_fast64_t uf64; intptr_t ip; uintptr_t uip;
        intmax_t im; uintmax_t uim; ptrdiff_t pd; size_t sz; ssize_t ssz; wchar_t w; char16_t c16; char32_t c32;
        signed char sc; unsigned char uc; short sh; unsigned short ush; unsigned int ui; long lo; unsigned long ulo;
        long long ll; unsigned long long ull; float fl; double db; long double ldb; _Bool bo; char ch; void *vo;
        float _Complex fc; double _Complex dc;
    };
""")
ffi.cdef("struct packed { char a; int b; short c; };", packed=True)
ffi.set_source("made_wide", None)
ffi.emit_python_code("made_wide.py")
many = cffi.FFI()
many.cdef("\n".join(f"int function_{n}(int); struct s_{n} {{ int a; struct s_{n - n % 10} *head; }};" for n in range(500)))
many.set_source("made_many", None)
many.emit_python_code("made_many.py")
'''

ON_KEELBACK = "import keelback; keelback.install_as_cffi()\n"

RUN = r'''
import json, re, sys
import _cffi_backend
from made_wide import ffi
import made_base, made_many, made_middle
base, many, middle = made_base.ffi, made_many.ffi, made_middle.ffi
lib = ffi.dlopen(sys.argv[1])
base_lib = base.dlopen(sys.argv[1])

def fields(ctype):
    ctype = ffi.typeof(ctype) if isinstance(ctype, str) else ctype
    return [(name, field.type, field.offset, field.bitshift, field.bitsize, field.flags) for name, field in ctype.fields]

def put(text):
    import os
    r, w = os.pipe()
    file = os.fdopen(w, "w")
    done = lib.put(file, text)
    file.close()
    return done, os.read(r, 100)

def set_and_get(lib, name, value):
    setattr(lib, name, value)
    return getattr(lib, name)

class Sub(_cffi_backend.FFI):
    def __init__(self, x):
        self.x = x

def short(text):
    return re.sub(r"0x[0-9a-fA-F]{6,}", "ADDRESS", text)

outcomes = []
for expression in json.load(sys.stdin):
    try:
        outcome = repr(eval(expression))
    except Exception as error:
        outcome = f"{type(error).__name__}: {error}"
    outcomes.append(short(outcome))
print(json.dumps(outcomes))
'''

TYPES = """point|opq_t *|opq_p|uni|union both|struct nest|struct bits|struct partial|struct opaque *|FILE *|enum col|big_e|
struct opq *|struct base_s|base_t|base_union|enum be|bint|struct packed|struct flex|struct loop|struct pool|function_t|
middle_t|middle_p|struct middle|row_t|anonymous|enum unsigned_e|point[K1]|int[BE2]|long(*)(point, struct nest *, ...)|
struct $1 *"""

EXPRESSIONS = [f"ffi.typeof({name!r})" for name in TYPES.replace("\n", "").split("|")]
EXPRESSIONS += [
    f"fields({name!r})"
    for name in "point|uni|struct nest|struct bits|struct partial|struct base_s|base_union|struct packed|struct flex|"
    "struct loop|struct pool|middle_t|anonymous|struct globals".split("|")
]
EXPRESSIONS += """
lib.nested(ffi.new('base_t *', [5])).pts[2].y
lib.nested(base.new('base_t *', [5])).u1
getattr(lib.nested(ffi.new('base_t *', [5])), 'in').q
ffi.typeof('function_t').args
ffi.typeof('function_t').ellipsis, ffi.typeof('function_t').result, ffi.typeof('function_t').abi
ffi.typeof('enum col').relements
ffi.typeof('enum col').elements
ffi.typeof('big_e').relements, ffi.sizeof('big_e')
ffi.typeof('enum unsigned_e').elements
ffi.list_types()
base.list_types()
middle.list_types()
dir(lib)
dir(base_lib)
lib.__name__
ffi.typeof('enum be') is base.typeof('enum be')
ffi.typeof('struct base_s') is base.typeof('base_t')
ffi.typeof('base_union') is base.typeof('base_union')
ffi.typeof('struct middle') is middle.typeof('middle_p').item
fields(middle.typeof('struct middle'))
ffi.typeof('struct nest') is ffi.typeof(' struct  nest ')
ffi.typeof('point') is ffi.typeof('struct nest').fields[3][1].type.item
ffi.typeof('FILE *') is base.typeof('int *')
lib.ten()
lib.sum(3, ffi.cast('int', 4), ffi.cast('int', 5), ffi.cast('int', -2))
lib.mixed(1, 2, 3, 'a', 'b', 'c', True)
lib.wide(-1, 2**40, 3, -4, 5, 6, 7, -8)
lib.swap([3, 4]).x
lib.call(ffi.callback('int(*)(const char *, void **)', lambda text, data: len(ffi.string(text))), ffi.NULL)
put(b'written')
lib.turn_double
lib.next_colour(0), lib.next_colour(5)
lib.next_colour(lib.RED)
lib.fives[1][1]
len(lib.fives)
lib.open_ended[2]
lib.origin.y
set_and_get(lib, 'origin', [1, 2]).y
set_and_get(base_lib, 'counter', 6)
lib.counter
lib.base_of
lib.BASEK, lib.BE2, lib.K1, lib.K2, lib.K3, lib.K4, lib.AN2, lib.X2, lib.BLUE, lib.ninety_nine
lib.ANSWER, lib.RATIO
ffi.string(lib.GREETING)
lib.nowhere
lib.nowhere_constant
lib.nowhere_variable
lib.nosuch
set_and_get(lib, 'K1', 3)
set_and_get(lib, 'ten', 3)
set_and_get(lib, 'nosuch', 3)
ffi.addressof(lib, 'ten')
ffi.addressof(lib, 'origin').x
ffi.addressof(lib, 'K1')
ffi.addressof(lib, 'base_of')
ffi.addressof(lib, 'BASEK')
ffi.addressof(lib, 'nosuch')
base_lib.base_of(ffi.new('base_t *', [8]))
base_lib.base_of(base.new('base_t *', [9]))
ffi.integer_const('K3')
ffi.integer_const('BASEK')
ffi.integer_const('BE2')
ffi.integer_const('ANSWER')
ffi.integer_const('ten')
ffi.integer_const('base_of')
ffi.integer_const('nosuch')
ffi.typeof('nosuch')
ffi.typeof('struct nosuch')
ffi.typeof('enum nosuch')
ffi.typeof('enum base_s')
ffi.typeof('$point')
ffi.typeof('K1')
ffi.typeof('int[K2]')
ffi.new('struct opaque *')
ffi.sizeof('struct opaque')
ffi.typeof('union nest')
ffi.sizeof('int[]')
type(lib.ten) is ffi.CData, type(lib.origin) is ffi.CData, type(ffi.cast('int', 3)) is ffi.CData
_cffi_backend.FFI(42)
ffi.sizeof('struct nest'), ffi.alignof('struct nest'), ffi.sizeof('struct packed'), ffi.sizeof('struct bits')
ffi.sizeof('struct pool'), ffi.sizeof('anonymous'), ffi.sizeof('row_t')
ffi.offsetof('anonymous', 'deep'), ffi.offsetof('anonymous', 'base', 'o'), ffi.offsetof('struct nest', 'pts', 1)
ffi.new('point *', [1, 2]).y
ffi.new('struct nest *', {'u1': 3}).u2
ffi.new('struct bits *', [-1, 3, 5]).b
ffi.new('struct flex *', [2, [7, 8]]).items[1]
ffi.new('struct nest *', {'in': [4]}).q
ffi.new('anonymous *', {'deep': 4}).deep
ffi.new('enum col *', 5)
ffi.new('enum col *', 5)[0]
ffi.string(ffi.cast('enum col', 5)), ffi.string(ffi.cast('enum col', 6)), ffi.string(ffi.cast('big_e', 2**40))
ffi.getctype('point', '*x'), ffi.getctype('row_t', '*')
ffi.new('opq_t *')
many.typeof('struct s_3').fields[1][1].type
many.typeof('struct s_500 *')
many.sizeof('struct s_77'), len(many.list_types()[1])
ffi.cdef
Sub(42).x, isinstance(Sub(42), _cffi_backend.FFI), Sub(42).sizeof('int')
Sub(42).typeof('struct base_s')
ffi.__init__()
_cffi_backend.FFI().typeof('int')
_cffi_backend.FFI('made', _version=0x2600, _types=b'')
_cffi_backend.FFI('made', _version=0x2900, _types=b'')
""".strip().splitlines()

# What Keelback means to do otherwise: more, or better said. Where tables are damaged, CFFI's process would fail.
DIFFERENT = {
    "lib.turn(1 + 2j)": "(-2+1j)",
    "ffi.typeof('int[BASEK]')": (
        "error: unsupported expression: expected a simple numeric constant, and 'BASEK' isn't known as one\nint[BASEK]\n    ^"
    ),
    "_cffi_backend.FFI('made', _version=0x2601, _types=b'\\0\\0\\0')": (
        "ImportError: the tables of module 'made' are damaged, or are not for Python: "
        "_types: 3 bytes, which is no multiple of four"
    ),
    "_cffi_backend.FFI('made', _version=0x2601, _types=b'\\0\\0\\1\\3')": (
        "ImportError: the tables of module 'made' are damaged, or are not for Python: _types[0]: 1 is out of range"
    ),
    "_cffi_backend.FFI('made', _version=0x2601, _types=b'\\0\\0\\7\\1\\0\\0\\0\\x63')": (
        "ImportError: the tables of module 'made' are damaged, or are not for Python: "
        "_types[1]: the operation 99 is not known here"
    ),
    "_cffi_backend.FFI('made', _version=0x2601, _types=b'\\0\\0\\7\\1', _globals=(b'\\0\\0\\0\\x17f', 0))": (
        "ImportError: the tables of module 'made' are damaged, or are not for Python: "
        "_globals[0]: the operation 23 is not known here"
    ),
    "_cffi_backend.FFI('made', _version=0x2601, _types=b'\\0\\0\\0\\3', _typenames=(b'\\0\\0\\0\\0t',)).typeof('t')": (
        "error: the tables of module 'made' are damaged: _types[0]: types that go on without end"
    ),
    "_cffi_backend.FFI('made', _version=0x2601, _types=b'', _includes=(1,))": (
        "TypeError: FFI(): _includes has something else than the ffi of another module"
    ),
    "_cffi_backend.FFI('made', _version=0x2601, _types=b'', _globals=(b'abc', 1))": (
        "ImportError: the tables of module 'made' are damaged, or are not for Python: _globals[0]: it is too short"
    ),
    "_cffi_backend.FFI('made', _version=0x2601, _types=b'', _globals=(1, 1))": (
        "TypeError: FFI(): a name in _globals must be bytes, not int"
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    need_cffi()
    folder = tmp_path_factory.mktemp("made")
    subprocess.run([sys.executable, "-c", GENERATE], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def outcomes(folder):
    library = compile_library(LIBRARY)

    def run(start, expressions):
        child = subprocess.run(
            [sys.executable, "-c", start + "import sys; sys.path.insert(0, '')\n" + RUN, library],
            input=json.dumps(expressions), cwd=folder, capture_output=True, text=True, timeout=300,
        )
        assert child.returncode == 0, child.stderr
        return json.loads(child.stdout)

    every = EXPRESSIONS + list(DIFFERENT)
    return {
        "cffi": dict(zip(EXPRESSIONS, run("", EXPRESSIONS))),
        "keelback": dict(zip(every, run(ON_KEELBACK, every))),
    }


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_as_with_cffi(outcomes, expression):
    assert outcomes["keelback"][expression] == outcomes["cffi"][expression]


@pytest.mark.parametrize("expression", list(DIFFERENT))
def test_where_cffi_fails(outcomes, expression):
    assert outcomes["keelback"][expression] == DIFFERENT[expression]


MUTATE = ON_KEELBACK + r'''
import random, re, sys
sys.path.insert(0, "")
import _cffi_backend
kept = {}
class Recorder:
    def FFI(self, name, **tables):
        kept[name] = tables
        return _cffi_backend.FFI(name, **tables)
import types
fake = types.ModuleType("_cffi_backend")
fake.FFI = Recorder().FFI
sys.modules["_cffi_backend"] = fake
import made_base, made_middle, made_wide
names = made_wide.ffi.list_types()
names = names[0] + ["struct " + name for name in names[1]] + ["union " + name for name in names[2]] + ["struct $1"]
constants = dir(made_wide.ffi.dlopen(None))

def mutated(value, random):
    """The same tables with one thing changed."""
    if isinstance(value, tuple) and value:
        index = random.randrange(len(value))
        kind = random.random()
        if kind < 0.02:
            return value[:index]
        if kind < 0.04:
            return value[:index] + value[index + 1:]
        return value[:index] + (mutated(value[index], random),) + value[index + 1:]
    if isinstance(value, bytes):
        kind = random.random()
        if kind < 0.05 or not value:
            return value[:random.randrange(len(value) + 1)]
        index = random.randrange(len(value))
        byte = random.choice([0, 1, 2, 3, 5, 7, 9, 11, 13, 15, 17, 0x7f, 0x80, 0xff, value[index] ^ (1 << random.randrange(8))])
        return value[:index] + bytes([byte]) + value[index + 1:]
    return random.choice([None, -2**70, 2**70, 0, "x", value])

allowed = (ImportError, _cffi_backend.FFI.error, TypeError, ValueError, NotImplementedError, KeyError, AttributeError,
           OverflowError)
seed = int(sys.argv[1])
loaded = refused = 0
for number in range(seed, seed + int(sys.argv[2])):
    random.seed(number)
    tables = dict(kept["made_wide"])
    for _ in range(random.choice([1, 1, 2, 5])):
        key = random.choice(["_types", "_types", "_globals", "_struct_unions", "_enums", "_typenames"])
        tables[key] = mutated(tables[key], random)
    try:
        ffi = _cffi_backend.FFI("mutated", **tables)
        loaded += 1
    except allowed as error:
        assert str(error), number
        refused += 1
        continue
    for name in random.sample(names, 12):
        for act in (ffi.typeof, ffi.sizeof, lambda name: ffi.typeof(name).fields, lambda name: ffi.new(name + "*"),
                    lambda name: ffi.typeof(name + "(*)(" + name + ")")):
            try:
                repr(act(name))
            except allowed as error:
                pass
    lib = ffi.dlopen(None)
    for name in random.sample(constants, 8):
        try:
            repr(getattr(lib, name))
        except allowed:
            pass
    ffi.list_types(), dir(lib)
print(loaded, refused)
'''


def test_damaged_tables_do_no_harm(folder):
    """Changed at random, tables are refused or mean something else; the process goes on."""
    child = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", MUTATE, "1", "1500"],
        cwd=folder, capture_output=True, text=True, timeout=600,
    )
    assert child.returncode == 0, child.stderr
    loaded, refused = map(int, child.stdout.split())
    assert loaded > 200 and refused > 200


def test_an_included_struct_that_is_not_there(folder):
    """As CFFI says it, when the name is used."""
    script = ON_KEELBACK + r'''
import _cffi_backend
empty = _cffi_backend.FFI("empty", _version=0x2601, _types=b"")
full = _cffi_backend.FFI("full", _version=0x2601, _types=b"\0\0\0\x09\0\0\7\1\0\0\1\x09",
    _struct_unions=((b"\0\0\0\0\0\0\0\2s", b"\0\0\1\x11a"), (b"\0\0\0\2\0\0\0\x10t",)))
for name, ffi in ("empty", empty), ("full", full):
    user = _cffi_backend.FFI("user", _version=0x2601, _types=b"\0\0\0\x09\0\0\1\x09\0\0\7\1",
        _struct_unions=((b"\0\0\0\0\0\0\0\x08s",), (b"\0\0\0\1\0\0\0\x08t",)), _includes=(ffi,))
    for type in "struct s *", "struct t *":
        try:
            print(name, user.typeof(type), user.typeof(type) is ffi.typeof(type))
        except Exception as error:
            print(name, error.__class__.__name__, error)
'''
    child = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert child.returncode == 0, child.stderr
    assert child.stdout.splitlines() == [
        "empty error 'struct s' should come from ffi.include() but was not found",
        "empty error 'struct t' should come from ffi.include() but was not found",
        "full <ctype 'struct s *'> True",
        "full NotImplementedError 'struct t' is opaque in the ffi.include(), but no longer in the ffi doing the include "
        "(workaround: don't use ffi.include() but duplicate the declarations of everything using struct t)",
    ]
