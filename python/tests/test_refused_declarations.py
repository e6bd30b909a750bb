"""What headers declare and nothing here can use: one name is opaque, the rest of the header is not, and its use says why."""

import subprocess

import pytest
import keelback
from c_library import compile_library

HEADER = """\
typedef int (__attribute__((ms_abi)) *win_callback)(int);
typedef int __attribute__((vectorcall)) vector_function(int);
__attribute__((ms_abi)) int win_call(int x), win_too(int x);
int plain(int x), __attribute__((regcall)) in_registers(int x);
struct other { int a; short b; } __attribute__((ms_struct));
struct holder { struct other inside; int n; };
struct pointing { struct other *to; int n; win_callback call; vector_function *vector; };
typedef struct { __attribute__((address_space(3))) int *p; } far_t;
static int alias __attribute__((weakref("other_name")));
_Accum fixed(void);
typedef _Accum fixed_t;
int by_value(struct other s);
int by_pointer(struct other *s, fixed_t *f);
static inline int __attribute__((vectorcall)) fast(int x) { return x; }
typedef win_callback same_callback;
typedef int (__attribute__((ms_abi)) *win_callback)(int);
int last(void);
"""
C = "int plain(int x) { return x + 1; }\nint by_pointer(void *s, void *f) { return s == f; }\nint last(void) { return 7; }\n"
MS_ABI = "the attribute 'ms_abi' changes how the function is called, and is not supported"
MS_STRUCT = "the attribute 'ms_struct' changes how the struct lies in memory, and is not supported"


def raised(error, function, *arguments):
    with pytest.raises(error) as caught:
        function(*arguments)
    assert caught.type is error
    return str(caught.value)


def check(ffi, lib, unknown_size=(ValueError, "ctype '{}' is of unknown size")):
    def size(name):
        error, said = unknown_size
        text = raised(error, ffi.sizeof, name)
        assert text.startswith(said.format(name) + ": ")
        return text.partition(": ")[2]

    assert (lib.plain(1), lib.last(), lib.by_pointer(ffi.NULL, ffi.NULL)) == (2, 7, 1)
    assert not {"win_call", "win_too", "in_registers", "alias", "fixed", "fast", "by_value"} & set(dir(lib))
    for name, why in [
        ("win_call", MS_ABI),
        ("win_too", MS_ABI),
        ("in_registers", MS_ABI.replace("ms_abi", "regcall")),
        ("fast", MS_ABI.replace("ms_abi", "vectorcall")),
        ("alias", "the attribute 'weakref' changes the symbol that the name stands for, and is not supported"),
        ("fixed", "Unsupported type: '_Accum'"),
        ("by_value", f"'struct other' is opaque: {MS_STRUCT}"),
    ]:
        assert raised(AttributeError, getattr, lib, name) == f"'{name}', which a header declares, cannot be used: {why}"
    pointing = ffi.new("struct pointing *")
    assert ffi.sizeof("struct pointing") == 32 and ffi.offsetof("struct pointing", "call") == 16
    assert pointing.to == ffi.NULL and pointing.call == ffi.cast("win_callback", 0)
    assert ffi.typeof("same_callback") is ffi.typeof("win_callback")
    assert raised(TypeError, pointing.call, 1) == f"cdata 'struct $$win_callback *' is not callable: {MS_ABI}"
    assert size("struct other") == MS_STRUCT and size("struct holder") == f"'struct other' is opaque: {MS_STRUCT}"
    assert raised(TypeError, ffi.new, "struct other *") == f"cannot instantiate ctype 'struct other' of unknown size: {MS_STRUCT}"
    assert raised(ValueError, ffi.typeof, "struct other[2]") == f"array item of unknown size: 'struct other': {MS_STRUCT}"
    with pytest.raises(AttributeError) as caught:
        ffi.cast("struct other *", 8).a
    assert str(caught.value) == f"cdata 'struct other *' points to an opaque type: {MS_STRUCT}: cannot read fields"
    assert size("far_t") == "Unsupported type: 'address_space'" and size("fixed_t") == "Unsupported type: '_Accum'"
    assert size("vector_function") == MS_ABI.replace("ms_abi", "vectorcall")


@pytest.fixture
def header(tmp_path):
    path = tmp_path / "odd.h"
    path.write_text(HEADER)
    return path


def test_in_line(header):
    ffi = keelback.FFI()
    ffi.header(header)
    lib = ffi.dlopen(compile_library(C))
    check(ffi, lib)
    what = f"ctype 'struct other' has incomplete type: {MS_STRUCT}"
    assert raised(TypeError, ffi.callback, "int(struct other)", print) == what


def test_out_of_line(header, tmp_path, monkeypatch):
    builder = keelback.FFI()
    builder.header(header)
    builder.set_source("_odd_header", None)
    builder.compile(tmpdir=str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    import _odd_header

    check(_odd_header.ffi, _odd_header.ffi.dlopen(compile_library(C)), (keelback.FFI.error, "don't know the size of ctype '{}'"))


def test_api_mode(header, tmp_path, monkeypatch):
    """As far as the C compiler takes the header itself."""
    text = HEADER.replace("vectorcall", "ms_abi").replace("regcall", "ms_abi").replace("_Accum", "__attribute__((ms_abi)) int")
    lines = [line for line in text.splitlines() if "address_space" not in line and "weakref" not in line and "fixed" not in line]
    header.write_text("\n".join(lines) + "\nint by_pointer(struct other *s, void *f);\n")
    builder = keelback.FFI()
    builder.header(header)
    builder.set_source("_odd_api", f'#include "{header}"\n{C.replace("void *s", "struct other *s")}')
    builder.compile(tmpdir=str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    from _odd_api import ffi, lib

    assert (lib.plain(1), lib.last()) == (2, 7)
    assert raised(AttributeError, getattr, lib, "win_call") == f"'win_call', which a header declares, cannot be used: {MS_ABI}"
    assert ffi.sizeof("struct pointing") == 32 and ffi.new("struct pointing *").call == ffi.NULL
    assert raised(ffi.error, ffi.sizeof, "struct other") == f"don't know the size of ctype 'struct other': {MS_STRUCT}"


def test_what_a_plugin_exports_is_an_error(header, tmp_path):
    """And what it includes is not."""
    api = tmp_path / "api.h"
    api.write_text('#include "odd.h"\nint uses(struct pointing *p, win_callback callback);\n')
    builder = keelback.FFI()
    builder.header(api, include_dirs=[str(tmp_path)], embedding_api=True)
    api.write_text("#define CALL __attribute__((ms_abi))\nint CALL exported(int x);\n")
    with pytest.raises(keelback.FFIError) as caught:
        keelback.FFI().header(api, embedding_api=True)
    assert str(caught.value) == MS_ABI


def test_a_cdef_is_told():
    with pytest.raises(keelback.FFIError) as caught:
        keelback.FFI().cdef("int __attribute__((ms_abi)) f(int x);")
    assert str(caught.value).splitlines()[0] == MS_ABI
