"""`ffi.header()` and `preprocess=True`: which declarations come, from where, and what is said when something is wrong."""

import os
import subprocess
import sys

import pytest
import keelback
from c_library import compile_library

SHAPE = """\
#ifndef SHAPE_H
#define SHAPE_H
#include <stdio.h>
#include "units.h"
#ifdef __cplusplus
extern "C" {
#endif
#define SHAPE_CORNERS (2 * UNITS_TWO)
#define SHAPE_NAME "shape" UNITS_TEXT
#define SHAPE_HALF .5
#define SHAPE_EACH(x) for (;;) x
struct shape { unit_t left, right; FILE *log; };
unit_t shape_width(const struct shape *shape);
#if SHAPE_LEVEL > 1
int shape_level(void);
#endif
static inline int shape_inline(int x) { return x + 1; }
#ifdef __cplusplus
}
#endif
#endif
"""
UNITS = "#define UNITS_TWO 2\n#define UNITS_TEXT \"!\"\ntypedef long unit_t;\nunit_t units_zero(void);\nstruct units_other { int x; };\n"
C = '#include "shape.h"\nunit_t shape_width(const struct shape *s) { return s->right - s->left; }\nunit_t units_zero(void) { return 0; }\n'


@pytest.fixture
def headers(tmp_path):
    folder = tmp_path / "include"
    folder.mkdir()
    (folder / "shape.h").write_text(SHAPE)
    (folder / "units.h").write_text(UNITS)
    return folder


def declared(ffi):
    lib = ffi.dlopen(None)
    return set(dir(lib)) | set(ffi.list_types()[0])


def test_what_it_and_its_folder_declare(headers):
    ffi = keelback.FFI()
    ffi.header("shape.h", include_dirs=headers)
    lib = ffi.dlopen(compile_library(C, f"-I{headers}"))
    assert lib.shape_width(ffi.new("struct shape *", {"left": 3, "right": 10})) == 7 and lib.units_zero() == 0
    assert (lib.SHAPE_CORNERS, lib.SHAPE_NAME, lib.SHAPE_HALF, lib.UNITS_TWO) == (4, b"shape!", 0.5, 2)
    assert ffi.sizeof("struct units_other") == 4
    # Of the system's headers, only what is needed.
    assert not hasattr(lib, "printf") and ffi.typeof("FILE *") is ffi.typeof("struct shape").fields[2][1].type


@pytest.mark.parametrize("dirs", [lambda path: str(path), lambda path: [path], lambda path: (os.fspath(path), "/nowhere")])
def test_folders(headers, dirs):
    ffi = keelback.FFI()
    ffi.header("shape.h", include_dirs=dirs(headers), only="SHAPE_C*")
    assert declared(ffi) == {"SHAPE_CORNERS"}


def test_a_path_needs_no_folder(headers):
    for path in headers / "shape.h", headers / ".." / "include" / "shape.h":
        ffi = keelback.FFI()
        ffi.header(str(path), only=["shape_width"])
        assert declared(ffi) == {"shape_width", "unit_t", "FILE"} or declared(ffi) == {"shape_width", "unit_t"}


def test_patterns_choose_from_all_files(headers):
    ffi = keelback.FFI()
    ffi.header("shape.h", include_dirs=headers, only=("fputs", "units_*"))
    assert {"fputs", "units_zero"} <= declared(ffi) and "shape_width" not in declared(ffi)
    ffi = keelback.FFI()
    ffi.header("shape.h", include_dirs=headers, all=True)
    assert {"fputs", "units_zero", "shape_width", "BUFSIZ"} <= declared(ffi)


@pytest.mark.parametrize("define", ["SHAPE_LEVEL=2", ["SHAPE_LEVEL=3", "OTHER"], {"SHAPE_LEVEL": 2, "OTHER": None}])
def test_macros_are_defined(headers, define):
    ffi = keelback.FFI()
    ffi.header("shape.h", include_dirs=headers, define=define)
    assert "shape_level" in declared(ffi)
    ffi = keelback.FFI()
    ffi.header("shape.h", include_dirs=headers, define=define, undef="SHAPE_LEVEL")
    assert "shape_level" not in declared(ffi)


def test_headers_that_share_a_third(headers):
    (headers / "more.h").write_text('#pragma once\n#include "shape.h"\nint more(struct shape *s);\n')
    ffi = keelback.FFI()
    ffi.header(["shape.h", "more.h"], include_dirs=headers)
    assert {"shape_width", "more", "units_zero"} <= declared(ffi)
    ffi = keelback.FFI()
    ffi.header("shape.h", include_dirs=headers)
    shape = ffi.typeof("struct shape")
    ffi.header("more.h", include_dirs=headers)
    ffi.cdef("int most(struct shape *s);")
    assert {"more", "most"} <= declared(ffi) and ffi.typeof("struct shape") is shape


def test_what_is_not_there(headers):
    with pytest.raises(FileNotFoundError) as caught:
        keelback.FFI().header("nosuch.h", include_dirs=[headers])
    said = str(caught.value)
    assert said.startswith(f"there is no header 'nosuch.h' in {headers}, ")
    assert said.endswith(": install the library's development package, or name its folder with include_dirs")
    (headers / "bad.h").write_text('#include "nosuch.h"\n')
    with pytest.raises(keelback.CDefError, match="bad.h:1: 'nosuch.h' is in none of the folders for includes"):
        keelback.FFI().header("bad.h", include_dirs=headers)


def test_faults_are_shown_where_they_are(headers):
    (headers / "bad.h").write_text('#include "units.h"\n#define API wrong_t\nint fine(unit_t);\nint f(else_t a, API b);\nint g(missing_t);\n')
    with pytest.raises(keelback.CDefError) as caught:
        keelback.FFI().header("bad.h", include_dirs=headers)
    assert f"{headers}/bad.h:4:" in str(caught.value)
    if sys.version_info >= (3, 11):
        assert f" --> {headers}/bad.h:5:7\n  |\n5 | int g(missing_t);\n  |       ^" in caught.value.__notes__[0]


def test_arguments(headers):
    for arguments in ({"only": 3}, {"define": [3]}, {"include_dirs": [3]}, {"undef": [None]}):
        with pytest.raises(TypeError):
            keelback.FFI().header("shape.h", **arguments)
    with pytest.raises(TypeError):
        keelback.FFI().header()
    with pytest.raises(TypeError, match="'name' takes a str or several, not NoneType"):
        keelback.FFI().header(None)


@pytest.mark.parametrize("argument", ["only", "define", "undef", "export"])
def test_what_an_iterable_raises_is_raised(headers, argument):
    with pytest.raises(ZeroDivisionError):
        keelback.FFI().header("shape.h", include_dirs=headers, **{argument: (1 // 0 for _ in "x")})


def test_a_warning_about_a_text_with_a_nul(headers):
    with pytest.warns(UserWarning) as warned:
        keelback.FFI().header("shape.h", include_dirs=headers, only="no\0such")
    assert [str(one.message) for one in warned] == ["header(): no name that is declared matches 'no\\x00such'"]


def test_a_text_is_preprocessed():
    text = "#include <stdint.h>\n#if INT32_MAX > 5\n#define LIMIT INT32_MAX\nint32_t f(int32_t);\n#else\n#error no\n#endif\n"
    ffi = keelback.FFI()
    ffi.cdef(text, preprocess=True)
    assert ffi.dlopen(None).LIMIT == 2**31 - 1 and declared(ffi) == {"f", "LIMIT"}
    with pytest.raises(keelback.CDefError):
        keelback.FFI().cdef(text)
    ffi = keelback.FFI()
    ffi.cdef("#define PAIR(n) struct n { char c; int x; };\nPAIR(one) PAIR(two)\n", packed=True, preprocess=True)
    assert ffi.sizeof("struct two") == 5
    with pytest.raises(keelback.CDefError) as caught:
        keelback.FFI().cdef("#define T nosuch_t\nint f(T x);\n", preprocess=True)
    assert "<cdef source string>:" in str(caught.value) and "unknown type name 'nosuch_t'" in str(caught.value)


def test_modules(headers, tmp_path, monkeypatch):
    """API mode, with stubs, and out-of-line ABI mode."""
    monkeypatch.syspath_prepend(str(tmp_path))
    library = compile_library(C, f"-I{headers}")
    for name, source in ("_shape_api", C), ("_shape_abi", None):
        builder = keelback.FFI()
        builder.header("shape.h", include_dirs=headers)
        options = {"include_dirs": [str(headers)]} if source else {}
        builder.set_source(name, source, **options)
        builder.compile(tmpdir=str(tmp_path), stubs=True)
        module = __import__(name)
        ffi, lib = module.ffi, module.lib if source else module.ffi.dlopen(library)
        assert lib.shape_width(ffi.new("struct shape *", {"left": 3, "right": 10})) == 7
        assert (lib.SHAPE_CORNERS, lib.UNITS_TWO) == (4, 2)
        if source:
            assert lib.shape_inline(4) == 5
            assert "def shape_width(self, " in (tmp_path / f"{name}.pyi").read_text()
    text = (tmp_path / "_shape_abi.py").read_text()
    assert "#include" not in text and "ifdef" not in text and "units_zero" in text


@pytest.mark.parametrize("way", ["header", "text"])
def test_embedding(headers, tmp_path, way):
    (headers / "api.h").write_text('#pragma once\n#include "units.h"\n#define API(x) unit_t x(unit_t a)\nAPI(twice);\n')
    builder = keelback.FFI()
    if way == "header":
        builder.header("api.h", include_dirs=headers, embedding_api=True)
        builder.header("shape.h", include_dirs=headers)
    else:
        builder.embedding_api("#define API(x) long x(long a)\nAPI(twice);\n", preprocess=True)
        builder.header("shape.h", include_dirs=headers)
    name = f"embedded_{way}"
    builder.set_source(name, C, include_dirs=[str(headers)])
    builder.embedding_init_code(
        f"from {name} import ffi, lib\n@ffi.def_extern()\ndef twice(a):\n"
        "    return lib.shape_width(ffi.new('struct shape *', {'right': 2 * a})) + lib.units_zero()\n"
    )
    library = builder.compile(tmpdir=str(tmp_path), target=f"{name}.so")
    program = "import ctypes, sys; print(ctypes.CDLL(sys.argv[1]).twice(21))"
    said = subprocess.run([sys.executable, "-c", program, library], text=True, check=True, stdout=subprocess.PIPE).stdout
    assert said == "42\n"
    symbols = subprocess.run(["nm", "-D", "--defined-only", library], text=True, check=True, stdout=subprocess.PIPE).stdout
    assert {"twice", "shape_width"} <= {line.split()[-1] for line in symbols.splitlines()}


def test_a_builders_header_without_a_compiler(headers):
    """The macros and folders that are built in."""
    program = f"import keelback; f = keelback.FFI(); f.header('shape.h', include_dirs={str(headers)!r}); print(f.sizeof('struct shape'))"
    environment = {**os.environ, "PATH": "", "CC": ""}
    said = subprocess.run([sys.executable, "-c", program], text=True, check=True, stdout=subprocess.PIPE, env=environment).stdout
    assert said == "24\n"
