"""`ffi.callback`: C calls Python through libffi closures."""
import gc
import subprocess
import sys
import threading
import weakref

import pytest
from keelback import FFI as KeelbackFFI

from c_library import compile_library
from implementations import both


@both
def test_calls(FFI):
    ffi = FFI()
    ffi.cdef("void qsort(void *, size_t, size_t, int (*)(const void *, const void *));")
    lib = ffi.dlopen(None)

    @ffi.callback("int(const void *, const void *)")
    def compare(left, right):
        return ffi.cast("int *", left)[0] - ffi.cast("int *", right)[0]

    numbers = ffi.new("int[]", [5, 3, 9, 1])
    lib.qsort(numbers, 4, 4, compare)
    assert list(numbers) == [1, 3, 5, 9]


@both
def test_types(FFI):
    ffi = FFI()
    ffi.cdef("struct point { int x, y; };")
    same = lambda value: value
    assert ffi.callback("short(int)", lambda x: -5)(3) == -5
    assert ffi.callback("unsigned char(unsigned char)", same)(255) == 255
    assert ffi.callback("int64_t(int64_t)", same)(-(2**63)) == -(2**63)
    assert ffi.callback("uint64_t(uint64_t)", same)(2**64 - 1) == 2**64 - 1
    assert ffi.callback("_Bool(_Bool)", same)(True) is True
    assert ffi.callback("char(char)", same)(b"a") == b"a"
    assert ffi.callback("wchar_t(wchar_t)", same)("\u1234") == "\u1234"
    assert ffi.callback("float(float)", same)(2.5) == 2.5
    assert ffi.callback("double(double)", same)(2.5) == 2.5
    assert float(ffi.callback("long double(long double)", same)(2.5)) == 2.5
    assert ffi.callback("char *(char *)", same)(ffi.NULL) == ffi.NULL
    assert ffi.callback("void(int)", lambda x: None)(3) is None
    assert ffi.callback("struct point(int)", lambda x: [x, 4])(3).y == 4
    assert ffi.callback("int(struct point)", lambda p: p.x)([7, 8]) == 7
    assert ffi.callback("int(*)(int)", same)(3) == 3
    assert ffi.callback("int(int)")(same)(3) == 3
    assert ffi.callback(ffi.typeof("int(*)(int)"), python_callable=same)(3) == 3
    many = ffi.callback("int(int,int,int,int,int,int,int,int,int,int)", lambda *a: sum(a))
    assert many(*range(10)) == 45
    callback = ffi.callback("int(int)", same)
    assert repr(callback) == f"<cdata 'int(*)(int)' calling {same!r}>"


def test_a_struct_outlives_the_call():
    # With CFFI the cdata would point to memory that C has taken back.
    ffi = KeelbackFFI()
    ffi.cdef("struct point { int x, y; };")
    kept = []
    callback = ffi.callback("void(struct point)", kept.append)
    for number in range(5):
        callback([number, 2])
    assert [point.x for point in kept] == list(range(5))


@both
def test_refusals(FFI):
    ffi = FFI()
    ok = lambda *args: None
    with pytest.raises(TypeError):
        ffi.callback("int(int)", 5)
    with pytest.raises(TypeError, match="^expected a function ctype, got 'int'$"):
        ffi.callback("int", ok)
    with pytest.raises(TypeError, match=r"^expected a function ctype, got 'int\(\* \*\)\(int\)'$"):
        ffi.callback("int(**)(int)", ok)
    with pytest.raises(NotImplementedError, match=r"^int\(\*\)\(int, \.\.\.\): callback with unsupported argument or return type or with '\.\.\.'$"):
        ffi.callback("int(int, ...)", ok)
    with pytest.raises(TypeError, match="^expected a callable object for 'onerror', not int$"):
        ffi.callback("int(int)", ok, onerror=5)
    with pytest.raises(TypeError, match="^an integer is required$"):
        ffi.callback("int(int)", ok, error="a")
    with pytest.raises(TypeError, match="^callback with the return type 'void' must return None$"):
        ffi.callback("void(int)", ok, error=0)
    assert ffi.callback("void(int)", ok, error=None)(1) is None


@both
def test_error_value(FFI, capfd):
    ffi = FFI()
    ffi.cdef("struct point { int x, y; };")

    def fails(*args):
        raise ZeroDivisionError

    assert ffi.callback("int(int)", fails)(1) == 0
    assert ffi.callback("int(int)", fails, 42)(1) == 42
    assert ffi.callback("short(int)", fails, error=-2)(1) == -2
    assert ffi.callback("double(int)", fails, error=2.5)(1) == 2.5
    assert ffi.callback("void *(int)", fails)(1) == ffi.NULL
    assert ffi.callback("struct point(int)", fails, error=[1, 2])(1).y == 2
    assert ffi.callback("struct point(int)", fails)(1).x == 0
    assert ffi.callback("void(int)", fails)(1) is None


# Each prints to stderr what CFFI prints, in a process of its own.
SCRIPTS = {
    "raises": "f = ffi.callback('int(int)', broken, error=42)",
    "bad result": "f = ffi.callback('int(int)', lambda x: 'foo', error=42)",
    "overflow": "f = ffi.callback('int(int)', lambda x: 1 << 40)",
    "void": "f = ffi.callback('void(int)', lambda x: 5)",
    "onerror": "f = ffi.callback('int(int)', broken, error=42, onerror=show)",
    "onerror without traceback": "f = ffi.callback('int(int)', lambda x: 'foo', error=42, onerror=show)",
    "onerror gives a value": "f = ffi.callback('int(int)', broken, error=42, onerror=lambda *a: 77)",
    "onerror gives a bad value": "f = ffi.callback('int(int)', broken, error=42, onerror=lambda *a: 'bad')",
    "onerror raises": "f = ffi.callback('int(int)', broken, error=42, onerror=broken)",
    "result bad and onerror raises": "f = ffi.callback('int(int)', lambda x: 'foo', error=42, onerror=broken)",
    "void onerror": "f = ffi.callback('void(int)', broken, onerror=lambda *a: 5)",
    "hook": "sys.unraisablehook = hook\nf = ffi.callback('int(int)', broken, error=42)",
    "hook after onerror": "sys.unraisablehook = hook\nf = ffi.callback('int(int)', lambda x: 'foo', onerror=broken)",
    "hook raises": "sys.unraisablehook = lambda u: 1 / 0\nf = ffi.callback('int(int)', broken)",
    "no stderr": "sys.stderr = None\nf = ffi.callback('int(int)', broken)",
    "repr raises": "f = ffi.callback('int(int)', NoRepr())",
    "system exit": "f = ffi.callback('int(int)', sys.exit, error=5)",
    # The last cdata goes during the call, and others may get its memory.
    "drops itself": "f = one_shot('int(int)', lambda x: drop() or x + 1, error=42)",
    "drops itself and raises": "f = one_shot('int(int)', lambda x: drop() or broken(), error=42)",
    "drops itself, bad result": "f = one_shot('int(int)', lambda x: drop() or 'foo', error=42)",
    "drops itself, void": "f = one_shot('void(int)', lambda x: drop() or 5)",
    "drops itself and raises, onerror": "f = one_shot('int(int)', lambda x: drop() or broken(), error=42, onerror=show)",
    "drops itself and raises, onerror gives a value": "f = one_shot('int(int)', lambda x: drop() or broken(), onerror=lambda *a: 77)",
    "drops itself and raises, onerror raises": "f = one_shot('int(int)', lambda x: drop() or broken(), error=42, onerror=broken)",
    "onerror drops it": "f = one_shot('int(int)', broken, error=42, onerror=lambda *a: drop())",
    "onerror drops it, bad value": "f = one_shot('int(int)', broken, error=42, onerror=lambda *a: drop() or 'bad')",
    "onerror drops it and raises": "f = one_shot('int(int)', broken, error=42, onerror=lambda *a: drop() or broken())",
    "hook drops it": "sys.unraisablehook = lambda u: hook(u) or drop()\nf = one_shot('int(int)', broken, error=42)",
    "drops itself, struct": "p = one_shot('struct point(int)', lambda x: drop() or [x, 4])\nf = lambda x: p(x).y",
    "drops itself and raises, struct": "p = one_shot('struct point(int)', lambda x: drop() or broken(), error=[7, 8])\nf = lambda x: p(x).y",
    "drops itself in a call of itself": (
        "inner = lambda x: p(x - 1) if x else drop() or broken()\np = f = one_shot('int(int)', inner, error=42)"
    ),
}

SCRIPT = """
import sys
from {module} import FFI
ffi = FFI()
out = sys.stderr
def broken(*args):
    raise ValueError('boom')
def show(*args):
    print('onerror', args[0], repr(args[1]), args[2] is None, file=out)
def hook(u):
    print('hook', u.exc_type, u.exc_value, u.exc_traceback is None, u.err_msg, u.object, file=out)
class NoRepr:
    def __call__(self, x):
        return 'bad'
    def __repr__(self):
        raise ValueError('no repr')
ffi.cdef("struct point {{ int x, y; }};")
kept = []
def one_shot(type, function, **options):
    kept.append(ffi.callback(type, function, **options))
    return ffi.cast(ffi.typeof(kept[0]), kept[0])
def drop():
    kept.clear()
    others = [ffi.callback('int(int)', lambda x: 1 / 0, error=99) for i in range(50)]
{script}
print(f(3), file=out, flush=True)
"""


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_what_is_printed(script, tmp_path):
    pytest.importorskip("cffi")
    file = tmp_path / "script.py"
    printed = []
    for module in ("cffi", "keelback"):
        file.write_text(SCRIPT.format(module=module, script=script))
        run = subprocess.run([sys.executable, file], capture_output=True, text=True, timeout=60)
        assert run.returncode == 0, run.stderr
        printed.append(without_addresses(run.stderr))
    if script.endswith("NoRepr())"):
        # CFFI loses its headline then; we don't.
        assert all("<object repr() failed>" in text and "an integer is required" in text for text in printed)
        return
    assert printed[1] == printed[0]


def without_addresses(text):
    import re

    return re.sub(r"0x[0-9a-f]+", "0x", text)


@both
def test_collected(FFI):
    ffi = FFI()

    class Callable:
        def __call__(self, x):
            return 3 * x

    target = Callable()
    alive = weakref.ref(target)
    target.callback = ffi.callback("int(int)", target)
    assert target.callback(3) == 9
    del target
    gc.collect()
    assert alive() is None


THREADS = """
#include <pthread.h>
static int (*function)(int);
static void *run(void *data) { for (int i = 0; i < 200; i++) *(int *)data += function(i); return 0; }
int call_in_threads(int (*f)(int), int count)
{
    pthread_t threads[16]; int sums[16] = {0}, sum = 0;
    function = f;
    for (int i = 0; i < count; i++) pthread_create(&threads[i], 0, run, &sums[i]);
    for (int i = 0; i < count; i++) { pthread_join(threads[i], 0); sum += sums[i]; }
    return sum;
}
"""


@both
def test_threads_of_c(FFI):
    ffi = FFI()
    ffi.cdef("int call_in_threads(int (*)(int), int);")
    lib = ffi.dlopen(compile_library(THREADS, "-pthread"))
    seen = set()

    def function(x):
        seen.add(threading.get_ident())
        return x

    assert lib.call_in_threads(ffi.callback("int(int)", function), 8) == 8 * sum(range(200))
    assert threading.get_ident() not in seen and seen


@both
def test_errno_is_kept(FFI):
    ffi = FFI()
    ffi.cdef("int with_errno(int (*)(void), int *);")
    lib = ffi.dlopen(
        compile_library(
            "#include <errno.h>\n"
            "int with_errno(int (*f)(void), int *after) { errno = 11; int r = f(); *after = errno; return r; }"
        )
    )

    @ffi.callback("int(void)")
    def function():
        seen = ffi.errno
        ffi.errno = 22
        pytest.raises(OSError, open, "/nonexistent")
        return seen

    after = ffi.new("int *")
    assert lib.with_errno(function, after) == 11
    assert after[0] == 22


@both
def test_recursion(FFI):
    ffi = FFI()

    @ffi.callback("int(int)")
    def factorial(n):
        return 1 if n == 0 else n * factorial(n - 1)

    assert factorial(10) == 3628800


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc")
def test_no_memory_is_writable_and_executable():
    """SELinux and systemd's MemoryDenyWriteExecute forbid it. In a process of its own: CFFI's callbacks, which other
    tests make, do need such memory."""
    script = """if True:
        from keelback import FFI
        ffi = FFI()
        callbacks = [ffi.callback("int(int)", lambda n, add=add: n + add) for add in range(1000)]
        assert sum(callback(1) for callback in callbacks) == 1000 + sum(range(1000))
        with open("/proc/self/maps") as maps:
            rights = {line.split()[1] for line in maps}
        print([right for right in rights if "w" in right and "x" in right])
    """
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"


@both
def test_an_argument_that_python_keeps_is_nobody_elses(FFI):
    # The cdata of an argument ends with the call when nobody holds it, and its memory is used again at once.
    ffi = FFI()
    ffi.cdef("struct node { int n; struct node *next; };")
    nodes = [ffi.new("struct node *", {"n": n}) for n in range(5)]
    kept, gone, ids = [], [], []

    @ffi.callback("int(struct node *, void *)")
    def keeps(node, data):
        kept.append(node)
        gone.append(weakref.ref(data))
        return node.n + 0 * len(kept)

    for _ in range(3):
        for number, node in enumerate(nodes):
            assert keeps(node, node) == number
    assert kept == nodes * 3 and len({id(node) for node in kept}) == 15
    assert [node.n for node in kept] == [0, 1, 2, 3, 4] * 3
    gc.collect()
    assert all(reference() is None for reference in gone)

    # Inside of each other, each with its own.
    @ffi.callback("int(struct node *)")
    def depth(node):
        before = (node.n, id(node))
        ids.append(id(node))
        below = depth(nodes[node.n + 1]) if node.n < 4 else 0
        assert before == (node.n, id(node))
        return below + 1

    for _ in range(3):
        ids.clear()
        assert depth(nodes[0]) == 5 and len(set(ids)) == 5

    # A weak reference with a callback hears of the end.
    heard = []

    @ffi.callback("void(void *)")
    def watched(data):
        heard.append(weakref.ref(data, lambda reference: heard.append("end")))

    watched(nodes[0])
    assert heard[1:] == ["end"] and heard[0]() is None


def test_tracemalloc_knows_who_uses_a_block_again():
    script = """
import tracemalloc, keelback
ffi = keelback.FFI()
p = ffi.new("int[100]")
for _ in range(50):
    p + 1
tracemalloc.start()
def here():
    return [p + n for n in range(40)]
kept = here()
places = {tracemalloc.get_object_traceback(one)[0].lineno for one in kept if tracemalloc.get_object_traceback(one)}
assert places == {9}, places
del kept
def there():
    return [p + n for n in range(40)]
again = there()
places = {tracemalloc.get_object_traceback(one)[0].lineno for one in again if tracemalloc.get_object_traceback(one)}
assert places == {15}, places
"""
    subprocess.run([sys.executable, "-c", script], check=True)
