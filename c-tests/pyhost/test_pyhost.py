"""A host that is itself Python: the plugin through ctypes.CDLL, through `import`, and through both."""

import os

import pytest
from harness import PROJECT, Ran, ask, other_python, python, version_of

VERSION = version_of(python())

SHARED = python()
# Debian's: libpython is part of the executable.
STATIC = "/usr/bin/python3"

ABOUT = """if True:
    import sys, sysconfig
    maps = open("/proc/self/maps").read()
    print("%d.%d" % sys.version_info[:2], "shared" if "libpython3" in maps else "static")
"""


@pytest.fixture(params=["shared", "static"])
def interpreter(request):
    """A Python of the runtime's version, with its libpython as a library or linked in."""
    candidates = {
        "shared": [SHARED, f"/usr/local/bin/python{VERSION}"],
        "static": [f"/usr/bin/python{VERSION}", STATIC, f"/usr/local/bin/python{VERSION}", SHARED],
    }[request.param]
    for candidate in candidates:
        if os.path.exists(candidate) and ask(candidate, ABOUT) == f"{VERSION} {request.param}\n":
            return candidate
    pytest.skip(f"this machine has no Python {VERSION} with a {request.param} libpython")


@pytest.fixture(scope="module")
def pyhost(plugin, here):
    """The plugin, and beside it its name as an extension module: both names are one file."""
    built = plugin(here / "api.h", here / "init.py", name="pyhost")
    module = built.directory / "pyhost.so"
    if not module.exists():
        os.link(built.library, module)
    return built


@pytest.fixture
def script(pyhost, run, interpreter):
    def script(text, **options):
        return run(interpreter, "-I", "-c", "import sys; sys.path.insert(0, '.')\n" + text, cwd=pyhost.directory, **options)

    return script


def test_ctypes(script):
    assert script("""if True:
        import ctypes
        plugin = ctypes.CDLL("./libpyhost.so")
        print("pyhost" in sys.modules)
        print(plugin.add(40, 2), plugin.init_runs())
        import pyhost
        print(pyhost.lib.add(1, 2), plugin.init_runs())
    """) == Ran("False\n42 1\n3 1\n")


def test_ctypes_that_holds_the_gil(script):
    assert script("""if True:
        import ctypes
        plugin = ctypes.PyDLL("./libpyhost.so")
        print(plugin.add(40, 2), plugin.init_runs())
        plugin = ctypes.PyDLL("./libpyhost.so")
        print(plugin.add(1, 2), plugin.init_runs())
    """) == Ran("42 1\n3 1\n")


def test_import(script):
    assert script("""if True:
        import pyhost
        from pyhost import ffi, lib
        print(pyhost.__name__, sys.modules["pyhost"] is pyhost)
        print(lib.add(40, 2), lib.init_runs())
        print(ffi.typeof(lib.add) if isinstance(lib.add, ffi.CData) else ffi.typeof(ffi.addressof(lib, "add")))
        print(lib.module_id() == id(pyhost), lib.lib_id() == id(lib))
    """) == Ran("pyhost True\n42 1\n<ctype 'int(*)(int, int)'>\nTrue True\n")


def test_imported_and_called_from_c_are_one_module(script):
    assert script("""if True:
        import ctypes
        import pyhost
        plugin = ctypes.CDLL("./libpyhost.so")
        plugin.module_id.restype = plugin.lib_id.restype = ctypes.c_ulonglong
        print(plugin.add(40, 2), pyhost.lib.add(1, 2), plugin.init_runs())
        print(plugin.module_id() == id(pyhost) == id(sys.modules["pyhost"]), plugin.lib_id() == id(pyhost.lib))
    """) == Ran("42 3 1\nTrue True\n")


def test_called_from_c_and_then_imported_are_one_module(script):
    assert script("""if True:
        import ctypes
        plugin = ctypes.CDLL("./libpyhost.so")
        plugin.module_id.restype = plugin.lib_id.restype = ctypes.c_ulonglong
        print(plugin.add(40, 2))
        import pyhost
        print(plugin.init_runs(), plugin.module_id() == id(pyhost), plugin.lib_id() == id(pyhost.lib))
        from pyhost import ffi
        print(ffi is pyhost.ffi)
    """) == Ran("42\n1 True True\nTrue\n")


def test_calls_from_threads_of_python(script):
    assert script("""if True:
        import ctypes, threading
        plugin = ctypes.CDLL("./libpyhost.so")
        sums = []
        def work():
            sums.append(sum(plugin.add(i, 1) for i in range(200)))
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print(sums == [20100] * 8, plugin.init_runs())
    """) == Ran("True 1\n")


def test_last_error_in_a_python_host(script):
    """The host's own Python prints nothing twice, and goes on."""
    ran = script("""if True:
        import ctypes
        plugin = ctypes.CDLL("./libpyhost.so")
        plugin.pyhost_last_error.restype = ctypes.c_char_p
        print(plugin.pyhost_start(), plugin.pyhost_last_error())
        print(plugin.pyhost_start(), plugin.init_runs())
    """)
    assert ran == Ran("0 None\n0 1\n")


def test_host_signals_are_the_host_s(script):
    """Python's own SIGINT handler stays in a Python host."""
    assert script("""if True:
        import ctypes, os, signal
        plugin = ctypes.CDLL("./libpyhost.so")
        plugin.add(1, 2)
        print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            print("KeyboardInterrupt")
    """) == Ran("True\nKeyboardInterrupt\n")


@pytest.mark.parametrize("first", ["keelback", "plugin"])
def test_shares_types_with_the_package(script, first):
    """The plugin and the `keelback` package have one runtime: cdata of one is good in the other."""
    package = os.environ.get("PYTHONPATH") or PROJECT / "target" / "python"
    if not os.path.isdir(os.path.join(package, "keelback")):
        pytest.skip("the package keelback is not staged: PYTHONPATH does not lead to it")
    imports = ["import keelback", "import ctypes; plugin = ctypes.CDLL('./libpyhost.so'); plugin.add(1, 2)"]
    if first == "plugin":
        imports.reverse()
    assert script(f"sys.path.insert(0, {str(package)!r})\n" + "\n".join(imports) + """
if True:
        import pyhost
        ours, its = keelback.FFI(), pyhost.ffi
        print(ours.typeof("int *") is its.typeof("int *"))
        print(its.typeof(ours.new("int[3]")) is ours.typeof("int[3]"))
        print(its.unpack(ours.new("int[]", [1, 2, 3]), 3))
    """) == Ran("True\nTrue\n[1, 2, 3]\n")


def test_another_version_s_python(pyhost, run):
    """A Python for which there is no runtime refuses the import with an ImportError, and lives."""
    other, version = other_python()
    ran = run(other, "-I", "-c", """if True:
        import sys; sys.path.insert(0, '.')
        try:
            import pyhost
        except ImportError as error:
            print(type(error).__name__, str(error).splitlines()[0])
    """, cwd=pyhost.directory)
    assert ran.stderr == "" and ran.code == 0
    assert ran.stdout.startswith("ImportError pyhost: no Keelback runtime for Python " + version)


def test_import_of_a_plugin_whose_init_code_fails(plugin, run, interpreter):
    """The import raises what the init code raised, each time, and leaves no half-made module."""
    init = "from badhost import ffi\nraise ValueError('not today')\n"
    built = plugin("int one(void);", init, name="badhost")
    module = built.directory / "badhost.so"
    if not module.exists():
        os.link(built.library, module)
    code = """if True:
        import ctypes, sys, traceback
        sys.path.insert(0, '.')
        for i in range(2):
            try:
                import badhost
            except ValueError as error:
                print(error, 'badhost' in sys.modules, traceback.extract_tb(error.__traceback__)[-1].line)
        print(ctypes.CDLL('./libbadhost.so').badhost_start() < 0)
    """
    line = "not today False raise ValueError('not today')\n"
    assert run(interpreter, "-I", "-c", code, cwd=built.directory) == Ran(line * 2 + "True\n")
