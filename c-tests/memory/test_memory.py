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


# -- a million calls --

MANY_CDEF = """
    typedef struct { short a; char b; } small;
    typedef struct { double values[6]; } large;
    typedef struct { unsigned a : 5; int b : 9; } bits;
    typedef union { int i; double d; } either;
    long integers(signed char a, unsigned short b, int c, unsigned long d, _Bool e);
    double reals(float a, double b);
    long double extended(long double a);
    int characters(char a, int b);
    int *pointers(int *a, const char *text);
    small swap(small s);
    large twice_as_large(large l);
    bits change(bits b);
    either other(either e);
    int apply(int (*function)(int), int a);
    int on_the_stack(int a, int b, int c, int d, int e, int f, int g, int h, double i);
    void *same(void *handle);
    void nothing(void);
    int fail(int a);
    long blocks(void);
    long objects(void);
"""
MANY_INIT = """
    import gc, sys
    from many import ffi

    @ffi.def_extern()
    def integers(a, b, c, d, e): return a + b + c + d + e
    @ffi.def_extern()
    def reals(a, b): return a + b
    @ffi.def_extern()
    def extended(a): return a
    @ffi.def_extern()
    def characters(a, b): return a[0] + b
    @ffi.def_extern()
    def pointers(a, text):
        a[0] = len(ffi.string(text))
        return a
    @ffi.def_extern()
    def swap(s): return [s.a + 1, s.b]
    @ffi.def_extern()
    def twice_as_large(l):
        for i in range(6):
            l.values[i] *= 2
        return l
    @ffi.def_extern()
    def change(b): return {"a": b.b & 31, "b": b.a}
    @ffi.def_extern()
    def other(e): return {"d": e.i}
    @ffi.def_extern()
    def apply(function, a): return function(a)
    @ffi.def_extern()
    def on_the_stack(a, b, c, d, e, f, g, h, i): return a + b + c + d + e + f + g + h + int(i)
    @ffi.def_extern()
    def same(handle): return handle
    @ffi.def_extern()
    def nothing(): pass
    @ffi.def_extern(error=-1)
    def fail(a): raise ValueError(a)

    @ffi.def_extern()
    def blocks():
        gc.collect()
        return sys.getallocatedblocks()
    @ffi.def_extern()
    def objects():
        gc.collect()
        return len(gc.get_objects())
"""
MANY_HOST = """
    #include <stdio.h>
    #include <unistd.h>
    #include "many.h"

    static long failures, wrong;

    static void handler(const char *function, const char *message, void *data)
    {
        (void)function, (void)message, (void)data;
        failures++;
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

    /* A call of each kind in each round; exceptions cost a traceback, so fewer of them. */
    static void rounds(int count)
    {
        int number = 0;
        small s = {1, 'b'};
        large l = {{1, 2, 3, 4, 5, 6}};
        bits b = {3, 5};
        either e;
        for (; count > 0; count--) {
            int i = count & 1023;
            e.i = i;
            wrong += integers(-5, 7, i, 1000000, 1) != i + 1000003;
            wrong += reals(0.5f, i) != i + 0.5;
            wrong += extended(i + 0.25L) != i + 0.25L;
            wrong += characters('a', i) != 'a' + i;
            wrong += *pointers(&number, "four") != 4;
            s.a = (short)i;
            wrong += swap(s).a != i + 1;
            wrong += twice_as_large(l).values[5] != 12;
            wrong += change(b).a != 5;
            wrong += other(e).d != i;
            wrong += apply(twice, i) != 2 * i;
            wrong += on_the_stack(1, 2, 3, 4, 5, 6, 7, i, 9.5) != 37 + i;
            wrong += same(&number) != &number;
            nothing();
            if (count % 50 == 0)
                wrong += fail(i) != -1;
        }
    }

    int main(void)
    {
        long memory, counted, tracked;
        many_set_error_handler(handler, NULL);
        rounds(2000);
        memory = resident(), counted = blocks(), tracked = objects();
        rounds(1000000);
        counted = blocks() - counted, tracked = objects() - tracked, memory = resident() - memory;
        printf("%ld wrong, %ld failures\\n", wrong, failures);
        if (memory > 1024)
            printf("memory grew by %ld KiB\\n", memory);
        /* Python's own caches fill up; what leaks, leaks at least once for each of the 20 000 failures. */
        if (counted > 1000)
            printf("%ld blocks more\\n", counted);
        if (tracked > 10)
            printf("%ld objects more\\n", tracked);
        return 0;
    }
"""


def test_a_million_calls(plugin, host, run):
    """A million calls of each kind of signature take no memory for good, and leave no object behind."""
    built = plugin(MANY_CDEF, MANY_INIT, name="many")
    assert run(host(MANY_HOST, built), timeout=600) == Ran("0 wrong, 20040 failures\n")
