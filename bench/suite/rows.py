"""The registry: every row that tools/bench measures, in its section, with its unit and what it is made of.

What a row does is where it was before: the statements of ../data.py, ../python_to_c.py and ../api_mode.py, the C loops of
../embedding/calls.c, the methods of ../import_time.py and the first uses of ../cffi_modules.py. `why` is the prose of
docs/performance.md: what dominates the row, and why it is no faster where it is not.
"""
from dataclasses import dataclass

import api_mode
import cffi_modules
import data
import import_time
import instructions
import python_to_c

from suite import prose

# What a peer is called in tables and pictures.
PEERS = {
    "keelback": "Keelback",
    "keelback-ool": "Keelback, out-of-line",
    "cffi": "CFFI",
    "cffi-inline": "CFFI, in-line",
    "c": "C by hand",
    "ensure": "C, PyGILState",
    "cython": "Cython",
    "pyo3": "PyO3",
    "ctypes": "ctypes",
}


@dataclass(frozen=True)
class Section:
    """Rows that are measured in the same way, beside the same peers."""

    letter: str
    title: str
    method: str
    peers: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One thing that is measured."""

    section: str
    name: str
    what: str
    unit: str
    why: str = ""
    # Two runs that differ by less are the same, however well their rounds agree.
    floor: float = 0.05
    # The name under which ../instructions.py counts it.
    instructions: str | None = None
    # In how many rounds it is measured: some take long.
    rounds: int | None = None

    @property
    def key(self):
        return f"{self.section}/{self.name}"


SECTIONS = [
    Section("A", "C calls Python", prose.METHOD["A"], ("keelback", "cffi", "c", "ensure", "cython", "pyo3")),
    Section("B", "Start", prose.METHOD["B"], ("keelback", "cffi", "c", "cython", "pyo3")),
    Section("C", "Build, parse, import", prose.METHOD["C"], ("keelback", "cffi", "c", "cython")),
    Section("D", "Python calls C", prose.METHOD["D"], ("keelback", "cffi", "c", "cython", "pyo3", "ctypes")),
    Section("E", "Data", prose.METHOD["E"], ("keelback", "keelback-ool", "cffi", "cffi-inline", "c")),
]

# Of ../embedding/calls.c.
CALLS = {
    "add1": "two ints",
    "multiply": "two doubles",
    "noop": "nothing",
    "add1_scope": "two ints, in a scope",
    "noop_scope": "nothing, in a scope",
    "multiply_batch": "two doubles, of a batch of 10 000",
    "scale_batch": "a double, of a batch of 10 000 that numpy gets",
    "length": "a string",
    "point": "a struct by pointer",
    "point_val": "a struct by value",
    "handle": "a handle",
    "raises": "an exception",
    "wrong": "a wrong result",
}
PLACES = {"main": "main thread", "thread": "another thread"}
TOGETHER = {"mt2": "two threads at once", "mt4": "four threads at once"}
STARTS = {
    "dlopen": ("`dlopen`", "ms"),
    "first_call": ("the first call", "ms"),
    "total": ("`dlopen` and the first call", "ms"),
    "rss_dlopen": ("memory after `dlopen`", "KiB"),
    "rss_after": ("memory after the first call", "KiB"),
}
SITES = {"site": "", "nosite": ", without `site`"}
CDEFS = {100: None, 1000: None, 10_000: None, 50_000: 1}
IMPORTS = {
    "import_first_ffi": "`import`, the first `FFI()`",
    "import_process": "`import` and `FFI()`, all of the process",
    "next_ffi": "another `FFI()`",
    "new_type_string": "a new type string after 10 000 declarations",
    "first_symbol": "the first symbol after 10 000 declarations",
    "import_module": "import of a module of 10 000 declarations, ABI mode",
    "import_module_first_type": "such an import, and the first type",
    "emit_python": "writing a module of 10 000 declarations",
    "emit_c_1000": "writing C for 1000 functions",
}
# The calls that peers without an `ffi` have, too.
SIMPLE = ["noop", "abs", "abs through lib.abs", "add", "half", "strlen", "point", "sum9"]
# Rows of E that ../peers/by_hand.c has, too.
BY_HAND = {
    "new_int_ptr": "ints(1)",
    "new_int_1000_list": "ints(numbers)",
    "new_int_1e6": "ints(1000000)",
    "new_struct_ptr_init": "Point(1, 2)",
    "read_item": "a[500]",
    "write_item": "a[500] = 1234",
    "read_field": "p.x",
    "write_field": "p.x = 7",
    "unpack_int_1000": "a.tolist()",
    "list_int_1000": "list(a)",
    "iter_sum_1000": "sum(a)",
    "slice_assign_1000": "a.set(numbers)",
}


def calls_from_c():
    for place, where in (PLACES | TOGETHER).items():
        for case, what in CALLS.items():
            if place in TOGETHER and case not in ("add1", "noop"):
                continue
            yield Row(
                "A", f"{place}/{case}", f"{what}, {where}", "ns", prose.CALLS_FROM_C[case if place in PLACES else "together"],
                floor=0.10 if place in TOGETHER else 0.05, instructions=f"C to Python: {case}" if place == "main" and case != "scale_batch" else None,
            )  # fmt: skip


def starts():
    for site, with_site in SITES.items():
        for name, (what, unit) in STARTS.items():
            floor = 0.05 if name in ("total", "rss_after") else 0.10
            yield Row("B", f"{site}/{name}", what + with_site, unit, prose.START[name], floor=floor)


def builds():
    yield Row("C", "build", "building a plugin", "ms", prose.BUILD["build"], floor=0.10)
    for count, rounds in CDEFS.items():
        what = f"`cdef()` of {count:,} declarations".replace(",", " ")
        yield Row("C", f"cdef_{count}", what, "ms", prose.BUILD["cdef"], floor=0.10, rounds=rounds)
    yield Row("C", "cdef_memory", "memory of a declaration (10 000)", "B", prose.BUILD["memory"], floor=0.10)
    for name in import_time.ROWS:
        yield Row("C", name, IMPORTS[name], "ms", prose.BUILD[name], floor=0.10)
    for name in cffi_modules.FIRST_USES:
        yield Row("C", f"compiled/{name}", f"a compiled module of 6000: {name}", "ms", prose.COMPILED[name], floor=0.10)


def calls_from_python():
    for name in python_to_c.CASES:
        yield Row("D", f"abi/{name}", f"{name}, ABI mode", "ns", prose.CALLS_FROM_PYTHON[name], instructions=f"Python to C: {name}")
    for name in SIMPLE:
        yield Row("D", f"held/{name}", f"{name}, ABI mode, `keep_gil`", "ns", prose.HELD)
    for name in api_mode.CASES:
        counted = f"API mode: {name}" if name in instructions.IN_BOTH_MODES else None
        yield Row("D", f"api/{name}", f"{name}, API mode", "ns", prose.CALLS_FROM_PYTHON[name], instructions=counted)


def data_rows():
    for name, (statement, _) in data.ROWS.items():
        yield Row("E", name, f"`{statement}`", "ns", prose.DATA[name], instructions=f"data: {name}")


ROWS = {row.key: row for rows in (calls_from_c, starts, builds, calls_from_python, data_rows) for row in rows()}

# What `tools/bench --quick` measures: whether the tool works, not how fast anything is.
QUICK = ["A/main/add1", "B/site/total", "C/build", "C/cdef_100", "C/next_ffi", "D/abi/abs", "D/api/abs", "E/read_item"]
QUICK_PEERS = ["keelback", "cffi", "c"]
