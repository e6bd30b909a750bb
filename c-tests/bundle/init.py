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


def stdlib():
    """What tools see of modules of the standard library, without the bundle's own path."""
    import importlib.resources
    import importlib.util
    import inspect
    import json.tool
    import pkgutil
    import traceback

    try:
        json.loads("{")
    except ValueError as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
    resources = importlib.resources.files("json")
    told = [
        [json.__file__, json.__spec__.origin, json.__path__, json.__spec__.submodule_search_locations],
        [type(json.__loader__).__name__, json.__loader__.is_package("json"), json.decoder.__loader__.is_package("json.decoder")],
        # 3.15 has left `__cached__` to the spec.
        [json.decoder.__file__, getattr(json.decoder, "__cached__", json.decoder.__spec__.cached), json.decoder.__package__, json.tool.__spec__.name],
        [frame.filename, frame.name, frame.line],
        sorted(name for _, name, _ in pkgutil.iter_modules(json.__path__)),
        [resources.joinpath("decoder.py").is_file(), pkgutil.get_data("json", "scanner.py") is not None],
        [inspect.getsource(json.JSONDecoder).partition("\n")[0], inspect.getsourcefile(json), inspect.getfile(json.decoder)],
        [str(importlib.util.find_spec("json.nothing")), str(importlib.util.find_spec("nothing")), repr(json)],
        [importlib.reload(json.scanner) is json.scanner, json.scanner.__loader__.get_source("json.scanner")[:15]],
    ]
    return json.loads(json.dumps(told).replace(sys.prefix, "."))


ANSWERS = {
    "stdlib": stdlib,
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
