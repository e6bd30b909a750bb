"""`__int128` and `unsigned __int128`: integers as others are. C has the last word; CFFI does not know them."""

import subprocess
import sys

import pytest
import keelback
from c_library import compile_library

SIGNED, UNSIGNED = "__int128", "unsigned __int128"
LEAST, MOST, ALL = -(2**127), 2**127 - 1, 2**128 - 1
RANGES = {SIGNED: (LEAST, MOST), UNSIGNED: (0, ALL)}
TEXT = """
    typedef __int128 big;
    typedef unsigned __int128 ubig;
    struct s { char c; big x; ubig list[2]; unsigned __int128 bits : 100; __int128 more : 70; };
    struct __attribute__((packed)) tight { char c; __int128 x; unsigned __int128 a : 3, b : 128; };
    enum { K = sizeof(big) };
    #define SHIFTED (((__int128)1 << 100) >> 98)
    #define LARGE (-((__int128)1 << 126))
    static const unsigned __int128 LEFT = 5;
    big add(big a, ubig b);
    ubig eighth(int a, big b, char c, ubig d, double e, ubig f, short g, ubig h, big i);
    struct s pass_on(struct s value, big add);
    int halves(const ubig *values, int count, unsigned long *to);
    big apply(big (*function)(int, big, ubig), ubig x);
    long variadic(int count, ...);
    extern big start;
"""
SOURCE = """
    #include <stdarg.h>
    #include <stdio.h>
    typedef __int128 big;
    typedef unsigned __int128 ubig;
    struct s { char c; big x; ubig list[2]; unsigned __int128 bits : 100; __int128 more : 70; };
    struct __attribute__((packed)) tight { char c; __int128 x; unsigned __int128 a : 3, b : 128; };
    enum { K = sizeof(big) };
    #define SHIFTED (((__int128)1 << 100) >> 98)
    #define LARGE (-((__int128)1 << 126))
    static const unsigned __int128 LEFT = 5;
    big start = (big)-3 << 64;
    big add(big a, ubig b) { return a + (big)b; }
    ubig eighth(int a, big b, char c, ubig d, double e, ubig f, short g, ubig h, big i)
    { return (ubig)(a + b * 2 + c * 3 + d * 4 + f * 6 + g * 7) + h * 8 + i * 9 + (ubig)e * 5; }
    struct s pass_on(struct s value, big add) { value.x += add; value.list[1] = value.bits; value.more -= 1; return value; }
    int halves(const ubig *values, int count, unsigned long *to)
    { for (int i = 0; i < count; i++) { *to++ = values[i]; *to++ = values[i] >> 64; } return count; }
    big apply(big (*function)(int, big, ubig), ubig x) { return function(7, -(big)x, x) - 1; }
    long variadic(int count, ...)
    {
        va_list list; va_start(list, count);
        ubig sum = 0;
        for (int i = 0; i < count; i++) { sum = sum * 3 + va_arg(list, big); if (va_arg(list, int) != i) return -1; }
        va_end(list);
        return sum >> 64 ^ (long)sum;
    }
"""


def make():
    ffi = keelback.FFI()
    ffi.cdef(TEXT)
    return ffi, ffi.dlopen(compile_library(SOURCE))


@pytest.fixture(scope="module", params=["ABI mode", "API mode", "compiled ABI mode"])
def both(request, tmp_path_factory):
    if request.param == "ABI mode":
        yield make()
        return
    folder = tmp_path_factory.mktemp("int128")
    name = f"_int128_{request.param[:3].strip().lower()}"
    builder = keelback.FFI()
    builder.cdef(TEXT)
    builder.set_source(name, SOURCE if request.param == "API mode" else None)
    builder.compile(tmpdir=str(folder))
    sys.path.insert(0, str(folder))
    try:
        module = __import__(name)
    finally:
        sys.path.remove(str(folder))
    yield module.ffi, module.lib if request.param == "API mode" else module.ffi.dlopen(compile_library(SOURCE))


def test_types(both):
    ffi, lib = both
    assert [ffi.sizeof(name) for name in ("big", "ubig", "big[3]", "struct s")] == [16, 16, 48, 96]
    assert [ffi.alignof(name) for name in ("big", "ubig", "struct s", "struct tight")] == [16, 16, 16, 1]
    assert ffi.sizeof("struct tight") == 34
    assert (ffi.typeof("big").cname, ffi.typeof("ubig").kind) == (SIGNED, "primitive")
    assert ffi.typeof("__int128_t") is ffi.typeof("big") is ffi.typeof("signed __int128")
    assert ffi.typeof("__uint128_t") is ffi.typeof("ubig") is ffi.typeof("unsigned __int128")
    assert (lib.K, lib.SHIFTED, lib.LARGE, lib.LEFT) == (16, 4, -(2**126), 5)


@pytest.mark.parametrize("name", [SIGNED, UNSIGNED])
def test_values_in_memory(both, name):
    ffi, _ = both
    least, most = RANGES[name]
    values = [least, least + 1, 0, 1, 2**63, 2**64 - 1, 2**64, 2**100 + 12345, most - 1, most]
    array = ffi.new(f"{name}[]", values)
    assert list(array) == values == ffi.unpack(array, len(values)) == [array[i] for i in range(len(values))]
    assert bytes(ffi.buffer(array)) == b"".join(value.to_bytes(16, sys.byteorder, signed=least < 0) for value in values)
    for value in values:
        one = ffi.new(f"{name} *", value)
        cast = ffi.cast(name, value)
        assert one[0] == int(cast) == value and cast == value and hash(cast) == hash(value)
        assert repr(cast) == f"<cdata '{name}' {value}>"
        assert bool(cast) == bool(value)
        assert int(ffi.cast(UNSIGNED, cast)) == value % 2**128
        assert int(ffi.cast("long", cast)) == (value + 2**63) % 2**64 - 2**63
        assert int(ffi.cast("_Bool", cast)) == bool(value)
        assert int(ffi.cast(name, ffi.cast("signed char", -2))) == (-2 if least < 0 else 2**128 - 2)
        one[0] = ffi.cast(name, value)
        assert one[0] == value
    assert float(ffi.cast("double", ffi.cast(name, 2**80))) == 2.0**80
    assert int(ffi.cast(name, 1e30)) == int(1e30)
    assert int(ffi.cast(name, 2**200 + 5)) == 5
    assert int(ffi.cast(name, b"A")) == 65
    assert int(ffi.cast(name, ffi.cast("char *", 4096))) == 4096
    assert ffi.cast("void *", ffi.cast(name, 4096)) == ffi.cast("void *", 4096)


@pytest.mark.parametrize("value", [LEAST - 1, MOST + 1, ALL, 2**200, -(2**200)])
def test_what_does_not_fit(both, value):
    ffi, lib = both
    said = f"^integer {value} does not fit '__int128'$"
    for write in (
        lambda: ffi.new("big *", value),
        lambda: ffi.new("big[]", [1, value]),
        lambda: ffi.new("struct s *", {"x": value}),
        lambda: lib.add(value, 0),
    ):
        with pytest.raises(OverflowError, match=said):
            write()


def test_what_does_not_fit_unsigned(both):
    ffi, lib = both
    for value in (-1, -(2**64), -(2**200)):
        with pytest.raises(OverflowError, match="^can't convert negative number to unsigned$"):
            ffi.new("ubig *", value)
    for value in (ALL + 1, 2**200):
        with pytest.raises(OverflowError, match=f"^integer {value} does not fit 'unsigned __int128'$"):
            lib.add(0, value)
    for value in (1.5, "1", None, b"1"):
        with pytest.raises(TypeError, match="^an integer is required$"):
            lib.add(0, value)

    class Index:
        def __int__(self):
            return 2**99

    assert lib.add(Index(), 1) == 2**99 + 1


def test_bit_fields(both):
    ffi, lib = both
    one = ffi.new("struct s *", {"bits": 2**100 - 1, "more": -(2**69)})
    assert (one.bits, one.more, one.x, list(one.list)) == (2**100 - 1, -(2**69), 0, [0, 0])
    one.more = 2**69 - 1
    one.bits = 1 << 70
    assert (one.bits, one.more) == (1 << 70, 2**69 - 1)
    with pytest.raises(OverflowError, match=f"^value {2**100} outside the range allowed by the bit field width: 0 <= x <= {2**100 - 1}$"):
        one.bits = 2**100
    with pytest.raises(OverflowError, match=rf"^value {-2**69 - 1} outside the range .*: {-2**69} <= x <= {2**69 - 1}$"):
        one.more = -(2**69) - 1
    tight = ffi.new("struct tight *", {"a": 5, "b": ALL})
    assert (tight.c, tight.x, tight.a, tight.b) == (b"\0", 0, 5, ALL)
    tight.b = 2**127 + 1
    assert (tight.a, tight.b) == (5, 2**127 + 1)
    passed = lib.pass_on(one[0], 5)
    assert (passed.x, passed.list[1], passed.bits, passed.more) == (5, 1 << 70, 1 << 70, 2**69 - 2)


def test_calls(both):
    ffi, lib = both
    assert lib.add(-5, 2**100) == 2**100 - 5
    assert lib.add(LEAST, MOST) == -1
    values = [1, -(2**90), 3, 2**91, 5.0, 2**92 + 7, -6, 2**93 + 8, -(2**94)]
    weights = [1, 2, 3, 4, 5, 6, 7, 8, 9]
    expected = int(sum(int(value) * weight for value, weight in zip(values, weights))) % 2**128
    values[2] = b"\3"
    assert lib.eighth(*values) == expected
    assert lib.start == -3 << 64
    lib.start = LEAST
    assert ffi.addressof(lib, "start")[0] == LEAST
    lib.start = -3 << 64
    words = ffi.new("unsigned long[4]")
    assert lib.halves([2**64 + 2, ALL], 2, words) == 2
    assert list(words) == [2, 1, 2**64 - 1, 2**64 - 1]


def test_callbacks(both):
    ffi, lib = both
    seen = []

    @ffi.callback("big(int, big, ubig)", error=-7)
    def function(a, b, c):
        seen.append((a, b, c))
        if c == 1:
            return 2**200
        return b * 2

    assert lib.apply(function, 2**100) == -(2**101) - 1
    assert seen == [(7, -(2**100), 2**100)]
    assert function(1, 5, 6) == 10
    said = []
    failing = ffi.callback("big(int, big, ubig)", lambda *_: 2**200, error=-7, onerror=lambda *args: said.append(args[1]))
    assert lib.apply(failing, 1) == -8
    assert str(said[0]) == f"integer {2**200} does not fit '__int128'"


def test_variadic_part(both):
    ffi, lib = both
    numbers = [2**100 + 1, -(2**70), 5, 2**126]
    for count in range(5):
        arguments = [part for index, number in enumerate(numbers[:count]) for part in (ffi.cast("big", number), ffi.cast("int", index))]
        total = 0
        for number in numbers[:count]:
            total = (total * 3 + number) % 2**128
        wanted = (total >> 64) ^ (total % 2**64)
        assert lib.variadic(count, *arguments) % 2**64 == wanted


def test_what_the_compiler_is_asked(tmp_path, monkeypatch):
    builder = keelback.FFI()
    builder.cdef("static const unsigned __int128 B; typedef __int128 u[...]; struct s { __int128 x; ...; };")
    builder.set_source(
        "_int128_asked",
        """typedef __int128 u[5]; static const unsigned __int128 B = ~(unsigned __int128)0;
           struct s { char c; __int128 x; };""",
    )
    builder.compile(tmpdir=str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    from _int128_asked import ffi, lib

    assert (ffi.typeof("u").cname, ffi.sizeof("struct s"), lib.B) == ("__int128[5]", 32, ALL)


def test_extern_python(tmp_path, monkeypatch):
    builder = keelback.FFI()
    builder.cdef(
        """extern "Python" __int128 twice(int, __int128, unsigned __int128); __int128 call(unsigned __int128 x);
           struct p { char c; __int128 x; }; extern "Python" struct p next(struct p); struct p call_next(struct p x);"""
    )
    builder.set_source(
        "_int128_python",
        """static __int128 twice(int, __int128, unsigned __int128);
           static __int128 call(unsigned __int128 x) { return twice(3, -(__int128)x, x) + 1; }
           struct p { char c; __int128 x; };
           static struct p next(struct p);
           static struct p call_next(struct p x) { x = next(x); x.x *= 2; return x; }""",
    )
    builder.compile(tmpdir=str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    from _int128_python import ffi, lib

    @ffi.def_extern()
    def twice(a, b, c):
        return a * b - c

    @ffi.def_extern()
    def next(value):
        return {"c": value.c, "x": value.x + 1}

    assert lib.call(2**100) == -(2**102) + 1
    given = ffi.new("struct p *", [b"x", 2**90])
    assert lib.call_next(given[0]).x == 2**91 + 2


def test_under_install_as_cffi_it_is_unknown():
    program = (
        "import keelback; keelback.install_as_cffi(); import cffi\n"
        "ffi = cffi.FFI()\n"
        "for text in ['__int128', '__uint128_t *']:\n"
        "    for use in (lambda: ffi.cdef(f'typedef {text} t;'), lambda: ffi.typeof(text)):\n"
        "        try: use()\n"
        "        except (cffi.CDefError, cffi.FFIError): print('refused')\n"
    )
    said = subprocess.run([sys.executable, "-c", program], text=True, check=True, stdout=subprocess.PIPE).stdout
    assert said == "refused\n" * 4
