"""Stubs of built modules: mypy --strict takes them, a good client passes, and each mistake of a bad client is told."""
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import keelback
import pytest

ROOT = Path(__file__).resolve().parents[2]
needs_mypy = pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="mypy is not installed")

CDEF = """
typedef struct node { struct node *next; double weight; char tag; char *bytes; int list[4]; ...; } node_t;
typedef struct { float x, y; union { int i; float f; }; } point_t;
typedef struct opaque *handle_t;
typedef int... number_t;
enum colour { RED, GREEN = ... };
double distance(const point_t *from, const point_t *to);
point_t middle(point_t a, point_t b);
node_t *first(node_t *);
handle_t open_it(const char *name, number_t flags);
int total(int count, ...);
void visit(int (*callback)(int, void *), void *userdata);
void lambda_(int lambda, int, int None);
extern "Python" int on_event(int code, node_t *);
#define SIZE ...
static const double RATIO;
extern int counter;
extern point_t origin;
extern unsigned char table[...];
"""

GOOD = """
from _stubbed import ffi, lib

p = ffi.new("point_t *", {"x": 1, "y": 2})
p.x += 1.5
print(p.i + 1, p[0].y, lib.distance(p, ffi.new("point_t *")))
points = ffi.new("point_t[3]")
length: float = lib.distance(points, points + 1)
for one in points:
    one.x = 3
m = lib.middle(p[0], {"x": 1})
total: float = m.x + m.y
node = ffi.new("struct node *")
node.next = ffi.NULL
nodes = ffi.cast("node_t *", 0)
weight: float = lib.first(nodes).next.weight
tag: bytes = node.tag
numbers: int = node.list[0] + len(node.list)
ffi.string(node.bytes)
h = lib.open_it(b"name", 5)
lib.total(2, ffi.cast("int", 5), h)
lib.visit(ffi.callback("int(int, void *)", lambda x, y: x), ffi.NULL)
lib.lambda_(1, 2, 3)
colours: list[int] = [lib.RED, lib.GREEN, lib.SIZE]
ratio: float = lib.RATIO
lib.counter += 1
lib.origin.x = 5
first: int = lib.table[0]

@ffi.def_extern(error=-1)
def on_event(code: int, node: object) -> int:
    return code

lib.on_event(3, node)
ffi.memmove(p, b"abc", 2)
with ffi.new("point_t *") as q:
    q.y = 1
"""

# Each line has one mistake.
BAD = """
lib.nosuch()
lib.distance(5, p)
lib.distance(p)
lib.distance(node, p)
lib.distance(from_=p, to=p)
p.z
p.x = "text"
lib.SIZE = 6
lib.counter = "five"
lib.open_it("name", 5)
text: str = lib.open_it(b"name", 5)
lib.first(p)
lib.middle(p, p)
n: int = lib.RATIO
ffi.nosuch
lib.on_event("code", node)
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The stubs of keelback itself, and of a module."""
    folder = tmp_path_factory.mktemp("stubs")
    shutil.copytree(ROOT / "python/keelback", folder / "keelback", ignore=shutil.ignore_patterns("_[!r]*.py", "bin"))
    ffi = keelback.FFI()
    ffi.cdef(CDEF)
    ffi.set_source("_stubbed", PRELUDE)
    ffi.compile(tmpdir=str(folder), stubs=True)
    return folder


PRELUDE = """
typedef struct node { int hidden; struct node *next; double weight; char tag; char *bytes; int list[4]; } node_t;
typedef struct { float x, y; union { int i; float f; }; } point_t;
typedef struct opaque *handle_t;
typedef long number_t;
enum colour { RED, GREEN = 7 };
static double distance(const point_t *from, const point_t *to) { return to->x - from->x; }
static point_t middle(point_t a, point_t b) { a.x = (a.x + b.x) / 2; return a; }
static node_t *first(node_t *n) { return n; }
static handle_t open_it(const char *name, number_t flags) { return 0; }
static int total(int count, ...) { return count; }
static void visit(int (*callback)(int, void *), void *userdata) { callback(1, userdata); }
static void lambda_(int a, int b, int c) { }
#define SIZE 9
#define RATIO 1.5
static int counter; static point_t origin; static unsigned char table[3];
"""


def mypy(place, *files):
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context", *files],
        cwd=place, env=dict(os.environ, MYPYPATH=str(place)), capture_output=True, text=True,
    )  # fmt: skip
    return ran.stdout + ran.stderr


@needs_mypy
def test_a_good_client(place):
    (place / "good.py").write_text(GOOD)
    assert mypy(place, "good.py", "_stubbed.pyi") == ""


def test_the_good_client_runs(place, monkeypatch):
    """What the stubs allow works."""
    code = GOOD.replace("lib.first(nodes).next.weight", "node.weight").replace("ffi.string(node.bytes)\n", "")
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=place,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(place), *filter(None, sys.path)])},
        capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


@needs_mypy
def test_every_mistake_is_told(place):
    first = GOOD.count("\n") + 2
    (place / "bad.py").write_text(GOOD + BAD)
    said = mypy(place, "bad.py")
    told = {int(line) for line in re.findall(r"^bad\.py:(\d+): error:", said, re.MULTILINE)}
    expected = set(range(first, first + len(BAD.strip().splitlines())))
    assert told == expected, said


@needs_mypy
def test_abi_module(place):
    ffi = keelback.FFI()
    ffi.cdef("size_t strlen(const char *s); typedef struct { int a; } pair_t;")
    ffi.set_source("package._abi", None)
    ffi.compile(tmpdir=str(place), stubs=True)
    (place / "package" / "__init__.py").touch()
    (place / "abi.py").write_text(
        "from package._abi import ffi\n\nlib = ffi.dlopen(None)\nn: int = lib.strlen(b'abc')\n"
        "a: int = ffi.new('pair_t *').a\nlib.nosuch\n"
    )
    said = mypy(place, "abi.py")
    assert said == 'abi.py:6: error: "_Lib" has no attribute "nosuch"  [attr-defined]\n'


def test_the_command_line_writes_the_same(place, tmp_path):
    command = os.environ.get("KEELBACK") or shutil.which("keelback")
    if not command:
        pytest.skip("no command line: set KEELBACK")
    (tmp_path / "api.h").write_text(CDEF)
    done = subprocess.run(
        [command, "stubs", "--cdef", "api.h", "empty.h", "--name", "_stubbed", "-o", "out.pyi"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 5 and "empty.h" in done.stderr
    (tmp_path / "empty.h").touch()
    done = subprocess.run(
        [command, "stubs", "--cdef", "api.h", "empty.h", "--name", "_stubbed", "-o", "out.pyi"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out.pyi").read_text() == (place / "_stubbed.pyi").read_text()
