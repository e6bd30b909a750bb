"""The runner: the parts of a run, each of which measures some rows once in a round, with the peers in turns."""
import contextlib
import importlib
import io
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from time import perf_counter_ns

import api_mode
import cdef_parse
import cffi_modules
import import_time

from suite import peers as built
from suite.rows import ROWS

CDEF = """
import sys, time, {name}
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
text = open(sys.argv[1]).read()
ffis = [{name}.FFI() for _ in range(int(sys.argv[2]))]
{name}.FFI().cdef("int f(int);")
before, times = resident(), []
for ffi in ffis:
    start = time.perf_counter_ns()
    ffi.cdef(text)
    times.append((time.perf_counter_ns() - start) / 1e6)
print(min(times), sorted(times)[len(times) // 2], (resident() - before) / len(ffis))
"""


class Part:
    """Measures the rows of some sections; `add(key, peer, best, median)` takes what a round found."""

    def __init__(self, builder, peers, keys, thorough):
        self.builder, self.peers, self.thorough = builder, peers, thorough
        self.keys = [key for key in keys if key.startswith(self.PREFIXES)]

    def has(self, prefix):
        return any(key.startswith(prefix) for key in self.keys)

    def in_turns(self, names, number):
        """The peers, another one first in each round."""
        names = [name for name in names if name in self.peers]
        turn = number % len(names)
        return names[turn:] + names[:turn]


class Embedding(Part):
    """Calls from C, and starts."""

    PREFIXES = ("A/", "B/")
    starts_of_round = 8

    def prepare(self):
        names = ("keelback", "cffi", "c", "ensure", "cython", "pyo3")
        self.plugins = self.builder.plugins(name for name in names if name in self.peers)
        self.hosts = {name: self.builder.host(name) for name in ("calls", "start")}

    def round(self, number, add):
        if self.has("A/"):
            cases = sorted({key.rsplit("/", 1)[1] for key in self.keys if key.startswith("A/")})
            for case in cases:
                # One case of all peers after the other: a machine that changes its pace within seconds meets all of them.
                for name in self.in_turns(self.plugins, number):
                    plugin, environment = self.plugins[name]
                    for line in built.run([self.hosts["calls"], plugin, case], env=environment).splitlines():
                        found, best, median = line.split()
                        add(f"A/{found}", name, float(best), float(median))
        for site in ("site", "nosite"):
            if self.has(f"B/{site}/"):
                self.starts(site, number, add)

    def starts(self, site, number, add):
        found = {}
        for _ in range(self.starts_of_round if self.thorough else 2):
            for name in self.in_turns([name for name in self.plugins if name != "ensure"], number):
                plugin, environment = self.plugins[name]
                if name == "keelback" and site == "nosite":
                    plugin = plugin.with_stem(plugin.stem + "_nosite")
                out = built.run([self.hosts["start"], plugin, site], env=environment)
                for what, value in (line.split() for line in out.splitlines()):
                    found.setdefault((what, name), []).append(float(value))
        for (what, name), values in found.items():
            add(f"B/{site}/{what}", name, min(values), statistics.median(values))


class Building(Part):
    """Building a plugin, parsing, importing."""

    PREFIXES = ("C/",)

    def prepare(self):
        self.temporary = tempfile.TemporaryDirectory(dir=self.builder.folder)
        self.folder = Path(self.temporary.name)
        self.texts = {}
        for key in self.keys:
            name, _, count = ROWS[key].name.partition("_")
            if name == "cdef" and count.isdigit():
                file = self.folder / f"{count}.h"
                file.write_text(cdef_parse.declarations(int(count)))
                self.texts[int(count)] = file
        self.imports = [ROWS[key].name for key in self.keys if ROWS[key].name in import_time.ROWS]
        self.compiled = [key for key in self.keys if key.startswith("C/compiled/")]
        if self.compiled:
            cffi_modules.build(str(self.folder), 6000)
        self.starting = None

    def round(self, number, add):
        if self.has("C/build"):
            self.plugins(number, add)
        for count, file in self.texts.items():
            row = ROWS[f"C/cdef_{count}"]
            if row.rounds is None or number < row.rounds:
                self.parse(count, file, number, add)
        self.import_times(number, add)
        for key in self.compiled:
            before, code, _ = cffi_modules.FIRST_USES[ROWS[key].name.removeprefix("compiled/")]
            self.of_both(key, number, add, lambda name: cffi_modules.in_process(str(self.folder), name, before, code), 3)

    def of_both(self, key, number, add, measure, times):
        """Keelback and CFFI in turns; what takes long, only once in a round."""
        found = {name: [] for name in self.in_turns(import_time.NAMES, number)}
        started = perf_counter_ns()
        while times > 0:
            for name, list_ in found.items():
                list_.append(measure(name))
            times = 0 if perf_counter_ns() - started > 0.5e9 else times - 1
        for name, list_ in found.items():
            add(key, name, min(list_), statistics.median(list_))

    def plugins(self, number, add):
        for name in self.in_turns(("keelback", "cffi", "c", "cython"), number):
            start = perf_counter_ns()
            if name == "keelback":
                self.builder.build_keelback(self.folder / "libbench.so")
            else:
                getattr(self.builder, f"plugin_{name}")()
            time = (perf_counter_ns() - start) / 1e6
            add("C/build", name, time, time)

    def parse(self, count, file, number, add):
        for name in self.in_turns(import_time.NAMES, number):
            times = max(1, min(20, 2000 // count)) if name == "cffi" else max(2, min(200, 100_000 // count))
            out = built.run([sys.executable, "-c", CDEF.format(name=name), file, times])
            best, median, memory = map(float, out.split())
            add(f"C/cdef_{count}", name, best, median)
            if count == 10_000:
                add("C/cdef_memory", name, memory / count, memory / count)

    def import_times(self, number, add):
        if self.imports and self.starting is None:
            count = 10_000 if self.thorough else 100
            self.starting = import_time.Bench(str(self.folder), count)
            with contextlib.redirect_stdout(io.StringIO()):  # CFFI says what it writes.
                self.starting.ready_for(self.imports)
        with contextlib.redirect_stdout(io.StringIO()):
            for name in self.imports:
                self.of_both(f"C/{name}", number, add, getattr(self.starting, name), 3 if self.thorough else 1)


class FromPython(Part):
    """Calls from Python, and data."""

    PREFIXES = ("D/", "E/")

    def prepare(self):
        self.builder.modules(self.peers)
        sys.path.insert(0, str(self.builder.folder))
        if self.has("D/api/"):
            for name in import_time.NAMES:
                api_mode.build(importlib.import_module(name).FFI, f"_bench_{name}_api", str(self.builder.folder))

    def round(self, number, add):
        program = Path(__file__).with_name("calls_from_python.py")
        rounds = 25 if self.thorough else 3
        command = [sys.executable, program, self.builder.folder, rounds, ",".join(self.peers), *self.keys]
        for key, times in json.loads(built.run(command, env=os.environ)).items():
            for name, (best, median) in times.items():
                add(key, name, best, median)


PARTS = (Embedding, Building, FromPython)


def measure(builder, peers, keys, rounds, thorough, say):
    """{key: {peer: [(best, median) of each round]}}; `say` gets a line for each step."""
    parts = [part(builder, peers, keys, thorough) for part in PARTS]
    parts = [part for part in parts if part.keys]
    for part in parts:
        say(f"preparing: {part.__doc__}")
        part.prepare()
    samples = {key: {} for key in keys}

    def add(key, peer, best, median):
        if key in samples:
            samples[key].setdefault(peer, []).append((best, median))

    for number in range(rounds):
        for part in parts:
            say(f"round {number + 1} of {rounds}: {part.__doc__}")
            part.round(number, add)
    return samples
