#!/usr/bin/env python3
"""What a call through an API-mode module costs, beside CFFI's API mode.

    python bench/api_mode.py [--json] [--rounds N] [--check] [CASE...]

Stage the package first, from a release build: `python python/stage.py --profile release`, then run this with
PYTHONPATH=target/python and a Python that has cffi, setuptools and Python.h. Both build the same cdef with the same C
source and flags. Times are nanoseconds per call (the loop's own time taken off), best of all rounds; the rounds of both
alternate. The limits are those of the case's ratio to CFFI; `--check` makes it fail when one is exceeded.
"""
import argparse
import contextlib
import importlib
import io
import statistics
import sys
import tempfile

from python_to_c import C_SOURCE, CDEF, compiled

import loops
import report

SOURCE = "#include <stdio.h>\n" + C_SOURCE + """
static int compare(void *, void *);
static int triple(int);
static void sort(int *numbers, size_t count)
{
    qsort(numbers, count, sizeof *numbers, (int (*)(const void *, const void *))compare);
}
static int call_back(int times)
{
    int sum = 0;
    for (int i = 0; i < times; i++)
        sum += triple(i);
    return sum;
}
"""
API = CDEF + """
int snprintf(char *, size_t, const char *, ...);
extern "Python" { int compare(void *, void *); int triple(int); }
void sort(int *, size_t);
int call_back(int);
"""

# name: (statements before, the statement, the most it may take of CFFI's time)
CASES = {
    "noop": ("f = lib.noop", "f()", 1.05),
    "abs": ("f = lib.absolute", "f(-5)", 1.05),
    "abs through lib.abs": ("", "lib.absolute(-5)", 1.05),
    "half": ("f = lib.half", "f(2.5)", 1.05),
    "strlen": ("f = lib.length", "f(b'hello')", 1.05),
    "point": ("f = lib.sum_point; p = ffi.new('struct point *', [1, 2])", "f(p)", 1.05),
    "point by value": ("f = lib.shift; p = ffi.new('struct point *', [1, 2])[0]", "f(p)", 1.05),
    "add": ("f = lib.add", "f(1500, 700)", 0.75),
    "sum9": ("f = lib.sum9", "f(1, 2.0, 3, 4.0, 5, 6.0, 7, 8, 9)", 0.75),
    "snprintf": ("f = lib.snprintf; b = ffi.new('char[100]'); i = ffi.cast('int', 42)", "f(b, 100, b'%d', i)", 0.75),
    "extern Python, 100 calls": ("ffi.def_extern(name='triple')(lambda x: 3 * x); f = lib.call_back", "f(100)", 0.75),
    "qsort1000": (
        "import random; r = random.Random(1); v = [r.randrange(10**6) for _ in range(1000)]\n"
        "a = ffi.new('int[1000]'); f = lib.sort; T = ffi.typeof('int *'); cast = ffi.cast\n"
        "@ffi.def_extern()\n"
        "def compare(x, y): return cast(T, x)[0] - cast(T, y)[0]",
        "a[0:1000] = v; f(a, 1000)", 0.75,
    ),
}


def build(ffi_class, name, folder):
    builder = ffi_class()
    builder.cdef(API)
    builder.set_source(name, SOURCE, extra_compile_args=["-O3"])
    with contextlib.redirect_stdout(io.StringIO()):
        builder.compile(tmpdir=folder)
    return importlib.import_module(name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help="which (default: all)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--rounds", type=int, default=200, help="rounds (default: 200)")
    parser.add_argument("--check", action="store_true", help="fail when a case is above its limit")
    options = parser.parse_args()

    import cffi
    import keelback

    results, failed = {}, []
    with tempfile.TemporaryDirectory() as folder:
        sys.path.insert(0, folder)
        modules = {
            "keelback": build(keelback.FFI, "_bench_keelback_api", folder),
            "cffi": build(cffi.FFI, "_bench_cffi_api", folder),
        }
        empty = loops.bound(compiled("", "pass"), None, None, None)
        if not options.json:
            print(f"{'':28}{'keelback':>12}{'cffi API':>12}{'best':>8}{'median':>8}{'limit':>8}")
        for name in options.cases or CASES:
            setup, statement, limit = CASES[name]
            run = compiled(setup, statement)
            runs = {key: loops.bound(run, module.lib, None, module.ffi) for key, module in modules.items()}
            times = loops.in_turns(runs, empty, options.rounds)
            result = {key: min(list_) for key, list_ in times.items()}
            result["ratio"] = result["keelback"] / result["cffi"]
            median = {key: statistics.median(list_) for key, list_ in times.items()}
            result["median"] = median["keelback"] / median["cffi"]
            result["limit"] = limit
            results[name] = result
            if result["ratio"] > limit:
                failed.append(name)
            if not options.json:
                print(f"{name:28}{result['keelback']:12.1f}{result['cffi']:12.1f}{result['ratio']:8.2f}"
                      f"{result['median']:8.2f}{limit:8.2f}{' *' if name in failed else ''}", flush=True)
    report.finish(options, results, failed, "cases")


if __name__ == "__main__":
    main()
