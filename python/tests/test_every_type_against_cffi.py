"""Every kind of type meets every kind of value, under Keelback and under CFFI: `cast()`, `new()`, assignment to an item,
argument and result of a callback. About 30 000 pairs; what comes out of each must be the same, exception texts included.

Left out are only pairs where CFFI gives no answer to compare with: it refuses the signature (Keelback supports more of
them), it fails with SystemError, the answer depends on an address, shows memory that CFFI left uninitialised, or needs
gigabytes.
"""
import functools
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

from differential import need_cffi

CDEF = """
    struct point { int x, y; };
    struct small { char c; };
    struct bits { unsigned a:3; int b:5; unsigned long long w:40; _Bool f:1; };
    struct flex { int n; short tail[]; };
    struct nest { struct point p; int arr[3]; union { int i; float f; }; char name[8]; struct point *next; };
    union u { int i; double d; char c[12]; };
    enum e { EA, EB=5, EC=-2 };
    enum ue { UA, UB=0xffffffff };
    typedef int (*fn_t)(int, double);
    typedef struct opaque opaque_t;
    typedef struct opaque *opaque_p;
    typedef int arr4_t[4];
"""

TYPES = """
    char; signed char; unsigned char; short; unsigned short; int; unsigned int; long; unsigned long; long long
    unsigned long long; _Bool; float; double; long double; float _Complex; double _Complex; wchar_t; char16_t; char32_t
    int8_t; uint64_t; size_t; ssize_t; intptr_t; enum e; enum ue
    int *; char *; void *; const char *; unsigned char *; signed char *; wchar_t *; char16_t *; struct point *; int **
    char **; void **; fn_t; opaque_p
    int[3]; int[]; char[4]; char[]; unsigned char[]; wchar_t[]; wchar_t[3]; char16_t[]; char32_t[3]; _Bool[3]; double[]
    int[2][3]; int *[2]; char *[]; struct point[2]; arr4_t; fn_t[2]
    struct point; struct bits; struct flex; struct nest; union u; struct small; void; opaque_t; int(int)
"""
TYPES = [name.strip() for line in TYPES.strip().splitlines() for name in line.split(";")]

VALUES = r"""
    0; 1; -1; 2; 127; 128; 255; 256; -129; 65535; 65536; 2**31-1; 2**31; -2**31-1; 2**32; 2**63; 2**64; -2**63; 10**30
    True; False; None; 1.0; 1.5; -0.0; 1e300; float('inf'); float('nan'); 1j; 1+2j; 10**400
    ''; 'a'; 'ab'; 'abcd'; 'abcde'; '\u20ac'; '\U0001f600'; '\ud83d\ude00'; '\u0663'; 'x'*100
    b''; b'a'; b'ab'; b'abcd'; b'abcde'; b'\x01'; b'\xff'; bytearray(b'ab'); memoryview(b'abc')
    []; [1]; [1,2]; [1,2,3]; [1,2,3,4]; (1,2); [[1,2],[3]]; [b'a',b'b']; ['a','b']; [None]; [1.5]; ['x']
    {}; {'x':1}; {'x':1,'y':2}; {'z':1}; {'a':9}; {'i':3}; {'n':1,'tail':[1,2]}; {'name':b'abc'}; {'p':{'x':4}}
    object(); Index(); Int(); Float(); BadInt(); range(3); iter([1,2]); set([1]); lambda a, b: 3; typeof('int')
    NULL; cast('int',5); cast('char',65); cast('unsigned char',200); cast('long long',-5); cast('double',2.5)
    cast('float',1.5); cast('long double',3.5); cast('_Bool',1); cast('wchar_t',97); cast('char16_t',0x20ac)
    cast('char32_t',0x1f600); cast('enum e',5); cast('void *',16); cast('int *',32); cast('char *',0)
    cast('double _Complex',1+2j); new('int *',3); new('int[3]',[1,2,3]); new('int[]',2); new('char[]',b'xyz')
    new('char *',b'q'); new('struct point *',[1,2]); new('struct point *',[1,2])[0]; new('struct point[2]')
    new('struct bits *'); new('union u *')[0]; new('wchar_t[]','hi'); new('unsigned char[]',b'hi'); new('void **')
    [new('int *')]*2; function; other_function
"""
VALUES = [value.strip() for line in VALUES.strip().splitlines() for value in line.split(";")]

CHILD = r'''
import json, re, sys, warnings
implementation, = sys.argv[1:]
job = json.load(sys.stdin)
if implementation == "cffi":
    import cffi as module
else:
    import keelback as module
warnings.simplefilter("ignore")
ffi = module.FFI()
ffi.cdef(job["cdef"])
new, cast, typeof, NULL = ffi.new, ffi.cast, ffi.typeof, ffi.NULL
function = ffi.callback("fn_t", lambda a, b: int(a + b))
other_function = ffi.callback("int(int)", lambda a: a)

class Index:
    def __index__(self): return 7
class Int:
    def __int__(self): return 8
class Float:
    def __float__(self): return 2.5
class BadInt:
    def __int__(self): return "x"

def shown(value, depth=0):
    """A value with all that is in it, without addresses."""
    if not isinstance(value, ffi.CData) or depth > 3:
        return repr(value)
    ctype = typeof(value)
    if ctype.kind in ("struct", "union") and ctype.fields:
        return [ctype.cname] + [[name, shown(getattr(value, name), depth + 1)] for name, field in ctype.fields]
    if ctype.kind == "array":
        return [ctype.cname] + [shown(item, depth + 1) for item in value]
    if ctype.kind == "pointer" and value and ctype.item.kind not in ("void", "function"):
        return ctype.cname
    return repr(value)

def outcome_of(operation, *arguments):
    try:
        outcome = json.dumps(operation(*arguments))
    except Exception as error:
        what = error.args[0] if len(error.args) == 1 else error.args
        outcome = f"{type(error).__name__}: {what}"
    return re.sub(r"\b(keelback|_cffi_backend|cffi)\.", "", re.sub(r"0x[0-9a-fA-F]{5,}", "ADDRESS", outcome))

def by_cast(ctype, value):
    made = cast(ctype, value)
    views = [bool, int, float, complex, ffi.sizeof, len]
    if typeof(made).kind not in ("pointer", "array"):  # there is nothing at such an address
        views.append(ffi.string)
    return [repr(made)] + [outcome_of(lambda: repr(view(made))) for view in views]

def by_new(ctype, value):
    kind = typeof(ctype).kind
    made = new(ctype if kind in ("array", "pointer") else ffi.getctype(ctype, "*"), value)
    return [repr(made), ffi.sizeof(made), shown(made if typeof(made).kind == "array" else made[0])]

def by_assignment(ctype, value):
    items = new(ffi.getctype(ctype, "[2]"))
    items[1] = value
    return shown(items[1])

def by_argument(ctype, value):
    got = []
    callback = ffi.callback(f"void({ctype})", lambda given: got.append(shown(given)))
    callback(value)
    return got

def by_result(ctype, value):
    raised = []
    callback = ffi.callback(ffi.getctype(ctype, "(int)"), lambda number: value,
                            onerror=lambda kind, error, trace: raised.append([kind.__name__, str(error)]))
    return [shown(callback(1)), raised]

OPERATIONS = {"cast": by_cast, "new": by_new, "assignment": by_assignment, "argument": by_argument, "result": by_result}
operation = OPERATIONS[job["operation"]]
def made_of(ctype, value):
    value = eval(value)
    # A length of gigabytes.
    if job["operation"] == "new" and ctype.endswith("[]") and isinstance(value, int) and 2**20 < value < 2**62:
        return "left out"
    # CFFI would write the items behind the struct.
    if job["operation"] != "new" and ctype == "struct flex" and isinstance(value, dict) and "tail" in value:
        return "left out"
    return operation(ctype, value)

for ctype in job["types"]:
    print(json.dumps([outcome_of(made_of, ctype, value) for value in job["values"]]), flush=True)
'''


@functools.lru_cache(maxsize=None)
def _outcomes(implementation, operation):
    """What `outcomes` gives, or how the process ended that should have told."""
    job = {"cdef": CDEF, "operation": operation, "types": TYPES, "values": VALUES}
    child = subprocess.run([sys.executable, "-c", CHILD, implementation], input=json.dumps(job), capture_output=True, text=True, timeout=300)
    lines = child.stdout.splitlines()
    if child.returncode:
        at = TYPES[len(lines)] if len(lines) < len(TYPES) else "the end"
        return f"{implementation}, {operation}: ended with {child.returncode} at {at}\n{child.stderr}"
    return dict(zip(TYPES, map(json.loads, lines)))


def outcomes(implementation, operation):
    """The outcomes of an operation: for each type a list, a value each."""
    found = _outcomes(implementation, operation)
    if isinstance(found, str):
        pytest.fail(found)
    return found


def comparable(operation, ctype, value, with_cffi):
    if with_cffi.startswith(("NotImplementedError", "SystemError")):
        return False
    # A function cannot return an array: with Keelback the parser says so.
    if with_cffi.startswith("TypeError: invalid result type"):
        return False
    has_address = value.startswith(("new(", "[new(")) or "function" in value
    if operation == "cast" and has_address and not ctype.endswith(("*", "fn_t", "opaque_p")):
        return False
    # Passed by value, the fields that an initialiser leaves out are not zeroed by CFFI.
    if operation in ("argument", "result") and ctype.startswith("struct") and "*" not in ctype:
        return value[0] not in "[({"
    return True


@pytest.mark.parametrize("ctype", TYPES)
@pytest.mark.parametrize("operation", ["cast", "new", "assignment", "argument", "result"])
def test_same(operation, ctype):
    need_cffi()
    cffi = dict(zip(VALUES, outcomes("cffi", operation)[ctype]))
    keelback = dict(zip(VALUES, outcomes("keelback", operation)[ctype]))
    compared = [value for value in VALUES if comparable(operation, ctype, value, cffi[value])]
    assert {value: keelback[value] for value in compared} == {value: cffi[value] for value in compared}


ALL_TYPES = pathlib.Path(__file__).parent / "cffi_compiled" / "all_types.py"
# CFFI does not zero what an initialiser leaves out of a struct that is passed by value.
IN_PART = re.compile(r"(point|union both): (same|second|whole)\b.*(\[\]|\(1,\)|\{'[xi]': 3\})")
# CFFI makes no callbacks with complex numbers.
NO_CALLBACK = ("float _Complex: callback", "double _Complex: callback")


def test_in_modules_that_cffi_compiled(tmp_path):
    """Every type in every place of a module that CFFI generates and compiles, with each run time: about 21 000 outcomes."""
    need_cffi()
    if importlib.util.find_spec("setuptools") is None:
        pytest.skip("CFFI compiles with setuptools")

    def run(what):
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
        done = subprocess.run(
            [sys.executable, ALL_TYPES, what], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=400
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("compile")
    cffi, keelback = json.loads(run("cffi")), json.loads(run("keelback"))
    assert len(cffi) > 20_000
    wrong = [
        (label, expected, outcome)
        for (label, expected), (_, outcome) in zip(cffi, keelback, strict=True)
        # What does not fit is said in words of our own.
        if expected != outcome and not (expected.startswith("OverflowError") and outcome.startswith("OverflowError"))
        and not IN_PART.match(label) and label not in NO_CALLBACK
    ]
    assert wrong == []
