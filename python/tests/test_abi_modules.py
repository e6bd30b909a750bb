"""Out-of-line modules of ABI mode, side by side with CFFI's: the same script makes them and uses them under both."""
import json
import subprocess
import sys

import pytest

from differential import need_cffi

START = """
import json, os, re, sys
if sys.argv[1] == "keelback":
    import keelback
    keelback.install_as_cffi()
from cffi import FFI
sys.path.insert(0, os.getcwd())
outcomes = []
def note(label, action):
    try:
        outcome = repr(action())
    except Exception as error:
        outcome = f"{type(error).__name__}: {error}"
    outcomes.append((label, re.sub("0x[0-9a-f]+", "0x", outcome)))
def module(name, cdef, *included):
    ffi = FFI()
    for other in included:
        ffi.include(other)
    ffi.cdef(cdef)
    ffi.set_source(name, None)
    ffi.compile()
    return ffi
"""
END = """
json.dump(outcomes, sys.stdout)
"""

INCLUDES = """
base = module("m_base", '''
    #define LIMIT 7
    int abs(int); double fabs(double); extern char **environ;
    enum e { A, B = 4 }; struct s { int x; }; static const int NUMBER;
''')
middle = module("m_middle", "#define MIDDLE 9\\nint labs(int); struct t { struct s a; };", base)
module("m_top", "#define TOP 10\\nint atoi(const char *);", middle)
import m_base, m_middle, m_top
for module in (m_base, m_middle, m_top):
    ffi = module.ffi
    lib = ffi.dlopen(None)
    note("dir", lambda: dir(lib))
    note("dict", lambda: sorted(lib.__dict__))
    note("all", lambda: lib.__all__)
    note("types", ffi.list_types)
    note("struct", lambda: ffi.typeof("struct s"))
    for name in "abs fabs environ labs atoi LIMIT MIDDLE TOP A B NUMBER nosuch".split():
        note(name, lambda: getattr(lib, name))
        note(f"{name} is there", lambda: hasattr(lib, name))
        note(f"{name} as a constant", lambda: ffi.integer_const(name))
        note(f"address of {name}", lambda: ffi.addressof(lib, name))
        note(f"{name} = 1", lambda: setattr(lib, name, 1) if name != "environ" or module is not m_base else None)
"""


def outcomes(implementation, script, folder):
    folder = folder / implementation
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-B", "-c", START + script + END, implementation], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("script", [pytest.param(INCLUDES, id="includes")])
def test_as_with_cffi(script, tmp_path):
    need_cffi()
    theirs, ours = (outcomes(which, script, tmp_path) for which in ("cffi", "keelback"))
    assert len(ours) > 100 and ours == theirs
