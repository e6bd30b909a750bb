"""Extension modules that CFFI's API mode compiled, loaded under `install_as_cffi()`. CFFI itself compiles them when the
test runs; one script uses them with either run time, and what comes out must be the same."""
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

from differential import need_cffi
from sub_interpreters import INTERPRETERS

FOLDER = pathlib.Path(__file__).parent / "cffi_compiled"

VERSIONS = """
import ctypes, sys
if sys.argv[1] == "keelback":
    import keelback
    keelback.install_as_cffi()
import _cffi_backend
name = ctypes.create_string_buffer(b"some._module")
for version in (1, 0x2600, 0x2900):
    raw = (ctypes.c_void_p * 4)(ctypes.addressof(name), version)
    try:
        _cffi_backend._init_cffi_1_0_external_module(ctypes.addressof(raw))
    except ImportError as error:
        print(error.name, error)
for wrong in ("text", None, 1.5):
    try:
        _cffi_backend._init_cffi_1_0_external_module(wrong)
    except TypeError as error:
        print(error)
"""

VERIFIED = """
import keelback
keelback.install_as_cffi()
import compiled_verified
"""

# What Keelback means to do otherwise: its own words and classes.
DIFFERENT = {
    "lib.add(2**31, 1)": "builtins.OverflowError: integer 2147483648 does not fit 'int'",
    "ffi.typeof('int[nosuch]')": (
        "keelback.error: unsupported expression: expected a simple numeric constant, and 'nosuch' isn't known as one\n"
        "int[nosuch]\n    ^"
    ),
    "ffi2.typeof('int[LIMIT]')": (
        "keelback.error: unsupported expression: expected a simple numeric constant, and 'LIMIT' isn't known as one\n"
        "int[LIMIT]\n    ^"
    ),
    "ffi.typeof('int[WRONG]')": "keelback.error: the C compiler says 'WRONG' is equal to 8 (0x8), but the cdef disagrees",
    "lib.add(a=1)": "builtins.TypeError: compiled_everything.Lib.add() takes no keyword arguments",
    "lib.number(65536)": "builtins.OverflowError: integer 65536 does not fit 'uint16_t'",
    "lib.u8(256)": "builtins.OverflowError: integer 256 does not fit 'unsigned char'",
}


def run(code, where, *arguments):
    done = subprocess.run(
        [sys.executable, *code, *arguments], cwd=where, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    need_cffi()
    if importlib.util.find_spec("setuptools") is None:
        pytest.skip("CFFI compiles with setuptools")
    where = tmp_path_factory.mktemp("compiled")
    run([FOLDER / "compile.py"], where)
    (where / "use.py").write_text((FOLDER / "use.py").read_text())
    return where


@pytest.fixture(scope="module")
def outcomes(modules):
    theirs, ours = (json.loads(run(["use.py"], modules, which)) for which in ("cffi", "keelback"))
    assert [label for label, _ in theirs] == [label for label, _ in ours]
    return [(label, expected, outcome) for (label, expected), (_, outcome) in zip(theirs, ours)]


def test_everything_as_with_cffi(outcomes):
    def alike(text):
        return re.sub(r"^(ffi\.error|keelback\.(error|VerificationError)):", "ffi.error:", text)

    wrong = [
        f"{label}\n  CFFI:     {expected}\n  Keelback: {outcome}"
        for label, expected, outcome in outcomes
        if label not in DIFFERENT and alike(outcome) != alike(expected)
    ]
    assert not wrong, "\n".join(wrong)
    ours = {label: outcome for label, _, outcome in outcomes}
    assert {label: ours[label] for label in DIFFERENT} == DIFFERENT


def test_modules_of_verify_are_refused(modules):
    done = subprocess.run([sys.executable, "-c", VERIFIED], cwd=modules, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "ImportError: a module that verify() of CFFI compiled cannot be loaded by Keelback: remove it, and build it again "
        "with Keelback's verify() or set_source()"
    )


ELSEWHERE = """
import atexit, sys
INSTALL = ""
if sys.argv[1] == "keelback":
    INSTALL = "import keelback; keelback.install_as_cffi()\\n"
    exec(INSTALL)
from compiled_everything import ffi, lib
@ffi.def_extern()
def hook(n, d, part):
    return 70 + n
INTERPRETERS
other = create()
interpreters.run_string(other, INSTALL + '''
import sys
sys.path.insert(0, "")
from compiled_everything import ffi, lib
print(lib.add(2, 3), ffi.sizeof("part_t"), lib.RED, lib.mirror([1, 2]).x, lib.call_hook(1))
''')
interpreters.destroy(other)
print(lib.call_hook(2), lib.add(1, 1), lib.mirror([1, 2]).x)
atexit.register(lambda: print("at exit", lib.call_hook(3)))
""".replace("INTERPRETERS", INTERPRETERS)


def test_sub_interpreters_and_exit_as_with_cffi(modules):
    ours = run(["-c", ELSEWHERE], modules, "keelback").splitlines()
    assert ours == ["5 56 0 2 71", "72 2 2", "at exit 73"]
    # From Python 3.12 on, CFFI finds no function that is attached when C calls from a sub-interpreter.
    from_sub = "71" if sys.version_info < (3, 12) else "0"
    theirs = run(["-c", ELSEWHERE], modules, "cffi").splitlines()
    assert theirs == [f"5 56 0 2 {from_sub}", *ours[1:]]


SHAPES = """
import sys, warnings
if sys.argv[1] == "keelback":
    import keelback; keelback.install_as_cffi()
warnings.simplefilter("error")
from compiled_everything import ffi, lib
ffi.def_extern(name="hook")(lambda: 1)
"""


@pytest.mark.parametrize("made_by, said", [("cffi", ""), ("keelback", "UserWarning: ffi.def_extern('hook'): 'hook' takes no arguments, and C calls it with 3\n")])  # fmt: skip
def test_a_function_that_cannot_be_called(modules, tmp_path, made_by, said):
    """CFFI takes any callable, and its modules get no warning that they would not get there; ours do."""
    need_cffi()
    if made_by == "keelback":
        run([FOLDER / "compile.py", "keelback", "compiled_everything"], tmp_path)
    else:
        run(["-c", SHAPES], modules, "cffi")
    where = tmp_path if made_by == "keelback" else modules
    done = subprocess.run([sys.executable, "-c", SHAPES, "keelback"], cwd=where, capture_output=True, text=True)
    assert done.stderr.endswith(said) and (done.returncode != 0) == bool(said), done.stderr


MIXED = """
import keelback
keelback.install_as_cffi()
from compiled_everything import ffi, lib
from compiled_including import ffi as ffi2, lib as lib2
print(lib2.more(ffi2.new("struct more *", {"p": [1, 2]}), [3, 4]), lib2.more(ffi2.new("struct more *"), lib.corner))
print(lib2.add(1, 2), lib2.LIMIT, lib2.BIG, lib2.counter, lib2.origin.y, ffi2.sizeof("part_t"))
print(ffi2.typeof("point") is ffi.typeof("point"), ffi2.typeof("part_t") is ffi.typeof("part_t"))
"""


@pytest.mark.parametrize("included, including", [("cffi", "keelback"), ("keelback", "cffi")])
def test_includes_between_both(tmp_path, included, including):
    need_cffi()
    for which, module in ((included, "compiled_everything"), (including, "compiled_including")):
        run([FOLDER / "compile.py", *(["keelback"] if which == "keelback" else []), module], tmp_path)
    assert run(["-c", MIXED], tmp_path).splitlines() == [
        "5 6",
        f"3 100 {12345678901234567890} 3 4 56",
        "True True",
    ]


LEAKS = """
import ctypes, gc, os, sys
import keelback
keelback.install_as_cffi()
import compiled_everything, compiled_including
from compiled_everything import ffi, lib
from compiled_everything.lib import add as imported_add
from compiled_including import ffi as ffi2, lib as lib2

class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks used free keep".split()]
mallinfo = ctypes.CDLL(None).mallinfo2
mallinfo.restype = Info
text = open("use.py").read().split('EXPRESSIONS = \"\"\"')[1].split('\"\"\"')[0].strip().splitlines()
codes = [compile(line, line, "eval") for line in text]
ffi.def_extern(name="hook")(lambda n, d, part: int(n * d) + part.a)
ffi.def_extern(name="hook_point")(lambda p, d: [p.y, int(d)])
def every():
    for code in codes:
        try:
            eval(code)
        except Exception:
            pass
    for _ in range(20):
        lib.call_hook(4), lib.call_hook_point(4, 5.5).x, lib.call_hook_thread(3)
def used():
    # Names that C asked for stay in Python's table of attributes that were looked up, which has thousands of places.
    getattr(sys, "_clear_type_cache", int)()
    gc.collect()
    return mallinfo().used
sys.stderr = open(os.devnull, "w")
for _ in range(5):
    every()
grown = []
for _ in range(3):
    before = used()
    for _ in range(20):
        every()
    grown.append(used() - before)
sys.stderr = sys.__stderr__
print(min(grown))
"""


def test_memory_does_not_grow(modules):
    environment = dict(os.environ, PYTHONMALLOC="malloc")
    done = subprocess.run(
        [sys.executable, "-c", LEAKS], cwd=modules, capture_output=True, text=True, timeout=120, env=environment
    )
    assert done.returncode == 0, done.stderr
    # 20 rounds of 170 expressions: a leak of one byte in each would be 3400, each time; a table grows once.
    assert int(done.stdout) < 2000


def test_versions_out_of_range_as_with_cffi(tmp_path):
    need_cffi()
    theirs = run(["-c", VERSIONS], tmp_path, "cffi")
    assert run(["-c", VERSIONS], tmp_path, "keelback") == theirs
    assert theirs.count("unknown version tag") == 3
