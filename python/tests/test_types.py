"""The type stubs: they say what the runtime has, and users' code passes mypy with them."""
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="mypy is not installed")


@pytest.fixture(scope="module")
def stubs(tmp_path_factory):
    """The stubs alone: the modules without any are private."""
    folder = tmp_path_factory.mktemp("stubs")
    (folder / "keelback").mkdir()
    for source in (ROOT / "python/keelback").iterdir():
        if source.suffix == ".pyi" or source.name in ("py.typed", "types.py"):
            shutil.copy(source, folder / "keelback")
    return folder


def mypy(stubs, folder, *arguments, module="mypy"):
    ran = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder, env=dict(os.environ, MYPYPATH=str(stubs)), capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_stubs_say_what_the_runtime_has(stubs, tmp_path):
    allowlist = Path(__file__).with_name("stubtest_allowlist.txt")
    mypy(stubs, tmp_path, "keelback", "--concise", "--allowlist", str(allowlist), "--ignore-unused-allowlist",
         module="mypy.stubtest")  # fmt: skip


@pytest.mark.parametrize(
    "name, example",
    [("greeter", "greeter/greeter.py"), ("point", "point/point.py"), ("pyfuncs", "sqlite-extension/plugin.py")],
)
def test_examples(stubs, tmp_path, name, example):
    shutil.copy(ROOT / "examples" / example, tmp_path / "init_code.py")
    (tmp_path / f"{name}.pyi").write_text(
        "from keelback._runtime import CompiledFFI, Lib\n\nffi: CompiledFFI\nlib: Lib\n"
    )
    mypy(stubs, tmp_path, "--strict", "init_code.py")


IN_LINE = """
from types import TracebackType
from typing import Any

import keelback
from keelback import CData, CType, FFI, Lib

ffi = FFI()
ffi.cdef("int abs(int); struct point { int x, y; };", override=True, packed=False, pack=None)
library: Lib = ffi.dlopen(None, ffi.RTLD_NOW)
number: int = library.abs(-3)
point: CData = ffi.new("struct point *", {"x": 1})
point.x += 1
kind: CType = ffi.typeof(point)
name: str = kind.cname + ffi.getctype(kind, "*")
size: int = ffi.sizeof(point) + ffi.alignof("int") + ffi.offsetof("struct point", "y")
fields = [(name, field.offset, field.type.kind) for name, field in ffi.typeof("struct point").fields or []]
array = ffi.new("int[]", [1, 2])
further: CData = array + 1
distance: int = further - array
view: bytes = ffi.buffer(array)[:]
ffi.memmove(array, b"abcd", 4)
source: CData = ffi.from_buffer(bytearray(4))
writable: CData = ffi.from_buffer("char[]", bytearray(4), require_writable=True)
with ffi.gc(ffi.new("int *"), lambda old: None, 8) as kept:
    kept[0] = 5
handle: CData = ffi.new_handle([])
thing: Any = ffi.from_handle(handle)


def report(kind: type[BaseException], value: BaseException, traceback: TracebackType | None) -> int:
    return 1


@ffi.callback("int(int)", error=-1, onerror=report)
def twice(x: int) -> int:
    return 2 * x


called: CData = twice
once: list[int] = ffi.init_once(lambda: [1], "tag")
null: bool = ffi.NULL == array
ffi.errno = ffi.errno
ffi.dlclose(library)
other = FFI()
other.include(ffi)
other.set_source("module", None)
try:
    other.cdef("int f(")
except keelback.CDefError as error:
    print(error)
keelback.install_as_cffi()
"""


def test_in_line_use(stubs, tmp_path):
    (tmp_path / "in_line.py").write_text(IN_LINE)
    mypy(stubs, tmp_path, "--strict", "in_line.py")
