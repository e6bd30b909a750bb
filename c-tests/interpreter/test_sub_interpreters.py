"""C that runs in a sub-interpreter calls a plugin; callbacks that were made in a sub-interpreter."""

import os

import pytest
from harness import PROJECT, Ran, ask, libpython_of, python, version_of

VERSION = tuple(map(int, version_of(python()).rstrip("t").split(".")))

# What the hosts need of Python.h, which not every machine has.
PYTHON_H = """
    #include <pthread.h>
    #include <stdio.h>
    #include <string.h>

    typedef struct { int kind; const char *func, *text; int code; } PyStatus;
    typedef struct { int main_obmalloc, fork, exec, threads, daemons, check, gil; } PyInterpreterConfig;
    void Py_Initialize(void);
    int Py_FinalizeEx(void);
    void *Py_NewInterpreter(void);
    PyStatus Py_NewInterpreterFromConfig(void **state, const PyInterpreterConfig *config);
    void Py_EndInterpreter(void *state);
    void *PyThreadState_Get(void);
    void *PyThreadState_Swap(void *state);
    void *PyEval_SaveThread(void);
    void PyEval_RestoreThread(void *state);
    int PyRun_SimpleString(const char *code);
"""

BUMP_INIT = """
    from subs import ffi
    box = {"n": 0}

    @ffi.def_extern(error=-1)
    def bump(n):
        for _ in range(n):
            box["n"] += 1
            box["k", box["n"] % 50] = [object() for _ in range(5)]
        return box["n"]
"""

BUMP_HOST = PYTHON_H + """
    #include "subs.h"

    static void *elsewhere(void *unused)
    {
        for (int i = 0; i < 100; i++)
            bump(1);
        return unused;
    }

    int main(int argc, char **argv)
    {
        int first = argc > 1 && !strcmp(argv[1], "main-first");
        void *outer, *sub = NULL;
        pthread_t other;
        Py_Initialize();
        if (first)
            bump(100);
        outer = PyThreadState_Get();
    #if OWN
        PyInterpreterConfig own = {0, 0, 0, 1, 0, 1, 2};
        if (Py_NewInterpreterFromConfig(&sub, &own).kind)
            return 3;
    #else
        sub = Py_NewInterpreter();
    #endif
        if (!sub)
            return 4;
        pthread_create(&other, NULL, elsewhere, NULL);
        for (int i = 0; i < 400; i++)
            bump(100);
        if (PyThreadState_Get() != sub)
            return 5;
        /* Its interpreter is left while the calls run, and what it was about is still there. */
        PyRun_SimpleString("print('in the sub-interpreter', 'box' in globals(), flush=True)");
        sub = PyEval_SaveThread();
        pthread_join(other, NULL);
        bump(100);
        PyEval_RestoreThread(sub);
        Py_EndInterpreter(sub);
        PyThreadState_Swap(outer);
        if (!first)
            bump(100);
        printf("sum %d\\n", bump(1));
        return Py_FinalizeEx();
    }
"""


def with_python():
    """How a host is linked to the Python under test."""
    library = libpython_of(python())
    if library is None:
        pytest.skip("this Python has no shared libpython")
    return [library, f"-Wl,-rpath,{os.path.dirname(library)}"]


def home():
    return {"PYTHONHOME": ask(python(), "import sys; print(sys.base_prefix)").strip(), "MALLOC_CHECK_": "3"}


@pytest.mark.parametrize("order", ["main-first", "sub-first"])
@pytest.mark.parametrize("own", [0, 1], ids=["legacy", "own"])
def test_calls_from_a_sub_interpreter(plugin, host, run, order, own):
    """They go to the main interpreter, the caller's state is put back, and other threads' calls go on meanwhile."""
    if own and VERSION < (3, 12):
        pytest.skip("sub-interpreters have a GIL of their own since Python 3.12")
    built = plugin("int bump(int n);", BUMP_INIT, name="subs")
    program = host(BUMP_HOST, built, flags=[f"-DOWN={own}", *with_python()])
    assert run(program, order, env=home()) == Ran("in the sub-interpreter False\nsum 40301\n")



IN_SUB = """
import sys, threading
sys.path.insert(0, {package!r})
import keelback
ffi = keelback.FFI()
ffi.cdef("extern int (*kept)(int); extern int (*kept_too)(int); int call(int n); int bump(int n);")
lib = ffi.dlopen(None)
where = "sub"
calls = []

@ffi.callback("int(int)", error=-2)
def function(n):
    calls.append(n)
    import json
    assert where == "sub" and json.loads("[1]") == [1]
    if n == 9:
        return lib.bump(5) + lib.call(2)
    return n + 1

lib.kept = function
lib.kept_too = function
print(lib.call(1), function(2), lib.call(9), flush=True)
"""

CALLBACK_HOST = PYTHON_H + """
    #include <stdlib.h>
    #include "subs.h"

    int (*kept)(int), (*kept_too)(int);

    int call(int n)
    {
        return kept(n);
    }

    static void *elsewhere(void *unused)
    {
        int sum = 0;
        for (int i = 0; i < 100; i++)
            sum += kept(1);
        printf("elsewhere %d\\n", sum);
        return unused;
    }

    int main(void)
    {
        void *outer, *sub, *state;
        pthread_t other;
        Py_Initialize();
        bump(1);
        outer = PyThreadState_Get();
        sub = Py_NewInterpreter();
        if (!sub || PyRun_SimpleString(getenv("IN_SUB")))
            return 3;
        printf("in it %d\\n", kept(10));
        PyThreadState_Swap(outer);
        printf("in the main one %d\\n", kept(20));
        if (PyThreadState_Get() != outer)
            return 4;
        state = PyEval_SaveThread();
        printf("outside %d\\n", kept(30));
        pthread_create(&other, NULL, elsewhere, NULL);
        pthread_join(other, NULL);
        PyEval_RestoreThread(state);
        PyThreadState_Swap(sub);
        PyRun_SimpleString("print(len(calls), flush=True)");
        Py_EndInterpreter(sub);
        PyThreadState_Swap(outer);
        printf("sum %d\\n", bump(1));
        return Py_FinalizeEx();
    }
"""


def test_callbacks_of_a_sub_interpreter(plugin, host, run):
    """ffi.callback() of a legacy sub-interpreter: called in it, from the main one, from outside, on another thread."""
    if version_of(python()).endswith("t"):
        pytest.skip("a Python without a GIL takes modules like the runtime in its main interpreter alone")
    package = os.environ.get("PYTHONPATH") or PROJECT / "target" / "python"
    if not os.path.isdir(os.path.join(package, "keelback")):
        pytest.skip("the package keelback is not staged: PYTHONPATH does not lead to it")
    built = plugin("int bump(int n);", BUMP_INIT, name="subs")
    program = host(CALLBACK_HOST, built, flags=["-rdynamic", *with_python()])
    ran = run("stdbuf", "-oL", program, env={**home(), "IN_SUB": IN_SUB.format(package=str(package))})
    # 6 is 1 of the host's, and 5 of the callback's; it has called itself with 2 meanwhile.
    assert ran == Ran("2 3 9\nin it 11\nin the main one 21\noutside 31\nelsewhere 200\n107\nsum 7\n")
