"""Libraries that were built with -g, in gdb: a function is where its Python function is."""

import importlib.util
import shutil
import subprocess

import pytest

from harness import PROJECT

CDEF = """
int first(int x);

double second(const double *values, int n);
int nobody(void);
"""
INIT = """\
from vec import ffi


@ffi.def_extern(error=-1)
def first(x):
    return x + 1


def add(values, n):
    return sum(values[i] for i in range(n))


@ffi.def_extern(name="second")
def other_name(values, n):
    return add(values, n)
"""
HOST = """
#include "vec.h"

int main(void)
{
    double values[] = {1, 2};
    int sum = first(1) + (int)second(values, 2);
    return sum + nobody() == 5 ? 0 : 1;
}
"""


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_where_functions_are(workshop, compiler):
    for program in ("gdb", compiler):
        if not shutil.which(program):
            pytest.skip(f"there is no {program}")
    plugin = workshop.plugin(CDEF, INIT, name="vec", args=["-g", "--cc", compiler])
    host = workshop.host(HOST, plugin)
    commands = ["set breakpoint pending on", "set debuginfod enabled off"]
    for function in ("first", "second", "nobody"):
        commands += [f"break {function}"]
    commands += ["run"]
    commands += ["info source", "backtrace", "continue"] * 3
    arguments = [argument for command in commands for argument in ("-ex", command)]
    ran = workshop.run("gdb", "-nx", "-batch", *arguments, host, cwd=plugin.directory)
    frames = [line.split(" ", 1)[1].strip() for line in ran.stdout.splitlines() if line.startswith("#0")]
    assert frames == [
        "first (arg0=1) at <tmp>/vec/init.py:5",
        "second (arg0=0x..., arg1=2) at <tmp>/vec/init.py:14",
        # It has no Python function.
        "nobody () at <tmp>/vec/api.h:4",
    ], ran.stdout + ran.stderr
    # gdb shows the text: relative paths begin where the build ran.
    assert "5\tdef first(x):\n" in ran.stdout
    assert "exited normally" in ran.stdout


def test_the_runtime_s_debug_file(workshop, tmp_path):
    """What python/stage.py --debug-file does, to a library that is compiled faster."""
    if not shutil.which("gdb"):
        pytest.skip("there is no gdb")
    spec = importlib.util.spec_from_file_location("stage", PROJECT / "python/stage.py")
    stage = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(stage)
    (tmp_path / "some.c").write_text("int some(int x)\n{\n    return x;\n}\n")
    compiled = tmp_path / "target/some.so"
    compiled.parent.mkdir()
    command = ["cc", "-shared", "-fPIC", "some.c", "-o", compiled]
    subprocess.run([*command, "-g"], cwd=tmp_path, check=True)
    stage.split(compiled, tmp_path / "some.so")
    assert (tmp_path / "some.so").stat().st_size < compiled.stat().st_size
    shutil.rmtree(compiled.parent)
    ran = workshop.run("gdb", "-nx", "-batch", "-ex", "set debuginfod enabled off", "-ex", "info line some", "some.so", cwd=tmp_path)
    assert ran.stdout.startswith('Line 2 of "some.c" starts at address'), ran
    compiled.parent.mkdir()
    subprocess.run(command, cwd=tmp_path, check=True)
    with pytest.raises(SystemExit, match="has no debug information: build it with --profile release-debug, or dev"):
        stage.split(compiled, tmp_path / "some.so")
