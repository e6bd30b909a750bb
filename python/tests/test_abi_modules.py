"""Out-of-line modules of ABI mode, side by side with CFFI's: the same script makes them and uses them under both."""
import json
import re
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


def outcomes(implementation, script, folder, is_made=False):
    folder = folder / implementation
    folder.mkdir(exist_ok=is_made)
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


MANY = "".join(
    f"struct point_{i} {{ int x, y; struct point_{i - 1 if i else 0} *next; }};\n"
    f"typedef struct {{ struct point_{i} p; struct {{ int z; }} inner; }} pair_{i};\n"
    f"enum color_{i} {{ RED_{i}, BLUE_{i} = 5 }};\n#define LIMIT_{i} {i}\n"
    f"int add_{i}(pair_{i} *p, enum color_{i} c);\n"
    for i in range(60)
) + "int abs(int); struct opaque; extern char **environ;\n"

PARTS = f"""
ffi = FFI()
ffi.cdef({MANY!r})
ffi.cdef("typedef struct point_7 last_t;\\n#define LAST 3\\n", packed=True)
ffi.set_source("m_parts", None)
ffi.compile()
from m_parts import ffi
lib = ffi.dlopen(None)
for name in ("pair_9 *", "struct point_3", "enum color_4", "last_t", "struct opaque", "pair_1[LIMIT_4]", "int(*)(pair_50)",
             "nosuch", "struct nosuch *", "int[nosuch]", "RED_1", "pair_2 x"):
    note(name, lambda: ffi.typeof(name))
for name in ("pair_9", "struct point_3", "last_t", "pair_50"):
    note(f"fields of {{name}}", lambda: [(key, field.type, field.offset) for key, field in ffi.typeof(name).fields])
    note(f"inner of {{name}}", lambda: dict(ffi.typeof(name).fields)["inner"].type)
note("elements", lambda: ffi.typeof("enum color_4").elements)
note("abs", lambda: lib.abs(-3))
note("environ", lambda: ffi.typeof(ffi.addressof(lib, "environ")))
for name in "LIMIT_59 BLUE_58 add_3 nosuch LAST".split():
    note(name, lambda: getattr(lib, name))
    note(f"{{name}} as a constant", lambda: ffi.integer_const(name))
note("dir", lambda: dir(lib))
note("types", ffi.list_types)
for name in "RED_30 LIMIT_31".split():
    note(f"{{name}} after all", lambda: getattr(lib, name))
for i in range(60):
    note(f"pair_{{i}}", lambda: (ffi.sizeof(f"pair_{{i}}"), ffi.typeof(f"pair_{{i}}").fields[1][1].type))
"""


def test_what_is_used_is_parsed(tmp_path):
    """Each name means in parts of the text what it means in all of it: with CFFI, with an index, and without one."""
    need_cffi()
    theirs, ours = (dict(outcomes(which, PARTS, tmp_path)) for which in ("cffi", "keelback"))
    assert ours.keys() == theirs.keys()

    def without_numbers(text):
        # CFFI does not count the structs that only a typedef names.
        return re.sub(r"\$\d+", "$", text)

    # Messages about type strings are in our own words.
    differ = {label for label in theirs if without_numbers(ours[label]) != without_numbers(theirs[label])}
    assert differ <= {"int[nosuch]"}, [(label, theirs[label], ours[label]) for label in differ]

    module = tmp_path / "keelback" / "m_parts.py"
    text = module.read_text()
    head, digest, index = re.split(r"^    (0x[0-9a-f]+),\n", text, flags=re.M)
    assert index.startswith('    b"\\x01\\x00\\x00\\x00\\x02\\x00')
    use = PARTS[PARTS.index("from m_parts"):]
    for name, written in (
        # As modules were before there were indexes; one that this version cannot read; damage, which the digest shows.
        ("no index", head + ")\n"),
        ("another version", head + f"    {digest},\n" + index.replace("\\x01", "\\x02", 1)),
        ("damage", head + f"    {digest},\n" + re.sub(r"\\x0[1-9]", r"\\xff", index)),
    ):
        module.write_text(written)
        assert dict(outcomes("keelback", use, tmp_path, is_made=True)) == ours, name
