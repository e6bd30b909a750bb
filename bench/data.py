#!/usr/bin/env python3
"""What cdata cost, row by row, beside CFFI's out-of-line and in-line modes.

    python bench/data.py [--json] [--rounds N] [--attribute] [--check] [ROW...]

Stage the package first, from a release build: `python python/stage.py --profile release`, then run this with
PYTHONPATH=target/python and a Python that has cffi. A row runs in four places: Keelback's in-line FFI() ("in-line") and
its out-of-line ABI module ("o-o-l"), CFFI's out-of-line ABI module and its in-line FFI(). Times are nanoseconds, best
of all rounds, the loop's own time taken off; the rounds of the four alternate, so that a slow moment of the machine
hits all of them. The ratios are to CFFI's out-of-line mode, which is its faster one: of the best times, and (median)
of the medians.

Methods of `ffi` are local variables of the loop, so that a row measures them and not their look-up; with `--attribute`
the loop says `ffi.new(...)`. `--check` makes it fail when a row of the in-line FFI() takes longer than the row's limit.
"""
import argparse
import importlib
import re
import statistics
import sys
import tempfile
from pathlib import Path

import loops
import report

CDEF = """
struct point { int x, y; };
struct node { double value; struct node *next; int numbers[4]; };
"""

# The objects that the rows use.
SETUP = """
def nothing(cdata):
    pass
T = ffi.typeof("int *")
numbers = list(range(1000, 2000))
a = ffi.new("int[1000]", numbers)
text = ffi.new("char[1000]", b"x" * 999)
short_text = ffi.new("char[]", b"0123456789abcdef")
p = ffi.new("struct point *", [5, 6])
q = ffi.new("struct point *")
n = ffi.new("struct node *", [2.5])
n.next = n
buf = ffi.buffer(text)
memory = bytearray(4000)
big, big2 = ffi.new("char[]", 1 << 20), ffi.new("char[]", 1 << 20)
number = ffi.cast("int", 1234)
python_object = object()
handle = ffi.new_handle(python_object)
"""

# row: (statement, the most it may take of CFFI's out-of-line time)
ROWS = {
    "new_int_ptr": ("ffi.new('int *')", 0.5),
    "new_int_ptr_ct": ("ffi.new(T)", 0.5),
    "new_struct_ptr": ("ffi.new('struct point *')", 0.5),
    "new_struct_ptr_init": ("ffi.new('struct point *', (1, 2))", 0.5),
    "new_struct_ptr_dict": ("ffi.new('struct point *', {'x': 1, 'y': 2})", 0.75),
    "new_int_1000_list": ("ffi.new('int[]', numbers)", 0.5),
    "new_int_1e6": ("ffi.new('int[1000000]')", 1.05),
    "read_item": ("a[500]", 1.0),
    "write_item": ("a[500] = 1234", 1.0),
    "read_field": ("p.x", 1.0),
    "write_field": ("p.x = 7", 1.0),
    "read_double": ("n.value", 1.0),
    "read_next": ("n.next", 1.0),
    "ptr_add": ("p + 3", 1.0),
    "read_ptr_struct": ("p[0]", 1.0),
    "unpack_char_1000": ("ffi.unpack(text, 1000)", 1.0),
    "unpack_int_1000": ("ffi.unpack(a, 1000)", 1.0),
    "list_int_1000": ("list(a)", 1.0),
    "iter_sum_1000": ("sum(a)", 1.0),
    "string_16": ("ffi.string(short_text)", 0.5),
    "buffer_slice_copy": ("buf[100:200]", 1.0),
    "buffer_make": ("ffi.buffer(text)", 1.0),
    "cast_int": ("ffi.cast('int', 1234)", 0.5),
    "cast_ptr": ("ffi.cast('void *', p)", 0.5),
    "typeof_cached": ("ffi.typeof('int *')", 1.0),
    "typeof_cdata": ("ffi.typeof(p)", 1.0),
    "sizeof_type": ("ffi.sizeof('struct node')", 1.0),
    "from_buffer": ("ffi.from_buffer(memory)", 1.0),
    "from_buffer_typed": ("ffi.from_buffer('int[]', memory)", 1.0),
    "memmove_1MiB": ("ffi.memmove(big, big2, 1 << 20)", 1.05),
    "memmove_64": ("ffi.memmove(big, big2, 64)", 1.0),
    "new_char_bytes_16": ("ffi.new('char[]', b'0123456789abcdef')", 0.5),
    "new_handle": ("ffi.new_handle(python_object)", 1.0),
    "from_handle": ("ffi.from_handle(handle)", 1.0),
    "slice_assign_1000": ("a[0:1000] = numbers", 1.0),
    "addressof_field": ("ffi.addressof(n, 'next')", 1.0),
    "eq_ptr": ("p == q", 1.0),
    "bool_ptr": ("not p", 1.0),
    "int_of_cdata": ("int(number)", 1.0),
    "gc_wrap": ("ffi.gc(p, nothing)", 1.0),
    "offsetof": ("ffi.offsetof('struct node', 'next')", 1.0),
}

UNROLL = 5
LOOP = """
def run(count, ffi, clock):
    {setup}
    {methods}
    rounds = range(count)
    start = clock()
    for _ in rounds:
        {body}
    return clock() - start
"""


def compiled(statement, attribute):
    methods = []
    if not attribute:
        methods = sorted(set(re.findall(r"ffi\.(\w+)", statement)))
        statement = re.sub(r"ffi\.(\w+)", r"ffi_\1", statement)
    names = {}
    text = LOOP.format(
        setup=SETUP.strip().replace("\n", "\n    ") if statement else "pass",
        methods="; ".join(f"ffi_{name} = ffi.{name}" for name in methods) or "pass",
        body="\n        ".join([statement] * UNROLL) if statement else "pass",
    )
    exec(text, names)
    return names["run"]


def out_of_line(ffi_class, name, folder):
    """The ffi of an out-of-line ABI module."""
    builder = ffi_class()
    builder.cdef(CDEF)
    builder.set_source(name, None)
    builder.emit_python_code(str(Path(folder, f"{name}.py")))
    return importlib.import_module(name).ffi


def in_line(ffi_class):
    ffi = ffi_class()
    ffi.cdef(CDEF)
    return ffi


def measure(run, empty, objects, rounds):
    """Nanoseconds per statement: for each implementation the list of all rounds."""
    runs = {name: loops.bound(run, ffi) for name, ffi in objects.items()}
    return loops.in_turns(runs, loops.bound(empty, None), rounds, UNROLL)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help="which (default: all)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--rounds", type=int, default=60, help="rounds (default: 60)")
    parser.add_argument("--attribute", action="store_true", help="look the methods up at each call")
    parser.add_argument("--check", action="store_true", help="fail when a row is above its limit")
    options = parser.parse_args()

    import cffi
    import keelback

    with tempfile.TemporaryDirectory() as folder:
        sys.path.insert(0, folder)
        objects = {
            "in-line": in_line(keelback.FFI),
            "o-o-l": out_of_line(keelback.FFI, "_bench_keelback", folder),
            "cffi o-o-l": out_of_line(cffi.FFI, "_bench_cffi", folder),
            "cffi in-line": in_line(cffi.FFI),
        }
        sys.path.remove(folder)
    empty = compiled("", False)
    results, failed = {}, []
    if not options.json:
        heads = [*objects, "in-line", "median", "o-o-l", "limit"]
        print(f"{'':20}" + "".join(f"{head:>13}" for head in heads))
    for row in options.rows or ROWS:
        statement, limit = ROWS[row]
        times = measure(compiled(statement, options.attribute), empty, objects, options.rounds)
        best = {name: min(list_) for name, list_ in times.items()}
        median = {name: statistics.median(list_) for name, list_ in times.items()}
        result = {
            **best,
            "ratio in-line": best["in-line"] / best["cffi o-o-l"],
            "ratio median": median["in-line"] / median["cffi o-o-l"],
            "ratio o-o-l": best["o-o-l"] / best["cffi o-o-l"],
            "limit": limit,
        }
        results[row] = result
        if result["ratio in-line"] > limit:
            failed.append(row)
        if not options.json:
            ratios = [result["ratio in-line"], result["ratio median"], result["ratio o-o-l"], limit]
            mark = " *" if row in failed else ""
            print(f"{row:20}" + "".join(f"{time:13.1f}" for time in best.values())
                  + "".join(f"{ratio:13.2f}" for ratio in ratios) + mark, flush=True)
    report.finish(options, results, failed)


if __name__ == "__main__":
    main()
