"""The wheel, as a user gets it, in a fresh venv of each Python from 3.10 up that the machine has: what `tools/wheels` makes.
Slow: run by tools/test as a step of its own; `tools/test all` has KEELBACK_TEST_WHEEL=1. KEELBACK_TEST_WHEEL=one is
`pip install .` from a checkout, for the first Python; with KEELBACK_WHEEL_PROFILE=dev it is not optimised."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pythons import pythons

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "greeter"

WANTED = os.environ.get("KEELBACK_TEST_WHEEL")
PYTHONS = pythons()[: 1 if WANTED == "one" else None] if WANTED else [sys.executable]

pytestmark = pytest.mark.skipif(not WANTED, reason="KEELBACK_TEST_WHEEL is not set")


@pytest.fixture(scope="module")
def environment():
    """Nothing of the checkout: what is found is found in the venv."""
    names = ("PYTHONPATH", "KEELBACK", "KEELBACK_COMMAND", "KEELBACK_RUNTIME", "LD_LIBRARY_PATH")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    environment["PATH"] = os.pathsep.join(
        folder for folder in os.environ["PATH"].split(os.pathsep) if not Path(folder).is_relative_to(ROOT)
    )
    return environment


def run(environment, *command, cwd, **changes):
    ran = subprocess.run(
        [str(part) for part in command], cwd=cwd, env={**environment, **changes}, capture_output=True, text=True
    )
    assert ran.returncode == 0, f"{command}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


@pytest.fixture(scope="module")
def wheels(environment, tmp_path_factory):
    """The folder of the wheels that tools/wheels makes; None: pip makes one of the checkout."""
    if WANTED == "one":
        return None
    folder = tmp_path_factory.mktemp("wheels")
    run(environment, ROOT / "tools/wheels", folder, cwd=folder, PYTHON=PYTHONS[0])
    return folder


@pytest.fixture(scope="module", params=PYTHONS)
def venv(request, environment, wheels, tmp_path_factory):
    python = request.param
    folder = tmp_path_factory.mktemp("wheel") / "venv"
    if subprocess.run([python, "-c", "import ensurepip, venv"], capture_output=True).returncode != 0:
        pytest.skip(f"{python} cannot make a venv: on Debian or Ubuntu, apt-get install python3-venv")
    run(environment, python, "-m", "venv", folder, cwd=folder.parent)
    # The first Python is the one that everything else is built for; the others share a folder with
    # tools/test-other-pythons, so that dependencies are built once.
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    what = [ROOT] if wheels is None else ["--no-index", "--find-links", wheels, "keelback"]
    run(
        environment, folder / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *what,
        cwd=folder.parent, CARGO_TARGET_DIR=str(target if python == PYTHONS[0] else target / "other"),
    )  # fmt: skip
    yield folder
    shutil.rmtree(folder)


def test_the_tag(environment, venv, wheels):
    """A wheel of tools/wheels says which Linux it runs on, and needs no library that is not there."""
    (info,) = (venv / "lib").glob("python*/site-packages/keelback-*.dist-info")
    tags = [line for line in (info / "WHEEL").read_text().splitlines() if line.startswith("Tag: ")]
    assert tags and all(("-manylinux_2_" in tag or "-manylinux20" in tag) == (wheels is not None) for tag in tags), tags
    assert wheels is None or not list((venv / "lib").glob("python*/site-packages/keelback.libs"))


def test_both_commands_are_the_wheels(environment, venv):
    version = run(environment, venv / "bin/keelback", "--version", cwd=venv)
    assert version == run(environment, venv / "bin/python", "-m", "keelback", "--version", cwd=venv)
    program = "import keelback; print('keelback', keelback.__version__)"
    assert version.split()[:2] == run(environment, venv / "bin/python", "-c", program, cwd=venv).split()


def test_import(environment, venv):
    program = (
        "import keelback, os; ffi = keelback.FFI(); ffi.cdef('int abs(int);');"
        "print(ffi.dlopen(None).abs(-3), os.path.dirname(keelback.__file__))"
    )
    number, folder = run(environment, venv / "bin/python", "-c", program, cwd=venv).split()
    assert number == "3" and Path(folder).is_relative_to(venv)
    assert (Path(folder) / "py.typed").exists() and list(Path(folder).glob("*.pyi"))


def test_a_plugin_uses_the_wheels_runtime(environment, venv, tmp_path):
    run(
        environment, venv / "bin/keelback", "build", EXAMPLE / "api.h", "--init", EXAMPLE / "greeter.py",
        "--name", "greeter", "-o", tmp_path / "libgreeter.so", "--header", tmp_path / "greeter.h", cwd=tmp_path,
    )
    host = tmp_path / "host"
    run(
        environment, os.environ.get("CC", "cc"), "-I", tmp_path, EXAMPLE / "host.c", "-L", tmp_path, "-lgreeter",
        f"-Wl,-rpath,{tmp_path}", "-o", host, cwd=tmp_path,
    )
    # The loader tells which files it opens; the host itself prints to the standard output.
    ran = subprocess.run(
        [host], cwd=tmp_path, env={**environment, "LD_DEBUG": "files"}, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert "Hello, " in ran.stdout
    loaded = [line for line in ran.stderr.splitlines() if "_runtime" in line and "calling init" in line]
    assert loaded and all(str(venv) in line for line in loaded), loaded


def test_taken_away_again(environment, venv):
    """Last: `pip uninstall` leaves nothing of the package behind."""
    run(environment, venv / "bin/python", "-m", "pip", "uninstall", "--quiet", "--yes", "keelback", cwd=venv)
    assert not (venv / "bin/keelback").exists()
    assert not list((venv / "lib").glob("python*/site-packages/keelback"))
