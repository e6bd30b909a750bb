"""Extension modules as all CFFI releases since 1.0 generated them: their version tags, functions without an address of their
own, variables whose size is checked when they are first used. CFFI is the other run time; both must do the same.

What CFFI 1.0 wrote is made of today's C here. With KEELBACK_TEST_WHEELS set (see test_cffi_wheels.py), the generators of the
old releases themselves are downloaded, and write the C.
"""
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys
import sysconfig
import zipfile

import pytest

from differential import need_cffi

FOLDER = pathlib.Path(__file__).parent / "cffi_compiled"
WINDOWS = ["--platform", "win32", "--python-version", "34", "--implementation", "cp", "--abi", "cp34m"]
LINUX = ["--platform", "manylinux1_x86_64", "--python-version", "35", "--implementation", "cp", "--abi", "cp35m"]
RELEASES = {
    "1.0.3": WINDOWS, "1.1.2": WINDOWS, "1.3.1": WINDOWS, "1.5.2": WINDOWS,
    "1.8.3": LINUX, "1.11.5": LINUX, "1.12.3": LINUX, "1.14.6": LINUX,
    "1.15.1": [], "1.16.0": [], "1.17.1": [], "2.0.0": [],
}


def generate(folder, name, output):
    subprocess.run(
        [sys.executable, "-W", "ignore", FOLDER / "old_gen.py", folder, name, output],
        check=True, stdout=subprocess.DEVNULL,
    )


def compiled(source):
    command = ["cc", "-w", "-shared", "-fPIC", f"-I{sysconfig.get_path('include')}", source, "-o", source.with_suffix(".so")]
    subprocess.run(command, check=True)


def outcomes(where, name, which):
    done = subprocess.run(
        [sys.executable, FOLDER / "old_use.py", which, name], capture_output=True, text=True, timeout=120,
        env=dict(os.environ, PYTHONPATH=os.pathsep.join([str(where), os.environ.get("PYTHONPATH", "")])),
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def same_with_both(where, name):
    """What both do, by the expression."""
    theirs, ours = (outcomes(where, name, which) for which in ("cffi", "keelback"))
    alike = re.compile(r"^(ffi\.error|keelback\.(error|VerificationError)):")
    wrong = [
        (expression, expected, outcome)
        for (expression, expected), (_, outcome) in zip(theirs, ours, strict=True)
        if alike.sub("ffi.error:", outcome) != alike.sub("ffi.error:", expected)
        # The functions of METH_VARARGS themselves counted arguments, in their own words.
        and "arguments" not in expected
    ]
    assert not wrong
    return dict(ours)


@pytest.fixture(scope="module")
def today(tmp_path_factory):
    """C as the installed CFFI writes it."""
    need_cffi()
    where = tmp_path_factory.mktemp("today")
    version = importlib.util.find_spec("cffi").origin
    generate(pathlib.Path(version).parents[1], "old_2_1_1", where / "old_2_1_1.c")
    return (where / "old_2_1_1.c").read_text()


def as_of_1_0(text):
    """Without the plain functions beside the wrappers, and with variables by their addresses and sizes."""
    text, functions = re.subn(r"(_CFFI_OP_CPYTHON_BLTN_\w, \d+\)), \(void \*\)_cffi_d_\w+ }", r"\1, (void *)0 }", text)
    text, variables = re.subn(
        r'{ "(\w+)", \(void \*\)_cffi_var_\w+, _CFFI_OP\(_CFFI_OP_GLOBAL_VAR_F, (\d+)\), \(void \*\)0 }',
        r'{ "\1", (void *)&\1, _CFFI_OP(_CFFI_OP_GLOBAL_VAR, \2), (void *)sizeof(\1) }', text,
    )
    assert (functions, variables) == (14, 4)
    return text


def test_what_cffi_1_0_wrote(today, tmp_path):
    source = tmp_path / "old_2_1_1.c"
    source.write_text(as_of_1_0(today))
    compiled(source)
    same = same_with_both(tmp_path, "old_2_1_1")
    assert same["lib.wrong_variable"] == (
        "keelback.error: global variable 'wrong_variable' should be 2 bytes according to the cdef, but is actually 4"
    )
    assert same["ffi.addressof(lib, 'add')"] == "<built-in method add of _cffi_backend.Lib object at ADDRESS>"
    assert same["lib.counter, lib.table, lib.corner.y"] == "(3, <cdata 'int[17]' ADDRESS>, 6)"


@pytest.mark.parametrize("version", ["0x2601", "0x2602", "0x2701", "0x2801", "0x28FF"])
def test_versions(today, tmp_path, version):
    text, count = re.subn(r"\b0x2601\b", version, today)
    assert count == 2
    source = tmp_path / "old_2_1_1.c"
    source.write_text(text)
    compiled(source)
    same = same_with_both(tmp_path, "old_2_1_1")
    assert same["lib.call_hook(4)"] == "6"
    assert same["ffi.addressof(lib, 'add')"] == "<cdata 'int(*)(int, int)' ADDRESS>"


@pytest.fixture(scope="module")
def parser(tmp_path_factory):
    """The pycparser of their time."""
    if not os.environ.get("KEELBACK_TEST_WHEELS"):
        pytest.skip("KEELBACK_TEST_WHEELS does not say that this may download")
    need_cffi()
    where = tmp_path_factory.mktemp("parser")
    subprocess.run([*pip("install"), "--target", where, "--only-binary", ":all:", "pycparser==2.20"], check=True)
    return where


def pip(command):
    return [sys.executable, "-m", "pip", command, "--quiet", "--disable-pip-version-check", "--no-deps"]


@pytest.mark.parametrize("version", RELEASES)
def test_release(parser, tmp_path, version):
    subprocess.run(
        [*pip("download"), "--only-binary", ":all:", *RELEASES[version], f"cffi=={version}", "--dest", tmp_path], check=True
    )
    folder = tmp_path / "site"
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        wheel.extractall(folder, [name for name in wheel.namelist() if name.startswith("cffi/")])
    (folder / "pycparser").symlink_to(parser / "pycparser")
    name = f"old_{version.replace('.', '_')}"
    source = tmp_path / f"{name}.c"
    generate(folder, name, source)
    compiled(source)
    same_with_both(tmp_path, name)
