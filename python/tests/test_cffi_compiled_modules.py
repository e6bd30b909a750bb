"""Extension modules that CFFI compiled are refused under `install_as_cffi()` with an ImportError that says what to do, so
that packages with another way take it. They are compiled by CFFI itself when the test runs."""
import importlib.util
import json
import subprocess
import sys

import pytest

from differential import need_cffi

COMPILE = """
import cffi
ffi = cffi.FFI()
ffi.cdef("int one(void);")
ffi.set_source("package_compiled", "static int one(void) { return 1; }")
ffi.compile()
ffi = cffi.FFI()
ffi.cdef("int one(void);")
ffi.verify("static int one(void) { return 1; }", tmpdir=".", modulename="package_verified", force_generic_engine=False)
"""

USE = """
import json, sys
if sys.argv[1] == "keelback":
    import keelback
    keelback.install_as_cffi()
texts = []
for name in ("package_compiled", "package_verified"):
    try:
        module = __import__(name)
    except ImportError as error:
        texts.append([name in sys.modules, error.name, str(error)])
    else:
        texts.append("imported")
print(json.dumps(texts))
"""

VERSIONS = """
import ctypes, sys
if sys.argv[1] == "keelback":
    import keelback
    keelback.install_as_cffi()
import _cffi_backend
name = ctypes.create_string_buffer(b"some._module")
for version in (1, 0x2600, 0x2900):
    raw = (ctypes.c_void_p * 4)(ctypes.addressof(name), version)
    try:
        _cffi_backend._init_cffi_1_0_external_module(ctypes.addressof(raw))
    except ImportError as error:
        print(error.name, error)
for wrong in ("text", None, 1.5):
    try:
        _cffi_backend._init_cffi_1_0_external_module(wrong)
    except TypeError as error:
        print(error)
"""


def run(code, where, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=where, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    need_cffi()
    if importlib.util.find_spec("setuptools") is None:
        pytest.skip("CFFI compiles with setuptools")
    where = tmp_path_factory.mktemp("compiled")
    run(COMPILE, where)
    return where


def test_compiled_modules_are_refused(modules):
    assert json.loads(run(USE, modules, "cffi")) == ["imported", "imported"]
    assert json.loads(run(USE, modules, "keelback")) == [
        [
            False,
            "package_compiled",
            "module 'package_compiled' is an extension module that CFFI compiled (API mode), which "
            "keelback.install_as_cffi() cannot load yet: build it with Keelback, or run this program with CFFI",
        ],
        [
            False,
            None,
            "a module that verify() of CFFI compiled cannot be loaded by Keelback: remove it, and build it again with "
            "Keelback's verify() or set_source()",
        ],
    ]


def test_versions_out_of_range_as_with_cffi(tmp_path):
    need_cffi()
    theirs = run(VERSIONS, tmp_path, "cffi")
    assert run(VERSIONS, tmp_path, "keelback") == theirs
    assert theirs.count("unknown version tag") == 3
