"""The words of messages: under `install_as_cffi()` they are CFFI's."""
import re
import subprocess
import sys

from differential import need_cffi

SCRIPT = r"""
ffi = cffi.FFI()

def fails(x):
    raise ValueError(x)


def wrong(x):
    return "text"


ffi.callback("int(int)", fails)(5)
ffi.callback("int(int)", wrong)(5)
ffi.callback("int(int)", fails, onerror=lambda *exception: 1 / 0)(6)
assert ffi.callback("int(int)", fails, error=7, onerror=lambda *exception: None)(6) == 7
for act in (
    lambda: cffi.FFI().compile(),
    lambda: cffi.FFI().emit_c_code("x"),
    lambda: ffi.def_extern(),
    lambda: ffi.new("struct nosuch *"),
):
    try:
        act()
    except Exception as error:
        print(type(error).__name__, error)
"""


def test_install_as_cffi_has_cffi_s_texts():
    need_cffi()
    told = []
    for first in ("import cffi", "import keelback; keelback.install_as_cffi(); import cffi"):
        ran = subprocess.run([sys.executable, "-c", f"{first}\n{SCRIPT}"], capture_output=True, text=True, check=True)
        told.append(re.sub("0x[0-9a-f]+", "0x...", ran.stdout + ran.stderr))
    assert told[1] == told[0]
    assert told[0].count("from cffi callback <function ") == 3
    assert "set_source() must be called before compile()" in told[0]


