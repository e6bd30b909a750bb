"""MicroPython's modules, and the package `keelback`, in a plugin whose Python has no package of that name installed."""

import pytest
from harness import Ran, python

HOST = """
    #include <stdio.h>
    #include "guest.h"

    int main(void)
    {
        int status = guest_start();
        if (status != 0) {
            printf("%s\\n", guest_last_error());
            return 1;
        }
        run();
        return 0;
    }
"""


@pytest.fixture(scope="module")
def bare_python(workshop, tmp_path_factory):
    """A Python without the package: a venv, so that whatever is installed elsewhere does not count."""
    place = tmp_path_factory.mktemp("bare") / "venv"
    ran = workshop.run(python(), "-m", "venv", "--without-pip", place)
    assert ran.code == 0, ran.stderr
    executable = place / "bin" / "python"
    ran = workshop.run(executable, "-c", "import keelback")
    assert ran.stderr.endswith("ModuleNotFoundError: No module named 'keelback'\n")
    return executable


@pytest.fixture(scope="module")
def guest(plugin, host, run, bare_python):
    """guest(code): what a plugin prints that runs this code in its init code, then in a function."""

    def guest(code):
        init = "from guest import ffi as own\n" + code + "\n@own.def_extern()\ndef run():\n    main()\n"
        return run(host(HOST, plugin("void run(void);", init, name="guest", python=bare_python)))

    return guest


def test_from_the_package(guest):
    """The documentation's example, in init code."""
    assert guest("""
from keelback.micropython import ffi, uctypes
import sys

libc = ffi.open(None)

def compare(a, b):
    return uctypes.bytearray_at(a, 1)[0] - uctypes.bytearray_at(b, 1)[0]

def main():
    print(libc.func("l", "time", "p")(None) > 1_500_000_000)
    data = bytearray(b"foobar")
    libc.func("v", "qsort", "pLLC")(data, len(data), 1, ffi.callback("i", compare, "PP"))
    print(data, "ffi" in sys.modules, "uctypes" in sys.modules)
""") == Ran("True\nbytearray(b'abfoor') False False\n")


def test_installed(guest):
    """`import ffi` and `import uctypes`, as a program that was written for MicroPython says it."""
    assert guest("""
import keelback.micropython as mp
mp.install()

import ffi
import uctypes

def main():
    print(ffi.__name__, uctypes.__name__, ffi is mp.ffi, uctypes is mp.uctypes)
    print(ffi.open(None).func("i", "abs", "i")(-7))
    view = uctypes.struct(uctypes.addressof(b"\\x01\\x02"), {"x": uctypes.UINT16 | 0}, uctypes.BIG_ENDIAN)
    print(view.x)
    try:
        ffi.open(None).func("i", "keelback_has_no_such_name", "i")
    except OSError as error:
        print(error.errno)
""") == Ran("ffi uctypes True True\n7\n258\n2\n")


def test_the_whole_package(guest):
    """`import keelback` gives what an installed package does, and its types are the plugin's."""
    assert guest("""
import keelback
import keelback._runtime
import inspect
import traceback

def main():
    ffi = keelback.FFI()
    ffi.cdef("int abs(int); struct point { int x, y; };")
    print(ffi.dlopen(None).abs(-3), keelback.__version__ == keelback._runtime.__version__)
    print(ffi.typeof("int *") is own.typeof("int *"), own.typeof(ffi.new("int[2]")))
    print(all(hasattr(keelback, name) for name in keelback.__all__))
    keelback.install_as_cffi()
    import cffi
    print(cffi.FFI is keelback.FFI)
    source = inspect.getsource(keelback.install_as_cffi)
    print(source.splitlines()[0], keelback.__file__.endswith("/keelback/__init__.py"))
    try:
        ffi.compile()
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        print(type(error).__name__, last.filename.endswith("/keelback/_builder.py"), bool(last.line))
    try:
        __import__("keelback.nothing")
    except ModuleNotFoundError as error:
        print(error)
""") == Ran(
        "3 True\n"
        "True <ctype 'int[2]'>\n"
        "True\n"
        "True\n"
        "def install_as_cffi() -> None: True\n"
        "ValueError True True\n"
        "No module named 'keelback.nothing'\n"
    )


def test_what_is_installed_does_not_take_part(plugin, host, run, bare_python):
    """An installed package of another version is not mixed with the runtime of the plugin."""
    packages = next(bare_python.parents[1].glob("lib/python3.*/site-packages"))
    installed = packages / "keelback"
    installed.mkdir()
    (installed / "__init__.py").write_text("__version__ = 'of another time'\n")
    try:
        init = """
            import keelback
            from guest import ffi

            @ffi.def_extern()
            def run():
                print(keelback.__version__ == keelback._runtime.__version__)
        """
        built = plugin("void run(void);", init, name="guest", python=bare_python)
        assert run(host(HOST, built)) == Ran("True\n")
    finally:
        (installed / "__init__.py").unlink()
        installed.rmdir()
