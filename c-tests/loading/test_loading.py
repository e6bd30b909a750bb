"""Every way of loading a plugin into a C or C++ program."""

import os
import re
import subprocess

import pytest
from harness import Ran, ask, libpython_of, python, version_of


@pytest.fixture(scope="module")
def loading(plugin, here):
    init = (here / "extensions.py").read_text() + (here / "init.py").read_text()
    return plugin(here / "api.h", init, name="loading")


@pytest.fixture(scope="module")
def extensions(here):
    """The line that a plain Python prints for the same imports."""
    return ask(python(), (here / "extensions.py").read_text() + "print(extensions())")


def test_linked(loading, extensions, host, run, here):
    assert run(host(here / "linked.c", loading)) == Ran(
        "libpython mapped before the first call: 0\n"
        "runtime mapped before the first call: 0\n"
        "2 + 3 = 5\n"
        "libpython mapped after it: 1\n" + extensions
    )


@pytest.mark.parametrize("scope", [[], ["RTLD_LOCAL"], ["RTLD_GLOBAL"], ["RTLD_DEEPBIND"], ["RTLD_DEEPBIND", "RTLD_GLOBAL"]], ids="-".join)
@pytest.mark.parametrize("binding", ["RTLD_NOW", "RTLD_LAZY"])
def test_dlopen(loading, extensions, host, run, here, binding, scope):
    program = host(here / "opened.c", loading, link=False, flags=["-D_GNU_SOURCE"])
    assert run(program, loading.library, binding, *scope) == Ran(
        "libpython mapped before the first call: 0\n2 + 3 = 5\nlibpython mapped after it: 1\n" + extensions
    )


def test_dlopen_by_a_program_that_clang_built(loading, extensions, host, run, here):
    program = host(here / "opened.c", loading, link=False, cc="clang", flags=["-D_GNU_SOURCE"])
    assert run(program, loading.library, "RTLD_NOW") == Ran(
        "libpython mapped before the first call: 0\n2 + 3 = 5\nlibpython mapped after it: 1\n" + extensions
    )


# -- a namespace of its own: glibc has no global scope there --


def test_dlmopen_of_a_plugin_that_is_not_linked_to_python(loading, host, run, here):
    """An error that says what is wrong and what helps; glibc would crash."""
    ran = run(host(here / "namespace.c", loading, link=False, flags=["-D_GNU_SOURCE"]), loading.library)
    version = version_of(python())
    why = (
        "loading: no libpython could be loaded, so Python cannot be started. Tried:\n"
        "  the plugin was opened with dlmopen(), in a namespace of its own: the runtime and Python's extension modules find libpython there only "
        f"if the plugin is linked to it. Open it with dlopen(), or build it with LDFLAGS='-Wl,--no-as-needed -lpython{version}'.\n"
    )
    assert ran.code == 0 and ran.stdout.startswith("2 + 3 = 0\n" + why) and ran.stderr.startswith(why)


def test_dlmopen_of_a_plugin_that_is_linked_to_python(plugin, extensions, host, run, here):
    directory = os.path.dirname(libpython_of(python()))
    flags = f"-Wl,--no-as-needed -L{directory} -lpython{version_of(python())} -Wl,-rpath,{directory}"
    init = (here / "extensions.py").read_text() + (here / "init.py").read_text()
    built = plugin(here / "api.h", init, name="loading", env={"LDFLAGS": flags})
    program = host(here / "namespace.c", built, link=False, flags=["-D_GNU_SOURCE"])
    assert run(program, built.library) == Ran("2 + 3 = 5\n" + extensions)


# -- an allocator of the host's, which the plugin does not see --


@pytest.mark.parametrize("wish", [False, True], ids=["recorded", "wished"])
@pytest.mark.parametrize("scope", [[], ["RTLD_DEEPBIND"]], ids=["", "deepbind"])
def test_another_malloc(loading, extensions, host, run, here, tmp_path, scope, wish):
    malloc = tmp_path / "malloc.so"
    subprocess.run(["cc", "-O1", "-fno-builtin", "-shared", "-fPIC", here / "other_malloc.c", "-o", malloc], check=True)
    program = host(here / "opened.c", loading, link=False, flags=["-D_GNU_SOURCE"])
    # Relative: the plugin's own place is found another way then.
    relative = os.path.relpath(loading.library, loading.directory)
    environment = {"LD_PRELOAD": malloc, **({"KEELBACK_PYTHON": python()} if wish else {})}
    assert run(program, f"./{relative}", "RTLD_NOW", *scope, cwd=loading.directory, env=environment) == Ran(
        "libpython mapped before the first call: 0\n2 + 3 = 5\nlibpython mapped after it: 1\n" + extensions
    )


def test_dlclose_and_dlopen_again(loading, host, run, here):
    program = host(here / "reopened.c", loading, link=False)
    assert run(program, loading.library) == Ran(
        "sum 44850, init code ran 1 time(s)\nsame address: 1, callable when closed: 42\n"
    )


def test_opened_and_never_called(loading, host, run, here):
    assert run(host(here / "unused.c", loading, link=False), loading.library) == Ran("libpython mapped: 0, runtime mapped: 0\n")


@pytest.mark.parametrize("standard", ["c++11", "c++20"])
def test_cpp_host(loading, host, run, here, standard):
    assert run(host(here / "host.cpp", loading, cxx=True, flags=[f"-std={standard}", "-Wpedantic"])) == Ran(
        "thread: 3\ntemplate: 42\nstring: 0\nstatic destructor: 23\n"
    )


def test_exported_symbols(loading):
    listed = subprocess.run(["nm", "-D", "--defined-only", loading.library], capture_output=True, text=True, check=True).stdout
    assert sorted(line.split()[-1] for line in listed.splitlines()) == sorted(
        ["PyInit_loading", "add", "extensions", "init_runs", "loading_last_error", "loading_set_error_handler", "loading_start",
         "loading_enter", "loading_leave"]
    )


def test_undefined_symbols_are_libc_s(loading):
    """No symbol of Python or of the runtime is needed to load the plugin."""
    listed = subprocess.run(["nm", "-D", "--undefined-only", loading.library], capture_output=True, text=True, check=True).stdout
    assert [name for name in re.findall(r"\b[Uw] (\w+)", listed) if re.match(r"_?Py|keelback", name)] == []


def test_dynamic_section(loading):
    """Needs nothing but the C library, and stays mapped when it is closed."""
    dynamic = subprocess.run(["readelf", "-d", "-W", loading.library], capture_output=True, text=True, check=True).stdout
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic))
    assert {name for name in needed if not name.startswith("ld-")} <= {"libc.so.6", "libdl.so.2"}
    assert re.search(r"FLAGS_1.*NODELETE", dynamic)
    assert "TEXTREL" not in dynamic and "RPATH" not in dynamic and "RUNPATH" not in dynamic


def test_two_plugins_of_one_name(plugin, host, run):
    """Two files with the same module name in one process: each has its own functions and globals."""
    init = "from samename import ffi\n@ffi.def_extern()\ndef one():\n    return {}\n"
    built = [plugin("int one(void);", init.format(number), name="samename") for number in (1, 2)]
    program = host(
        """
        #include "host.h"

        int main(int argc, char **argv)
        {
            int (*first)(void), (*second)(void), sum;
            HOST_SYMBOL(first, host_open(argv[argc - 2], RTLD_NOW), "one");
            HOST_SYMBOL(second, host_open(argv[argc - 1], RTLD_NOW), "one");
            sum = 100 * first();
            sum += 10 * second();
            sum += first();
            printf("%d\\n", sum);
            return 0;
        }
        """
    )
    assert run(program, *(one.library for one in built)) == Ran("121\n")
