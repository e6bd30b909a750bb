"""`lib` objects of `ffi.dlopen`: functions, variables, constants, closing."""
import gc
import os
import sys

import pytest
from keelback import FFI as KeelbackFFI

from c_library import compile_library
from implementations import both

DECLARATIONS = """
#define FORTY_TWO 42
struct point { int x, y; };
enum color { RED, GREEN = 7 };
static const int K2 = 3;
int add(int, int);
int get_number(void);
int missing(int);
extern int number;
extern int numbers[3];
extern int open_numbers[];
extern struct point origin;
extern char *text;
extern int *pointer;
extern int (*function)(int, int);
"""

SOURCE = """
struct point { int x, y; };
int number = 5, numbers[3] = {1, 2, 3}, open_numbers[2] = {4, 5};
struct point origin = {7, 8};
const int K = 9;
const struct point corner = {5, 6};
const char *text = "hi";
int *pointer = &number;
int add(int a, int b) { return a + b; }
int (*function)(int, int) = add;
int get_number(void) { return number; }
"""


@pytest.fixture
def path():
    return compile_library(SOURCE)


@pytest.fixture
def opened(FFI, path, tmp_path):
    # A copy: each test may change the library's variables.
    own = tmp_path / "libown.so"
    own.write_bytes(open(path, "rb").read())
    ffi = FFI()
    ffi.cdef(DECLARATIONS)
    return ffi, ffi.dlopen(str(own))


@both
def test_functions(opened):
    ffi, lib = opened
    assert lib.add is lib.add
    assert ffi.typeof(lib.add) is ffi.typeof("int(*)(int, int)")
    assert repr(lib.add).startswith("<cdata 'int(*)(int, int)' 0x")
    assert getattr(lib, "a" + "dd")(1, 2) == 3
    with pytest.raises(AttributeError, match="^function/symbol 'missing' not found in library .*undefined symbol: missing"):
        lib.missing
    with pytest.raises(AttributeError):
        lib.not_declared
    assert not hasattr(lib, "not_declared")


@both
def test_variables(opened):
    ffi, lib = opened
    assert lib.number == 5
    lib.number = 77
    assert lib.number == lib.get_number() == 77
    assert list(lib.numbers) == [1, 2, 3] and ffi.typeof(lib.numbers) is ffi.typeof("int[3]")
    lib.numbers[1] = 20
    lib.numbers = [10]
    assert list(lib.numbers) == [10, 20, 3]
    assert lib.open_numbers[1] == 5
    assert lib.origin.x == 7
    lib.origin.x = 70
    assert lib.origin.x == 70
    lib.origin = [1, 2]
    assert lib.origin.y == 2
    assert ffi.string(lib.text) == b"hi"
    assert lib.pointer == ffi.addressof(lib, "number")
    lib.pointer = ffi.NULL
    assert lib.pointer == ffi.NULL
    assert lib.function(1, 2) == 3
    with pytest.raises(TypeError, match="^an integer is required$"):
        lib.number = "a"


@both
def test_constants(opened):
    ffi, lib = opened
    assert (lib.FORTY_TWO, lib.RED, lib.GREEN, lib.K2) == (42, 0, 7, 3)


@both
def test_dir(opened):
    ffi, lib = opened
    assert dir(lib) == sorted(
        "FORTY_TWO RED GREEN K2 add get_number missing number numbers open_numbers origin text pointer function".split()
    )
    assert lib.add and lib.__dict__["add"] is lib.add


def test_writes_that_are_refused(path):
    ffi = KeelbackFFI()
    ffi.cdef(DECLARATIONS)
    lib = ffi.dlopen(path)
    for name in ("add", "FORTY_TWO", "RED", "K2"):
        with pytest.raises(AttributeError, match=f"^cannot write to function or constant '{name}'$"):
            setattr(lib, name, 1)
    for name in ("add", "number"):
        with pytest.raises(AttributeError, match="^C attribute cannot be deleted$"):
            delattr(lib, name)
    with pytest.raises(AttributeError):
        lib.not_declared = 1
    with pytest.raises(AttributeError):
        del lib.not_declared


@both
def test_address_of(opened):
    ffi, lib = opened
    assert repr(ffi.addressof(lib, "number")).startswith("<cdata 'int *' 0x")
    assert ffi.addressof(lib, "number")[0] == 5
    assert ffi.addressof(lib, "add") == lib.add
    assert ffi.addressof(lib, "origin").y == 8
    with pytest.raises(AttributeError):
        ffi.addressof(lib, "not_declared")
    with pytest.raises(AttributeError):
        ffi.addressof(lib, "missing")


@both
def test_close(opened):
    ffi, lib = opened
    assert lib.add(1, 2) == 3 and lib.number == 5 and lib.FORTY_TWO == 42
    ffi.dlclose(lib)
    for name in ("add", "number", "get_number"):
        with pytest.raises(ValueError, match="^library '.*libown.so' has already been closed$"):
            getattr(lib, name)
    with pytest.raises(ValueError):
        lib.number = 3
    assert lib.FORTY_TWO == 42
    with pytest.raises(AttributeError):
        lib.not_declared
    ffi.dlclose(lib)


def test_closed_when_collected(path, tmp_path):
    own = tmp_path / "libgone.so"
    own.write_bytes(open(path, "rb").read())
    ffi = KeelbackFFI()
    ffi.cdef(DECLARATIONS)
    mapped = lambda: "libgone.so" in open("/proc/self/maps").read()
    lib = ffi.dlopen(str(own))
    assert lib.add(1, 2) == 3 and mapped()
    # An in-line ffi keeps its libraries.
    del lib, ffi
    gc.collect()
    assert not mapped()


@both
def test_open(FFI, path):
    ffi = FFI()
    ffi.cdef("int add(int, int); size_t strlen(const char *); void *dlopen(const char *, int);")
    everything = ffi.dlopen(None)
    assert everything.strlen(b"abc") == 3
    handle = everything.dlopen(path.encode(), ffi.RTLD_NOW)
    lib = ffi.dlopen(handle)
    assert lib.add(1, 2) == 3
    with pytest.raises(RuntimeError, match=r"^cannot call dlopen\(NULL\)$"):
        ffi.dlopen(ffi.NULL)
    with pytest.raises(TypeError):
        ffi.dlopen(ffi.new("int *"))
    with pytest.raises(OSError, match="^cannot load library './nothere.so': ./nothere.so: cannot open shared object file"):
        ffi.dlopen("./nothere.so")
    with pytest.raises(OSError):
        ffi.dlopen(path, 55)
    assert ffi.dlopen(path, ffi.RTLD_LAZY | ffi.RTLD_GLOBAL).add(1, 2) == 3
    assert ffi.dlopen(os.fsencode(path)).add(1, 2) == 3 if FFI is KeelbackFFI else True


@both
def test_declared_later(FFI, path):
    ffi = FFI()
    ffi.cdef("int add(int, int);")
    lib = ffi.dlopen(path)
    assert lib.add(1, 2) == 3
    with pytest.raises(AttributeError):
        lib.get_number
    ffi.cdef("int get_number(void);")
    assert lib.get_number() == 5 or FFI is not KeelbackFFI


def test_names_like_those_of_a_module(path):
    ffi = KeelbackFFI()
    ffi.cdef("int add(int, int); extern int number;")
    lib = ffi.dlopen(path)
    assert lib.__class__ is type(os)
    assert lib.__all__ == ["add"]
    assert lib.__loader__ is lib.__spec__ is None
    assert lib.__name__.endswith(".lib")
    with pytest.raises(AttributeError):
        lib.__file__
    ffi.cdef("static const int __name__ = 5;")
    assert ffi.dlopen(path).__name__ == 5


@both
def test_a_name_that_is_put_together_and_one_of_code_mean_the_same(opened):
    ffi, lib = opened
    made_up = ["".join(["number"]), "".join(["add"]), "".join(["FORTY", "_TWO"])]
    assert [getattr(lib, name) for name in made_up] == [5, lib.add, 42]
    # In code the same names are other objects, which come later.
    for _ in range(3):
        assert (lib.number, lib.FORTY_TWO) == (5, 42)
        assert lib.add is getattr(lib, made_up[1])
    lib.number = 6
    assert getattr(lib, made_up[0]) == lib.number == 6


def test_a_lib_keeps_no_names_when_it_goes(path):
    ffi = KeelbackFFI()
    ffi.cdef(DECLARATIONS)
    name = sys.intern("get_" + "number")
    lib = ffi.dlopen(path)
    before = sys.getrefcount(name)
    assert getattr(lib, name)() == 5
    ffi.dlclose(lib)
    del lib
    gc.collect()
    assert sys.getrefcount(name) == before
