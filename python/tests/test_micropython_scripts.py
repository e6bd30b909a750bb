"""Programs for MicroPython's `ffi` and `uctypes`: each prints exactly what its .out file says, here and, where there is
a `micropython` program (Unix port, with ffi), there.

There is one for each thing that the modules can do, with its error cases. What MicroPython does otherwise, or not at all,
is in test_micropython.py."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from c_library import compile_library

FOLDER = Path(__file__).parent / "micropython_scripts"
SCRIPTS = sorted(FOLDER.glob("*.py"))
RUN = """
import sys
import keelback.micropython
keelback.micropython.install()
del sys.argv[0]
exec(compile(open(sys.argv[0]).read(), sys.argv[0], "exec"), {"__name__": "__main__"})
"""


def output(command, script):
    library = compile_library((FOLDER / "library.c").read_text())
    environment = dict(os.environ, LC_ALL="C.UTF-8")
    done = subprocess.run([*command, str(script), library], env=environment, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode()


def test_every_script_has_its_output():
    assert len(SCRIPTS) == 33
    for script in SCRIPTS:
        assert script.with_suffix(".out").read_text(), script
    assert len(list(FOLDER.glob("*.out"))) == len(SCRIPTS)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_script(script):
    assert output([sys.executable, "-c", RUN], script) == script.with_suffix(".out").read_text()


@pytest.fixture(scope="session")
def micropython():
    program = shutil.which("micropython")
    if program is None:
        pytest.skip("no micropython on PATH")
    if subprocess.run([program, "-c", "import ffi, uctypes"], capture_output=True).returncode != 0:
        pytest.skip("the micropython on PATH has no ffi or no uctypes")
    return program


COMMON = [script for script in SCRIPTS if "Not in MicroPython" not in script.read_text()]


@pytest.mark.parametrize("script", COMMON, ids=lambda script: script.stem)
def test_script_says_the_truth_about_micropython(script, micropython):
    assert output([micropython], script) == script.with_suffix(".out").read_text()
