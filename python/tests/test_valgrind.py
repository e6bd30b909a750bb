"""A script that uses every part of an in-line ffi, and one that uses modules that CFFI compiled, under valgrind: no invalid read or write, no use of an undefined
value, by the runtime or with its memory."""
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from differential import need_cffi

COMPILED = Path(__file__).resolve().parent / "cffi_compiled"
SUPPRESSIONS = Path(__file__).resolve().parents[2] / "c-tests/memory/python.supp"

SCRIPT = r"""
import gc, sys, threading
import keelback

def refused(function, *args):
    try:
        function(*args)
    except Exception:
        return
    raise AssertionError("no exception")

ffi = keelback.FFI()
ffi.cdef('''
    typedef struct { int div, rem; } div_t;
    div_t div(int, int);
    int abs(int);
    size_t strlen(const char *);
    int snprintf(char *, size_t, const char *, ...);
    void qsort(void *, size_t, size_t, int (*)(const void *, const void *));
    double atof(const char *);
    extern char **environ;
    struct P { int x; double y; char name[8]; };
    struct B { unsigned a : 3; int b : 9; unsigned long long c : 40; };
    struct F { short n; long items[]; };
    union U { int i; double d; unsigned char bytes[8]; };
    enum E { ONE = 1, TWO };
    typedef int (*fn_t)(int, struct P *);
    #define NUMBER 42
''')
lib = ffi.dlopen(None)

def calls():
    assert lib.abs(-3) == 3 and lib.strlen(b"four") == 4 and lib.div(7, 2).rem == 1 and lib.atof(b"2.5") == 2.5
    text = ffi.new("char[32]")
    assert lib.snprintf(text, 32, b"%d %s %.1f", ffi.cast("int", 5), ffi.new("char[]", b"x"), ffi.cast("double", 1.5)) == 7
    assert ffi.string(text) == b"5 x 1.5" and lib.NUMBER == 42 and lib.environ
    @ffi.callback("int(const void *, const void *)")
    def compare(a, b):
        return ffi.cast("int *", a)[0] - ffi.cast("int *", b)[0]
    numbers = ffi.new("int[]", [5, 3, 9, 1])
    lib.qsort(numbers, 4, 4, compare)
    assert list(numbers) == [1, 3, 5, 9]
    bad = ffi.callback("int(int)", lambda x: 1 // x, error=7, onerror=lambda *a: None)
    assert bad(0) == 7 and bad(1) == 1
    refused(lib.abs, "x"); refused(lib.abs); refused(lib.strlen, 5); refused(lambda: lib.nothing)

def data():
    p = ffi.new("struct P *", {"x": 1, "y": 2.5, "name": b"abc"})
    p.x += 1
    assert ffi.string(p.name) == b"abc" and ffi.addressof(p, "y")[0] == 2.5 and p[0].x == 2
    b = ffi.new("struct B *", [7, -200, 1 << 39])
    assert (b.a, b.b, b.c) == (7, -200, 1 << 39)
    f = ffi.new("struct F *", [2, [3, 4]])
    assert f.items[1] == 4
    u = ffi.new("union U *", {"d": 1.0})
    assert bytes(u.bytes)[-1] == 0x3f
    a = ffi.new("int[]", 10)
    a[2:5] = [1, 2, 3]
    assert list(a[1:4]) == [0, 1, 2] and ffi.unpack(a, 5) == [0, 0, 1, 2, 3]
    assert ffi.new("wchar_t[]", "aé\U0001F600")[1] == "é" and float(ffi.cast("long double", 1.5)) == 1.5
    assert complex(ffi.new("float _Complex *", 1 + 2j)[0]) == 1 + 2j
    assert ffi.cast("enum E", 2) is not None and ffi.string(ffi.cast("enum E", 2)) == "TWO"
    for act in (lambda: a[10], lambda: a[-1], lambda: p.nope, lambda: ffi.new("int[2]", [1, 2, 3]),
                lambda: ffi.NULL[0], lambda: ffi.new("struct P *", {"x": "y"}), lambda: ffi.cast("struct P", 1),
                lambda: ffi.cast("struct P *", 0).x, lambda: ffi.string(ffi.cast("char *", 0))):
        refused(act)

    other = keelback.FFI()
    other.cdef("struct bits { unsigned a : 3; int b : 9; }; union both { int i; double d; char c[12]; };")
    swap = other.callback("struct bits(union both, struct bits)", lambda both, bits: [both.i, bits.b])
    assert swap([5], [1, -3]).a == 5 and swap([5], {"b": -3}).b == -3
    assert other.callback("union both(long double, float _Complex)", lambda x, z: {"d": z.real})(1, 2j).d == 0
    assert ffi.unpack(ffi.new("char16_t[]", "a\U00012345"), 2) and ffi.string(ffi.new("char32_t[]", "abc"), 2) == "ab"
    assert list(ffi.new("int[2][2]", [[1], [2, 3]])[1]) == [2, 3] and ffi.getctype("int[2]", "x") == "int x[2]"

def gone():
    alloc = ffi.new_allocator(lambda n: ffi.new("char[]", n), lambda p: None)
    p = alloc("struct P *", [1])
    view, shown = p[0], ffi.buffer(p)
    ffi.release(p)
    for c in (p, view, ffi.cast("struct P *", 0), ffi.cast("struct P[2]", 0)):
        for act in (lambda: c.x, lambda: c[0], lambda: c[0:1], lambda: c[0].x, lambda: setattr(c, "x", 1), lambda: shown[0],
                    lambda: ffi.buffer(c, 4)[:], lambda: ffi.memmove(c, b"abcd", 4), lambda: ffi.addressof(c, "y"),
                    lambda: ffi.new("struct P *", c), lambda: ffi.unpack(c, 1), lambda: ffi.from_handle(c)):
            refused(act)
    numbers = ffi.new("int[4]")
    refused(ffi.memmove, numbers[2:4], bytes(9), 9)
    refused(lambda: exec("del numbers[0]", {"numbers": numbers}))
    refused(ffi.addressof, numbers, 9)

def memory():
    source = bytearray(b"0123456789")
    view = ffi.from_buffer("unsigned char[]", source)
    view[0] = 65
    assert ffi.buffer(view)[:3] == b"A12" and len(ffi.buffer(view, 4)) == 4
    ffi.memmove(view, b"xyz", 3)
    ffi.release(view)
    refused(lambda: view[0])
    gone = []
    owned = ffi.gc(ffi.new("int *", 5), gone.append, 100)
    del owned
    with ffi.gc(ffi.new("int *", 5), gone.append):
        pass
    assert len(gone) == 2
    handle = ffi.new_handle(gone)
    assert ffi.from_handle(handle) is gone
    stale = ffi.cast("void *", int(ffi.cast("uintptr_t", handle)))
    del handle
    refused(ffi.from_handle, stale); refused(ffi.from_handle, ffi.NULL); refused(ffi.from_handle, ffi.new("int *"))
    alloc = ffi.new_allocator(lambda n: ffi.new("char[]", n), lambda p: None)
    assert alloc("int[]", [1, 2])[1] == 2

def types():
    other = keelback.FFI()
    other.include(ffi)
    other.cdef("struct node { struct node *next; struct P p; int (*f)(struct node *, ...); int grid[2][3]; };")
    node = other.new("struct node *")
    node.next = node
    node.grid[1][2] = 5
    kind = other.typeof("struct node")
    assert [name for name, field in kind.fields] == ["next", "p", "f", "grid"] and other.offsetof("struct node", "grid", 1)
    assert repr(kind), repr(node)
    assert other.list_types() and other.getctype("fn_t", "*x[5]")
    for text in ("int[", "int(*", "\x00", "int[99999999999999999999]", ""):
        refused(other.typeof, text)
    for text in ("struct A {", "int f(;", "#define X (", "enum { A = 1/0 };", "\x00", "/*"):
        refused(other.cdef, text)

def everything():
    for act in (calls, data, gone, memory, types):
        act()

everything()
threads = [threading.Thread(target=everything) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
gc.collect()
everything()
print("done")
"""


def under_valgrind(arguments, where):
    if not shutil.which("valgrind"):
        pytest.skip("valgrind is not installed (tools/test installs it)")
    # Python's own allocator would hide every error from valgrind.
    environment = dict(os.environ, PYTHONMALLOC="malloc")
    return subprocess.run(
        ["valgrind", "--quiet", "--error-exitcode=9", "--num-callers=30", f"--suppressions={SUPPRESSIONS}",
         sys.executable, *arguments],
        cwd=where, capture_output=True, text=True, timeout=900, env=environment,
    )  # fmt: skip


def test_no_invalid_access(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    ran = under_valgrind([script], tmp_path)
    assert (ran.stdout, ran.stderr, ran.returncode) == ("done\n", "", 0)


def test_modules_that_cffi_compiled(tmp_path):
    need_cffi()
    if importlib.util.find_spec("setuptools") is None:
        pytest.skip("CFFI compiles with setuptools")
    subprocess.run([sys.executable, COMPILED / "compile.py"], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "use.py").write_text((COMPILED / "use.py").read_text())
    ran = under_valgrind(["use.py", "keelback"], tmp_path)
    # The tracebacks of functions that C called are there too.
    assert [line for line in ran.stderr.splitlines() if line.startswith("==")] == []
    assert ran.returncode == 0
    assert len(json.loads(ran.stdout)) > 150
