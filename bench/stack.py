#!/usr/bin/env python3
"""How much stack a call from C needs on a thread: KiB below the caller's frame, for what Python code does there.

    python bench/stack.py [--keelback KEELBACK] PYTHON=RUNTIME...

Each line is a call on a new thread of a new process, so what is loaded, imported or made at the first time counts. The
stack is the caller's own memory, painted beforehand. `runtime/embed/src/stack.rs` goes by these numbers; take a build
that is optimised.
"""
import argparse
import os
import subprocess
import tempfile
from pathlib import Path

CDEF = "int work(int what); int step(int n, int (*next)(int)); int quiet(int n); int heard(int n);"
WORK = {
    "return": "return 0",
    "print": "print('x', file=sys.stderr)",
    "ValueError, reported": "raise ValueError",
    "import json, loads, dumps": "import json; return json.loads(json.dumps([{'a': [1.5, {'b': None}]}])) == 0",
    "import logging, warning": "import logging; logging.warning('x')",
    "import decimal, divide": "import decimal; return decimal.Decimal(1) / 3 == 0",
    "import dataclasses, make": "import dataclasses; dataclasses.make_dataclass('D', ['x', 'y'])(1, 2)",
    "re.compile": "import re; re.compile(r'(?:(a|b[c-e])+|(?P<x>\\\\d{2,3}))*$').match('abcd')",
    "open, read": "return open(__file__ if '__file__' in globals() else '/dev/null').read() == 0",
    "subprocess.run": "import subprocess; return subprocess.run(['true']).returncode",
    "a thread": "import threading; t = threading.Thread(target=print, kwargs={'file': sys.stderr}); t.start(); t.join()",
    "10 Python frames": "return deep(10)",
    "50 Python frames": "return deep(50)",
    "100 Python frames": "return deep(100)",
    "10 frames by C": "return by_c(10)",
    "50 frames by C": "return by_c(50)",
}
INIT = """
import sys
from measure import ffi

def deep(n):
    return deep(n - 1) if n else 0

def by_c(n):
    return max([n], key=lambda n: by_c(n - 1)) if n else 0

def tell(*what):
    return None

@ffi.def_extern()
def work(what):
    return WORKERS[what]()

@ffi.def_extern()
def step(n, next):
    return next(n)

@ffi.def_extern()
def quiet(n):
    return 0

@ffi.def_extern(onerror=tell)
def heard(n):
    return 0
"""
HOST = r"""
#define _GNU_SOURCE
#include <alloca.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "measure.h"

#define SIZE (1 << 20)
static unsigned char *low, *from;
static int what, reentered;

static int last(int n) { (void)n; return 0; }
static int again(int n) { return n == 0 ? 0 : step(n - 1, again); }

/* The rest of the stack as small as it may be, painted anew. */
static int __attribute__((noinline)) at_the_end(int kib)
{
    unsigned char here;
    volatile unsigned char *burnt = alloca((size_t)(&here - low) - (size_t)kib * 1024);
    burnt[0] = 1;
    from = (unsigned char *)burnt;
    memset(low, 0xA5, (size_t)(from - low) - 512);
    return what == -2 ? quiet(1) : heard(1);
}
static int narrow(int n) { (void)n; return at_the_end(reentered); }

static void *on_thread(void *unused)
{
    unsigned char here;
    from = &here;
    if (what >= 0)
        work(what);
    else if (what == -1)
        quiet(0);
    else if (what <= -100)
        again(-what - 100);
    else
        step(0, narrow);
    (void)last;
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    pthread_attr_t attributes;
    (void)argc;
    what = atoi(argv[1]);
    reentered = atoi(argv[2]);
    measure_start();
    low = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(low, 0xA5, SIZE);
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, low, SIZE);
    pthread_create(&thread, &attributes, on_thread, NULL);
    pthread_join(thread, NULL);
    unsigned char *used = low;
    while (*used == 0xA5)
        used++;
    printf("%ld\n", (long)(from - used));
    return 0;
}
"""


def build(keelback, python, folder):
    workers = "".join(f"\ndef work_{i}():\n    {code}\n    return 0\n" for i, code in enumerate(WORK.values()))
    table = "WORKERS = [" + ", ".join(f"work_{i}" for i in range(len(WORK))) + "]\n"
    Path(folder, "api.h").write_text(CDEF)
    Path(folder, "init.py").write_text(INIT + workers + table)
    Path(folder, "host.c").write_text(HOST)
    plugin = Path(folder, "libmeasure.so")
    subprocess.run([keelback, "build", f"{folder}/api.h", "--init", f"{folder}/init.py", "--name", "measure", "--python", python,
                    "-q", "-o", plugin], check=True)  # fmt: skip
    host = Path(folder, "host")
    subprocess.run(["cc", "-O1", "-I", folder, "-o", host, f"{folder}/host.c", plugin, f"-Wl,-rpath,{folder}", "-lpthread"], check=True)
    return host


def used(host, what, left=0):
    ran = subprocess.run([host, str(what), str(left)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return int(ran.stdout) / 1024 if ran.returncode == 0 else float("nan")


def measure(keelback, python, runtime):
    os.environ["KEELBACK_RUNTIME"] = runtime
    os.environ.pop("PYTHONPATH", None)
    with tempfile.TemporaryDirectory() as folder:
        host = build(keelback, python, folder)
        rows = {name: used(host, i) for i, name in enumerate(WORK)}
        rows["C to Python to C, each"] = (used(host, -120) - used(host, -110)) / 10
        rows["RecursionError, reported"] = used(host, -2, 40)
        rows["RecursionError, onerror"] = used(host, -3, 40)
        return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keelback", default="keelback")
    parser.add_argument("pairs", nargs="+", metavar="PYTHON=RUNTIME")
    options = parser.parse_args()
    tables = [measure(options.keelback, *pair.split("=", 1)) for pair in options.pairs]
    for name in tables[0]:
        print(f"{name:28}", *(f"{table[name]:6.1f}" for table in tables))


if __name__ == "__main__":
    main()
