"""C that Python has called does not return: pthread_exit(), cancellation, C++ exceptions."""

import pytest
from harness import Ran

INIT = """
    from leaving import ffi, lib

    @ffi.def_extern()
    def go(how):
        if how == 1:
            lib.leave(1)
        elif how == 2:
            ffi.addressof(lib, "leave")(1)
        elif how == 3:
            lib.leave_by_value(ffi.new("struct large *")[0])
        else:
            lib.leave(how)
"""

CDEF = "void go(int how);"
EXTRA = "void leave(int how); struct large { double d[9]; char c; }; void leave_by_value(struct large);"
SOURCE = """
    struct large { double d[9]; char c; };
    extern void leave(int how);
    extern void leave_by_value(struct large l);
"""

HOST = """
    #include <pthread.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <unistd.h>
    #include <sys/resource.h>
    #include "leaving.h"

    struct large { double d[9]; char c; };

    #ifdef __cplusplus
    extern "C" {
    #endif
    void leave(int how);
    void leave_by_value(struct large l);
    void leave(int how)
    {
        if (how == 5)
    #ifdef __cplusplus
            throw 1;
    #else
            return;
    #endif
        if (how == 4)
            pthread_cancel(pthread_self()), pthread_testcancel();
        pthread_exit(NULL);
    }
    void leave_by_value(struct large l) { leave((int)l.d[0]); }
    #ifdef __cplusplus
    }
    #endif

    static void *work(void *how)
    {
        go(atoi((const char *)how));
        puts("returned");
        return NULL;
    }

    int main(int argc, char **argv)
    {
        struct rlimit none = {0, 0};
        pthread_t thread;
        (void)argc;
        setrlimit(RLIMIT_CORE, &none);
        pthread_create(&thread, NULL, work, argv[1]);
        pthread_join(thread, NULL);
        return 0;
    }
"""

TOLD = (
    "keelback: a C function that Python called did not return: it has ended its thread (pthread_exit(), or "
    "pthread_cancel() from outside), or a C++ exception has left it. Python's part of the thread cannot be "
    "unwound, so the process is ended (abort)\n"
)


@pytest.fixture
def leaving(plugin, tmp_path):
    extra = tmp_path / "extra.cdef"
    extra.write_text(EXTRA)
    return plugin(CDEF, INIT, name="leaving", source=SOURCE, args=["--cdef", extra])


@pytest.mark.parametrize("how", [1, 2, 3, 4], ids=["wrapper", "registers", "by value", "cancelled"])
def test_pthread_exit_in_c_that_python_called(leaving, host, run, how):
    assert run(host(HOST, leaving, flags=["-rdynamic"]), how) == Ran(stderr=TOLD, code=-6)


def test_a_cxx_exception_that_leaves_c_that_python_called(leaving, host, run):
    ran = run(host(HOST, leaving, cxx=True, flags=["-rdynamic"]), 5)
    assert (ran.code, TOLD in ran.stderr) == (-6, True)
