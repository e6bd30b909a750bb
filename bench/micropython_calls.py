#!/usr/bin/env python3
"""What a call costs through MicroPython's `ffi` module, beside the same call through keelback.FFI().dlopen().

    python bench/micropython_calls.py [--repeat N] [--most RATIO]

Stage the package first: `python python/stage.py --profile release`, then run this with PYTHONPATH=target/python. Times
are nanoseconds per call (the loop's own time taken off), best of all rounds; rounds alternate. `--most 1.2` makes it
fail when `i(ii)` takes more than that many times the other's time. The attribute accesses of `uctypes.struct` have
cdata's field access beside them.
"""
import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter_ns

C_SOURCE = """
void noop(void) {}
int add(int a, int b) { return a + b; }
double half(double x) { return x / 2; }
unsigned long length(const char *s) { unsigned long n = 0; while (s[n]) n++; return n; }
"""
CDEF = """
void noop(void);
int add(int, int);
double half(double);
unsigned long length(const char *);
struct point { int x, y; };
"""

# name: (statement for MicroPython's modules, statement for FFI)
CASES = {
    "i(ii)": ("add(1500, 700)", "lib_add(1500, 700)"),
    "v()": ("noop()", "lib_noop()"),
    "d(d)": ("half(2.5)", "lib_half(2.5)"),
    "L(s) of bytes": ("length(b'hello')", "lib_length(b'hello')"),
    "field, read": ("struct.x", "cdata.x"),
    "field, write": ("struct.y = 7", "cdata.y = 7"),
}

LOOP = """
def run(count, clock):
    rounds = range(count)
    start = clock()
    for _ in rounds:
        {statement}
    return clock() - start
"""
# Short rounds, so that one in which no other process runs is likely.
COUNT = 10_000


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=200, help="rounds (default: 200)")
    parser.add_argument("--most", type=float, help="the greatest ratio that i(ii) may have")
    options = parser.parse_args()

    import keelback
    from keelback.micropython import ffi as micro, uctypes

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "bench.c")
        source.write_text(C_SOURCE)
        library = str(Path(folder, "libbench.so"))
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, source], check=True)
        module = micro.open(library)
        ffi = keelback.FFI()
        ffi.cdef(CDEF)
        lib = ffi.dlopen(library)
        memory = bytearray(8)
        descriptor = {"x": uctypes.INT32 | 0, "y": uctypes.INT32 | 4}
        names = {
            "noop": module.func("v", "noop", ""),
            "add": module.func("i", "add", "ii"),
            "half": module.func("d", "half", "d"),
            "length": module.func("L", "length", "s"),
            "struct": uctypes.struct(uctypes.addressof(memory), descriptor),
            "lib_noop": lib.noop,
            "lib_add": lib.add,
            "lib_half": lib.half,
            "lib_length": lib.length,
            "cdata": ffi.new("struct point *"),
        }

        def compiled(statement):
            scope = dict(names)
            exec(LOOP.format(statement=statement), scope)
            return scope["run"]

        empty = compiled("pass")
        print(f"{'':16}{'micropython':>12}{'FFI':>10}{'ratio':>8}")
        failed = False
        for name, statements in CASES.items():
            runs = [empty, *map(compiled, statements)]
            best = [min(times) for times in zip(*([run(COUNT, perf_counter_ns) for run in runs]
                                                  for _ in range(options.repeat)))]
            micro_time, ffi_time = ((time - best[0]) / COUNT for time in best[1:])
            ratio = micro_time / ffi_time
            print(f"{name:16}{micro_time:12.1f}{ffi_time:10.1f}{ratio:8.2f}")
            failed |= name == "i(ii)" and options.most is not None and ratio > options.most
    if failed:
        sys.exit(f"error: i(ii) takes more than {options.most} times what FFI takes")


if __name__ == "__main__":
    main()
