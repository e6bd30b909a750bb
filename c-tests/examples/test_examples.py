"""The examples, as a reader runs them: built and run by their Makefiles, judged by their exact output."""

import shutil

import pytest
from harness import PROJECT, Ran, keelback, python


@pytest.fixture
def example(tmp_path, run):
    """example(name): a copy of its directory. example.make(...) there."""

    def example(name):
        place = tmp_path / name
        shutil.copytree(PROJECT / "examples" / name, place, ignore=shutil.ignore_patterns("*.so", "host", "include"))
        # The build takes the virtual environment's, else the PATH's Python: the one under test.
        path = tmp_path / "bin"
        path.mkdir()
        (path / "python3").symlink_to(python())
        return place

    def make(place, *targets):
        env = {"PATH": f"{place.parent / 'bin'}:/usr/local/bin:/usr/bin:/bin", "CFLAGS": "-Wall -Wextra -Werror"}
        ran = run("make", "--silent", f"KEELBACK={keelback()} --quiet", *targets, cwd=place, env=env)
        return ran

    example.make = make
    return example


def test_greeter(example):
    assert example.make(example("greeter")) == Ran("Hello, world!\nHello, C!\n2 greetings\n")


def test_point(example):
    assert example.make(example("point")) == Ran(
        "distance 5\n"
        "middle 1.5, 2\n"
        "rotated -4, 3\n"
        "walked 5 points, sum -10, 7.5\n"
        "stopped after 2 points\n"
        "parse 0: 1.5, -2\n"
        "host: point_parse failed\n"
        "    ValueError: not enough values to unpack (expected 2, got 1)\n"
        "parse -1\n"
    )


@pytest.fixture
def sqlite(example, run):
    """sqlite(sql): the stock sqlite3 program's answer, with the extension built."""
    if not shutil.which("sqlite3"):
        pytest.skip("the sqlite3 program is not installed")
    place = example("sqlite-extension")
    assert example.make(place, "libpyfuncs.so") == Ran()

    def sqlite(sql, **options):
        return run("sqlite3", "-batch", cwd=place, stdin=sql, **options)

    sqlite.place = place
    return sqlite


def test_sqlite_extension(sqlite):
    assert sqlite((sqlite.place / "demo.sql").read_text()) == Ran(
        "slug\ncreme-brulee-s-il-vous-plait\ncity|minutes\nbern|25.0\ngeneve|\nzurich|7.5\nempty\n1\n"
    )


def test_sqlite_extension_values_of_every_type(sqlite):
    ran = sqlite(
        ".load ./libpyfuncs\n"
        "SELECT slugify(NULL) IS NULL, slugify(42), slugify(1.5), slugify('Ünï ' || char(128013) || ' çode');\n"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10001) SELECT median(i), median(i * 0.5) FROM n;\n"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT count(DISTINCT slugify(i)) FROM n;\n"
    )
    assert ran == Ran("1|42|1-5|uni-code\n5001.0|2500.5\n2000\n")


def test_sqlite_extension_errors(sqlite):
    """An exception becomes an SQL error, and the shell goes on."""
    ran = sqlite(".load ./libpyfuncs\nSELECT median('x');\nSELECT slugify('Still here');\n")
    assert ran.stdout == "still-here\n"
    assert "ValueError: could not convert string to float: 'x'" in ran.stderr


def test_sqlite_extension_without_python(sqlite):
    """The entry point gives an error instead of SQLITE_OK; the shell lives."""
    ran = sqlite(".load ./libpyfuncs\nSELECT 1 + 1;\n", env={"KEELBACK_PYTHON": "/nonexistent/python3"})
    assert ran.stdout == "2\n"
    assert "pyfuncs: no libpython could be loaded, so Python cannot be started. Tried:\n" in ran.stderr
    assert "error during initialization" in ran.stderr
