#!/usr/bin/env python3
"""Instructions that each row costs, counted by valgrind's callgrind: the same number twice, whatever else runs.

    python bench/instructions.py [--keelback KEELBACK] [--json FILE] [--compare FILE] [ROW...]

The rows are those of embedding/calls.c (C calls a plugin), python_to_c.py and data.py, for Keelback alone. Stage a
release build first (see README.md), and run this with PYTHONPATH=target/python. `--json` keeps the counts;
`--compare` prints what changed since such a file was written: the way to see what a change costs, before and after.
Instructions are not time: a row that has fewer of them may still wait for memory. Counts of different machines,
compilers or versions of Python do not compare.
"""
import argparse
import ctypes
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

import data  # noqa: E402
import python_to_c  # noqa: E402

# Valgrind's client requests can only be made from C.
REQUESTS = """
#include <valgrind/callgrind.h>
void zero(void) { CALLGRIND_ZERO_STATS; }
void dump(const char *row) { CALLGRIND_DUMP_STATS_AT(row); }
"""
# WARM rounds fill caches and specialise bytecode; then ROUNDS rounds are counted.
WARM, ROUNDS = 60, 100
# Rows that do much more than a call need fewer rounds.
LONG = {"qsort1000 with a callback": 2, "new_int_1e6": 3, "memmove_1MiB": 3}


def counted(command, folder, **options):
    """Runs a command under callgrind; {row: instructions between zero() and dump(row)}."""
    out = Path(folder, "out")
    out.mkdir()
    subprocess.run(
        ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={out}/c", *map(str, command)],
        check=True, stdout=subprocess.DEVNULL, **options,
    )  # fmt: skip
    counts = {}
    for file in out.iterdir():
        text = file.read_text()
        row = re.search(r"^desc: Trigger: Client Request: (.*)$", text, re.M)
        if row:
            counts[row[1]] = int(re.search(r"^(?:summary|totals): (\d+)", text, re.M)[1])
    return counts


def calls_from_c(keelback, folder):
    plugin, host = Path(folder, "libbench.so"), Path(folder, "calls")
    subprocess.run(
        [keelback, "build", HERE / "embedding/api.h", "--init", HERE / "embedding/plugin.py", "--name", "bench_plugin",
         "--python", sys.executable, "-q", "-o", plugin], check=True,
    )  # fmt: skip
    subprocess.run(
        ["cc", "-O2", "-DINSTRUCTIONS", "-o", host, HERE / "embedding/calls.c", "-ldl", "-lpthread"], check=True
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    counts = counted([host, plugin], folder, env=environment)
    loop = 2  # about the number of instructions of the C loop itself
    return {f"C to Python: {row}": count / 1000 - loop for row, count in counts.items()}


def python_rows(rows):
    """Runs the rows in the process that callgrind watches."""
    import keelback

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "bench.c")
        source.write_text(python_to_c.C_SOURCE)
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", f"{folder}/libbench.so", source], check=True)
        Path(folder, "requests.c").write_text(REQUESTS)
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", f"{folder}/requests.so", f"{folder}/requests.c"], check=True)
        requests = ctypes.CDLL(f"{folder}/requests.so")
        ffi, lib, libc = python_to_c.open_with(keelback.FFI, f"{folder}/libbench.so")
        table = data.in_line(keelback.FFI)

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

        for name, (setup, statement, _) in python_to_c.CASES.items():
            if not rows or name in rows:
                each(f"Python to C: {name}", python_to_c.compiled(setup, statement), (lib, libc, ffi))
        for name, (statement, _) in data.ROWS.items():
            if not rows or name in rows:
                each(f"data: {name}", data.compiled(statement, False), (table,))


def calls_from_python(rows, folder):
    counts = counted([sys.executable, __file__, "--child", *rows], folder)
    result = {}
    for key in counts:
        name, rounds = key.rsplit("|", 1)
        once, twice = counts.get(f"{name}|{int(rounds) // 2}"), counts[key]
        if once is not None and int(rounds) % 2 == 0:
            unroll = data.UNROLL if name.startswith("data: ") else 1
            result[name] = (twice - once) / (int(rounds) // 2) / unroll
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help="rows of python_to_c.py and data.py (default: all rows)")
    parser.add_argument("--keelback", default="keelback", help="the command line (default: keelback on PATH)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the counts to a file")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="what changed since this file was written")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return python_rows(options.rows)
    counts = {}
    if not options.rows:
        with tempfile.TemporaryDirectory() as folder:
            counts.update(calls_from_c(options.keelback, folder))
    with tempfile.TemporaryDirectory() as folder:
        counts.update(calls_from_python(options.rows, folder))
    counts = {name: round(count, 1) for name, count in counts.items()}
    before = json.loads(options.compare.read_text()) if options.compare else {}
    for name, count in counts.items():
        change = f"{count / before[name] - 1:+8.1%}" if before.get(name) else ""
        print(f"{name:45}{count:12.1f}{change}")
    if options.json:
        options.json.write_text(json.dumps(counts, indent=1) + "\n")


if __name__ == "__main__":
    main()
