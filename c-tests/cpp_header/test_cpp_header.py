"""NAME.hpp: what C++ hosts do with it, with both compilers and both standards."""

import pathlib
import shutil

import pytest

from harness import Ran

HERE = pathlib.Path(__file__).resolve().parent
WARNINGS = ["-Wpedantic", "-Wshadow", "-Wconversion"]
OUT = """\
parse: there is no vec::scope
41 42 43
vec.parse: ValueError: invalid literal for int() with base 10: b'x'
parse failed
text has a null character in it
7
vec.parse: ValueError: invalid literal for int() with base 10: b'z'
-1
-1
"""
SPANS = """\
32
0.5
a and b are not of one length
out is longer than its length can say
"""
END = """\
parse: there is no vec::scope
-1
"""


@pytest.fixture(scope="module")
def vec(workshop):
    source = "#include <stddef.h>\nint parse(const char *);\n"
    plugin = workshop.plugin(HERE / "api.h", HERE / "init.py", name="vec", source=source, args=["--cpp-header"])
    assert plugin.stderr == ""
    return plugin


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
@pytest.mark.parametrize("standard", ["c++17", "c++20"])
def test_host(workshop, vec, compiler, standard):
    if not shutil.which(compiler):
        pytest.skip(f"there is no {compiler}")
    host = workshop.host(HERE / "host.cpp", vec, cc=compiler, flags=[f"-std={standard}", *WARNINGS])
    ran = workshop.run(host)
    assert (ran.stdout, ran.code) == (OUT + (SPANS if standard == "c++20" else "") + END, 0)
    # Calls past the header: inside Python's, of the host's own, after the scope; the first two with the header's prefix.
    told = [line for line in ran.stderr.splitlines() if "ValueError" in line]
    inner, past, after = (f"ValueError: invalid literal for int() with base 10: b'{text}'" for text in ("inner", "past", "after"))
    assert told == [f"parse: {inner}", inner, f"parse: {past}", past, after]


def test_older_cplusplus_is_told(workshop, vec):
    (vec.directory / "old.cpp").write_text('#include "vec.hpp"\n')
    ran = workshop.run("g++", "-std=c++14", "-fsyntax-only", "old.cpp", cwd=vec.directory)
    assert ran.code != 0
    assert "vec.hpp is for C++17 and later; vec.h is for C and older C++" in ran.stderr
