"""Standard output and error, and the end of the process."""

import re

import pytest
from harness import Ran

CDEF = "void say(const char *text); void complain(const char *text); void at_exit(int kind); void open_file(const char *path);"
INIT = """
    import atexit
    import sys

    from output import ffi

    @ffi.def_extern()
    def say(text):
        print(ffi.string(text).decode())

    @ffi.def_extern()
    def complain(text):
        print(ffi.string(text).decode(), file=sys.stderr, end="")

    @ffi.def_extern()
    def at_exit(kind):
        atexit.register(print, "atexit function", kind)

    @ffi.def_extern()
    def open_file(path):
        global file
        file = open(ffi.string(path), "w")
        file.write("written at the end\\n")
"""


@pytest.fixture(scope="module")
def output(plugin):
    return plugin(CDEF, INIT, name="output")


def test_order(output, host, run):
    """Python's lines and C's keep their order, also when standard output is a pipe."""
    program = host(
        """
        #include <stdio.h>
        #include "output.h"

        int main(void)
        {
            int i;
            for (i = 0; i < 3; i++) {
                printf("C %d\\n", i);
                fflush(stdout);
                say("Python");
            }
            return 0;
        }
        """,
        output,
    )
    assert run(program) == Ran("C 0\nPython\nC 1\nPython\nC 2\nPython\n")


@pytest.mark.parametrize("end, code", [("return 3", 3), ("exit(3)", 3), ("_exit(3)", 3), ("abort()", -6), ("quick_exit(3)", 3)])
def test_nothing_is_lost_at_the_end(output, host, run, end, code):
    program = host(
        f"""
        #include <stdlib.h>
        #include <unistd.h>
        #include "output.h"

        int main(void)
        {{
            say("to stdout");
            complain("to stderr");
            {end};
        }}
        """,
        output,
        flags=["-D_GNU_SOURCE"],
    )
    assert run(program) == Ran("to stdout\n", "to stderr", code)


def test_atexit_and_open_files(output, host, run, tmp_path):
    """Python's atexit functions run once, the last registered first, and open files are written."""
    program = host(
        """
        #include <stdio.h>
        #include <stdlib.h>
        #include "output.h"

        static void own(void) { printf("C's atexit function\\n"); fflush(stdout); }

        int main(int argc, char **argv)
        {
            atexit(own);
            at_exit(1);
            at_exit(2);
            open_file(argv[argc - 1]);
            printf("main ends\\n");
            fflush(stdout);
            return 5;
        }
        """,
        output,
    )
    file = tmp_path / "file"
    assert run(program, file) == Ran("main ends\natexit function 2\natexit function 1\nC's atexit function\n", code=5)
    assert file.read_text() == "written at the end\n"


def test_exit_on_another_thread(output, host, run):
    """exit() while another thread is inside Python: the process ends, with its status."""
    program = host(
        """
        #include <pthread.h>
        #include <stdlib.h>
        #include <unistd.h>
        #include "output.h"

        static void *work(void *unused)
        {
            for (;;)
                say("x");
            return unused;
        }

        int main(void)
        {
            pthread_t thread;
            say("first");
            pthread_create(&thread, NULL, work, NULL);
            usleep(20000);
            exit(4);
        }
        """,
        output,
    )
    ran = run(program)
    assert ran.code == 4 and ran.stderr == ""
    # print() writes the text and the end of the line one after the other: exit() may come in between.
    assert re.fullmatch(r"first\n(x\n)+x?", ran.stdout)


def test_closed_standard_streams(output, host, run):
    """A host whose standard streams are closed, as a daemon's."""
    program = host(
        """
        #include <stdio.h>
        #include <unistd.h>
        #include "output.h"

        int main(int argc, char **argv)
        {
            FILE *file;
            close(0);
            close(1);
            close(2);
            say("nobody hears");
            complain("nobody hears");
            file = fopen(argv[argc - 1], "w");
            fprintf(file, "%s\\n", output_last_error() == NULL ? "no error" : output_last_error());
            return fclose(file);
        }
        """,
        output,
    )
    file = run.__self__.directory / "closed-streams"
    assert run(program, file).code == 0
    assert file.read_text().startswith("no error\n")


def test_broken_pipe_ends_nothing_else(output, host, run):
    """The reader of standard output is gone, and the host ignores SIGPIPE: calls go on, the failure is told."""
    program = host(
        """
        #include <signal.h>
        #include <stdio.h>
        #include <unistd.h>
        #include "output.h"

        int main(void)
        {
            int ends[2];
            signal(SIGPIPE, SIG_IGN);
            if (pipe(ends) != 0 || close(ends[0]) != 0 || dup2(ends[1], 1) < 0)
                return 2;
            say("nobody hears");
            say("nobody hears");
            complain("alive\\n");
            return 0;
        }
        """,
        output,
    )
    ran = run(program)
    assert ran.code == 0 and ran.stdout == ""
    # Once, not after each call.
    assert ran.stderr.count("BrokenPipeError: [Errno 32] Broken pipe\n") == 1 and ran.stderr.endswith("\nalive\n")
