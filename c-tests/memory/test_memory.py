"""Hosts under valgrind: no invalid read or write, no jump on an undefined value, from the plugin or the runtime."""

import shutil

import pytest
from harness import HERE, Ran

CDEF = """
    typedef struct { int x; double y; } pair;
    int add(int a, int b);
    pair swap(pair p);
    double total(const double *values, int count);
    const char *text(void);
    int fail(int a);
    int apply(int (*function)(int), int a);
    int unattached(void);
"""
INIT = """
    from memory import ffi

    @ffi.def_extern()
    def add(a, b):
        return a + b

    @ffi.def_extern()
    def swap(p):
        return (int(p.y), float(p.x))

    @ffi.def_extern()
    def total(values, count):
        return sum(ffi.unpack(values, count))

    kept = ffi.new("char[]", b"text")

    @ffi.def_extern()
    def text():
        return kept

    @ffi.def_extern(error=-1)
    def fail(a):
        raise ValueError(a)

    @ffi.def_extern()
    def apply(function, a):
        return function(a)
"""
HOST = """
    #include <pthread.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include "memory.h"

    static int errors;
    static void handler(const char *function, const char *message, void *data)
    {
        errors += function[0] != 0 && message[0] != 0 && data == &errors;
    }
    static int twice(int a) { return 2 * a; }
    static void *work(void *data)
    {
        int i;
        for (i = 0; i < 20; i++)
            *(int *)data += add(i, 1);
        return NULL;
    }

    int main(void)
    {
        double *values = malloc(3 * sizeof *values);
        int i, sums[4] = {0};
        pthread_t threads[4];
        pair p = {1, 2.0};

        memory_set_error_handler(handler, &errors);
        for (i = 0; i < 3; i++)
            values[i] = i + 0.5;
        printf("%d %g %s %d\\n", add(1, 2), total(values, 3), text(), apply(twice, 21));
        free(values);
        p = swap(p);
        printf("%d %g %d %d %d\\n", p.x, p.y, fail(1), fail(2), unattached());
        printf("%d\\n", memory_last_error() != NULL);
        for (i = 0; i < 4; i++)
            if (pthread_create(&threads[i], NULL, work, &sums[i]) != 0)
                return 2;
        for (i = 0; i < 4; i++)
            pthread_join(threads[i], NULL);
        printf("%d %d\\n", sums[0] + sums[1] + sums[2] + sums[3], errors);
        return 0;
    }
"""


def test_under_valgrind(plugin, host, run):
    if not shutil.which("valgrind"):
        pytest.skip("valgrind is not installed")
    # Python's own allocator hides every error from valgrind; the environment counts here to turn it off.
    built = plugin(CDEF, INIT, name="memory", args=["--use-environment"])
    ran = run(
        "valgrind", "--quiet", "--error-exitcode=9", "--num-callers=30", f"--suppressions={HERE / 'memory' / 'python.supp'}",
        host(HOST, built), env={"PYTHONMALLOC": "malloc"}, timeout=240,
    )  # fmt: skip
    assert (ran.stdout, ran.stderr, ran.code) == ("3 4.5 text 42\n2 1 -1 -1 0\n1\n840 3\n", "", 0)


def test_memory_does_not_grow(plugin, host, run):
    """A hundred thousand calls of each kind take no memory for good."""
    built = plugin(CDEF, INIT, name="memory", args=["--use-environment"])
    source = """
        #include <stdio.h>
        #include <unistd.h>
        #include "memory.h"

        static void handler(const char *function, const char *message, void *data)
        {
            (void)function, (void)message, (void)data;
        }

        static long resident(void)
        {
            long pages = 0;
            FILE *file = fopen("/proc/self/statm", "r");
            if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1)
                return -1;
            fclose(file);
            return pages * sysconf(_SC_PAGESIZE) / 1024;
        }

        static int twice(int a) { return 2 * a; }

        static void rounds(int count)
        {
            double values[3] = {1, 2, 3};
            pair p = {1, 2.0};
            while (count-- > 0) {
                add(1000000, count);
                total(values, 3);
                text();
                p = swap(p);
                apply(twice, count);
                if (count % 20 == 0)
                    fail(count);
            }
        }

        int main(void)
        {
            long before, grown;
            memory_set_error_handler(handler, NULL);
            rounds(2000);
            before = resident();
            rounds(50000);
            grown = resident() - before;
            printf("%s\\n", grown < 1024 ? "did not grow" : "grew");
            if (grown >= 1024)
                printf("by %ld KiB\\n", grown);
            return 0;
        }
    """
    assert run(host(source, built)) == Ran("did not grow\n")
