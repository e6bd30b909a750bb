"""A virtual environment given at build time: the init code imports its packages."""

import subprocess

import pytest
from harness import Ran, clean_environment, python

CDEF = "int answer(void); const char *prefixes(void);"
INIT = """
    import sys

    import keelback_test_package
    from inenv import ffi

    text = ffi.new("char[]", "\\n".join([
        f"package from the venv: {keelback_test_package.__file__.startswith(sys.prefix)}",
        f"prefix is the venv: {sys.prefix != sys.base_prefix}",
        f"standard library from the base: {__import__('os').__file__.startswith(sys.base_prefix)}",
        f"executable: {sys.executable}",
    ]).encode())

    @ffi.def_extern()
    def answer():
        return keelback_test_package.ANSWER

    @ffi.def_extern()
    def prefixes():
        return text
"""
HOST = """
    #include <stdio.h>
    #include "inenv.h"

    int main(void)
    {
        printf("%d\\n", answer());
        fflush(stdout);
        printf("%s\\n", prefixes() == NULL ? "NULL" : prefixes());
        return 0;
    }
"""


@pytest.fixture(scope="module")
def venv(tmp_path_factory):
    """A venv with one tiny package."""
    place = tmp_path_factory.mktemp("env") / "venv"
    subprocess.run([python(), "-m", "venv", "--without-pip", place], env=clean_environment(), check=True)
    package = next(place.glob("lib/python3.*/site-packages")) / "keelback_test_package"
    package.mkdir()
    (package / "__init__.py").write_text("ANSWER = 42\n")
    return place


@pytest.mark.parametrize("by", ["directory", "executable", "VIRTUAL_ENV"])
def test_venv_at_build_time(plugin, host, run, venv, by):
    given = {"directory": venv, "executable": venv / "bin" / "python", "VIRTUAL_ENV": None}[by]
    built = plugin(CDEF, INIT, name="inenv", python=given, env={"VIRTUAL_ENV": venv} if by == "VIRTUAL_ENV" else None)
    # What the host runs in does not matter any more.
    assert run(host(HOST, built), env={"PATH": "/nonexistent"}) == Ran(
        "42\n"
        "package from the venv: True\n"
        "prefix is the venv: True\n"
        "standard library from the base: True\n"
        f"executable: {venv}/bin/python\n"
    )


def test_without_the_venv_the_package_is_missing(plugin, host, run):
    built = plugin(CDEF, INIT, name="inenv")
    ran = run(host(HOST, built))
    assert ran.stdout == "0\nNULL\n"
    assert ran.stderr.startswith(
        "inenv: the init code failed: ModuleNotFoundError: No module named 'keelback_test_package'\n"
        "Traceback (most recent call last):\n"
        '  File "init.py", line 3, in <module>\n'
        "    import keelback_test_package\n"
        "ModuleNotFoundError: No module named 'keelback_test_package'\n"
    )
    assert ran.code == 0


def test_venv_at_run_time(plugin, host, run, venv):
    """KEELBACK_PYTHON names the environment that the build did not know."""
    built = plugin(CDEF, INIT, name="inenv")
    ran = run(host(HOST, built), env={"KEELBACK_PYTHON": venv / "bin" / "python"})
    assert ran.stderr == "" and ran.stdout.startswith("42\npackage from the venv: True\n")


def environment(place, packages, *options):
    """A venv with packages of one constant each."""
    subprocess.run([python(), "-m", "venv", "--without-pip", *options, place], env=clean_environment(), check=True)
    site_packages = next(place.glob("lib/python3.*/site-packages"))
    for name, value in packages.items():
        (site_packages / f"{name}.py").write_text(f"VALUE = {value!r}\n")
    return site_packages


BOTH = """
    #include <stdio.h>
    #include <string.h>
    #include "one.h"
    #include "two.h"
    int main(int argc, char **argv)
    {
        for (int i = 1; i < argc; i++)
            printf("%d\\n", strcmp(argv[i], "one") ? two() : one());
        return 0;
    }
"""


def test_two_plugins_of_two_venvs(plugin, host, run, tmp_path):
    """Each finds its packages, whichever starts Python; what both have is that of the first."""
    first, second = tmp_path / "first", tmp_path / "second"
    environment(first, {"only_one": 1, "of_both": 10})
    site_packages = environment(second, {"only_two": 2, "of_both": 20})
    (tmp_path / "by_pth").mkdir()
    (tmp_path / "by_pth/only_by_pth.py").write_text("VALUE = 100\n")
    (site_packages / "more.pth").write_text(f"{tmp_path}/by_pth\n")
    init = """
        import {}, of_both
        from {} import ffi

        @ffi.def_extern(error=-1)
        def {}():
            return {} + of_both.VALUE
    """
    one = plugin("int one(void);", init.format("only_one", "one", "one", "only_one.VALUE"), name="one", python=first)
    value = "only_two.VALUE + only_by_pth.VALUE"
    two = plugin("int two(void);", init.format("only_two, only_by_pth", "two", "two", value), name="two", python=second)
    program = host(BOTH, one, two)
    assert run(program, "one", "two") == Ran("11\n112\n")
    assert run(program, "two", "one", "two") == Ran("122\n21\n122\n")
    # What is hidden by another version is said when somebody asks; the same versions are not.
    for place, version in ((first, "1.5"), (second, "2.0")):
        (packages,) = (place / "lib").glob("python*/site-packages")
        for name, its in (("of.Both", version), ("same", "1")):
            folder = packages / f"{name}-{its}.dist-info"
            folder.mkdir()
            (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {its}\n")
    ran = run(program, "one", "two", env={"KEELBACK_VERBOSE": "1"}, normalise=False)
    places = [next((place / "lib").glob("python*/site-packages")) for place in (second, first)]
    assert ran == Ran("11\n112\n", f"keelback: of the packages for {second}/bin/python, of-both 2.0 ({places[0]}) is hidden by 1.5 ({places[1]})\n")
    assert run(program, "one", "two") == Ran("11\n112\n")


def test_a_plugin_without_site_gets_nothing(plugin, host, run, tmp_path):
    environment(tmp_path / "first", {"only_one": 1})
    environment(tmp_path / "second", {"only_two": 2})
    one = plugin(
        "int one(void);",
        "import only_one\nfrom one import ffi\n@ffi.def_extern()\ndef one():\n    return only_one.VALUE\n",
        name="one",
        python=tmp_path / "first",
    )
    two = plugin(
        "int two(void);",
        """
        from two import ffi
        try:
            import only_two
        except ImportError:
            found = 0
        else:
            found = 1
        @ffi.def_extern()
        def two():
            return found
        """,
        name="two",
        python=tmp_path / "second",
        args=["--no-site"],
    )
    assert run(host(BOTH, one, two), "one", "two", "one") == Ran("1\n0\n1\n")
