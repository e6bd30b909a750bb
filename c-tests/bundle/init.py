import ctypes
import decimal
import hashlib
import json
import math
import os
import sqlite3
import sys
import zlib

from bundled import ffi

try:
    import shapes
except ImportError:
    shapes = None

keep = []


def module_files():
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and os.path.isabs(file):
            yield file


ANSWERS = {
    "prefix": lambda: sys.prefix,
    "path": lambda: sys.path,
    "files": lambda: sorted(module_files()),
    "mapped": lambda: sorted({line.split()[-1] for line in open("/proc/self/maps") if "/" in line}),
    "sums": lambda: [
        math.factorial(5),
        hashlib.sha256(b"keelback").hexdigest()[:8],
        zlib.crc32(b"keelback"),
        sqlite3.connect(":memory:").execute("select 6 * 7").fetchone()[0],
        str(decimal.Decimal("0.1") + decimal.Decimal("0.2")),
        ctypes.CDLL(None).abs(-3),
    ],
    "encodings": lambda: "été".encode("latin-1").hex() + "ß".encode("cp437").hex(),
    "site": lambda: ["site" in sys.modules, sys.flags.no_site, str(exit), str(quit), str(help)],
    "package": lambda: shapes and shapes.corners("square"),
}


@ffi.def_extern()
def ask(name):
    text = ffi.new("char[]", json.dumps(ANSWERS[ffi.string(name).decode()]()).encode())
    keep[:] = [text]
    return text
