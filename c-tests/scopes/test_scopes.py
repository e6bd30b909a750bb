"""NAME_enter, NAME_leave and NAME_SCOPE: a thread stays in Python between its calls."""

import subprocess

import pytest
from harness import Ran, python

CDEF = """
    int add(int a, int b);
    void tell(const char *text);
    void python_sleep(void);
    int call(int (*function)(int), int what);
    int fail(void);
    void count_forks(void);
    int forks_counted(void);
    void tell_at_exit(void);
"""
INIT = """
    import atexit
    import os
    import time
    from scoped import ffi

    forks = []

    @ffi.def_extern(error=-1)
    def add(a, b):
        return a + b

    @ffi.def_extern()
    def tell(text):
        print(ffi.string(text).decode())

    @ffi.def_extern()
    def python_sleep():
        time.sleep(0.05)

    @ffi.def_extern()
    def call(function, what):
        return function(what)

    @ffi.def_extern(error=-1)
    def fail():
        raise ValueError("failed")

    @ffi.def_extern()
    def count_forks():
        os.register_at_fork(before=lambda: forks.append(1), after_in_parent=lambda: forks.append(10),
                            after_in_child=lambda: forks.append(100))

    @ffi.def_extern()
    def forks_counted():
        return sum(forks)

    @ffi.def_extern()
    def tell_at_exit():
        atexit.register(print, "Python's exit function")
"""
NO_SCOPE = (
    "scoped_leave(): this thread is in no scope here: each scoped_leave() takes back a scoped_enter() of the same thread, "
    "which returned 0, at the same depth of calls\n"
)


@pytest.fixture(scope="module")
def has_gil():
    asked = "import sysconfig; print(sysconfig.get_config_var('Py_GIL_DISABLED') or 0)"
    return subprocess.run([python(), "-c", asked], capture_output=True, text=True, check=True).stdout == "0\n"


@pytest.fixture(scope="module")
def program(plugin, host, here):
    return host(here / "host.c", plugin(CDEF, INIT, name="scoped"))


def test_nested(program, run):
    out = "1 entered 0\n1 entered 0\n1 add 3\n1 left once 7\nin order\n0 left 11\n0 left once more 0\n0 last error 1\n"
    assert run(program, "nested") == Ran(out, NO_SCOPE)


MACRO = "1 in the scope 2\n0 after it 0\n0 returned 3\n0 not returned -1\n0 jumped 12\n0 bodies 4\n"


def test_macro(program, run):
    assert run(program, "macro") == Ran(MACRO)


@pytest.mark.parametrize("flags", [("-std=c99", "-pedantic", "-Wshadow"), ("-O2",)])
def test_macro_compiles(plugin, host, here, run, flags):
    assert run(host(here / "host.c", plugin(CDEF, INIT, name="scoped"), flags=flags), "macro") == Ran(MACRO)


def test_macro_in_other_compilers(plugin, host, run, tmp_path):
    """Those without GCC's attributes: the end of the block leaves."""
    built = plugin(CDEF, INIT, name="scoped")
    text = (built.directory / "scoped.h").read_text()
    assert text.count("#if defined(__GNUC__)\nstatic") == 1
    (tmp_path / "plain.h").write_text(text.replace("#if defined(__GNUC__)\nstatic", "#if 0\nstatic"))
    source = """
        #include <stdio.h>
        #include "plain.h"

        int main(void)
        {
            int i, bodies = 0;
            for (i = 0; i < 2; i++)
                SCOPED_SCOPE {
                    bodies += add(1, 0);
                    if (i == 0)
                        continue;
                    bodies += 10;
                }
            scoped_leave();
            printf("%d\\n", bodies);
            return 0;
        }
    """
    assert run(host(source, built, flags=[f"-I{tmp_path}"])) == Ran("12\n", NO_SCOPE)


def test_without_a_python(program, run):
    ran = run(program, "failing", env={"KEELBACK_PYTHON": "/nonexistent/libpython3.so"})
    assert (ran.stdout, ran.code) == ("0 entered -1\n0 last error 1\n0 add -1\n0 bodies 1\n", 0)
    assert ran.stderr.endswith("\nscoped_leave(): this thread is in no scope here: no scoped_enter() has returned 0\n")


def test_threads_that_end_in_a_scope(program, run):
    assert run(program, "threads") == Ran("1 forgets 3\n1 forgets 3\n1 forgets 3\n1 exits 5\n0 after them 9\n")


def test_turns_of_others(program, run, has_gil):
    assert run(program, "turns") == Ran(
        f"1 while calls run 1\n1 while Python waits 1\n1 while C waits {int(has_gil)}\n0 left 1\n"
    )


def test_leave_from_another_thread(program, run):
    assert run(program, "from_another_thread") == Ran("1 still in it 3\n0 left 0\n", NO_SCOPE)


def test_in_c_that_python_called(program, run):
    def lines(there):
        return (
            f"0 called by Python\n{there} entered and left 31\n0 called by Python\n{there} forgotten 101\n"
            f"0 called by Python\n{there} left only 0\n"
        )

    assert run(program, "callbacks") == Ran(lines(0) + lines(1) + "0 left 0\n", 2 * NO_SCOPE)


def test_in_an_error_handler(program, run):
    assert run(program, "handlers") == Ran(
        "0 fail: ValueError: failed\n1 in a scope of the handler: 3\n1 failed -1\n"
        f"0 scoped_leave: {NO_SCOPE}1 in a scope of the handler: 3\n1 left 0\n"
    )


def test_fork(program, run):
    out = run(program, "forks")
    assert (sorted(out.stdout.splitlines()), out.stderr, out.code) == (
        sorted(
            ["1 in the child 102", "0 left in the child 3", "1 in the parent 13", "0 left in the parent 0", "1 forgets 3",
             "0 the second child 3"]
        ), "", 0,
    )  # fmt: skip


def test_exit_in_a_scope(program, run):
    assert run(program, "exit_in_a_scope") == Ran("Python's exit function\n", "", 3)


def test_exit_while_another_thread_blocks_in_a_scope(program, run):
    assert run(program, "exit_of_another") == Ran(
        "",
        "keelback: the process ends while another thread is in a scope (NAME_enter) and makes no calls: Python's exit "
        "functions are not run, and files that Python left open are not written\n",
        3,
    )


def test_exit_while_another_thread_makes_calls_in_a_scope(program, run):
    assert run(program, "exit_among_calls") == Ran("Python's exit function\n", "", 4)


def test_held_without_a_call(plugin, host, here, run, has_gil):
    """A development library says so, once, and not of scopes that were left or whose thread has ended."""
    program = host(here / "host.c", plugin(CDEF, INIT, name="scoped", args=["--dev"]))
    meanwhile = (
        "no other thread can use Python meanwhile"
        if has_gil
        else "garbage collection, and with it every thread in Python, waits for this thread meanwhile"
    )
    assert run(program, "idle") == Ran(
        "1 forgets 3\n0 left 0\n",
        f"scoped: a scope (scoped_enter) is held for 100 ms without a call: {meanwhile}. Leave "
        "it (scoped_leave) before what may take long. (Only libraries that are built with --dev say so)\n",
    )


def test_several_plugins(plugin, host, run):
    """A scope is the thread's: calls of all plugins are in it, also one that starts there."""
    one = plugin("int one(void);", "from first import ffi\n@ffi.def_extern()\ndef one():\n    return 1\n", name="first")
    two = plugin("int two(void);", "from second import ffi\n@ffi.def_extern()\ndef two():\n    return 2\n", name="second")
    source = """
        #include <stdio.h>
        #include "first.h"
        #include "second.h"

        int main(void)
        {
            FIRST_SCOPE SECOND_SCOPE printf("%d %d\\n", one(), two());
            first_enter();
            second_leave();
            second_leave();
            return 0;
        }
    """
    assert run(host(source, one, two)) == Ran("1 2\n", NO_SCOPE.replace("scoped", "second"))


@pytest.mark.parametrize("standard", ["c++11", "c++17", "c++20"])
def test_macro_in_cpp(plugin, host, run, standard):
    source = """
        #include <cstdio>
        #include <stdexcept>
        #include "scoped.h"

        int main()
        {
            try {
                SCOPED_SCOPE {
                    std::printf("%d\\n", add(1, 2));
                    throw std::runtime_error("out");
                }
            } catch (const std::exception &) {
                scoped_leave();
            }
        }
    """
    built = plugin(CDEF, INIT, name="scoped")
    assert run(host(source, built, cxx=True, flags=[f"-std={standard}", "-Wpedantic"])) == Ran("3\n", NO_SCOPE)


@pytest.mark.parametrize("standard", ["c++17", "c++20"])
def test_burst(plugin, host, run, standard):
    source = """
        #include <cstdio>
        #include "scoped.hpp"

        static int in_a_burst()
        {
            const scoped::burst stays;
            const scoped::burst again;
            return scoped::add(1, 2);
        }

        int main()
        {
            const scoped::scope running;
            std::printf("%d\\n", in_a_burst());
            try {
                const scoped::burst stays;
                scoped::fail();
            } catch (const scoped::error &failure) {
                std::printf("%s\\n", failure.function());
            }
            scoped_leave();
        }
    """
    built = plugin(CDEF, INIT, name="scoped", args=["--cpp-header"])
    assert run(host(source, built, cxx=True, flags=[f"-std={standard}"])) == Ran("3\nfail\n", f"scoped_leave: {NO_SCOPE}\n")


def test_burst_without_a_python(plugin, host, run):
    source = """
        #include <cstdio>
        #include "scoped.hpp"

        int main()
        {
            try {
                const scoped::burst stays;
            } catch (const scoped::error &failure) {
                std::printf("%s\\n", failure.function());
            }
        }
    """
    built = plugin(CDEF, INIT, name="scoped", args=["--cpp-header"])
    ran = run(host(source, built, cxx=True, flags=["-std=c++17"]), env={"KEELBACK_PYTHON": "/nonexistent/libpython3.so"})
    assert ran == Ran("scoped_enter\n")
