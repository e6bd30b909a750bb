#!/usr/bin/env python3
"""Instructions that each row costs, counted by valgrind's callgrind: the same number twice, whatever else runs.

    python bench/instructions.py [--keelback KEELBACK] [--json FILE] [--compare FILE] [--check] [ROW...]

The rows are those of embedding/calls.c (C calls a plugin), python_to_c.py (the simplest in API mode, too) and data.py, for
Keelback alone. Stage a
release build first (see README.md), and run this with PYTHONPATH=target/python. `--json` keeps the counts;
`--compare` prints what changed since such a file was written: the way to see what a change costs, before and after.
`--check` counts the rows that have a gate and fails where one is above it; tools/test runs that.
Instructions are not time: a row that has fewer of them may still wait for memory. Counts of different machines,
compilers or versions of Python do not compare.
"""
import argparse
import ctypes
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter_ns

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import api_mode  # noqa: E402
import data  # noqa: E402
import python_to_c  # noqa: E402

# Valgrind's client requests can only be made from C.
REQUESTS = """
#include <valgrind/callgrind.h>
void zero(void) { CALLGRIND_ZERO_STATS; }
void dump(const char *row) { CALLGRIND_DUMP_STATS_AT(row); }
"""
# Rows of python_to_c.py that are counted in API mode, too.
IN_BOTH_MODES = ["noop", "abs", "add", "half", "strlen", "point"]
# Rows of python_to_c.py that are counted with `ffi.keep_gil()`, too.
HELD = ["noop", "abs", "add", "strlen"]
# WARM rounds fill caches and specialise bytecode; then ROUNDS rounds are counted.
WARM, ROUNDS = 60, 100
# Rows that do much more than a call need fewer rounds.
LONG = {"qsort1000 with a callback": 2, "new_int_1e6": 3, "memmove_1MiB": 3}


# The most that a row may cost: in all, with CPython 3.11 as python-build makes it (one that is built with profiles costs
# less), and in Keelback's own code, which is the same with all of them. Where Python code stands in a loop, the whole row
# moves by some 20 with what else is on Python's heap. A change that needs more says so here, and why.
GATES = {
    "C to Python: add1": (1475, 224),
    "C to Python: noop": (892, 142),
    # In a scope and in a batch: in all only.
    "C to Python: add1_scope": (1085, float("inf")),
    "C to Python: noop_scope": (500, float("inf")),
    "C to Python: multiply_batch": (670, float("inf")),
    "C to Python: length": (1600, 318),
    # 1903 is the aim, 1911 what it costs, 6 of them the stack protector of the plugin's stub. Where the addresses of the names
    # "x" and "y" meet in the table of fields, it is 24 more.
    "C to Python: point": (1960, 378),
    "C to Python: handle": (1306, 276),
    "Python to C: abs": (875, 110),
    "data: new_int_ptr": (345, 169),
}
# A call in ABI mode may cost so much of the same call in API mode. For a callable that is no built-in function CPython
# 3.11 itself takes 88 instructions more; Keelback's part is smaller.
ABI_TO_API = 1.07


def gated_rows():
    return sorted({name.split(": ")[1] for name in GATES} | set(IN_BOTH_MODES))


def cost(dump):
    """(instructions in all, those in Keelback's code) of one of callgrind's files."""
    own = 0
    in_keelback = is_call = False
    for line in dump.splitlines():
        if line.startswith("ob="):
            in_keelback = "_runtime" in line.rsplit("/", 1)[-1]
        elif line.startswith("calls="):
            is_call = True  # What the called function cost, all included, is on the next line.
        elif re.match(r"[-+*\d]\S* \d+$", line):
            own += int(line.rsplit(" ", 1)[1]) if in_keelback and not is_call else 0
            is_call = False
    return int(re.search(r"^(?:summary|totals): (\d+)", dump, re.M)[1]), own


def counted(command, folder, **options):
    """Runs a command under callgrind; {row: instructions between zero() and dump(row), see `cost`}."""
    out = Path(folder, "out")
    out.mkdir()
    subprocess.run(
        ["valgrind", "-q", "--tool=callgrind", "--compress-strings=no", f"--callgrind-out-file={out}/c", *map(str, command)],
        check=True, stdout=subprocess.DEVNULL, **options,
    )  # fmt: skip
    counts = {}
    for file in out.iterdir():
        text = file.read_text()
        row = re.search(r"^desc: Trigger: Client Request: (.*)$", text, re.M)
        if row:
            counts[row[1]] = cost(text)
    return counts


def build_plugin(keelback, folder):
    plugin = Path(folder, "libbench.so")
    subprocess.run(
        [keelback, "build", HERE / "embedding/api.h", "--init", HERE / "embedding/plugin.py", "--name", "bench_plugin",
         "--python", sys.executable, "-q", "-o", plugin], check=True,
    )  # fmt: skip
    return plugin, {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def calls_from_c(plugin, environment, rows, folder):
    host = Path(folder, "calls")
    subprocess.run(
        ["cc", "-O2", "-DINSTRUCTIONS", "-o", host, HERE / "embedding/calls.c", "-ldl", "-lpthread"], check=True
    )
    counts = counted([host, plugin, *rows], folder, env=environment)
    loop = 2  # about the number of instructions of the C loop itself
    return {f"C to Python: {row}": (total / 1000 - loop, own / 1000) for row, (total, own) in counts.items()}


def python_rows(implementation, rows, modules):
    """Runs the rows in the process that callgrind watches, with the FFI of a module. `modules` is a folder that has a module
    of API mode already, or None."""
    ffi_class = importlib.import_module(implementation).FFI
    with tempfile.TemporaryDirectory() as folder:
        sys.path.insert(0, folder)
        source = Path(folder, "bench.c")
        source.write_text(python_to_c.C_SOURCE)
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", f"{folder}/libbench.so", source], check=True)
        Path(folder, "requests.c").write_text(REQUESTS)
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", f"{folder}/requests.so", f"{folder}/requests.c"], check=True)
        requests = ctypes.CDLL(f"{folder}/requests.so")
        ffi, lib, libc = python_to_c.open_with(ffi_class, f"{folder}/libbench.so")
        is_ours = implementation == "keelback"
        # CFFI's out-of-line mode is the faster one of its two.
        table = data.in_line(ffi_class) if is_ours else data.out_of_line(ffi_class, "_table_of_rows", folder)

        def count(name, run, arguments, rounds):
            requests.zero()
            run(rounds, *arguments, perf_counter_ns)
            requests.dump(name.encode())

        def each(name, run, arguments):
            rounds = LONG.get(name.split(": ")[1], ROUNDS)
            run(min(rounds, WARM), *arguments, perf_counter_ns)
            # Count N and 2 N rounds: the difference leaves out what comes before the loop.
            count(f"{name}|{rounds}", run, arguments, rounds)
            count(f"{name}|{2 * rounds}", run, arguments, 2 * rounds)

        for name, (setup, statement) in python_to_c.CASES.items():
            if not rows or name in rows:
                each(f"Python to C: {name}", python_to_c.compiled(setup, statement), (lib, libc, ffi))
        for name in HELD if is_ours else ():
            if not rows or name in rows:
                run = python_to_c.compiled(*python_to_c.CASES[name])
                each(f"Python to C, keep_gil: {name}", run, (ffi.keep_gil(lib), libc, ffi))
        in_api_mode = [name for name in IN_BOTH_MODES if not rows or name in rows]
        if in_api_mode:
            if modules is None:
                module = api_mode.build(ffi_class, "rows_in_api_mode", folder)
            else:
                sys.path.insert(0, modules)
                module = importlib.import_module("rows_in_api_mode")
            for name in in_api_mode:
                run = python_to_c.compiled(*python_to_c.CASES[name])
                each(f"API mode: {name}", run, (module.lib, module.lib, module.ffi))
        for name, (statement, _) in data.ROWS.items():
            if not rows or name in rows:
                each(f"data: {name}", data.compiled(statement, False), (table,))


def calls_from_python(rows, folder, implementation="keelback"):
    more = []
    if implementation != "keelback":
        # CFFI's imports setuptools and pycparser for that: not under valgrind, which takes fifty times as long.
        build = "import sys; sys.path[:0] = sys.argv[1:]; import api_mode, cffi; "
        build += "api_mode.build(cffi.FFI, 'rows_in_api_mode', sys.argv[2])"
        subprocess.run([sys.executable, "-c", build, HERE, folder], check=True)
        more = ["--modules", folder]
    counts = counted([sys.executable, __file__, "--child", implementation, *more, *rows], folder)
    result = {}
    for key in counts:
        name, rounds = key.rsplit("|", 1)
        once = counts.get(f"{name}|{int(rounds) // 2}")
        if once is not None and int(rounds) % 2 == 0:
            unroll = data.UNROLL if name.startswith("data: ") else 1
            each = int(rounds) // 2 * unroll
            result[name] = tuple((more - less) / each for less, more in zip(once, counts[key]))
    return result


def above_gates(counts):
    """A line for each gate that does not hold."""
    is_known_python = sys.implementation.name == "cpython" and sys.version_info[:2] == (3, 11)
    if not is_known_python:
        print("The gates of whole rows are for CPython 3.11: with this one only Keelback's own instructions are checked.")
    for row, (total, own) in GATES.items():
        if is_known_python and counts[row][0] > total:
            yield f"{row}: {counts[row][0]:.1f} instructions, and {total} is the most it may cost"
        if counts[row][1] > own:
            yield f"{row}: {counts[row][1]:.1f} instructions in Keelback's code, and {own} is the most it may cost"
    for name in IN_BOTH_MODES:
        abi, api = counts[f"Python to C: {name}"], counts[f"API mode: {name}"]
        for which, part, limit in [("", 0, ABI_TO_API), (" in Keelback's code", 1, 1.05)]:
            if abi[part] > limit * api[part]:
                yield (
                    f"{name}: {abi[part]:.1f} instructions{which} in ABI mode, and {limit} of the {api[part]:.1f} in API "
                    "mode is the most they may be"
                )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help="rows of python_to_c.py and data.py (default: all rows)")
    parser.add_argument("--keelback", default="keelback", help="the command line (default: keelback on PATH)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the counts to a file")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="what changed since this file was written")
    parser.add_argument("--check", action="store_true", help="fail where a row is above its gate (only rows that have one)")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--modules", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return python_rows(options.child, options.rows, options.modules)
    rows = gated_rows() if options.check else options.rows
    both = {}
    with tempfile.TemporaryDirectory() as folder:
        both.update(calls_from_c(*build_plugin(options.keelback, folder), rows, folder))
    with tempfile.TemporaryDirectory() as folder:
        both.update(calls_from_python(rows, folder))
    counts = {name: round(total, 1) for name, (total, _) in both.items()}
    before = json.loads(options.compare.read_text()) if options.compare else {}
    print(f"{'':45}{'in all':>12}{'own':>12}")
    for name, count in counts.items():
        change = f"{count / before[name] - 1:+8.1%}" if before.get(name) else ""
        print(f"{name:45}{count:12.1f}{both[name][1]:12.1f}{change}")
    if options.json:
        options.json.write_text(json.dumps(counts, indent=1) + "\n")
    if options.check:
        problems = list(above_gates(both))
        print(*problems, sep="\n")
        return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
