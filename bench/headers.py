"""Real headers: Keelback's preprocessor beside `gcc -E`, and `ffi.header()` beside `gcc -E` plus CFFI's parser.

    cargo build --release -p keelback-cdef --example preprocess
    python bench/headers.py --preprocess target/release/examples/preprocess [--cffi-python PYTHON]

Prints how many of this machine's headers, of those that gcc takes alone, become the same tokens; the time that both take
for them, as processes, in turns; and what one large header costs a program that declares it. PYTHONPATH must lead to
Keelback; PYTHON is an interpreter that has cffi and pycparser.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile
import time

OURS = """
import sys, time, keelback
name, only = sys.argv[1], sys.argv[2:] or ()
keelback.FFI().header(name, only=only)
times = []
for _ in range(20):
    ffi = keelback.FFI()
    start = time.perf_counter()
    ffi.header(name, only=only)
    times.append(time.perf_counter() - start)
print(min(times), sorted(times)[len(times) // 2], len(dir(ffi.dlopen(None))))
"""
# Syntax that CFFI's parser refuses is replaced by syntax that it accepts, so the comparison is in its favour.
THEIRS = """
import re, subprocess, sys, time, cffi
times = []
for _ in range(5):
    start = time.perf_counter()
    text = subprocess.run(["gcc", "-E", "-P", "-"], input=f"#include <{sys.argv[1]}>", stdout=subprocess.PIPE, text=True, check=True).stdout
    text = text.replace("__builtin_va_list", "void *")
    text = re.sub(r"__attribute__\\s*\\(\\(.*?\\)\\)|__extension__|__restrict|__inline", "", text)
    ffi = cffi.FFI()
    ffi.cdef(text)
    times.append(time.perf_counter() - start)
print(min(times), sorted(times)[len(times) // 2])
"""


def ask(*arguments):
    return subprocess.run(["gcc", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")


def folders():
    said = ask("-E", "-v", "-x", "c", "/dev/null").stderr
    listed = said.partition("search starts here:\n")[2].partition("End of search list")[0]
    return [line.strip() for line in listed.splitlines() if line.startswith(" ")]


def candidates(dirs):
    """The headers that a program may include: those directly in the folders, and those in `sys`, `net` and the like."""
    for folder in dict.fromkeys(str(pathlib.Path(name).resolve()) for name in dirs if name.startswith("/usr/include")):
        yield from sorted(pathlib.Path(folder).glob("*.h"))
        for inside in ("sys", "net", "netinet", "arpa", "rpc"):
            yield from sorted(pathlib.Path(folder).glob(f"{inside}/*.h"))


def compare(preprocess):
    dirs = folders()
    gcc_time = own_time = bytes_read = 0.0
    equal, other = [], []
    with tempfile.TemporaryDirectory() as folder:
        macros, flat = pathlib.Path(folder) / "macros.h", pathlib.Path(folder) / "flat.c"
        macros.write_text(ask("-dM", "-E", "-x", "c", "/dev/null").stdout)
        nothing = pathlib.Path(folder) / "nothing.h"
        nothing.write_text("")
        for header in candidates(dirs):
            start = time.perf_counter()
            theirs = ask("-E", "-P", str(header))
            middle = time.perf_counter()
            if theirs.returncode:
                continue
            ours = subprocess.run([preprocess, macros, header, *dirs], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
            own_time += time.perf_counter() - middle
            gcc_time += middle - start
            flat.write_text(theirs.stdout)
            cut = subprocess.run([preprocess, nothing, flat], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
            bytes_read += len(theirs.stdout)
            same = ours.returncode == 0 and without_pragmas(ours.stdout) == without_pragmas(cut.stdout)
            (equal if same else other).append(header)
    print(f"{len(equal)} of {len(equal) + len(other)} headers that gcc takes alone have gcc's tokens")
    for header in other:
        print(f"    not: {header}")
    print(f"time of all: gcc -E {gcc_time:.2f} s, keelback {own_time:.2f} s, ratio {own_time / gcc_time:.2f}")


def without_pragmas(text):
    return re.sub(r"(?m)^#\n(?:pragma\n).*", "", text)


def one_header(name, python):
    def run(python, program, *arguments):
        done = subprocess.run([python, "-c", program, name, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return [float(word) for word in done.stdout.split()] or None

    best, median, names = run(sys.executable, OURS)
    print(f"ffi.header({name!r}): {best * 1e3:.2f} ms (median {median * 1e3:.2f}), {names:.0f} names, {names / best:.0f} a second")
    if python:
        theirs = run(python, THEIRS)
        if theirs is None:
            print(f"gcc -E and CFFI's cdef() do not take {name}")
        else:
            print(f"gcc -E and CFFI's cdef(): {theirs[0] * 1e3:.1f} ms (median {theirs[1] * 1e3:.1f}), ratio {best / theirs[0]:.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preprocess", help="the example of that name, built with --release; without it only --header is measured")
    parser.add_argument("--cffi-python", help="an interpreter with cffi and pycparser")
    parser.add_argument("--header", action="append", help="the large header (default: sqlite3.h; may be repeated)")
    arguments = parser.parse_args()
    if arguments.preprocess:
        compare(arguments.preprocess)
    for name in arguments.header or ["sqlite3.h"]:
        one_header(name, arguments.cffi_python)


if __name__ == "__main__":
    main()
