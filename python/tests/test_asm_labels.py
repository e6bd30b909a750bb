"""Asm labels, and attributes and pragmas that change an ABI."""
import subprocess
import warnings

import keelback
import pytest
from keelback import FFI

from c_library import compile_library

CDEF = """
    int twice(int) __asm__("twice_v2");
    int thrice(int) asm("" "twice_v2");
    extern int level __asm__("level_v2");
    int plain(int) __asm__("twice") __attribute__((const));
    int unchanged(int);
"""
LIBRARY = """
    int twice(int x) { return -1; } int twice_v2(int x) { return 2 * x; }
    int level_v2 = 7; int level = 1; int unchanged(int x) { return x + 1; }
"""


def check(ffi, lib):
    assert (lib.twice(21), lib.thrice(4), lib.plain(1), lib.unchanged(5), lib.level) == (42, 8, -1, 6, 7)
    assert ffi.addressof(lib, "twice")(5) == 10 and ffi.addressof(lib, "level")[0] == 7
    lib.level = 9
    assert lib.level == 9 and ffi.addressof(lib, "level")[0] == 9
    lib.level = 7  # the library is opened once for all tests
    assert {"twice", "thrice", "level", "plain", "unchanged"} <= set(dir(lib))


def test_in_line():
    ffi = FFI()
    ffi.cdef(CDEF)
    check(ffi, ffi.dlopen(compile_library(LIBRARY)))


def test_missing_symbol_is_named():
    ffi = FFI()
    ffi.cdef('int twice(int) __asm__("twice_v3");')
    lib = ffi.dlopen(compile_library(LIBRARY))
    with pytest.raises(AttributeError, match="function/symbol 'twice' not found in library .*twice_v3"):
        lib.twice


def test_out_of_line_abi(tmp_path, monkeypatch):
    builder = FFI()
    builder.cdef(CDEF)
    builder.set_source("labels_of_abi", None)
    builder.compile(tmpdir=str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    from labels_of_abi import ffi

    check(ffi, ffi.dlopen(compile_library(LIBRARY)))


@pytest.mark.parametrize("how", ["compile", "verify"])
def test_with_a_compiler(how, tmp_path, monkeypatch):
    cdef = 'int twice(int) __asm__("second"); int thrice(int) __asm__("second"); int plain(int) __asm__("first");'
    source = "int first(int x) { return -1; } int second(int x) { return 2 * x; }\n" + cdef
    builder = FFI()
    builder.cdef(cdef)
    if how == "verify":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            lib = builder.verify(source, tmpdir=str(tmp_path))
    else:
        builder.set_source("labels_of_api", source)
        builder.compile(tmpdir=str(tmp_path))
        monkeypatch.syspath_prepend(str(tmp_path))
        from labels_of_api import lib
    assert (lib.twice(21), lib.thrice(4), lib.plain(1)) == (42, 8, -1)


def test_a_later_declaration_may_bring_the_label():
    ffi = FFI()
    ffi.cdef('int twice(int); int twice(int) __asm__("twice_v2"); int twice(int); extern int level; extern int level asm("level_v2");')
    lib = ffi.dlopen(compile_library(LIBRARY))
    assert lib.twice(21) == 42 and lib.level == 7
    with pytest.raises(keelback.FFIError, match="multiple declarations of function twice"):
        ffi.cdef('int twice(int) __asm__("twice");')


@pytest.mark.parametrize(
    "text,message",
    [
        ("int f(int) __attribute__((ms_abi));", "the attribute 'ms_abi' changes how the function is called"),
        ('struct s { int x; } __attribute__((scalar_storage_order("big-endian")));', "'scalar_storage_order' changes how the struct"),
        ("struct s { int x; } __attribute__((ms_struct));", "'ms_struct' changes how the struct lies in memory"),
        ("#pragma redefine_extname f g\nint f(int);", "the pragma 'redefine_extname' changes the symbol"),
        ("typedef float v __attribute__((ext_vector_type(4)));", "Unsupported type: 'ext_vector_type'"),
    ],
)
def test_what_is_not_honoured_is_refused(text, message):
    with pytest.raises(keelback.FFIError, match=message):
        FFI().cdef(text)


def test_an_unknown_attribute_is_warned_of_once():
    with pytest.warns(UserWarning, match="the attribute 'frob' is not known, and not honoured") as caught:
        FFI().cdef("int f(int) __attribute__((frob)); int g(int) __attribute__((__frob__(1), nothrow));")
    assert len(caught) == 1


def test_pack_by_operator_is_that_of_gcc(tmp_path):
    text = """
    _Pragma("pack(push, 1)") struct a { char c; int x; }; _Pragma("pack(pop)")
    struct b { char c; int x; };
    _Pragma("pack(2)")
    struct c { char c; long x; };
    _Pragma("pack()")
    struct d { char c; long x; };
    """
    ffi = FFI()
    ffi.cdef(text)
    (tmp_path / "t.c").write_text(
        f'#include <stdio.h>\n{text}int main(void) {{ printf("%zu %zu %zu %zu", sizeof(struct a), sizeof(struct b), sizeof(struct c), sizeof(struct d)); }}'
    )
    subprocess.run(["gcc", "-o", tmp_path / "t", tmp_path / "t.c"], check=True)
    said = subprocess.run([tmp_path / "t"], capture_output=True, text=True, check=True).stdout
    assert " ".join(str(ffi.sizeof(f"struct {name}")) for name in "abcd") == said


def test_modes_are_those_of_gcc():
    ffi = FFI()
    names = {"int": ["QI", "HI", "SI", "DI", "byte", "word", "pointer"], "unsigned": ["QI", "__HI__", "SI", "DI"], "float": ["SF", "DF", "XF"]}
    text = lib = ""
    types = []
    for base, modes in names.items():
        for mode in modes:
            types.append(f"m{len(types)}")
            text += f"typedef {base} {types[-1]} __attribute__((mode({mode})));\n"
    ffi.cdef(text + f"extern int sizes[{len(types)}], negative[{len(types)}];")
    source = text + "int sizes[] = {" + ",".join(f"sizeof({name})" for name in types) + "};"
    lib = ffi.dlopen(compile_library(source + "int negative[] = {" + ",".join(f"({name})-1 < 0" for name in types) + "};"))
    assert list(lib.sizes) == [ffi.sizeof(name) for name in types]
    assert list(lib.negative) == [int(int(ffi.cast(name, -1)) < 0) if "double" not in ffi.typeof(name).cname and "float" not in ffi.typeof(name).cname else 1 for name in types]
