"""The pip package keelback-cffi: `import cffi` and `import _cffi_backend` are Keelback, without install_as_cffi(). For whole
programs, and for embedding libraries that CFFI compiled."""
import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig
import zipfile

import pytest

from differential import need_cffi

PROJECT = pathlib.Path(__file__).resolve().parents[1] / "keelback-cffi"

EMBEDDING = """
import cffi
ffi = cffi.FFI()
ffi.embedding_api("int twice(int);")
ffi.cdef("int from_c(int);")
ffi.set_source("embedded_plugin", "static int from_c(int n) { return n + 1; }")
ffi.embedding_init_code('''
import sys
from embedded_plugin import ffi, lib
import _cffi_backend
@ffi.def_extern()
def twice(n):
    print(_cffi_backend.__spec__.origin, lib.from_c(n))
    sys.stdout.flush()
    return n * 2
''')
ffi.compile(target="libembedded.so")
"""
HOST = """
#include <stdio.h>
extern int twice(int);
int main(void) { int n = twice(5); printf("%d\\n", n); return n != 10; }
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keelback-cffi")
    build = "import backend, sys; print(backend.build_wheel(sys.argv[1]))"
    name = subprocess.run(
        [sys.executable, "-c", build, folder], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout.strip()
    return folder / name


@pytest.fixture(scope="module")
def installed(wheel):
    """A folder that the wheel is installed to."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--target", wheel.parent / "site", wheel], check=True)
    return wheel.parent / "site"


def run(installed, code, *, where=None, hide_cffi=True):
    """In a Python that has the package, and not CFFI."""
    hidden = f"import sys; sys.path[:] = [p for p in sys.path if p != {sysconfig.get_path('platlib')!r}]\n"
    path = os.pathsep.join([str(installed), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-c", (hidden if hide_cffi else "") + code], cwd=where or installed,
        env=dict(os.environ, PYTHONPATH=path), capture_output=True, text=True, timeout=120,
    )


def output(done):
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_both_modules_are_keelback(installed):
    code = """
import {0}
import cffi, cffi.api, _cffi_backend, keelback
from cffi import FFI, VerificationError
print(cffi.__version__, FFI is keelback.FFI, _cffi_backend.FFI is keelback._runtime.CompiledFFI, cffi.api.FFI is FFI)
print(FFI().sizeof("long"))
"""
    for first in ("cffi", "_cffi_backend", "cffi.api"):
        assert output(run(installed, code.format(first))) == ["2.1.1 True True True", "8"]


def test_requirements_on_cffi_are_met(installed):
    code = """
from importlib.metadata import distribution, entry_points, version
print(version("cffi"), version("keelback-cffi"), distribution("keelback-cffi").requires)
print(distribution("cffi").read_text("INSTALLER"))
"""
    version = (PROJECT.parents[1] / "Cargo.toml").read_text().split('version = "')[1].split('"')[0]
    lines = output(run(installed, code))
    assert lines[:2] == [f"2.1.1 {version} ['keelback=={version}']", "keelback-cffi"]


def small_wheel(folder, name, version, modules, *metadata):
    """A wheel of Python files."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    about = f"{name}-{version}.dist-info"
    files = {
        **modules,
        f"{about}/METADATA": "\n".join(["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *metadata, ""]),
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{about}/RECORD"] = "".join(f"{file},,\n" for file in [*files, f"{about}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
    return path


APPLICATION = """
import cffi
def main():
    ffi = cffi.FFI()
    ffi.cdef("int abs(int);")
    print(ffi.dlopen(None).abs(-5), cffi.__spec__.origin)
"""


def test_an_environment_without_cffi(wheel, tmp_path):
    """pip takes it for the cffi that an application requires; the application knows nothing of Keelback."""
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"

    def pip(*arguments):
        command = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", *arguments]
        alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env=alone)

    version = wheel.name.split("-")[1]
    links = ["--no-index", "--find-links", tmp_path, "--find-links", wheel.parent]
    # The runtime itself comes from PYTHONPATH, as in all tests.
    small_wheel(tmp_path, "keelback", version, {})
    small_wheel(tmp_path, "application", "1.0", {"application.py": APPLICATION}, "Requires-Dist: cffi>=1.17")
    refused = pip("install", *links, "application")
    assert refused.returncode != 0 and "cffi>=1.17" in refused.stderr
    for name in ("keelback-cffi", "application"):
        done = pip("install", *links, name)
        assert done.returncode == 0, done.stderr
    assert "Requirement already satisfied: cffi>=1.17" in done.stdout
    done = pip("check")
    assert done.stdout.splitlines() == ["No broken requirements found."]
    done = subprocess.run([python, "-c", "import application; application.main()"], capture_output=True, text=True)
    assert output(done) == ["5 keelback"]


def test_beside_cffi_it_says_so(installed, tmp_path):
    need_cffi()
    real = pathlib.Path(importlib.util.find_spec("_cffi_backend").origin)
    both = tmp_path / "both"
    shutil.copytree(installed, both)
    shutil.copy(real, both)
    done = run(both, "import cffi", hide_cffi=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "ImportError: cffi and keelback-cffi are both installed here, and have the same modules: pip uninstall cffi "
        "keelback-cffi, then install the one that is wanted"
    )


def test_an_embedding_library_that_cffi_compiled(installed, tmp_path):
    need_cffi()
    if importlib.util.find_spec("setuptools") is None:
        pytest.skip("CFFI compiles with setuptools")
    subprocess.run([sys.executable, "-c", EMBEDDING], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "host.c").write_text(HOST)
    subprocess.run(["cc", "host.c", "-o", "host", "./libembedded.so"], cwd=tmp_path, check=True)
    prefix = sysconfig.get_config_var("LIBDIR")
    path = os.pathsep.join([str(installed), os.environ.get("PYTHONPATH", "")])
    environment = dict(os.environ, PYTHONPATH=path, PYTHONHOME=sys.base_prefix, LD_LIBRARY_PATH=prefix)
    done = subprocess.run(["./host"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert (done.returncode, done.stdout.splitlines()) == (0, ["keelback 6", "10"])
