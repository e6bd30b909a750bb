"""Parsing cdefs: Keelback's parser beside CFFI's, from 100 to 100 000 mixed declarations.

    cargo build --release -p keelback-cdef --example cdef_speed
    python bench/cdef_parse.py target/release/examples/cdef_speed --cffi-python PYTHON

PYTHON is an interpreter that has cffi and pycparser; without it only Keelback is measured. CFFI is slow at this,
so it is measured up to --cffi-limit declarations.
"""

import argparse
import math
import pathlib
import subprocess
import sys
import tempfile

CFFI = """
import sys, time, cffi
text = open(sys.argv[1]).read()
times = []
for _ in range(int(sys.argv[2])):
    ffi = cffi.FFI()
    start = time.perf_counter()
    ffi.cdef(text)
    times.append(time.perf_counter() - start)
start = time.perf_counter()
ffi.typeof("unsigned long(*)(const char *, int *)")
print(min(times), sorted(times)[len(times) // 2], time.perf_counter() - start)
"""


def declarations(count):
    """Declarations as in headers: functions, structs, enums, typedefs, constants, globals, callbacks."""
    lines = []
    for i in range(count):
        kind = i % 10
        if kind in (0, 1, 2):
            lines.append(f"int library_function_{i}(struct node_{i // 10} *self, const char *name, size_t length, double scale_{i});")
        elif kind == 3:
            lines.append(f"/* A node of the tree. */\nstruct node_{i // 10} {{ struct node_{i // 10} *next; int flags_{i}, kind; char name[64]; double value; }};")
        elif kind == 4:
            lines.append(f"typedef struct {{ uint32_t width, height; unsigned ready:1, visible:1; void *data; }} image_{i}_t;")
        elif kind == 5:
            lines.append(f"enum mode_{i} {{ MODE_{i}_OFF, MODE_{i}_ON = 4, MODE_{i}_AUTO = MODE_{i}_ON << 1 }};")
        elif kind == 6:
            lines.append(f"typedef int (*callback_{i}_t)(void *context, const image_{i - 2}_t *image, enum mode_{i - 1});")
        elif kind == 7:
            lines.append(f"#define LIMIT_{i} 0x{i:x}")
        elif kind == 8:
            lines.append(f"extern const char *const table_{i}[16];")
        else:
            lines.append(f"image_{i - 5}_t *image_load_{i}(callback_{i - 3}_t callback, unsigned long long offset, ...);")
    return "\n".join(lines) + "\n"


def exponent(sizes, times):
    """Slope of log time over log size, least squares."""
    xs, ys = [math.log(n) for n in sizes], [math.log(t) for t in times]
    mx, my = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - mx) * (y - my) for x, y in zip(xs, ys)) / sum((x - mx) ** 2 for x in xs)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("speed", help="the cdef_speed example, built with --release")
    parser.add_argument("--cffi-python", help="an interpreter with cffi and pycparser")
    parser.add_argument("--cffi-limit", type=int, default=10_000)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1_000, 10_000, 50_000, 100_000])
    arguments = parser.parse_args()
    ours, theirs = {}, {}
    print(f"{'declarations':>12} {'text':>10} {'keelback':>12} {'each':>9} {'memory':>9} {'type string':>12} {'cffi':>12} {'ratio':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for size in arguments.sizes:
            file = pathlib.Path(folder) / f"{size}.h"
            file.write_text(declarations(size))
            repeats = max(5, min(3000, 300_000 // size))
            out = subprocess.run([arguments.speed, file, str(repeats)], check=True, capture_output=True, text=True).stdout
            wall, cpu, memory, string = (float(word) for word in out.split())
            best = min(wall, cpu)  # a busy machine spoils the one, its coarse clock the other
            ours[size] = best
            row = (f"{size:>12} {file.stat().st_size:>10} {best * 1e3:>9.3f} ms {best / size * 1e6:>6.3f} us "
                   f"{memory / size:>7.0f} B {string * 1e6:>9.3f} us")
            if arguments.cffi_python and size <= arguments.cffi_limit:
                command = [arguments.cffi_python, "-c", CFFI, str(file), str(max(1, min(20, 2000 // size)))]
                out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                theirs[size] = float(out.split()[0])
                row += f" {theirs[size] * 1e3:>9.1f} ms {best / theirs[size]:>8.4f}"
            print(row)
    large = [size for size in ours if size >= 1000]
    if len(large) > 1:
        print(f"growth exponent from {large[0]} to {large[-1]}: {exponent(large, [ours[size] for size in large]):.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
