#!/usr/bin/env python3
"""What a module that CFFI compiled costs with Keelback as its run time, beside CFFI as its run time.

    python bench/cffi_modules.py [--json] [--rounds N] [--declarations N] [--check] [ROW...]

Stage the package first, from a release build: `python python/stage.py --profile release`, then run this with
PYTHONPATH=target/python and a Python that has cffi, setuptools and Python.h. CFFI generates and compiles one module of N
declarations of every kind; both run times load it. Imports and first uses are measured in new processes, after the import
of the run time itself: milliseconds. Calls are measured in one process that has the module twice, once for each run time:
nanoseconds a call, without the loop's own time. Best of all rounds; the rounds of both alternate. With
KEELBACK_TEST_WHEELS=DIR (see python/tests/test_cffi_wheels.py), cryptography's module is measured too. `--check` makes it
fail when a row's ratio exceeds its limit.
"""
import argparse
import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile

import loops
import report
from python_to_c import C_SOURCE, CDEF, compiled

NAMES = ("keelback", "cffi")
MANY = "_bench_many"
BUILD = """
import json, sys
import cffi
for name, cdef, source in json.load(sys.stdin):
    ffi = cffi.FFI()
    ffi.cdef(cdef)
    ffi.set_source(name, source, extra_compile_args=["-O1"])
    ffi.compile(tmpdir=sys.argv[1])
"""
RUN_TIME = {
    "keelback": "import keelback; keelback.install_as_cffi(); import _cffi_backend\n",
    "cffi": "import _cffi_backend\n",
}


def many(count):
    """A cdef, and its source: six kinds of declarations, again and again."""
    cdef, source = [], []
    for i in range(count // 6):
        record = f"int x, y; double weight; char name[16]; struct point_{i} *next;"
        cdef.append(
            f"struct point_{i} {{ {record} }};\n"
            f"typedef struct point_{i} point_{i}_t;\n"
            f"enum color_{i} {{ RED_{i}, GREEN_{i} = 5, BLUE_{i} }};\n"
            f"#define LIMIT_{i} ...\n"
            f"int add_{i}(int a, int b);\n"
            f"double scale_{i}(point_{i}_t *p, double by);\n"
        )
        source.append(
            f"struct point_{i} {{ {record} }};\n"
            f"typedef struct point_{i} point_{i}_t;\n"
            f"enum color_{i} {{ RED_{i}, GREEN_{i} = 5, BLUE_{i} }};\n"
            f"#define LIMIT_{i} {i}\n"
            f"static int add_{i}(int a, int b) {{ return a + b; }}\n"
            f"static double scale_{i}(point_{i}_t *p, double by) {{ return p->weight * by; }}\n"
        )
    return "".join(cdef), "".join(source)


# Of the module of many declarations: (what comes before the clock starts, what is measured, the most it may take).
LOAD = f"from {MANY} import ffi, lib; N = range(len([n for n in dir(lib) if n.startswith('LIMIT_')]))\n"
FIRST_USES = {
    "import": ("", f"import {MANY}", 1.0),
    "first function": (LOAD, "lib.add_7", 1.0),
    "first struct": (LOAD, "ffi.new('point_7_t *')", 1.0),
    "first constant": (LOAD, "lib.LIMIT_7", 1.0),
    "all functions": (LOAD, "for i in N: getattr(lib, f'add_{i}'); getattr(lib, f'scale_{i}')", 1.0),
    "all structs": (LOAD, "for i in N: ffi.new(f'point_{i}_t *')", 1.0),
    "all constants": (LOAD, "for i in N: getattr(lib, f'LIMIT_{i}'); getattr(lib, f'BLUE_{i}')", 1.0),
    "all enums": (LOAD, "for i in N: ffi.typeof(f'enum color_{i}').elements", 1.0),
    "import, everything": (
        "",
        f"from {MANY} import ffi, lib\nfor name in dir(lib): getattr(lib, name)\n"
        "for name in ffi.list_types()[0]: ffi.typeof(name).fields",
        1.0,
    ),
    "dir": (LOAD, "dir(lib)", 1.0),
}
CRYPTOGRAPHY = {
    "cryptography: import": ("", "import cryptography.hazmat.bindings._rust", 1.0),
    "cryptography: everything": (
        "from cryptography.hazmat.bindings._rust import _openssl; lib = _openssl.lib\n",
        "for name in dir(lib): getattr(lib, name)",
        1.0,
    ),
}
# (statements before, the statement, the most it may take)
CALLS = {
    "noop": ("f = lib.noop", "f()", 1.05),
    "abs": ("f = lib.absolute", "f(-5)", 1.0),
    "abs through lib.abs": ("", "lib.absolute(-5)", 1.05),
    "half": ("f = lib.half", "f(2.5)", 1.0),
    "strlen": ("f = lib.length", "f(b'hello')", 1.0),
    "point": ("f = lib.sum_point; p = ffi.new('struct point *', [1, 2])", "f(p)", 1.0),
    "point by value": ("f = lib.shift; p = ffi.new('struct point *', [1, 2])[0]", "f(p)", 1.0),
    "add": ("f = lib.add", "f(1500, 700)", 0.65),
    "sum9": ("f = lib.sum9", "f(1, 2.0, 3, 4.0, 5, 6.0, 7, 8, 9)", 1.0),
}


def build(folder, count):
    modules = [(MANY, *many(count))]
    modules += [(f"_bench_calls_{name}", CDEF, C_SOURCE) for name in NAMES]
    subprocess.run(
        [sys.executable, "-c", BUILD, folder], input=json.dumps(modules), text=True, check=True, stdout=subprocess.DEVNULL
    )


def in_process(folder, name, before, code):
    """Milliseconds that the code takes in a new process of a run time."""
    body = "".join(f"    {line}\n" for line in code.splitlines())
    # The wheels come last, because they contain a cffi, and this Python's own one must be used.
    more = [folder, os.environ.get("KEELBACK_TEST_WHEELS", folder)]
    text = (
        f"import sys, time\nsys.path += {more!r}\n{RUN_TIME[name]}{before}\ndef run():\n{body}"
        "start = time.perf_counter_ns()\nrun()\nprint((time.perf_counter_ns() - start) / 1e6)"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    return float(done.stdout)


def both_modules(folder):
    """The module for calls, with each run time, in this process."""
    sys.path.insert(0, folder)
    modules = {"cffi": importlib.import_module("_bench_calls_cffi")}
    for name in [name for name in sys.modules if name.partition(".")[0] in ("cffi", "_cffi_backend")]:
        del sys.modules[name]
    import keelback

    keelback.install_as_cffi()
    modules["keelback"] = importlib.import_module("_bench_calls_keelback")
    assert type(modules["cffi"].ffi) is not type(modules["keelback"].ffi)
    return modules


def first_uses(folder, rows, rounds):
    for row, (before, code, limit) in rows.items():
        times = {name: [] for name in NAMES}
        for _ in range(rounds):
            for name in NAMES:
                times[name].append(in_process(folder, name, before, code))
        yield row, "ms", times, limit


def calls(folder, rows, rounds):
    modules = both_modules(folder)
    empty = loops.bound(compiled("", "pass"), None, None, None)
    for row, (setup, statement, limit) in rows.items():
        run = compiled(setup, statement)
        runs = {name: loops.bound(run, modules[name].lib, None, modules[name].ffi) for name in NAMES}
        yield row, "ns", loops.in_turns(runs, empty, rounds), limit


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help="which (default: all)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--rounds", type=int, default=15, help="rounds of processes (default: 15; ten times as many of calls)")
    parser.add_argument("--declarations", type=int, default=6000, help="in the module (default: 6000)")
    parser.add_argument("--check", action="store_true", help="fail when a row is above its limit")
    options = parser.parse_args()

    uses = FIRST_USES | (CRYPTOGRAPHY if os.environ.get("KEELBACK_TEST_WHEELS") else {})
    wanted = [{row: what for row, what in rows.items() if not options.rows or row in options.rows} for rows in (uses, CALLS)]
    results, failed = {}, []
    if not options.json:
        print(f"{'':28}{'keelback':>12}{'cffi':>12}{'best':>8}{'median':>8}{'limit':>8}")
    with tempfile.TemporaryDirectory() as folder:
        build(folder, options.declarations)
        measured = [first_uses(folder, wanted[0], options.rounds), calls(folder, wanted[1], options.rounds * 10)]
        for row, unit, times, limit in (one for part in measured for one in part):
            result = {name: min(list_) for name, list_ in times.items()}
            result["ratio"] = ratio = result["keelback"] / result["cffi"]
            result["median"] = statistics.median(times["keelback"]) / statistics.median(times["cffi"])
            results[row] = {**result, "unit": unit, "limit": limit}
            if ratio > limit:
                failed.append(row)
            if not options.json:
                print(f"{row:28}{result['keelback']:9.3f} {unit}{result['cffi']:9.3f} {unit}{ratio:8.2f}"
                      f"{result['median']:8.2f}{limit:8.2f}{' *' if row in failed else ''}", flush=True)
    report.finish(options, results, failed)


if __name__ == "__main__":
    main()
