#!/usr/bin/env python3
"""What starting costs, beside CFFI: imports, modules with many declarations, generated code.

    python bench/import_time.py [--json] [--rounds N] [--declarations N] [--check] [ROW...]

Stage the package first, from a release build: `python python/stage.py --profile release`, then run this with
PYTHONPATH=target/python and a Python that has cffi and setuptools. Times are milliseconds, best of all rounds; the
rounds of both alternate. Imports are measured in processes of their own, from .pyc files. `--check` makes it fail when
a row's ratio exceeds its limit.
"""
import argparse
import contextlib
import importlib
import io
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter_ns

import report

NAMES = ("keelback", "cffi")


def declarations(count):
    """Ten declarations, again and again, as headers have them."""
    return "".join(
        f"typedef int int_{i}_t;\n"
        f"struct point_{i} {{ int x, y; double weight; char name[16]; }};\n"
        f"typedef struct point_{i} point_{i}_t;\n"
        f"enum color_{i} {{ RED_{i}, GREEN_{i} = 5, BLUE_{i} }};\n"
        f"#define LIMIT_{i} {i}\n"
        f"int add_{i}(int a, int b);\n"
        f"double scale_{i}(point_{i}_t *p, double by);\n"
        f"char *name_{i}(const struct point_{i} *p, size_t length);\n"
        f"typedef int (*callback_{i}_t)(void *user, point_{i}_t *p);\n"
        f"void each_{i}(callback_{i}_t callback, void *user);\n"
        for i in range(count // 10)
    )


def functions(count):
    return "".join(f"int function_{i}(int a, double b, const char *s);\n" for i in range(count))


def in_process(code, folder=None):
    """Milliseconds that the code takes in a new process. The process has a path to the modules in `folder`."""
    text = ("import sys, time; start = time.perf_counter_ns()\n" + code
            + "\nprint((time.perf_counter_ns() - start) / 1e6)")
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="")
    if folder:
        environment["PYTHONPATH"] = os.pathsep.join([folder, environment.get("PYTHONPATH", "")])
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, env=environment, check=True)
    return float(done.stdout)


def process(code):
    """Milliseconds of a whole process that runs the code."""
    start = perf_counter_ns()
    subprocess.run([sys.executable, "-c", code], check=True)
    return (perf_counter_ns() - start) / 1e6


class Bench:
    """The rows: methods that measure one implementation once."""

    def __init__(self, folder, count):
        self.folder = folder
        self.count = count
        self.text = declarations(count) + "double cos(double);\n"
        self.number = 0
        self.python = None
        self.many = {}
        self.functions = {}

    def ready_for(self, rows):
        """Prepares what these rows need, before the measurement."""
        if {"new_type_string", "first_symbol", "import_module", "import_module_first_type", "emit_python"} & set(rows):
            self.ready_with_many()
        if "emit_c_1000" in rows:
            for name in NAMES:
                ffi = self.functions[name] = importlib.import_module(name).FFI()
                ffi.cdef(functions(1000))
                ffi.set_source(f"_emit_{name}", "#include <stdio.h>")
        if "import_process" in rows:
            self.python = min(process("pass") for _ in range(10))

    def ready_with_many(self):
        """Each one's FFI with all declarations, and the module written of it, with its .pyc file."""
        if self.many:
            return
        for name in NAMES:
            ffi = self.many[name] = importlib.import_module(name).FFI()
            ffi.cdef(self.text)
            ffi.set_source(f"_many_{name}", None)
            ffi.emit_python_code(str(Path(self.folder, f"_many_{name}.py")))
            in_process(f"import _many_{name}", self.folder)

    def import_first_ffi(self, name):
        return in_process(f"import {name}; {name}.FFI()")

    def import_process(self, name):
        return max(process(f"import {name}; {name}.FFI()") - self.python, 0.01)

    def next_ffi(self, name):
        ffi_class = importlib.import_module(name).FFI
        start = perf_counter_ns()
        for _ in range(20):
            ffi_class()
        return (perf_counter_ns() - start) / 20e6

    def new_type_string(self, name):
        self.number += 1
        text = f"int_7_t *[{self.number}]"
        start = perf_counter_ns()
        self.many[name].typeof(text)
        return (perf_counter_ns() - start) / 1e6

    def first_symbol(self, name):
        lib = self.many[name].dlopen(None)
        start = perf_counter_ns()
        lib.cos
        return (perf_counter_ns() - start) / 1e6

    def import_module(self, name):
        runtime = {"keelback": "import keelback", "cffi": "import _cffi_backend"}[name]
        return in_process(f"{runtime}; start = time.perf_counter_ns(); import _many_{name}", self.folder)

    def import_module_first_type(self, name):
        runtime = {"keelback": "import keelback", "cffi": "import _cffi_backend"}[name]
        return in_process(f"{runtime}; start = time.perf_counter_ns(); import _many_{name}\n"
                          f"_many_{name}.ffi.typeof('point_7_t *')", self.folder)

    def emit_python(self, name):
        self.number += 1
        start = perf_counter_ns()
        self.many[name].emit_python_code(str(Path(self.folder, f"{name}_{self.number}.py")))
        return (perf_counter_ns() - start) / 1e6

    def emit_c_1000(self, name):
        self.number += 1
        start = perf_counter_ns()
        self.functions[name].emit_c_code(str(Path(self.folder, f"{name}_{self.number}.c")))
        return (perf_counter_ns() - start) / 1e6


# row: the most it may take of CFFI's time. None: only shown.
ROWS = {
    "import_first_ffi": 0.2,
    "import_process": 0.2,
    "next_ffi": None,
    "new_type_string": 0.001,
    "first_symbol": 0.01,
    "import_module": 1.0,
    "import_module_first_type": None,
    "emit_python": None,
    "emit_c_1000": 0.1,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help="which (default: all)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--rounds", type=int, default=15, help="rounds (default: 15)")
    parser.add_argument("--declarations", type=int, default=10_000, help="in the large cdef (default: 10 000)")
    parser.add_argument("--check", action="store_true", help="fail when a row is above its limit")
    options = parser.parse_args()

    results, failed = {}, []
    if not options.json:
        print(f"{'ms':26}{'keelback':>11}{'cffi':>11}{'best':>9}{'median':>9}{'limit':>8}")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder, options.declarations)
        for row in options.rows or ROWS:
            times = {name: [] for name in NAMES}
            with contextlib.redirect_stdout(io.StringIO()):  # CFFI says what it writes
                bench.ready_for([row])
                for _ in range(options.rounds):
                    for name in NAMES:
                        times[name].append(getattr(bench, row)(name))
            best = {name: min(list_) for name, list_ in times.items()}
            median = {name: statistics.median(list_) for name, list_ in times.items()}
            limit = ROWS[row]
            ratio = best["keelback"] / best["cffi"]
            results[row] = {**best, "ratio": ratio, "median": median["keelback"] / median["cffi"], "limit": limit}
            if limit is not None and ratio > limit:
                failed.append(row)
            if not options.json:
                print(f"{row:26}{best['keelback']:11.4f}{best['cffi']:11.4f}{ratio:9.4f}{results[row]['median']:9.4f}"
                      f"{'' if limit is None else limit:>8}{' *' if row in failed else ''}", flush=True)
    report.finish(options, results, failed)


if __name__ == "__main__":
    main()
