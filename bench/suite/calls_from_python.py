"""The rows of sections D and E: a process that has all peers, and measures each row with them in turns.

usage: python calls_from_python.py FOLDER ROUNDS PEER,... ROW...      prints {row: {peer: [best, median]}} as JSON
"""
import contextlib
import ctypes
import importlib
import json
import statistics
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)

import api_mode  # noqa: E402
import data  # noqa: E402
import loops  # noqa: E402
import python_to_c  # noqa: E402

from suite.rows import BY_HAND, ROWS, SIMPLE  # noqa: E402


class Maker:
    """Stands for `ffi` with peers that have none: a point is the module's own object."""

    def __init__(self, point):
        self.point = point

    def new(self, _type, values):
        return self.point(*values)


class CTypes:
    """The C library, as ctypes calls it."""

    class Point(ctypes.Structure):
        _fields_ = [("x", ctypes.c_int), ("y", ctypes.c_int)]

    def __init__(self, library):
        opened = ctypes.CDLL(library)
        int_, double, long = ctypes.c_int, ctypes.c_double, ctypes.c_long
        for name, result, arguments in [
            ("noop", None, []), ("absolute", int_, [int_]), ("add", int_, [int_, int_]), ("half", double, [double]),
            ("length", ctypes.c_ulong, [ctypes.c_char_p]), ("sum_point", int_, [ctypes.POINTER(self.Point)]),
            ("sum9", double, [int_, double, long, double, int_, double, long, int_, long]),
        ]:  # fmt: skip
            function = opened[name]
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)


class Peers:
    """What each peer's rows run with."""

    def __init__(self, folder, names):
        import cffi
        import keelback

        self.folder, self.names = folder, names
        sys.path.insert(0, str(folder))
        self.ffis = {"keelback": keelback.FFI, "cffi": cffi.FFI}
        self.ready = {}

    def once(self, name, make):
        if name not in self.ready:
            self.ready[name] = make()
        return self.ready[name]

    def by_hand(self):
        """{peer: (lib, libc, ffi)} of the peers that are modules."""
        found = {}
        for name, module in [("c", "bench_c"), ("cython", "cython_calls"), ("pyo3", "bench_pyo3")]:
            if name in self.names:
                module = importlib.import_module(module)
                found[name] = (module, None, Maker(module.Point))
        if "ctypes" in self.names:
            library = CTypes(str(self.folder / "libbench.so"))
            found["ctypes"] = (library, None, Maker(library.Point))
        return found

    def dlopened(self):
        found = {}
        for name, ffi_class in self.ffis.items():
            ffi, lib, libc = python_to_c.open_with(ffi_class, str(self.folder / "libbench.so"))
            found[name] = (lib, libc, ffi)
        return found

    def held(self):
        """Keelback and C by hand without letting go of the GIL; CFFI always does."""
        found = self.dlopened()
        lib, libc, ffi = found["keelback"]
        found["keelback"] = (ffi.keep_gil(lib), libc, ffi)
        if "c" in self.names:
            module = importlib.import_module("bench_c_held")
            found["c"] = (module, None, Maker(module.Point))
        return found

    def compiled(self):
        found = {}
        for name in self.ffis:
            module = importlib.import_module(f"_bench_{name}_api")
            found[name] = (module.lib, None, module.ffi)
        return found

    def tables(self):
        keelback, cffi = self.ffis["keelback"], self.ffis["cffi"]
        return {
            "keelback": data.in_line(keelback),
            "keelback-ool": data.out_of_line(keelback, "_bench_keelback", self.folder),
            "cffi": data.out_of_line(cffi, "_bench_cffi", self.folder),
            "cffi-inline": data.in_line(cffi),
        }

    def data_runs(self, name):
        run = data.compiled(data.ROWS[name][0], False)
        runs = {peer: loops.bound(run, ffi) for peer, ffi in self.once("tables", self.tables).items() if peer in self.names}
        if "c" in self.names and name in BY_HAND:
            module = importlib.import_module("bench_c")
            runs["c"] = loops.bound(by_hand(BY_HAND[name]), module)
        return runs, loops.bound(data.compiled("", False), None), data.UNROLL

    def call_runs(self, mode, name):
        makers = {"abi": self.dlopened, "held": self.held, "api": self.compiled}
        objects = dict(self.once(mode, makers[mode]))
        case = (api_mode.CASES if mode == "api" else python_to_c.CASES)[name][:2]
        if name in SIMPLE and mode != "held":
            objects |= self.once("by hand", self.by_hand)
        run = python_to_c.compiled(*case)
        runs = {peer: loops.bound(run, *three) for peer, three in objects.items()}
        return runs, loops.bound(python_to_c.compiled("", "pass"), None, None, None), 1


def by_hand(statement):
    """A statement of BY_HAND, in a loop like that of data.py."""
    names = {}
    body = "\n        ".join([statement] * data.UNROLL)
    exec(
        "def run(count, module, clock):\n    ints, Point = module.ints, module.Point\n    numbers = list(range(1000, 2000))\n"
        "    a = ints(numbers)\n    p = Point(5, 6)\n    rounds = range(count)\n    start = clock()\n    for _ in rounds:\n"
        f"        {body}\n    return clock() - start\n",
        names,
    )
    return names["run"]


def main(folder, rounds, names, *keys):
    results = {}
    with contextlib.redirect_stdout(sys.stderr):  # CFFI says what it writes.
        peers = Peers(Path(folder), names.split(","))
        for key in keys:
            row = ROWS[key]
            if row.section == "E":
                runs, empty, unroll = peers.data_runs(row.name)
            else:
                runs, empty, unroll = peers.call_runs(*row.name.split("/", 1))
            times = loops.in_turns(runs, empty, int(rounds), unroll)
            results[key] = {peer: [min(list_), statistics.median(list_)] for peer, list_ in times.items()}
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
