#!/usr/bin/env python3
"""What a call from Python into C costs, beside CFFI's ABI mode and ctypes.

    python bench/python_to_c.py [--json] [--repeat N] [CASE...]

Stage the package first, from a release build: `python python/stage.py --profile release`, then run this with
PYTHONPATH=target/python and a Python that has cffi. Times are nanoseconds per call (the loop's own time taken off),
best of all rounds; rounds of all implementations alternate, so that a slow moment of the machine hits all of them.
Only the ratio to CFFI in the same run means anything.
"""
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import loops

C_SOURCE = """
#include <stdlib.h>
struct point { int x, y; };
void noop(void) {}
int absolute(int x) { return x < 0 ? -x : x; }
int add(int a, int b) { return a + b; }
double half(double x) { return x / 2; }
unsigned long length(const char *s) { unsigned long n = 0; while (s[n]) n++; return n; }
int sum_point(struct point *p) { return p->x + p->y; }
double sum9(int a, double b, long c, double d, int e, double f, long g, int h, long i)
{
    return a + b + c + d + e + f + g + h + i;
}
struct point shift(struct point p) { p.x++; return p; }
"""

CDEF = """
struct point { int x, y; };
void noop(void);
int absolute(int);
int add(int, int);
double half(double);
unsigned long length(const char *);
int sum_point(struct point *);
double sum9(int, double, long, double, int, double, long, int, long);
struct point shift(struct point);
"""
LIBC = "int snprintf(char *, size_t, const char *, ...); void qsort(void *, size_t, size_t, int (*)(void *, void *));"

# name: (statements before, the statement)
CASES = {
    "noop": ("f = lib.noop", "f()"),
    "abs": ("f = lib.absolute", "f(-5)"),
    "abs through lib.abs": ("", "lib.absolute(-5)"),
    "add": ("f = lib.add", "f(1500, 700)"),
    "half": ("f = lib.half", "f(2.5)"),
    "strlen": ("f = lib.length", "f(b'hello')"),
    "point": ("f = lib.sum_point; p = ffi.new('struct point *', [1, 2])", "f(p)"),
    "point by value": ("f = lib.shift; p = ffi.new('struct point *', [1, 2])[0]", "f(p)"),
    "list of 10 ints as int *": ("f = lib.sum_point; a = [[1, 2]]", "f(a)"),
    "snprintf": (
        "f = libc.snprintf; b = ffi.new('char[100]'); i = ffi.cast('int', 42)",
        "f(b, 100, b'%d', i)",
    ),
    "sum9": ("f = lib.sum9", "f(1, 2.0, 3, 4.0, 5, 6.0, 7, 8, 9)"),
    "callback": ("f = ffi.callback('int(int)', lambda x: x)", "f(5)"),
    "qsort1000 with a callback": (
        "import random; r = random.Random(1); v = [r.randrange(10**6) for _ in range(1000)]\n"
        "a = ffi.new('int[1000]'); f = libc.qsort\n"
        "T = ffi.typeof('int *'); cast = ffi.cast\n"
        "@ffi.callback('int(void *, void *)')\n"
        "def compare(x, y): return cast(T, x)[0] - cast(T, y)[0]",
        "a[0:1000] = v; f(a, 1000, 4, compare)",
    ),
}

LOOP = """
def run(count, lib, libc, ffi, clock):
    {setup}
    rounds = range(count)
    start = clock()
    for _ in rounds:
        {statement}
    return clock() - start
"""


def compiled(setup, statement):
    names = {}
    text = LOOP.format(setup=setup.replace("\n", "\n    ") or "pass", statement=statement)
    exec(text, names)
    return names["run"]


def open_with(ffi_class, library):
    ffi = ffi_class()
    ffi.cdef(CDEF + LIBC)
    return ffi, ffi.dlopen(library), ffi.dlopen(None)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help="which (default: all)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--repeat", type=int, default=200, help="rounds (default: 200)")
    options = parser.parse_args()

    import cffi
    import keelback

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "bench.c")
        source.write_text(C_SOURCE)
        library = str(Path(folder, "libbench.so"))
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, source], check=True)
        opened = {"keelback": open_with(keelback.FFI, library), "cffi": open_with(cffi.FFI, library)}
        empty = loops.bound(compiled("", "pass"), None, None, None)
        results = {}
        for name in options.cases or CASES:
            run = compiled(*CASES[name])
            runs = {key: loops.bound(run, lib, libc, ffi) for key, (ffi, lib, libc) in opened.items()}
            best = {key: min(times) for key, times in loops.in_turns(runs, empty, options.repeat).items()}
            best["ratio"] = best["keelback"] / best["cffi"]
            results[name] = best
            if not options.json:
                if len(results) == 1:
                    print(f"{'':28}{'keelback':>10}{'cffi ABI':>10}{'ratio':>8}")
                print(f"{name:28}{best['keelback']:10.1f}{best['cffi']:10.1f}{best['ratio']:8.2f}", flush=True)
    if options.json:
        json.dump({"python": sys.version, "cases": results}, sys.stdout, indent=1)
        print()


if __name__ == "__main__":
    main()
