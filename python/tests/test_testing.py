"""`keelback.testing.load()`: a plugin's functions in this Python, and the same functions of the built library."""
import contextlib
import copy
import importlib.util
import io
import os
import pickle
import shutil
import subprocess
import sys
import textwrap
import threading

import keelback
import pytest
from keelback.testing import load

API = """
#ifndef SHOP_API_H
#define SHOP_API_H
#include <stddef.h>
#include "money.h"
typedef struct { int x, y; } point_t;
typedef int (*each_fn)(int, void *);
#define LIMIT (2 * 50)
int price(int net);
point_t middle(point_t a, const point_t *b);
size_t length(const char *text);
char initial(const char *text);
double ratio(float a, unsigned char b);
int apply(each_fn each, void *data);
const char *title(void);
const char *lost(void);
int fails(int kind);
int nested(int kind);
int handled(int kind);
money_t rounded(double amount);
void note(long long value);
unsigned char narrow(int value);
int missing(void);
#endif
"""
MONEY = "typedef long money_t;\n#ifdef WITH_TAX\nmoney_t taxed(money_t net);\n#endif\n"
EXTRA = """
extern int counter;
extern int table[3];
extern int open_ended[];
struct total { int sum; };
extern struct total total;
int currency(int country);
double sqrt(double);
enum colour { RED, GREEN };
"""
INIT = """
    import rules
    from shop import ffi, lib

    calls = 0
    kept = ffi.new("char[]", b"a title")

    @ffi.def_extern(error=-1)
    def price(net):
        global calls
        calls += 1
        return rules.with_tax(net)

    @ffi.def_extern()
    def middle(a, b):
        return {"x": (a.x + b.x) // 2, "y": (a.y + b.y) // 2}

    @ffi.def_extern()
    def length(text):
        return len(ffi.string(text))

    @ffi.def_extern()
    def initial(text):
        return text[0]

    @ffi.def_extern()
    def ratio(a, b):
        return a / b

    @ffi.def_extern()
    def apply(each, data):
        return each(20, data) + 1

    @ffi.def_extern()
    def title():
        return kept

    @ffi.def_extern()
    def lost():
        return ffi.new("char[]", b"gone")

    @ffi.def_extern(error=-2)
    def fails(kind):
        if kind == 1:
            raise ValueError("kind 1")
        return "no int" if kind == 2 else 2**40 if kind == 3 else kind

    @ffi.def_extern(error=-3)
    def nested(kind):
        return lib.fails(kind) * 10

    @ffi.def_extern(name="handled", onerror=lambda kind, value, traceback: 77)
    def any_name(kind):
        return fails(kind)

    @ffi.def_extern()
    def rounded(amount):
        return int(amount * 100)

    @ffi.def_extern()
    def note(value):
        lib.counter = value
        lib.table[1] = lib.currency(49)
        lib.total.sum += int(lib.sqrt(16.0))

    @ffi.def_extern()
    def narrow(value):
        return value
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    for name, text in {
        "api.h": API, "include/money.h": MONEY, "extra.h": EXTRA, "plugin.py": INIT,
        "rules/__init__.py": (
            "from importlib.resources import files\nfrom rules.inner import base\n\n"
            "def with_tax(net):\n    return base.BASE + net + net * int((files(__name__) / 'rate.txt').read_text()) // 100\n"
        ),
        "rules/rate.txt": "8", "rules/inner/base.py": "import rules\n\nBASE = 1\n",
    }.items():  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    monkeypatch.chdir(tmp_path)
    return tmp_path


HOW = {"include_dirs": ["include"], "modules": ["rules"]}
LIB = {"currency": lambda country: {49: 978}[country], "open_ended": [4, 5, 6], "counter": 1}


@pytest.fixture
def shop(place):
    with load("api.h", "plugin.py", extra_cdef="extra.h", lib=LIB, libraries=["libm.so.6"], **HOW) as shop:
        yield shop


def test_values(shop):
    ffi = shop.ffi
    assert (shop.price(100), shop.module.calls, shop["price"](0), shop.module.calls) == (109, 1, 1, 2)
    middle = shop.middle([0, 2], [{"x": 4, "y": 4}])
    assert (ffi.typeof(middle).cname, middle.x, middle.y) == ("point_t", 2, 3)
    assert (shop.length(b"four"), shop.initial(b"abc"), shop.ratio(0.1, 2)) == (4, b"a", 0.05000000074505806)
    assert shop.apply(ffi.callback("each_fn", lambda n, data: n * 2), ffi.NULL) == 41
    assert ffi.string(shop.title()) == b"a title"
    assert (shop.rounded(1.5), shop.narrow(255), shop.lib.LIMIT, shop.lib.GREEN) == (150, 255, 100, 1)
    assert sorted(name for name in dir(shop) if name in API)[:4] == ["apply", "fails", "handled", "initial"]


@pytest.mark.parametrize("call, error, text", [
    (lambda shop: shop.fails(1), ValueError, "kind 1"),
    (lambda shop: shop.fails(2), TypeError, "an integer is required"),
    (lambda shop: shop.fails(3), OverflowError, "integer 1099511627776 does not fit 'int'"),
    (lambda shop: shop.handled(1), ValueError, "kind 1"),
    (lambda shop: shop.lost(), RuntimeError, "the result is a pointer to what goes with this call: nothing else refers"),
    (lambda shop: shop.narrow(256), OverflowError, "integer 256 does not fit 'unsigned char'"),
    (lambda shop: shop.narrow(2**31), OverflowError, "integer 2147483648 does not fit 'int'"),
    (lambda shop: shop.length("str"), TypeError, "initializer for ctype 'char *' must be a bytes"),
    (lambda shop: shop.price(), TypeError, "'int(*)(int)' expects 1 arguments, got 0"),
    (lambda shop: shop.missing(), RuntimeError, 'extern "Python": function missing() called, but no code was attached'),
    (lambda shop: shop.nosuch, AttributeError, "the plugin has no function 'nosuch'"),
    (lambda shop: shop.lib.nosuch, AttributeError, "nosuch"),
])  # fmt: skip
def test_errors_are_raised(shop, capsys, call, error, text):
    with pytest.raises(error) as raised:
        call(shop)
    assert text in str(raised.value)
    assert capsys.readouterr().err == ""
    assert error is not ValueError or raised.traceback[-1].path.name == "plugin.py"


def test_as_c_sees_it(shop, capfd, monkeypatch):
    monkeypatch.setattr(sys, "unraisablehook", sys.__unraisablehook__)  # not pytest's
    lib = shop.lib
    assert (lib.price(100), lib.fails(0), capfd.readouterr().err) == (109, 0, "")
    assert (lib.fails(1), lib.fails(2), lib.lost(), lib.missing()) == (-2, -2, shop.ffi.NULL, 0)
    said = capfd.readouterr().err
    assert said.count("Traceback") == 3 and "ValueError: kind 1" in said and said.endswith(
        'extern "Python": function missing() called, but no code was attached to it yet with @ffi.def_extern().  Returning 0.\n'
    )
    assert (lib.handled(1), capfd.readouterr().err) == (77, "")
    # What Python calls through `lib` is C's call, also inside of one that raises.
    assert shop.nested(1) == -20 and "ValueError: kind 1" in capfd.readouterr().err


def test_what_is_attached_later_has_the_same_address(shop):
    before = shop.lib.missing
    shop.ffi.def_extern(name="missing")(lambda: 5)
    assert (before(), shop.lib.missing(), shop.missing(), before == shop.lib.missing) == (5, 5, 5, True)
    shop.ffi.def_extern(name="missing")(lambda: 6)
    assert (before(), shop.missing()) == (6, 6)
    for wrong, error in [(dict(name="nosuch"), keelback.FFIError), (dict(name="missing", error="x"), TypeError),
                         (dict(name=5), TypeError)]:  # fmt: skip
        with pytest.raises(error):
            shop.ffi.def_extern(**wrong)(lambda: 1)


def test_lib(shop):
    lib = shop.lib
    assert (lib.counter, list(lib.table), list(lib.open_ended), lib.total.sum) == (1, [0, 0, 0], [4, 5, 6], 0)
    shop.note(8)
    assert (lib.counter, list(lib.table), lib.total.sum) == (8, [0, 978, 0], 4)
    pointer = shop.ffi.addressof(lib, "counter")
    pointer[0] = 9
    assert lib.counter == 9 and shop.ffi.addressof(lib, "price") == lib.price
    with pytest.raises(KeyError, match="50"):
        lib.currency(50)
    with pytest.raises(AttributeError):
        lib.LIMIT = 5
    assert (shop.ffi.integer_const("LIMIT"), shop.ffi.library_path) == (100, None)


def test_copies(shop):
    """As of the real lib, there are none; of the plugin there are."""
    for lib in (shop.lib, shop.ffi.dlopen(None)):
        for function in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError, match="^cannot pickle '_cffi_backend.Lib' object$"):
                function(lib)
    assert copy.copy(shop).price(100) == shop.price(100)


def test_what_c_has_and_nobody_gave(place):
    with load("api.h", "plugin.py", extra_cdef="extra.h", **HOW) as shop:
        with pytest.raises(AttributeError, match=r"'currency' is C's: give load\(\) what stands for it"):
            shop.note(1)
        assert shop.lib.counter == 1


def test_modules_come_and_go(place):
    sys.modules["shop"] = kept = object()
    try:
        with load("api.h", "plugin.py", extra_cdef="extra.h", **HOW) as shop:
            assert sys.modules["shop"] is shop.module and shop.module.__file__ == str(place / "plugin.py")
            assert sys.modules["shop.rules"].__file__ == str(place / "rules/__init__.py")
            assert "shop.rules.inner.base" in sys.modules and "rules" not in sys.modules
            with load("api.h", "plugin.py", extra_cdef="extra.h", **HOW) as other:
                other.price(1)
                assert (shop.module.calls, other.module.calls) == (0, 1)
            assert sys.modules["shop"] is shop.module
        assert sys.modules["shop"] is kept and not [name for name in sys.modules if name.startswith("shop.")]
        (place / "plugin.py").write_text("from shop import ffi\nimport shop\n1 / 0\n")
        finders = list(sys.meta_path)
        with pytest.raises(ZeroDivisionError):
            load("api.h", "plugin.py", include_dirs=["include"])
        assert sys.modules["shop"] is kept and sys.meta_path == finders
    finally:
        del sys.modules["shop"]
    (place / "top.py").write_text(
        "import rules\nfrom shop import ffi\n\n@ffi.def_extern()\ndef price(n):\n    return rules.with_tax(n)\n"
    )
    how = {"include_dirs": [place / "include"], "top_level_modules": [place / "rules"]}
    with load([place / "api.h"], place / "top.py", **how) as shop:
        assert shop.price(100) == 109 and "rules" in sys.modules
    assert "rules" not in sys.modules


def test_headers(place):
    """What the command line's options choose."""
    (place / "some.py").write_text("from shop import ffi\n\n@ffi.def_extern()\ndef taxed(n):\n    return n * 2\n")
    how = {"include_dirs": ["include"], "only": ["taxed", "price"]}
    with load(["api.h", "include/money.h"], "some.py", define="WITH_TAX", **how) as shop:
        assert shop.taxed(4) == 8 and "length" not in dir(shop)
    with pytest.raises(keelback.FFIError, match="no 'extern \"Python\"' function with this name"):
        load(["api.h", "include/money.h"], "some.py", **how)
    (place / "wrong.h").write_text("int price(nosuch_t);\n")
    with pytest.raises(keelback.CDefError, match=r"wrong\.h:1"):
        load("wrong.h", "some.py")


def test_threads(shop):
    """Each call has its own exception."""
    seen = []

    def calls(kind):
        for _ in range(200):
            try:
                seen.append((kind, shop.fails(kind)))
            except (ValueError, TypeError) as error:
                seen.append((kind, type(error)))

    threads = [threading.Thread(target=calls, args=(kind,)) for kind in (0, 1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 600 and set(seen) == {(0, 0), (1, ValueError), (2, TypeError)}


@pytest.mark.skipif(importlib.util.find_spec("coverage") is None, reason="coverage is not installed: pip install -r python/tests/requirements.txt")
def test_coverage_sees_the_lines(place):
    (place / "use.py").write_text(
        "from keelback.testing import load\n"
        f"with load('api.h', 'plugin.py', extra_cdef='extra.h', include_dirs=['include'], modules=['rules']) as shop:\n"
        "    shop.price(1)\n"
    )
    for arguments in (["run", "--include=plugin.py,rules/*", "use.py"], ["report", "-m"]):
        ran = subprocess.run([sys.executable, "-m", "coverage", *arguments], cwd=place, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
    rows = {line.split()[0]: line.split()[3:] for line in ran.stdout.splitlines() if ".py" in line}
    assert rows["rules/__init__.py"] == rows["rules/inner/base.py"] == ["100%"]
    assert rows["plugin.py"][0] not in ("0%", "100%")


IMPORTED = """
import shop
lib, ffi = shop.lib, shop.ffi
middle = lib.middle([0, 2], [{"x": 4, "y": 4}])
print(lib.price(100), middle.x, middle.y, lib.length(b"four"), lib.initial(b"abc"), lib.ratio(0.1, 2), lib.rounded(1.5))
print(lib.fails(1), lib.fails(2), lib.handled(1), lib.lost(), lib.missing(), lib.nested(1), lib.narrow(256))
"""


def test_the_built_library_gives_the_same(place, shop, monkeypatch):
    """As C sees it: of the library that is built of the same files, imported."""
    command = os.environ.get("KEELBACK") or shutil.which("keelback")
    if not command or not shutil.which("cc"):
        pytest.skip("no command line (set KEELBACK) or no C compiler")
    (place / "prelude.c").write_text('#include "include/money.h"\n#include <math.h>\n' + PRELUDE)
    subprocess.run(
        [command, "build", "api.h", "--cdef", "extra.h", "--source", "prelude.c", "-I", "include", "--module", "rules",
         "--init", "plugin.py", "--name", "shop", "-o", "built/shop.so", "--python", sys.executable, "-q", "-l", "m"],
        check=True,
    )  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["built", *filter(None, sys.path)])}
    built = subprocess.run([sys.executable, "-c", IMPORTED], env=environment, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    loaded = io.StringIO()
    monkeypatch.setattr(sys, "unraisablehook", lambda raised: None)
    with contextlib.redirect_stdout(loaded), contextlib.redirect_stderr(io.StringIO()):
        exec(IMPORTED, {})
    assert loaded.getvalue() == built.stdout
    assert built.stdout.splitlines()[0] == "109 2 3 4 b'a' 0.05000000074505806 150"


PRELUDE = """
typedef struct { int x, y; } point_t;
typedef int (*each_fn)(int, void *);
#define LIMIT 100
int counter = 1, table[3], open_ended[3] = {4, 5, 6};
struct total { int sum; } total;
enum colour { RED, GREEN };
int currency(int country) { return 978; }
"""


BATCH_API = """
struct point { double x, y; };
double score(double x); /* keelback: batch */
double length(const struct point *p, int times); /* keelback: batch */
int single(int n);
int half(int n);
"""
BATCH_INIT = """
from batches import ffi

@ffi.def_extern(error=-1.0)
def score(x):
    if x < 0:
        raise ValueError("negative")
    if x == 99:
        raise KeyboardInterrupt
    return x * 2

@ffi.def_extern()
def length(p, times):
    return (p.x + p.y) * times

@ffi.def_extern(batch=True, error=-7)
def half(n, result):
    assert len(n) == len(result)
    for index, value in enumerate(n):
        result[index] = {1: "no number"}.get(value, value // 2)
"""


@pytest.fixture
def batches(tmp_path):
    (tmp_path / "api.h").write_text(BATCH_API)
    (tmp_path / "init.py").write_text(BATCH_INIT)
    with load(tmp_path / "api.h", tmp_path / "init.py", batch="half") as plugin:
        yield plugin


def test_batches(batches):
    ffi, result = batches.ffi, batches.ffi.new("double[3]")
    for caller in (batches, batches.lib):
        assert caller.score_n(3, ffi.new("double[]", [1, 2, 3]), result) is None
        assert list(result) == [2, 4, 6]
        caller.length_n(2, ffi.new("struct point[]", [[1, 2], [3, 4]]), [10, 100], result)
        assert list(result) == [30, 700, 6]
        whole = ffi.new("int[3]")
        caller.half_n(3, [8, 9, -4], whole)
        assert (list(whole), caller.half(5), caller.score(4), caller.score_n(0, ffi.NULL, ffi.NULL)) == ([4, 4, -2], 2, 8, None)


def test_batches_that_fail(batches, capsys):
    ffi, result = batches.ffi, batches.ffi.new("double[4]")
    with pytest.raises(ValueError, match="negative"):
        batches.score_n(4, [1, -1, 3, -3], result)
    assert (list(result), capsys.readouterr().err) == ([2, -1, 6, -1], "")
    with pytest.raises(KeyboardInterrupt):
        batches.score_n(4, [1, 99, 3, 4], result)
    assert list(result) == [2, -1, -1, -1]
    batches.lib.score_n(4, [1, -1, 3, -3], result)
    said = capsys.readouterr().err
    assert ", for element 1 of 4; 2 of them failed:\nTraceback" in said and said.endswith("ValueError: negative\n")
    whole = ffi.new("int[2]")
    with pytest.raises(TypeError, match="integer"):
        batches.half_n(2, [4, 1], whole)
    assert list(whole) == [-7, -7]
    assert batches.lib.half(1) == -7 and "TypeError" in capsys.readouterr().err
    with pytest.raises(TypeError, match="expects 3 arguments"):
        batches.score_n(2)
    with pytest.raises(keelback.FFIError, match=r"def_extern\('single', batch=True\): the library has no batch of it"):
        ffi.def_extern("single", batch=True)(print)
    with pytest.raises(keelback.FFIError, match=r"'score_n'\): it is the batch of 'score'"):
        ffi.def_extern("score_n")(print)


def test_batches_are_those_of_the_build(tmp_path):
    (tmp_path / "api.h").write_text("void nothing(void);\n")
    (tmp_path / "init.py").write_text("from batches import ffi\n")
    with pytest.raises(keelback.FFIError, match="'nothing' can have no batch: it has neither parameters nor a result"):
        load(tmp_path / "api.h", tmp_path / "init.py", batch=["nothing"])
