"""`ffi.keep_gil()`: calls that do not let go of the GIL, in every mode. What a call takes and gives is as without."""
import importlib
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from keelback import FFI

from c_library import compile_library
from differential import need_cffi

# Each function says in its result whether the thread has the GIL.
SOURCE = """
#include <errno.h>
extern int PyGILState_Check(void);
struct small { int a, b; };
struct big { long gil, b, c, d, e; };
int none(void) { return PyGILState_Check(); }
void store(int *where) { *where = PyGILState_Check(); }
int text(const char *s) { return s[0] == 'x' ? PyGILState_Check() : -1; }
unsigned char narrow(int a, int b) { return a == b ? PyGILState_Check() : 7; }
int three(int a, int b, int c) { return a + b + c == 6 ? PyGILState_Check() : -1; }
long four(long a, int b, int c, int d) { return a + b + c + d == 10 ? PyGILState_Check() : -1; }
int five(int a, int b, int c, int d, int e) { return e == 5 ? PyGILState_Check() : -1; }
int eight(int a, int b, int c, int d, int e, int f, int g, int h) { return h == 8 ? PyGILState_Check() : -1; }
double one_double(double a) { return a == 1 ? PyGILState_Check() : -1; }
double two_doubles(double a, double b) { return a + b == 3 ? PyGILState_Check() : -1; }
double mixed(int a, double b) { return a + b == 3 ? PyGILState_Check() : -1; }
long double longest(long double a) { return a == 1 ? PyGILState_Check() : -1; }
struct small by_value(struct small s) { s.a = PyGILState_Check(); return s; }
struct big large(int a) { struct big s = { PyGILState_Check(), a }; return s; }
int variadic(int n, ...) { return PyGILState_Check(); }
int many(int n, ...) { return PyGILState_Check(); }
int fails(int code) { errno = code; return -PyGILState_Check(); }
int apply(int (*f)(int), int x) { return f(x); }
int (*pointer)(void) = none;
int number = 5;
"""
CDEF = """
struct small { int a, b; };
struct big { long gil, b, c, d, e; };
int none(void); void store(int *); int text(const char *); unsigned char narrow(int, int);
int three(int, int, int); long four(long, int, int, int); int five(int, int, int, int, int);
int eight(int, int, int, int, int, int, int, int);
double one_double(double); double two_doubles(double, double); double mixed(int, double); long double longest(long double);
struct small by_value(struct small); struct big large(int); int variadic(int, ...); int many(int, ...);
int fails(int); int apply(int (*)(int), int);
extern int (*pointer)(void); extern int number;
"""


def whether_held(ffi, lib):
    """For each kind of call, whether C had the GIL."""
    where = ffi.new("int *", 7)
    lib.store(where)
    return {
        "none": lib.none(),
        "store": where[0],
        "text": lib.text(b"x"),
        "narrow": lib.narrow(3, 3),
        "three": lib.three(1, 2, 3),
        "four": lib.four(1, 2, 3, 4),
        "five": lib.five(1, 2, 3, 4, 5),
        "eight": lib.eight(1, 2, 3, 4, 5, 6, 7, 8),
        "one_double": lib.one_double(1.0),
        "two_doubles": lib.two_doubles(1, 2.0),
        "mixed": lib.mixed(1, 2.0),
        "longest": float(lib.longest(1)),
        "by_value": lib.by_value({"b": 4}).a,
        "large": lib.large(4).gil,
        "variadic": lib.variadic(1, ffi.cast("int", 2), ffi.cast("double", 2)),
        "many": lib.many(1, *[ffi.cast("int", number) for number in range(12)]),
        "fails": -lib.fails(3),
    }


def opened(names=None):
    ffi = FFI()
    ffi.cdef(CDEF)
    lib = ffi.dlopen(compile_library(SOURCE))
    return ffi, lib if names is None else ffi.keep_gil(lib, *names)


def test_all_functions_of_a_library():
    ffi, lib = opened()
    assert set(whether_held(ffi, lib).values()) == {0}
    before = lib.none
    assert ffi.keep_gil(lib) is lib
    for _ in range(3):
        assert set(whether_held(ffi, lib).values()) == {1}
    assert before() == 0 and lib.none() == 1 and lib.none is lib.none
    assert lib.number == 5 and lib.pointer() == 0
    assert ffi.addressof(lib, "none")() == 1
    assert ffi.typeof(lib.none) is ffi.typeof("int(*)(void)") and lib.none == before
    assert repr(lib.none) == repr(before)
    assert type(lib.none).__call__(lib.none) == 1 and type(before).__call__(before) == 0
    # Another library of the same file is not meant.
    assert ffi.dlopen(compile_library(SOURCE)).none() == 0


def test_some_functions_of_a_library():
    ffi, lib = opened(["three", "mixed"])
    held = whether_held(ffi, lib)
    assert {name for name, value in held.items() if value} == {"three", "mixed"}
    ffi.keep_gil(lib, "none")
    held = whether_held(ffi, lib)
    assert {name for name, value in held.items() if value} == {"three", "mixed", "none"}


def test_what_is_refused_is_the_same():
    for ffi, lib in (opened(), opened([])):
        for arguments, error, text in [
            ((), TypeError, "'int(*)(int, int, int)' expects 3 arguments, got 0"),
            ((1, 2, "x"), TypeError, "an integer is required"),
            ((1, 2, 2**31), OverflowError, "integer 2147483648 does not fit 'int'"),
        ]:
            with pytest.raises(error) as caught:
                lib.three(*arguments)
            assert str(caught.value) == text
        with pytest.raises(TypeError, match="cannot be called with keyword arguments"):
            lib.three(1, 2, 3, c=3)


def test_errno():
    ffi, lib = opened([])
    ffi.errno = 0
    lib.fails(33)
    assert ffi.errno == 33
    ffi.errno = 44
    assert lib.none() == 1 and ffi.errno == 44


def test_a_function_pointer():
    ffi, lib = opened()
    kept = ffi.keep_gil(lib.none)
    assert kept() == 1 and lib.none() == 0 and kept == lib.none
    assert ffi.keep_gil(lib.pointer)() == 1
    assert ffi.cast("int(*)(void)", kept)() == 0
    with pytest.raises(RuntimeError, match="cannot call null pointer"):
        ffi.keep_gil(ffi.cast("int(*)(void)", 0))()


def test_a_function_that_calls_back_after_all():
    ffi, lib = opened([])
    doubled = ffi.callback("int(int)", lambda x: 2 * x)
    seen = []
    failing = ffi.callback("int(int)", lambda x: x / 0, error=-9, onerror=lambda kind, *_: seen.append(kind))
    assert lib.apply(doubled, 21) == 42
    assert lib.apply(failing, 1) == -9 and seen == [ZeroDivisionError]
    assert ffi.keep_gil(ffi.cast("int(*)(int)", doubled))(4) == 8
    assert whether_held(ffi, lib)["none"] == 1


@pytest.mark.parametrize(
    "arguments, error, text",
    [
        (lambda ffi, lib: [lib, "nosuch"], AttributeError, "no function, constant or global variable named 'nosuch'"),
        (lambda ffi, lib: [lib, "none", "number"], TypeError, "'number' is no function"),
        (lambda ffi, lib: [lib, 5], TypeError, r"keep_gil\(lib, ...\) takes names of functions, not int"),
        (lambda ffi, lib: [lib.none, "none"], TypeError, "takes names of functions after a lib"),
        (lambda ffi, lib: [7], TypeError, r"keep_gil\(\) takes a lib or a function of C, not 7"),
        (lambda ffi, lib: [ffi.new("int *")], TypeError, "takes a lib or a function of C, not <cdata 'int \\*' owning 4 bytes"),
        (lambda ffi, lib: [ffi.callback("int(int)", abs)], TypeError, "a function of C, not <cdata 'int.*' calling"),
        (lambda ffi, lib: [], TypeError, "missing 1 required positional argument: 'lib'"),
    ],
)
def test_what_it_does_not_take(arguments, error, text):
    ffi, lib = opened()
    with pytest.raises(error, match=text):
        ffi.keep_gil(*arguments(ffi, lib))
    assert lib.none() == 0


def module(tmp_path, monkeypatch, name, source):
    builder = FFI()
    builder.cdef(CDEF)
    builder.set_source(name, source)
    builder.compile(tmpdir=str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module(name)


def test_an_out_of_line_module_in_abi_mode(tmp_path, monkeypatch):
    ffi = module(tmp_path, monkeypatch, "_keeps_gil_abi", None).ffi
    lib = ffi.keep_gil(ffi.dlopen(compile_library(SOURCE)), "none", "large")
    held = whether_held(ffi, lib)
    assert {name for name, value in held.items() if value} == {"none", "large"}
    ffi.keep_gil(lib)
    assert set(whether_held(ffi, lib).values()) == {1}


def test_a_module_in_api_mode(tmp_path, monkeypatch):
    found = module(tmp_path, monkeypatch, "_keeps_gil_api", SOURCE)
    ffi, lib = found.ffi, found.lib
    assert set(whether_held(ffi, lib).values()) == {0}
    before, doc = lib.none, lib.three.__doc__
    assert ffi.keep_gil(lib.none)() == 1
    ffi.keep_gil(lib, "none", "three")
    held = whether_held(ffi, lib)
    assert {name for name, value in held.items() if value} == {"none", "three"}
    assert before() == 0 and lib.three.__doc__ == doc and type(lib.three) is type(len)
    ffi.keep_gil(lib)
    assert set(whether_held(ffi, lib).values()) == {1}
    assert ffi.addressof(lib, "none")() == 1 and lib.number == 5
    with pytest.raises(TypeError, match=r"three expected 3 arguments, got 1"):
        lib.three(1)


COMPILED_BY_CFFI = """
import keelback
keelback.install_as_cffi()
import pytest
from test_keep_gil import whether_held
from _keeps_gil_cffi import ffi, lib

assert set(whether_held(ffi, lib).values()) == {0}
ffi.keep_gil(lib, "none", "three", "many")
assert {name for name, value in whether_held(ffi, lib).items() if value} == {"none", "three", "many"}
# Structs by value go through C that CFFI has compiled into the module, and that lets go of the GIL.
with pytest.raises(TypeError, match="the GIL cannot be kept in 'by_value': it runs Python, or is called through C"):
    ffi.keep_gil(lib, "by_value")
ffi.keep_gil(lib)
held = whether_held(ffi, lib)
assert {name for name, value in held.items() if not value} == {"by_value", "large"}
assert ffi.addressof(lib, "none")() == 1 and ffi.addressof(lib, "by_value")([0, 1]).a == 0
"""


def test_a_module_that_cffi_compiled(tmp_path):
    need_cffi()
    import cffi

    builder = cffi.FFI()
    builder.cdef(CDEF)
    builder.set_source("_keeps_gil_cffi", SOURCE)
    builder.emit_c_code(str(tmp_path / "module.c"))
    library = tmp_path / ("_keeps_gil_cffi" + sysconfig.get_config_var("EXT_SUFFIX"))
    compiler = [os.environ.get("CC", "cc"), "-shared", "-fPIC", "-w", "-I" + sysconfig.get_paths()["include"]]
    subprocess.run([*compiler, "-o", library, tmp_path / "module.c"], check=True)
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", COMPILED_BY_CFFI],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
