"""MemoryError under a real limit, and errors that come from elsewhere than the functions themselves."""

import pytest
from harness import Ran, python, version_of

CDEF = "int big(long mib); int many(long count); int fine(int x); int callback_big(int (*function)(long));"
INIT = """
    from limited import ffi

    @ffi.def_extern(error=-1)
    def big(mib):
        return len(bytearray(mib << 20)) >> 20

    @ffi.def_extern(error=-1)
    def many(count):
        return len([bytes(1000) for _ in range(count)])

    @ffi.def_extern(error=-1)
    def fine(x):
        return x + 1

    @ffi.def_extern(error=-2)
    def callback_big(function):
        return function(4000)
"""
HOST = """
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/resource.h>
    #include <unistd.h>
    #include "limited.h"

    static long used(void)
    {
        long pages = 0;
        FILE *file = fopen("/proc/self/statm", "r");
        if (file == NULL || fscanf(file, "%ld", &pages) != 1)
            exit(9);
        fclose(file);
        return pages * sysconf(_SC_PAGESIZE);
    }

    /* So many MiB more than now, and no more. */
    static void limit(double mib)
    {
        struct rlimit limits;
        getrlimit(RLIMIT_AS, &limits);
        limits.rlim_cur = used() + (long)(mib * 1024 * 1024);
        if (setrlimit(RLIMIT_AS, &limits) != 0)
            exit(8);
    }

    static inline void show(const char *what, int result)
    {
        const char *error = limited_last_error();
        printf("%s %d, %.*s\\n", what, result, error ? (int)strcspn(error, "\\n") : 4, error ? error : "none");
    }

    static inline int call_big(long mib) { return big(mib); }
"""


@pytest.fixture(scope="module")
def limited(plugin):
    return plugin(CDEF, INIT, name="limited")


def test_memory_error(limited, host, run):
    """One large piece, many small ones, in a nested call: an error like any other, and the next call works."""
    ran = run(host(HOST + """
        int main(void)
        {
            limited_start();
            limit(60);
            show("big", big(4000));
            show("fine", fine(1));
            show("many", many(1000000));
            show("fine", fine(2));
            show("nested", callback_big(call_big));
            show("small", big(1));
            return 0;
        }
    """, limited))
    lines = ran.stdout.splitlines()
    assert lines == [
        "big -1, limited.big: MemoryError",
        "fine 2, limited.big: MemoryError",
        "many -1, limited.many: MemoryError",
        "fine 3, limited.many: MemoryError",
        "nested -1, limited.big: MemoryError",
        "small 1, limited.big: MemoryError",
    ]
    assert ran.stderr.count("MemoryError\n") == 3 and ran.code == 0


def test_memory_errors_again_and_again(limited, host, run):
    """Each failure is an error, and the call after it works: what Keelback has put aside for that is filled up again."""
    ran = run(host(HOST + """
        int main(void)
        {
            int round;
            limited_start();
            limit(60);
            for (round = 0; round < 30; round++) {
                show("big", big(4000));
                show("fine", fine(1));
                show("many", many(1000000));
                show("fine", fine(2));
            }
            return 0;
        }
    """, limited))
    assert ran.stdout.splitlines() == 30 * [
        "big -1, limited.big: MemoryError",
        "fine 2, limited.big: MemoryError",
        "many -1, limited.many: MemoryError",
        "fine 3, limited.many: MemoryError",
    ]
    assert ran.stderr.count("MemoryError\n") == 60 and ran.code == 0


def test_no_memory_at_all_again_and_again(plugin, host, run):
    """Where not a byte is left, Keelback finishes what it does with what it has put aside; thirty times, for that is
    filled up again after each call."""
    built = plugin("int starve(void (*take)(void), void (*give)(void)); int fine(int x);", """
        from starved import ffi

        rounds = 0

        @ffi.def_extern(error=-1)
        def starve(take, give):
            global rounds
            rounds += 1
            type = f"int(*)(int({'*' * rounds})[9]{', char *' * 400})"
            take()
            try:
                ffi.typeof(type)
            finally:
                give()
            return rounds

        @ffi.def_extern(error=-1)
        def fine(x):
            return x + 1
    """, name="starved")
    ran = run(host("""
        #include <stdio.h>
        #include <stdlib.h>
        #include <sys/resource.h>
        #include <unistd.h>
        #include "starved.h"

        static void *taken;

        /* All memory that there is, the smallest pieces too; each begins with the address of the one before. */
        static void take(void)
        {
            size_t size;
            void **piece;
            for (size = 1 << 20; size >= 16; size /= 2)
                while ((piece = malloc(size - 8)) != NULL) {
                    *piece = taken;
                    taken = piece;
                }
        }

        static void give(void)
        {
            while (taken != NULL) {
                void *piece = taken;
                taken = *(void **)piece;
                free(piece);
            }
        }

        static void quiet(const char *function, const char *message, void *data) { (void)function, (void)message, (void)data; }

        int main(void)
        {
            struct rlimit limits;
            int round, result, good = 0;
            long pages = 0;
            FILE *file = fopen("/proc/self/statm", "r");
            starved_start();
            starved_set_error_handler(quiet, NULL);
            if (file == NULL || fscanf(file, "%ld", &pages) != 1 || getrlimit(RLIMIT_AS, &limits) != 0)
                return 2;
            fclose(file);
            limits.rlim_cur = pages * sysconf(_SC_PAGESIZE) + (60 << 20);
            if (setrlimit(RLIMIT_AS, &limits) != 0)
                return 3;
            for (round = 1; round <= 30; round++) {
                result = starve(take, give);
                give();
                good += (result == round || result == -1) && fine(round) == round + 1;
            }
            printf("%d\\n", good);
            return 0;
        }
    """, built))
    assert ran == Ran("30\n")


@pytest.mark.skipif(
    version_of(python()) not in ("3.10", "3.11"),
    reason="libpython has thread-local data from 3.12 on, and glibc ends the process where it has no memory for that",
)
def test_no_memory_for_a_new_thread(limited, host, run):
    """A thread makes its first call when not a byte is left: an error, and the next call works."""
    ran = run(host(HOST.replace("static void limit", "static inline void limit") + """
        #include <pthread.h>

        static pthread_barrier_t barrier;
        static void *taken;

        static void *work(void *unused)
        {
            pthread_barrier_wait(&barrier);
            printf("%d\\n", fine(1));
            pthread_barrier_wait(&barrier);
            pthread_barrier_wait(&barrier);
            printf("%d\\n", fine(1));
            return unused;
        }

        int main(void)
        {
            pthread_t thread;
            size_t size;
            void **piece;
            limited_start();
            pthread_barrier_init(&barrier, NULL, 2);
            pthread_create(&thread, NULL, work, NULL);
            setvbuf(stdout, NULL, _IONBF, 0);
            limit(1);
            for (size = 1 << 20; size >= 16; size /= 2)
                while ((piece = malloc(size - 8)) != NULL) {
                    *piece = taken;
                    taken = piece;
                }
            pthread_barrier_wait(&barrier);
            pthread_barrier_wait(&barrier);
            while ((piece = taken) != NULL) {
                taken = *piece;
                free(piece);
            }
            pthread_barrier_wait(&barrier);
            pthread_join(thread, NULL);
            return 0;
        }
    """, limited))
    assert ran == Ran("-1\n2\n", "limited.fine(): there is no memory for a thread of Python\n")


# Every start that has so much takes more; what is between is where it would end in the middle of one.
@pytest.mark.parametrize("mib", [0.5, 1, 3, 6, 9, *(half / 2 for half in range(20, 36)), 18, 19, 20, 21, 24, 28, 32, 40, 60])
def test_too_little_memory_to_start(limited, host, run, mib):
    """Whatever the limit: the host lives, and gets the answer or the error value and a text."""
    ran = run(host(HOST + """
        int main(int argc, char **argv)
        {
            int result;
            limit(atof(argv[argc - 1]));
            result = fine(41);
            printf("%s\\n", result == 42 ? "answer" : result == -1 && limited_last_error() != NULL ? "error" : "nothing");
            return 0;
        }
    """, limited), mib)
    assert ran.stdout in ("answer\n", "error\n") and ran.code == 0, ran.stderr
    # Python's own start may have something to say about it too.
    assert ran.stdout == "answer\n" or "\nlimited: fine was called, but" in ran.stderr or ran.stderr.startswith("limited: ")


def test_exception_in_a_thread_of_the_init_code(plugin, host, run):
    """Printed as Python prints it; the start succeeds, and the host's last error is none."""
    built = plugin("int fine(int x);", """
        import threading
        from threaded import ffi

        def fail():
            raise ValueError("in a thread")

        thread = threading.Thread(target=fail, name="worker")
        thread.start()
        thread.join()

        @ffi.def_extern()
        def fine(x):
            return x + 1
    """, name="threaded")
    ran = run(host("""
        #include <stdio.h>
        #include "threaded.h"
        int main(void)
        {
            int result = fine(1);
            printf("%d %s\\n", result, threaded_last_error() == NULL ? "none" : threaded_last_error());
            return 0;
        }
    """, built))
    assert ran.stdout == "2 none\n" and ran.code == 0
    assert ran.stderr.startswith("Exception in thread worker:\nTraceback (most recent call last):\n")
    assert '  File "init.py", line 5, in fail\n' in ran.stderr and ran.stderr.endswith("ValueError: in a thread\n")


def test_start_again_after_a_package_was_installed(plugin, host, run, tmp_path):
    """The init code's import fails; the host puts the package where it belongs and starts again."""
    built = plugin("int fine(int x);", f"""
        import sys
        sys.path.insert(0, {str(tmp_path)!r}) if {str(tmp_path)!r} not in sys.path else None
        import keelback_missing_package
        from mended import ffi

        @ffi.def_extern()
        def fine(x):
            return x + keelback_missing_package.VALUE
    """, name="mended")
    ran = run(host("""
        #include <stdio.h>
        #include <string.h>
        #include <time.h>
        #include <unistd.h>
        #include "mended.h"
        int main(int argc, char **argv)
        {
            FILE *file;
            printf("%d\\n", fine(1));
            printf("%d ", mended_start() < 0);
            printf("%.*s\\n", (int)strcspn(mended_last_error(), "\\n"), mended_last_error());
            file = fopen(argv[argc - 1], "w");
            fputs("VALUE = 41\\n", file);
            fclose(file);
            /* Python trusts the directory's time for so long. */
            sleep(1);
            printf("%d\\n", mended_start());
            printf("%d ", fine(1));
            printf("%s\\n", mended_last_error() == NULL ? "none" : mended_last_error());
            return 0;
        }
    """, built), tmp_path / "keelback_missing_package.py")
    error = "mended: the init code failed: ModuleNotFoundError: No module named 'keelback_missing_package'"
    assert (ran.stdout, ran.code) == (f"0\n1 {error}\n0\n42 none\n", 0)


def test_start_again_after_a_directory_was_made(plugin, host, run, tmp_path):
    """The directory on sys.path was not there at the first start; then it is, with a package in it. There is nothing to
    wait for."""
    place = tmp_path / "later"
    built = plugin("int fine(int x);", f"""
        import sys
        from made import ffi
        if {str(place)!r} not in sys.path:
            sys.path.insert(0, {str(place)!r})
        from keelback_later import part

        @ffi.def_extern()
        def fine(x):
            return x + part.VALUE
    """, name="made")
    ran = run(host("""
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <sys/stat.h>
        #include <unistd.h>
        #include "made.h"

        static void write_to(const char *path, const char *text)
        {
            FILE *file = fopen(path, "w");
            if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
                exit(3);
        }

        int main(int argc, char **argv)
        {
            int i;
            for (i = 0; i < 2; i++) {
                printf("%d ", made_start());
                printf("%.*s\\n", (int)strcspn(made_last_error(), "\\n"), made_last_error());
            }
            if (argc != 2 || mkdir(argv[1], 0777) != 0 || chdir(argv[1]) != 0 || mkdir("keelback_later", 0777) != 0)
                return 2;
            write_to("keelback_later/__init__.py", "");
            write_to("keelback_later/part.py", "VALUE = 41\\n");
            printf("%d\\n", made_start());
            printf("%d %s\\n", fine(1), made_last_error() == NULL ? "none" : made_last_error());
            return 0;
        }
    """, built), place)
    error = "made: the init code failed: ModuleNotFoundError: No module named 'keelback_later'"
    assert ran == Ran(f"-3 {error}\n-3 {error}\n0\n42 none\n")


def test_debuggers_and_tracers_find_the_frozen_lines(plugin, host, run):
    """pdb in a release library's code, because that code says so; a tracer sees its file and lines; warnings show them."""
    built = plugin("int traced(int x);", """
        import linecache, pdb, sys, warnings
        from frozen import ffi

        def work(x):
            y = x + 1
            return y

        @ffi.def_extern()
        def traced(x):
            seen = []
            def trace(frame, event, argument):
                if frame.f_code is work.__code__:
                    seen.append((event, frame.f_code.co_filename, linecache.getline(frame.f_code.co_filename, frame.f_lineno, frame.f_globals).strip()))
                return trace
            sys.settrace(trace)
            work(x)
            sys.settrace(None)
            for event in seen:
                print(*event)
            warnings.warn("shown")
            pdb.Pdb(nosigint=True).runcall(work, x)
            return 0
    """, name="frozen")
    ran = run(host("""
        #include "frozen.h"
        int main(void) { return traced(1); }
    """, built), stdin="n\nl\np y\nc\n")
    assert ran.code == 0
    lines = [line.rstrip() for line in ran.stdout.replace("(Pdb) ", "").splitlines()]
    assert lines[:4] == [
        "call init.py def work(x):", "line init.py y = x + 1", "line init.py return y", "return init.py return y",
    ]
    # Where pdb says a file is depends on its working directory: it takes any name for a path.
    assert lines[4].endswith("init.py(5)work()") and lines[5] == "-> y = x + 1"
    assert "  6  ->\t    return y".rstrip() in lines and "2" in lines
    assert ran.stderr.endswith('init.py:20: UserWarning: shown\n  warnings.warn("shown")\n'), ran.stderr
