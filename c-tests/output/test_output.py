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


def test_who_prints_nothing_waits_for_nobody(plugin, host, run):
    """A thread is stuck in print(): nobody reads the pipe. Others call, and start to call, meanwhile; its text comes whole."""
    built = plugin("int add(int a, int b); void say(const char *text);", """
        from output import ffi

        @ffi.def_extern()
        def add(a, b):
            return a + b

        @ffi.def_extern()
        def say(text):
            print(ffi.string(text).decode())
    """, name="output")
    program = host(
        """
        #include <poll.h>
        #include <pthread.h>
        #include <stdio.h>
        #include <string.h>
        #include <unistd.h>
        #include "output.h"

        static char text[300001], read_back[sizeof text];
        static void *print(void *unused)
        {
            memset(text, 'z', sizeof text - 1);
            say(text);
            return unused;
        }

        static void *call(void *data)
        {
            int i;
            for (i = 0; i < 500; i++)
                *(int *)data += add(i, 1) == i + 1;
            return NULL;
        }

        int main(void)
        {
            int ends[2], out = dup(1), right[2] = {0};
            size_t count = 0;
            struct pollfd full = {.events = POLLOUT}, more = {.events = POLLIN};
            pthread_t printing, calling;
            alarm(30);
            if (pipe(ends) != 0 || dup2(ends[1], 1) < 0)
                return 2;
            full.fd = ends[1];
            more.fd = ends[0];
            add(1, 2);
            pthread_create(&printing, NULL, print, NULL);
            while (poll(&full, 1, 0) != 0)
                usleep(1000);
            call(&right[0]);
            pthread_create(&calling, NULL, call, &right[1]);
            pthread_join(calling, NULL);
            dprintf(out, "%d %d\\n", right[0], right[1]);
            while (count < sizeof text) {
                ssize_t got = read(ends[0], read_back + count, sizeof text - count);
                if (got <= 0)
                    return 3;
                count += got;
            }
            text[sizeof text - 1] = '\\n';
            pthread_join(printing, NULL);
            add(1, 2);
            dprintf(out, "%s\\n", memcmp(text, read_back, sizeof text) == 0 && poll(&more, 1, 0) == 0 ? "whole" : "not as printed");
            return 0;
        }
        """,
        built,
    )
    assert run(program) == Ran("500 500\nwhole\n")


@pytest.mark.parametrize("end", ["return 3", "_exit(3)"])
def test_lines_of_a_thread_of_python(plugin, host, run, end):
    """They are out when they end, though no call returns: in order with the host's, and before _exit()."""
    built = plugin("void print_in_background(int begin, int done);", """
        import os
        import sys
        import threading
        from output import ffi

        @ffi.def_extern()
        def print_in_background(begin, done):
            def work():
                while os.read(begin, 1):
                    print("Python", "one", sep=" ")
                    print("two\\nlines")
                    print("complaint", file=sys.stderr)
                    os.write(done, b".")
            threading.Thread(target=work, daemon=True).start()
    """, name="output")
    program = host(
        f"""
        #include <stdio.h>
        #include <unistd.h>
        #include "output.h"

        static int begin[2], done[2];
        static int once(void)
        {{
            char byte = '.';
            return write(begin[1], &byte, 1) == 1 && read(done[0], &byte, 1) == 1 && write(1, "C\\n", 2) == 2;
        }}

        int main(void)
        {{
            if (pipe(begin) != 0 || pipe(done) != 0)
                return 2;
            print_in_background(begin[0], done[1]);
            if (!once() || !once())
                return 4;
            {end};
        }}
        """,
        built,
    )
    assert run(program) == Ran("Python one\ntwo\nlines\nC\n" * 2, "complaint\n" * 2, 3)


# What programs put in the place of sys.stdout.
REPLACEMENTS = {
    "wrapped": 'sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8")',
    "detached": 'sys.stdout = io.TextIOWrapper(sys.stdout.detach(), encoding="utf-8")',
    "opened": 'sys.stdout = open(1, "w", closefd=False)',
    "duplicated": 'sys.stdout = os.fdopen(os.dup(1), "w")',
    "reconfigured": "sys.stdout.reconfigure(write_through=False)",
    "tee": "sys.stdout = Tee(sys.stdout)",
}
REPLACED_INIT = """
    import io
    import os
    import sys
    from output import ffi

    class Tee:
        def __init__(self, stream):
            self.stream = stream
            self.copy = []

        def write(self, text):
            self.copy.append(text)
            return self.stream.write(text)

        def flush(self):
            self.stream.flush()

    @ffi.def_extern()
    def replace():
        {in_function}

    @ffi.def_extern()
    def say(text):
        print(ffi.string(text).decode())

    @ffi.def_extern()
    def call(function):
        print("Python calls")
        function()
        print("has called")

    {at_top_level}
"""
REPLACED_HOST = """
    #include <string.h>
    #include <unistd.h>
    #include "output.h"

    static void write_line(const char *text)
    {
        if (write(1, text, strlen(text)) < 0)
            _exit(99);
    }

    static void middle(void) { write_line("C in the middle\\n"); }

    int main(void)
    {
        write_line("C first\\n");
        say("Python first");
        write_line("C second\\n");
        replace();
        say("Python second");
        write_line("C third\\n");
        call(middle);
        write_line("C fourth\\n");
        say("Python last");
        END;
    }
"""
REPLACED_OUT = """\
C first
Python first
C second
Python second
C third
Python calls
C in the middle
has called
C fourth
Python last
"""


@pytest.fixture(scope="module")
def replaced(plugin, host, run):
    """replaced(end, at_top_level=..., in_function=...): runs a host whose plugin does this with sys.stdout."""

    def replaced(end, **code):
        init = REPLACED_INIT.format(**{"at_top_level": "pass", "in_function": "pass", **code})
        built = plugin("void replace(void); void say(const char *text); void call(void (*function)(void));", init, name="output")
        return run(host(REPLACED_HOST.replace("END", end), built))

    return replaced


@pytest.mark.parametrize("end", ["return 3", "_exit(3)"])
@pytest.mark.parametrize("how", REPLACEMENTS)
def test_stdout_replaced_by_the_init_code(replaced, how, end):
    """Another stream in the place of sys.stdout keeps the order too, and loses nothing."""
    assert replaced(end, at_top_level=REPLACEMENTS[how]) == Ran(REPLACED_OUT, code=3)


@pytest.mark.parametrize("end", ["return 3", "_exit(3)"])
@pytest.mark.parametrize("how", [how for how in REPLACEMENTS if how != "reconfigured"])
def test_stdout_replaced_in_a_call(replaced, how, end):
    """Also when a function puts it there, after the init code."""
    assert replaced(end, in_function=REPLACEMENTS[how]) == Ran(REPLACED_OUT, code=3)


def test_exit_while_another_thread_is_stuck(plugin, host, run):
    """A thread that prints into a full pipe does not keep the process from ending; open files are written all the same."""
    built = plugin("void fill(void); int add(int a, int b);", """
        from stuck import ffi

        file = open("left-open", "w")

        @ffi.def_extern()
        def fill():
            print("z" * 300_000)

        @ffi.def_extern()
        def add(a, b):
            file.write(str(a + b))
            return a + b
    """, name="stuck")
    ran = run(host("""
        #include <pthread.h>
        #include <stdlib.h>
        #include <unistd.h>
        #include "stuck.h"

        static void *work(void *unused) { fill(); return unused; }

        int main(void)
        {
            int ends[2];
            pthread_t thread;
            if (pipe(ends) != 0 || dup2(ends[1], 1) < 0)
                return 2;
            alarm(30);
            add(1, 2);
            pthread_create(&thread, NULL, work, NULL);
            usleep(300000);
            exit(4);
        }
    """, built), cwd=built.directory)
    assert ran == Ran("", "", 4)
    assert (built.directory / "left-open").read_text() == "3"
