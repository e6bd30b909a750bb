"""A host that starts and stops Python itself, through the libpython that it has opened.

What can work does: the plugin uses the host's interpreter, and one that was ended before the plugin was ever called
does not count. What cannot work is a clear error: CPython's static types, and ours, do not survive an end and a new start.
"""

import pytest
from harness import Ran, libpython_of, python

INIT = """
    import sys
    from restart import ffi

    @ffi.def_extern(error=-1)
    def add(a, b):
        return a + b

    @ffi.def_extern()
    def mark():
        return getattr(sys, "mark", 0)
"""
HOST = """
    #define _GNU_SOURCE
    #include "host.h"
    #include <pthread.h>
    #include "restart.h"

    static void (*start)(int);
    static int (*stop)(void);
    static int (*is_started)(void);
    static int (*run)(const char *);
    static void *(*leave)(void);
    static void (*enter)(void *);

    static void first_line(const char *what, const char *text)
    {
        printf("%s: %.*s\\n", what, text == NULL ? 4 : (int)strcspn(text, "\\n"), text == NULL ? "none" : text);
    }

    static void *on_a_thread(void *unused) { printf("thread %d\\n", add(1, 1)); return unused; }

    int main(int argc, char **argv)
    {
        void *python = host_open(argv[1], RTLD_NOW | RTLD_GLOBAL);
        HOST_SYMBOL(start, python, "Py_InitializeEx");
        HOST_SYMBOL(stop, python, "Py_FinalizeEx");
        HOST_SYMBOL(is_started, python, "Py_IsInitialized");
        HOST_SYMBOL(run, python, "PyRun_SimpleString");
        HOST_SYMBOL(leave, python, "PyEval_SaveThread");
        HOST_SYMBOL(enter, python, "PyEval_RestoreThread");
        setbuf(stdout, NULL);
        (void)argc, (void)on_a_thread, (void)first_line;
        BODY
        return 0;
    }
"""


@pytest.fixture(scope="module")
def go(plugin, host, run):
    """go(body): runs a host with this main(), in which the functions above stand for libpython's."""
    libpython = libpython_of(python())
    if libpython is None:
        pytest.skip("this Python has no shared libpython")
    built = plugin("int add(int a, int b); int mark(void);", INIT, name="restart", args=["--error", "add=-1"])

    def go(body):
        return run(host(HOST.replace("BODY", body), built), libpython)

    return go


ENDED = (
    "Python was finalised in this process (by Py_Finalize, or at the end of the program). The functions of this library "
    "can't be used any more, also not if Python is initialised again."
)


def test_the_host_s_interpreter_is_used(go):
    """While the thread is in Python and while it is not, and from other threads."""
    assert go("""
        pthread_t thread;
        void *state;
        start(0);
        run("import sys; sys.mark = 7");
        printf("%d %d\\n", add(40, 2), mark());
        state = leave();
        printf("%d %d\\n", add(40, 2), mark());
        pthread_create(&thread, NULL, on_a_thread, NULL);
        pthread_join(thread, NULL);
        enter(state);
        printf("stop %d\\n", stop());
    """) == Ran("42 7\n42 7\nthread 2\nstop 0\n")


def test_ended_before_the_first_call(go):
    """What the host did with Python before is its own business."""
    assert go("""
        start(0);
        stop();
        printf("%d\\n", add(40, 2));
        printf("%d\\n", is_started());
    """) == Ran("42\n1\n")


def test_ended_and_started_again(go):
    """The plugin knew the first interpreter: each call gives the error value and says why; the new interpreter works."""
    ran = go("""
        start(0);
        printf("%d\\n", add(40, 2));
        stop();
        printf("%d\\n", add(40, 2));
        first_line("ended", restart_last_error());
        start(0);
        printf("%d\\n", add(40, 2));
        printf("start %d\\n", restart_start() < 0);
        first_line("again", restart_last_error());
        printf("run %d\\n", run("import json; assert json.loads('[1]') == [1]"));
        printf("stop %d\\n", stop());
        printf("%d\\n", add(40, 2));
    """)
    call = "restart.add() was called after Python was finalised in this process"
    assert ran.stdout == (
        f"42\n-1\nended: {call}\n-1\nstart 1\nagain: restart: {ENDED}\nrun 0\nstop 0\n-1\n"
    )
    # The host's second Python, of 3.15, may say that it has not found its extension modules.
    told = [line for line in ran.stderr.splitlines() if not line.startswith("WARN: ")]
    assert told[:2] == [call, call] and ran.code == 0


def test_our_interpreter_ended_by_the_host(go):
    """Py_FinalizeEx() on the interpreter that the plugin has started."""
    ran = go("""
        void *(*this_thread_s)(void);
        printf("%d\\n", add(40, 2));
        HOST_SYMBOL(this_thread_s, python, "PyGILState_GetThisThreadState");
        enter(this_thread_s());
        printf("stop %d\\n", stop());
        printf("%d\\n", add(40, 2));
        first_line("ended", restart_last_error());
    """)
    call = "restart.add() was called after Python was finalised in this process"
    assert ran == Ran(f"42\nstop 0\n-1\nended: {call}\n", f"{call}\n")


def test_exit_functions_of_the_host_s_interpreter(go):
    """Nobody but the host ends its interpreter: exit functions run when it says so, or not at all."""
    assert go("""
        start(0);
        run("import atexit; atexit.register(print, 'exit function', flush=True)");
        printf("%d\\n", add(40, 2));
    """) == Ran("42\n")


@pytest.mark.parametrize("how", ["", "state = leave();"])
def test_ended_in_a_scope(go, how):
    """A scope that is open when the thread ends Python is over with it."""
    assert go("""
        void *state = NULL;
        start(0);
        %s
        printf("%%d\\n", restart_enter());
        printf("%%d\\n", add(40, 2));
        stop();
        restart_leave();
        printf("%%d %%d\\n", restart_enter(), state != NULL);
        first_line("error", restart_last_error());
        restart_leave();
    """ % how) == Ran(
        f"0\n42\n-1 {int(bool(how))}\nerror: restart_enter() was called after Python was finalised in this process\n"
    )
