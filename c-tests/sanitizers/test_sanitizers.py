"""The generated C, built with the compilers' sanitizers: the loader, the stubs, the payload.

The plugin's C file is compiled into the host, so all of it is instrumented. Python and the runtime are not: valgrind
(c-tests/memory) looks at those.
"""

import re
import subprocess
import sys

import pytest
from harness import HERE, Ran, libpython_of, python

sys.path.insert(0, str(HERE / "property"))
from echo import Interface  # noqa: E402  (the property test's own generator)

sys.path.pop(0)

MEMORY = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]
# What Python keeps until the end of the process is no leak of ours.
OPTIONS = {"ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0:exitcode=97", "UBSAN_OPTIONS": "print_stacktrace=1"}

PACKAGES = {"gcc": "libgcc-dev", "clang": "libclang-rt-dev"}


@pytest.fixture(params=["gcc", "clang"])
def compiler(request, tmp_path):
    """A compiler that has the sanitizers' libraries."""
    needs_sanitizer(request.param, MEMORY[0], tmp_path)
    return request.param


def needs_sanitizer(compiler, flag, place):
    (place / "empty.c").write_text("int main(void) { return 0; }\n")
    try:
        tried = subprocess.run([compiler, flag, "empty.c", "-o", "empty"], cwd=place, capture_output=True, text=True)
    except OSError:
        pytest.skip(f"there is no {compiler} (Debian: the package {compiler})")
    if tried.returncode != 0:
        pytest.skip(f"{compiler} has no libraries for {flag} (Debian: a package {PACKAGES[compiler]})")
    ran = subprocess.run([place / "empty"], capture_output=True, text=True)
    if ran.returncode != 0:
        pytest.skip(f"programs built with {flag} do not run here: {ran.stderr.strip().splitlines()[:1]}")


def sanitized(host, run, source, built, compiler, *arguments, env=None, flags=()):
    program = host(source, built, cc=compiler, flags=[*MEMORY, *flags])
    return run(program, *arguments, env={**OPTIONS, **(env or {})}, timeout=240)


def test_values(plugin, host, run, compiler):
    """Every kind of type through every kind of stub."""
    expected = re.search(r'EXPECTED = """\\\n(.*?)"""', (HERE / "values" / "test_values.py").read_text(), re.S)[1]
    built = plugin(HERE / "values" / "api.h", HERE / "values" / "init.py", name="values", emit=True)
    assert sanitized(host, run, HERE / "values" / "host.c", built, compiler) == Ran(expected)


def test_random_values(plugin, host, run, compiler, tmp_path):
    interface = Interface(77, 40, 20)
    extra = tmp_path / "extra.cdef"
    extra.write_text(interface.extra())
    built = plugin(interface.api(), interface.init(), name="echoes", source=interface.prelude(), args=["--cdef", extra], emit=True)
    source = tmp_path / "echo_host.c"
    source.write_text(interface.host(10))
    ran = sanitized(host, run, source, built, compiler, flags=["-Wno-psabi", "-Wno-unused-function"])
    assert (re.sub(r"\d+ values", "values", ran.stdout), ran.stderr, ran.code) == ("values, 0 wrong\n", "", 0)


def test_failures(plugin, host, run, compiler, tmp_path):
    """The loader's ways to fail, and to be mended: each leaves by another path."""
    init = "from missing import ffi\n\n@ffi.def_extern()\ndef add(a, b):\n    return a + b\n"
    built = plugin(
        "int add(int a, int b);\nint checked(void);\nconst char *name(void);\n", init, name="missing", args=["--error", "checked=-7"], emit=True
    )
    source, flags = HERE / "missing" / "host.c", ["-D_GNU_SOURCE"]
    libpython = libpython_of(python())
    lonely = tmp_path / "bin" / "python3"
    lonely.parent.mkdir()
    lonely.write_text("no Python")
    (tmp_path / "pyvenv.cfg").write_text("home\nversion = \n= \nhome =")
    for env, arguments in (
        ({"KEELBACK_PYTHON": "/nonexistent/bin/python3"}, ["KEELBACK_PYTHON="]),
        ({"KEELBACK_PYTHON": "/nonexistent/libpython3.11.so.1.0"}, [f"KEELBACK_PYTHON={libpython}"]),
        ({"KEELBACK_PYTHON": str(lonely)}, [f"KEELBACK_PYTHON={python()}"]),
        ({"KEELBACK_PYTHON": str(HERE)}, ["KEELBACK_PYTHON="]),
        ({"KEELBACK_RUNTIME": "/nonexistent/runtime.so"}, ["KEELBACK_RUNTIME="]),
        ({"KEELBACK_RUNTIME": libpython}, ["KEELBACK_RUNTIME="]),
        ({"KEELBACK_RUNTIME": __file__}, ["KEELBACK_RUNTIME="]),
    ):
        ran = sanitized(host, run, source, built, compiler, *arguments, env=env, flags=flags)
        assert ran.code == 0 and "Sanitizer" not in ran.stderr and "runtime error" not in ran.stderr, (env, ran)
        assert ran.stdout.startswith("add 0, checked -7, name NULL\n"), (env, ran)
        assert "\nstart 0\nadd 5, " in ran.stdout, (env, ran)


def test_threads(plugin, host, run, tmp_path):
    """ThreadSanitizer: racing first calls. Of its reports those count that name the generated C; what it says of Python,
    whose locks it only half sees, does not."""
    needs_sanitizer("clang", "-fsanitize=thread", tmp_path)
    built = plugin(HERE / "threads" / "api.h", HERE / "threads" / "init.py", name="threads", emit=True)
    program = host(HERE / "threads" / "race.c", built, cc="clang", flags=["-fsanitize=thread", "-g"])
    ran = run(program, 8, env={"TSAN_OPTIONS": "exitcode=0:report_thread_leaks=0:ignore_noninstrumented_modules=1"}, timeout=240)
    assert ran.stdout == "8 threads, 0 wrong results, init code ran 1 time(s)\n", ran
    reports = ran.stderr.split("==================\n")
    assert [report for report in reports if re.search(r"threads\.c:\d+", report)] == []
