"""The end of the process, and what comes near it: exit handlers, destructors, exit in the middle of a call, dlclose."""

import bz2
import gzip
import lzma
import os
import zipfile

import pytest
from harness import Ran

CDEF = """
    int add(int a, int b);
    void say(const char *text);
    int call(int (*function)(void));
    void run_thread(void);
    int ticks(void);
    void register_exit(void);
    void open_file(const char *path);
"""
INIT = """
    import atexit
    import threading
    import time
    from ending import ffi

    count = 0

    @ffi.def_extern()
    def add(a, b):
        return a + b

    @ffi.def_extern()
    def say(text):
        print(ffi.string(text).decode())

    @ffi.def_extern()
    def call(function):
        print("in")
        return function()

    def tick():
        global count
        while True:
            count += 1
            time.sleep(0.001)

    @ffi.def_extern()
    def run_thread():
        threading.Thread(target=tick, daemon=True).start()

    @ffi.def_extern()
    def ticks():
        return count

    @ffi.def_extern()
    def register_exit():
        atexit.register(print, "Python's exit function")

    @ffi.def_extern()
    def open_file(path):
        global file
        file = open(ffi.string(path), "w")
        file.write("written at the end\\n")
"""
HEAD = """
    #define _GNU_SOURCE
    #include "host.h"
    #include <pthread.h>
    #include <sys/wait.h>
    #include <unistd.h>
    #include "ending.h"
"""


@pytest.fixture(scope="module")
def ending(plugin):
    return plugin(CDEF, INIT, name="ending")


@pytest.fixture(scope="module")
def program(ending, host):
    return lambda body: host(HEAD + body, ending)


def test_exit_in_a_callback(program, run, tmp_path):
    """C, called by Python, calls exit(): exit functions run once, open files are written, nothing hangs."""
    ran = run(program("""
        static int leave(void) { exit(7); }

        int main(int argc, char **argv)
        {
            register_exit();
            open_file(argv[argc - 1]);
            return call(leave);
        }
    """), tmp_path / "file")
    assert ran == Ran("in\nPython's exit function\n", code=7)
    assert (tmp_path / "file").read_text() == "written at the end\n"


def test_exit_in_a_callback_on_another_thread(program, run):
    assert run(program("""
        static int leave(void) { exit(7); }
        static void *work(void *unused) { call(leave); return unused; }

        int main(void)
        {
            pthread_t thread;
            register_exit();
            pthread_create(&thread, NULL, work, NULL);
            pthread_join(thread, NULL);
            return 1;
        }
    """)) == Ran("in\nPython's exit function\n", code=7)


@pytest.mark.parametrize("leave, code", [("_exit(7)", 7), ("abort()", -6)])
def test_output_of_a_call_that_does_not_return(ending, host, run, leave, code):
    """What Python printed is out before it calls C."""
    assert run(host(HEAD + f"""
        static int leave(void) {{ {leave}; }}
        int main(void) {{ return call(leave); }}
    """, ending)) == Ran("in\n", code=code)


def test_pthread_exit_in_a_callback(program, run):
    """A thread that C ends inside of a call takes nothing with it."""
    assert run(program("""
        static void *work(void *unused)
        {
            add(1, 2);
            pthread_exit(unused);
        }

        int main(void)
        {
            pthread_t thread;
            pthread_create(&thread, NULL, work, NULL);
            pthread_join(thread, NULL);
            printf("%d\\n", add(40, 2));
            return 0;
        }
    """)) == Ran("42\n")


def test_calls_after_main(program, run):
    """From exit handlers and destructors, registered before and after Python came: they work, since Python is not ended."""
    assert run(program("""
        static void early(void) { printf("early %d\\n", add(40, 2)); fflush(stdout); }
        static void late(void) { printf("late %d\\n", add(40, 3)); fflush(stdout); }
        __attribute__((destructor)) static void last(void) { printf("destructor %d\\n", add(40, 4)); fflush(stdout); }

        int main(void)
        {
            atexit(early);
            register_exit();
            atexit(late);
            return 3;
        }
    """)) == Ran("late 43\nPython's exit function\nearly 42\ndestructor 44\n", code=3)


def test_first_call_after_main(program, run):
    """Python starts when the process is about to end: calls work."""
    assert run(program("""
        static void early(void) { say("in an exit handler"); printf("%d\\n", add(40, 2)); fflush(stdout); }

        int main(void)
        {
            atexit(early);
            return 3;
        }
    """)) == Ran("in an exit handler\n42\n", code=3)


def test_first_call_in_a_destructor(program, run):
    assert run(program("""
        __attribute__((destructor)) static void last(void) { printf("%d\\n", add(40, 2)); fflush(stdout); }
        int main(void) { return 3; }
    """)) == Ran("42\n", code=3)


def test_threads_that_call_while_the_process_ends(program, run):
    """exit() with threads in Python, in C, and waiting: the process ends with its status."""
    assert run(program("""
        static void *work(void *unused)
        {
            for (;;)
                add(1, 2);
            return unused;
        }

        int main(void)
        {
            pthread_t threads[8];
            int i;
            register_exit();
            run_thread();
            for (i = 0; i < 8; i++)
                pthread_create(&threads[i], NULL, work, NULL);
            usleep(30000);
            return 6;
        }
    """)) == Ran("Python's exit function\n", code=6)


@pytest.mark.parametrize("end", ["return 3;", "exit(3);", "_exit(3);", "quick_exit(3);", "abort();"])
@pytest.mark.parametrize("to", ["pipe", "file"])
def test_output_in_order(ending, host, run, tmp_path, end, to):
    """Python's lines and the host's own keep their order in a pipe and in a file, whatever ends the process."""
    built = host(HEAD + f"""
        static int middle(void) {{ printf("C in the middle\\n"); fflush(stdout); return 5; }}
        int main(int argc, char **argv)
        {{
            if (argc > 1 && freopen(argv[1], "w", stdout) == NULL)
                return 9;
            printf("C first\\n");
            fflush(stdout);
            say("Python first");
            printf("C second\\n");
            fflush(stdout);
            printf("%d from Python\\n", call(middle));
            fflush(stdout);
            say("Python last");
            {end}
        }}
    """, ending)
    expected = "C first\nPython first\nC second\nin\nC in the middle\n5 from Python\nPython last\n"
    code = -6 if end == "abort();" else 3
    file = tmp_path / "file"
    ran = run(built, *([file] if to == "file" else []))
    told = file.read_text() if to == "file" else ran.stdout
    assert (told, ran.stderr, ran.code) == (expected, "", code)


def test_dlclose_while_a_thread_of_python_runs(ending, host, run):
    """The plugin is closed and opened while its own background thread ticks on."""
    program = host(HEAD + """
        int main(int argc, char **argv)
        {
            int round, seen = 0, next;
            void *plugin = host_open(argv[argc - 1], RTLD_NOW);
            void (*start)(void);
            int (*look)(void);
            HOST_SYMBOL(start, plugin, "run_thread");
            start();
            for (round = 0; round < 50; round++) {
                dlclose(plugin);
                usleep(2000);
                plugin = host_open(argv[argc - 1], RTLD_NOW);
                HOST_SYMBOL(look, plugin, "ticks");
                next = look();
                if (next < seen)
                    return 1;
                seen = next;
            }
            printf("%s\\n", seen > 0 ? "ticked" : "stood still");
            return dlclose(plugin);
        }
    """, ending, link=False)
    assert run(program, ending.library) == Ran("ticked\n")


def test_dlclose_from_another_thread(ending, host, run):
    """One thread opens, calls and closes; so do others at the same time."""
    program = host(HEAD + """
        static const char *path;
        static void *work(void *data)
        {
            int round, (*sum)(int, int);
            for (round = 0; round < 100; round++) {
                void *plugin = host_open(path, RTLD_LAZY);
                HOST_SYMBOL(sum, plugin, "add");
                if (sum(round, 1) != round + 1)
                    ++*(int *)data;
                dlclose(plugin);
            }
            return NULL;
        }

        int main(int argc, char **argv)
        {
            pthread_t threads[6];
            int i, wrong[6] = {0};
            path = argv[argc - 1];
            for (i = 0; i < 6; i++)
                pthread_create(&threads[i], NULL, work, &wrong[i]);
            for (i = 0; i < 6; i++)
                pthread_join(threads[i], NULL);
            printf("%d wrong\\n", wrong[0] + wrong[1] + wrong[2] + wrong[3] + wrong[4] + wrong[5]);
            return 0;
        }
    """, ending, link=False)
    assert run(program, ending.library) == Ran("0 wrong\n")


@pytest.fixture(scope="module")
def opener(plugin, host):
    """A program that opens files in a directory, and writes to them."""
    return host(HEAD + """
        int main(int argc, char **argv)
        {
            open_files(argv[argc - 1], atoi(argv[1]));
            return 3;
        }
    """, plugin("void open_files(const char *directory, int text);", """
        import bz2, gzip, lzma, os, tempfile, zipfile
        from ending import ffi

        files = []

        @ffi.def_extern()
        def open_files(directory, text):
            os.chdir(ffi.string(directory))
            for function, name in ((open, "plain"), (gzip.open, "gzip"), (bz2.open, "bz2"), (lzma.open, "xz")):
                files.append(function(name, "wt" if text else "wb"))
                line = f"{name}, not closed\\n"
                files[-1].write(line if text else line.encode())
            files.append(zipfile.ZipFile("zip", "w"))
            files[-1].writestr("whole", "whole member\\n")
            # The archive is whole only after its member is.
            files.append(files[-1].open("part", "w"))
            files[-1].write(b"open member\\n")
            files.append(tempfile.NamedTemporaryFile("w" if text else "wb", dir="."))
            files[-1].write("to be deleted\\n" if text else b"to be deleted\\n")
    """, name="ending"))


@pytest.mark.parametrize("text", [0, 1], ids=["binary", "text"])
def test_open_files_are_whole(opener, run, tmp_path, text):
    """Also those of the standard library that are whole only when closed, or that are to be deleted then."""
    assert run(opener, text, tmp_path) == Ran(code=3)
    assert sorted(os.listdir(tmp_path)) == ["bz2", "gzip", "plain", "xz", "zip"]
    came = {}
    for function, name in ((open, "plain"), (gzip.open, "gzip"), (bz2.open, "bz2"), (lzma.open, "xz")):
        with function(tmp_path / name, "rt") as file:
            came[name] = file.read()
    assert came == {name: f"{name}, not closed\n" for name in came}
    with zipfile.ZipFile(tmp_path / "zip") as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {"whole": b"whole member\n", "part": b"open member\n"}


LATE = """
    static const char *directory;
    static void leave(const char *name)
    {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", directory, name);
        open_file(path);
        register_exit();
        say(name);
    }
    static void early(void) { leave("exit handler"); }
    __attribute__((destructor)) static void last(void) { leave("destructor"); }

    int main(int argc, char **argv)
    {
        directory = argv[argc - 1];
        atexit(early);
        FIRST
        return 3;
    }
"""


@pytest.mark.parametrize("first", ["add(1, 2);", ""], ids=["called before", "first call"])
def test_what_late_handlers_leave(program, run, tmp_path, first):
    """Python's exit functions that a handler of before the first call, or a destructor, registers run too, and the files that
    they open are written."""
    ran = run(program(LATE.replace("FIRST", first)), tmp_path)
    # Where Python came before, its exit functions have run before the handler does: the very end is next.
    end = "Python's exit function\n"
    assert ran == Ran(f"exit handler\n{'' if first else end}destructor\n{end if first else ''}{end}", code=3)
    for name in ("exit handler", "destructor"):
        assert (tmp_path / name).read_text() == "written at the end\n"
