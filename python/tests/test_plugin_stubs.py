"""Stubs of a plugin's module: mypy --strict and pyright take a good init code, and tell each mistake of a bad one."""
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import keelback
import pytest
from keelback import _runtime

ROOT = Path(__file__).resolve().parents[2]

CDEF = """
typedef struct { int x, y; } point_t;
typedef struct scorer scorer;
typedef int (*each_fn)(int, void *);
typedef unsigned char byte_t;
enum colour { RED };
int price(int net);
int cost(int gross);
point_t middle(point_t a, const point_t *b);
const char *title(const char *name);
void note(double v);
int apply(each_fn each, void *data);
scorer *opened(void);
_Bool is_red(enum colour c);
double rate(double x); /* keelback: batch */
int near(const point_t *p, int n); /* keelback: batch */
"""

GOOD = """
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shop import ffi, lib

if TYPE_CHECKING:
    from keelback import CData
    from keelback.types import Array, FunctionPointer, Pointer
    from shop import point_t, point_t_p, struct_scorer_p


@ffi.def_extern(error=-1)
def price(net: int) -> int:
    return lib.cost(net) + net


@ffi.def_extern(name="cost", onerror=lambda kind, value, traceback: 5)
def whatever(net: float) -> bool:
    return net > 1


@ffi.def_extern()
def middle(a: point_t, b: point_t_p) -> dict[str, int]:
    return {"x": a.x + b.y + b[0].x}


@ffi.def_extern(name="middle", error=[0, 0])
def middle_of_cdata(a: CData, b: point_t_p) -> CData:
    return a


kept = ffi.new("char[]", b"title")


@ffi.def_extern()
def title(name: Pointer[bytes]) -> Pointer[bytes]:
    return kept if name[0] == b"a" else ffi.NULL


@ffi.def_extern()
def note(v: float) -> None: ...


@ffi.def_extern()
def apply(each: FunctionPointer[[int, Any], int], data: object) -> int:
    return each(5, data)


@ffi.def_extern(name="apply")
def apply_of_cdata(each: CData, data: CData, more: int = 1) -> int:
    result: int = each(5, data)
    return result


@ffi.def_extern()
def opened() -> struct_scorer_p:
    return ffi.cast("scorer *", ffi.new_handle(5))


@ffi.def_extern(name="is_red")
def any_number(*colours: int) -> bool:
    return colours[0] == lib.RED


@ffi.def_extern()
def rate(x: float) -> float:
    return 1 / x


@ffi.def_extern(name="rate", batch=True, error=-1)
def rates(x: Array[float], result: Array[float]) -> None:
    result[0] = x[0] + len(x)


@ffi.def_extern(batch=True)
def near(p: Array[point_t], n: Array[int], result: CData) -> None:
    result[0] = p[0].x + n[0]


ffi.def_extern(name="price")(lambda net: net + 1)
numbers = ffi.new("int[3]")
total: int = numbers[0] + len(numbers)
first: bytes = ffi.new("char[]", b"abc")[0]
points = ffi.new("point_t *[2]", [ffi.new("point_t *"), ffi.new("point_t *")])
total += points[0].x + ffi.new("point_t[16]")[1].y + ffi.new("byte_t *")[0]
half: float = ffi.new("double *", 0.5)[0]
names = ffi.new("char *[]", [kept])
first = names[0][0]
callback = ffi.cast("each_fn", ffi.callback("each_fn", lambda n, data: n))
total += callback(1, ffi.NULL)
anything = ffi.new("int[2][3]")[1][2]
"""

# Each line has one mistake; a `def` is told of at its decorator.
BAD = """
@ffi.def_extern(error="x")                                                     #
def b1(net: int) -> int: return net
@ffi.def_extern(name="price")                                                  #
def b2(net: int, more: int) -> int: return net
@ffi.def_extern(name="price")                                                  #
def b3(net: int) -> str: return ""
@ffi.def_extern(name="price")                                                  #
def b4(net: str) -> int: return 1
@ffi.def_extern(name="middle")                                                 #
def b5(a: point_t, b: point_t) -> point_t: return a
@ffi.def_extern(name="title")                                                  #
def b6(name: CData) -> bytes: return b""
@ffi.def_extern(name="note")                                                   #
def b7(v: float) -> float: return v
@ffi.def_extern()                                                              #
def b8(a: str) -> int: return 0
@ffi.def_extern(name="price")                                                  #
async def b9(net: int) -> int: return net
@ffi.def_extern(name="price")                                                  #
def b10(*, net: int) -> int: return net
@ffi.def_extern                                                                #
def b11(net: int) -> int: return net
@ffi.def_extern(name="opened")                                                 #
def b12() -> point_t_p: return ffi.new("point_t *")
@ffi.def_extern(batch=True)                                                    #
def b13(x: float) -> float: return x
@ffi.def_extern(name="rate", batch=True)                                       #
def b14(x: Array[float], result: Array[float]) -> int: return 0
ffi.def_extern(name="price")(lambda: 5)                                        #
ffi.def_extern(name="price", error="text")(lambda net: 5)                      #
ffi.def_extern(name="price", onerror=lambda kind: 5)(lambda net: 5)            #
text: str = ffi.new("int[3]")[0]                                               #
ffi.new("int *").nosuch                                                        #
ffi.new("double *")[0] + "a"                                                   #
ffi.new("point_t *").z                                                         #
callback("x", ffi.NULL)                                                        #
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stubs")
    shutil.copytree(ROOT / "python/keelback", folder / "keelback", ignore=shutil.ignore_patterns("_[!r]*.py", "bin"))
    ffi = keelback.FFI()
    ffi.embedding_api(CDEF)
    (folder / "shop.pyi").write_text(_runtime._generate_stubs(ffi, "shop", False))
    (folder / "good.py").write_text(GOOD)
    (folder / "bad.py").write_text(GOOD + BAD)
    return folder


def lines(folder, said):
    """Where errors are told, and where they should be."""
    told = {int(line) for line in re.findall(r"bad\.py:(\d+):.*?error", said)}
    text = (folder / "bad.py").read_text().splitlines()
    return told, {number for number, line in enumerate(text, 1) if line.endswith("  #")}


def mypy(place, *files):
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context", *files]
    ran = subprocess.run(
        command, cwd=place, env=dict(os.environ, MYPYPATH=str(place)), capture_output=True, text=True
    )
    return ran.stdout + ran.stderr


def test_mypy(place):
    said = mypy(place, "good.py", "shop.pyi", "bad.py")
    told, expected = lines(place, said)
    assert told == expected and not re.search("^(good|shop)", said, re.MULTILINE), said


def pyright(place, *files):
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable]
    if importlib.util.find_spec("pyright") is None or subprocess.run([*command, "--version"], capture_output=True).returncode:
        pytest.skip("pyright is not installed, or cannot fetch its JavaScript")
    return subprocess.run([*command, *files], cwd=place, capture_output=True, text=True).stdout


def test_pyright(place):
    said = pyright(place, "good.py", "bad.py")
    told, expected = lines(place, said)
    assert told == expected and not re.search(r"good\.py:\d+:\d+ - error", said), said


CDEFS = [
    "int f(int a);",
    'extern "Python" void f(void); int g(int);',
    "typedef struct { int a; } p; typedef p *p_p; typedef int _F; typedef struct _F1 { int b; } _F1; void f(p_p x, _F1 y, _F z); int g(p v);",
    "typedef union u { int a; } u_t; typedef struct p { u_t u; struct p *next; } p_c; struct p_p { int a; }; p_c *f(u_t *, struct p_p);",
    "int h(const char **names, long double d, double _Complex z, wchar_t w, unsigned long long n); void i(FILE *f, int (*)(void));",
    "typedef int lambda; lambda class(lambda def); typedef void (*hook)(int, ...); int k(hook, int table[3]);",
    "extern int variable;",
]  # fmt: skip


def test_stubs_are_right_themselves(place):
    names = []
    for number, cdef in enumerate(CDEFS):
        ffi = keelback.FFI()
        declare = ffi.cdef if '"Python"' in cdef else ffi.embedding_api
        declare(cdef)
        names.append(f"other{number}.pyi")
        (place / names[-1]).write_text(_runtime._generate_stubs(ffi, f"other{number}", False))
    assert mypy(place, *names) == ""
