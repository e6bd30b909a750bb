"""A library that a builder makes does not export the C library's names unasked."""

import subprocess
import sys

import pytest
import keelback

API = "double cos(double x);\nint PyFoo_Bar(void);\nint answer(void);\n"
HINT = "rename it, choose the functions with header(only=), or insist with embedding_api(..., export='{}')"


def builder(name, **options):
    ffi = keelback.FFI()
    ffi.embedding_api(API, **options)
    ffi.set_source(name, "")
    ffi.embedding_init_code(f"from {name} import ffi\n@ffi.def_extern()\ndef cos(x): return x\n")
    return ffi


@pytest.mark.parametrize("way", ["compile", "emit_c_code"])
def test_taken_names_are_refused(tmp_path, way):
    ffi = builder("names_taken", export="answer")
    arguments = {"tmpdir": str(tmp_path)} if way == "compile" else {"filename": str(tmp_path / "names_taken.c")}
    with pytest.raises(keelback.FFIError) as caught:
        getattr(ffi, way)(**arguments)
    text = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
    for name, library in ("cos", "libm"), ("PyFoo_Bar", "libpython"):
        assert f"the library would export '{name}', which {library} has" in text
        assert f"what others in the process call '{name}' might then be this: {HINT.format(name)}" in text
    assert "'answer'" not in text and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("export", [["cos", "PyFoo_Bar"], ("PyFoo_Bar", "cos")])
def test_insisting(tmp_path, export):
    ffi = builder("names_insisted", export=export)
    library = ffi.compile(tmpdir=str(tmp_path), target="names_insisted.so")
    symbols = subprocess.run(["nm", "-D", "--defined-only", library], text=True, check=True, stdout=subprocess.PIPE).stdout
    assert {"cos", "PyFoo_Bar", "answer"} <= {line.split()[-1] for line in symbols.splitlines()}


def test_headers(tmp_path):
    header = tmp_path / "api.h"
    header.write_text(f"#pragma once\n{API}")
    ffi = keelback.FFI()
    ffi.header(header, embedding_api=True, export=["cos", "PyFoo_Bar"])
    ffi.set_source("names_of_header", f'#include "{header}"')
    ffi.embedding_init_code("")
    ffi.emit_c_code(str(tmp_path / "out.c"))
    assert (tmp_path / "out.c").is_file()


def test_what_is_not_exported_is_told(tmp_path):
    ffi = builder("names_idle", export=["cos", "PyFoo_Bar", "sin"])
    with pytest.warns(UserWarning) as caught:
        ffi.emit_c_code(str(tmp_path / "out.c"))
    assert "warning: embedding_api(export='sin') has no effect: no exported function has that name" in [str(w.message) for w in caught]


def test_arguments():
    with pytest.raises(TypeError) as caught:
        keelback.FFI().embedding_api(API, export=[1])
    assert str(caught.value) == "'export' takes a str or several, not int"


def test_modules_of_cffis_have_any_name(tmp_path):
    """install_as_cffi() keeps CFFI's rules."""
    program = (
        "import keelback; keelback.install_as_cffi(); import cffi; f = cffi.FFI(); f.embedding_api('double cos(double);');"
        f"f.set_source('names_cffi', ''); f.embedding_init_code(''); f.emit_c_code({str(tmp_path / 'out.c')!r})"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    assert (tmp_path / "out.c").is_file()
