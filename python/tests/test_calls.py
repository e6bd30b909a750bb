"""Calls of C functions through `ffi.dlopen`: arguments, results, errors, errno, variadics."""
import array
import io
import threading

import pytest
from keelback import FFI as KeelbackFFI

from c_library import compile_library
from implementations import both

DECLARATIONS = """
struct point { int x, y; };
struct big { long a[5]; };
union number { int i; double d; };
struct bits { int a : 3; unsigned b : 7; int c; };
int noop(void);
int add(int, int);
signed char narrow(signed char, unsigned char, short, unsigned short);
unsigned long wide(unsigned long, long long);
int sum_ints(int *, int);
int first_of_void(void *);
int first_unsigned(unsigned char *);
int first_signed(signed char *);
int first_bool(_Bool *);
int first_string(char **);
int wide_length(wchar_t *);
int utf16_units(char16_t *);
int sum_point(struct point *);
struct point shift(struct point);
struct big twice(struct big);
int text_length(const char *);
int sum_variadic(int, ...);
double average(int, ...);
int describe(char *, size_t, const char *, ...);
int print_to(FILE *);
int set_errno(int);
_Bool is_odd(int);
char next_char(char);
wchar_t next_wide(wchar_t);
float twice_float(float);
double sum9(int, double, long, float, char, double, short, int, int);
double sum20(double, double, double, double, double, double, double, double, double, double,
             int, int, int, int, int, int, int, int, int, int);
long double add_one(long double);
int corner(int p[][2]);
int call(int (*)(int), int);
int (*pick(int))(int);
void *same(void *);
int many(int, int, int, int, int, int, int, int, int, int, int, int);
enum color { RED, GREEN = 5 };
enum color next_color(enum color);
"""

SOURCE = """
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <uchar.h>
#include <wchar.h>
struct point { int x, y; };
struct big { long a[5]; };
enum color { RED, GREEN = 5 };
int noop(void) { return 42; }
int add(int a, int b) { return a + b; }
signed char narrow(signed char a, unsigned char b, short c, unsigned short d)
{
    return a == -3 && b == 250 && c == -30000 && d == 65000 ? -7 : 1;
}
unsigned long wide(unsigned long a, long long b) { return a + b; }
int sum_ints(int *p, int n) { int s = 0; for (int i = 0; i < n; i++) s += p[i]; return s; }
int first_of_void(void *p) { return p ? *(unsigned char *)p : -1; }
int first_unsigned(unsigned char *p) { return *p; }
int first_signed(signed char *p) { return *p; }
int first_bool(_Bool *p) { return *p; }
int first_string(char **p) { return p[0][0]; }
int wide_length(wchar_t *p) { return (int)wcslen(p); }
int utf16_units(char16_t *p) { int n = 0; while (p[n]) n++; return n; }
int sum_point(struct point *p) { return p->x * 10 + p->y; }
struct point shift(struct point p) { p.x++; p.y--; return p; }
struct big twice(struct big b) { for (int i = 0; i < 5; i++) b.a[i] *= 2; return b; }
int text_length(const char *s) { return (int)strlen(s); }
int sum_variadic(int n, ...)
{
    va_list l; va_start(l, n); int s = 0; while (n--) s += va_arg(l, int); va_end(l); return s;
}
double average(int n, ...)
{
    va_list l; va_start(l, n); double s = 0; for (int i = 0; i < n; i++) s += va_arg(l, double); va_end(l); return s / n;
}
int describe(char *to, size_t size, const char *format, ...)
{
    va_list l; va_start(l, format); int n = vsnprintf(to, size, format, l); va_end(l); return n;
}
int print_to(FILE *f) { return fprintf(f, "from C\\n"); }
int set_errno(int value) { int old = errno; errno = value; return old; }
_Bool is_odd(int x) { return x & 1; }
char next_char(char c) { return c + 1; }
wchar_t next_wide(wchar_t c) { return c + 1; }
float twice_float(float f) { return 2 * f; }
double sum9(int a, double b, long c, float d, char e, double f, short g, int h, int i)
{
    return a + b + c + d + e + f + g + h + i;
}
double sum20(double a, double b, double c, double d, double e, double f, double g, double h, double i, double j,
             int k, int l, int m, int n, int o, int p, int q, int r, int s, int t)
{
    return a + b + c + d + e + f + g + h + i + j + 100 * (k + l + m + n + o + p + q + r + s + t);
}
long double add_one(long double x) { return x + 1; }
int corner(int p[][2]) { return p[1][1]; }
int call(int (*f)(int), int x) { return f(x); }
static int negate(int x) { return -x; }
int (*pick(int which))(int) { return which ? negate : NULL; }
void *same(void *p) { return p; }
int many(int a, int b, int c, int d, int e, int f, int g, int h, int i, int j, int k, int l)
{
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j + 11 * k + 12 * l;
}
enum color next_color(enum color c) { return c == RED ? GREEN : RED; }
"""


@pytest.fixture
def opened(FFI):
    ffi = FFI()
    ffi.cdef(DECLARATIONS)
    return ffi, ffi.dlopen(compile_library(SOURCE))


def raises(class_, text=None):
    return pytest.raises(class_, match=None if text is None else f"^{text}$")


@both
def test_scalars(opened):
    ffi, lib = opened
    assert lib.noop() == 42
    assert lib.add(2, 3) == 5
    assert lib.add(-(2**31), 2**31 - 1) == -1
    assert lib.add(True, False) == 1
    assert lib.narrow(-3, 250, -30000, 65000) == -7
    assert lib.wide(2**64 - 1, -1) == 2**64 - 2
    assert lib.is_odd(3) is True and lib.is_odd(2) is False
    assert lib.next_char(b"a") == b"b"
    assert lib.next_wide("a") == "b"
    assert lib.twice_float(1.5) == 3.0
    assert lib.twice_float(1e300) == float("inf")
    assert lib.sum9(1, 2.5, 3, 4.5, b"\x05", 6.0, 7, 8, 9) == 46.0
    assert lib.sum20(*range(1, 11), *range(1, 11)) == 55 + 5500
    assert lib.many(*range(12)) == sum((i + 1) * i for i in range(12))
    assert repr(lib.add_one(1.5)) == "<cdata 'long double' 2.500000E+00>"
    assert lib.next_color(lib.RED) == lib.GREEN == 5
    assert lib.same(ffi.NULL) == ffi.NULL


class Number:
    def __int__(self):
        return 7


@both
def test_integer_arguments(opened):
    ffi, lib = opened
    assert lib.add(Number(), ffi.cast("long", 4)) == 11
    for wrong in ("a", 1.0, None, [1], ffi.cast("float", 3)):
        with raises(TypeError, "an integer is required"):
            lib.add(wrong, 2)
    with raises(OverflowError, "integer 1099511627776 does not fit 'int'"):
        lib.add(1, 1 << 40)
    with raises(OverflowError, "integer 128 does not fit 'signed char'"):
        lib.narrow(128, 0, 0, 0)
    with raises(OverflowError):
        lib.narrow(0, -1, 0, 0)
    with raises(OverflowError):
        lib.wide(-1, 0)


@both
def test_wrong_calls(opened):
    ffi, lib = opened
    with raises(TypeError, r"'int\(\*\)\(int, int\)' expects 2 arguments, got 1"):
        lib.add(1)
    with raises(TypeError, r"'int\(\*\)\(int, int\)' expects 2 arguments, got 3"):
        lib.add(1, 2, 3)
    with raises(TypeError, "a cdata function cannot be called with keyword arguments"):
        lib.add(1, b=2)
    with raises(TypeError, r"'int\(\*\)\(int, ...\)' expects at least 1 arguments, got 0"):
        lib.sum_variadic()
    with raises(RuntimeError, r"cannot call null pointer pointer from cdata 'int\(\*\)\(int\)'"):
        ffi.cast("int(*)(int)", 0)(3)
    with raises(TypeError, r"cdata 'int \*' is not callable"):
        ffi.new("int *")(3)
    with raises(TypeError, "cdata 'int' is not callable"):
        ffi.cast("int", 3)()


@both
def test_pointer_arguments(opened):
    ffi, lib = opened
    assert lib.sum_ints([1, 2, 3], 3) == lib.sum_ints((1, 2, 3), 3) == 6
    assert lib.sum_ints(ffi.new("int[3]", [4, 5, 6]), 3) == 15
    assert lib.sum_ints(ffi.new("int[3]", [4, 5, 6]) + 1, 2) == 11
    assert lib.sum_ints(ffi.NULL, 0) == 0
    assert lib.sum_ints([], 0) == 0
    assert lib.text_length(b"abc") == 3
    assert lib.text_length([b"a", b"b", b"\0"]) == 2
    assert lib.text_length(ffi.new("char[]", b"abcd")) == 4
    assert lib.text_length(ffi.new("unsigned char[]", b"abcd")) == 4
    assert lib.first_unsigned(b"\xff") == 255
    assert lib.first_signed(b"\xff") == -1
    assert lib.first_of_void(b"ab") == 97
    assert lib.first_bool(b"\x01") == lib.first_bool([True]) == 1
    assert lib.first_string([ffi.new("char[]", b"x")]) == ord("x")
    assert lib.wide_length("hello") == 5
    assert lib.wide_length(["h", "e", "\0"]) == 2
    assert lib.utf16_units("a\U0001f600") == 3
    assert lib.sum_point([[1, 2]]) == lib.sum_point([(1, 2)]) == lib.sum_point([{"y": 2, "x": 1}]) == 12
    assert lib.sum_point(ffi.new("struct point *", [3, 4])) == 34
    assert lib.corner([[1, 2], (3, 4)]) == 4
    assert lib.first_of_void(ffi.new("int *", 3)) == 3
    assert lib.call(ffi.callback("int(int)", lambda x: x + 1), 3) == 4
    assert lib.pick(1)(5) == -5
    assert lib.pick(0) == ffi.NULL
    with raises(ValueError, r"an array of _Bool can only contain \\x00 or \\x01"):
        lib.first_bool(b"\x05")
    data = b"no copy"
    assert lib.same(data) == lib.same(data)
    # More than a stack would hold.
    assert lib.sum_ints([1] * 3_000_000, 3_000_000) == 3_000_000


WRONG_POINTERS = [
    ("sum_ints", b"abcd", "initializer for ctype 'int *' must be a cdata pointer, not bytes"),
    ("sum_ints", "ab", "initializer for ctype 'int *' must be a list or tuple, not str"),
    ("sum_ints", 5, "initializer for ctype 'int *' must be a cdata pointer, not int"),
    ("sum_ints", None, "initializer for ctype 'int *' must be a cdata pointer, not NoneType"),
    ("sum_ints", {1, 2}, "initializer for ctype 'int *' must be a cdata pointer, not set"),
    ("sum_ints", range(3), "initializer for ctype 'int *' must be a cdata pointer, not range"),
    ("sum_ints", bytearray(8), "initializer for ctype 'int *' must be a cdata pointer, not bytearray"),
    ("sum_ints", array.array("i", [1]), "initializer for ctype 'int *' must be a cdata pointer, not array.array"),
    ("sum_ints", [1, "a"], "an integer is required"),
    ("first_of_void", [1], "initializer for ctype 'void *' must be a cdata pointer, not list"),
    ("first_of_void", "abcd", "initializer for ctype 'void *' must be a cdata pointer, not str"),
    ("text_length", "abc", "initializer for ctype 'char *' must be a bytes or list or tuple, not str"),
    ("text_length", bytearray(b"abc"), "initializer for ctype 'char *' must be a cdata pointer, not bytearray"),
    ("first_string", [b"abc"], "initializer for ctype 'char *' must be a cdata pointer, not bytes"),
    ("first_string", b"abc", "initializer for ctype 'char * *' must be a cdata pointer, not bytes"),
    ("wide_length", b"hello", "initializer for ctype 'wchar_t *' must be a cdata pointer, not bytes"),
    ("sum_point", {"x": 3}, "initializer for ctype 'struct point *' must be a cdata pointer, not dict"),
    ("print_to", 5, "initializer for ctype 'FILE *' must be a cdata pointer, not int"),
]


@both
@pytest.mark.parametrize("name, value, text", WRONG_POINTERS)
def test_wrong_pointers(opened, name, value, text):
    ffi, lib = opened
    arguments = (value, 1) if name == "sum_ints" else (value,)
    with pytest.raises(TypeError) as caught:
        getattr(lib, name)(*arguments)
    assert str(caught.value) == text


@both
def test_other_pointers(opened):
    ffi, lib = opened
    with raises(TypeError, r"initializer for ctype 'int \*' must be a pointer to same type, not cdata 'long\[3\]'"):
        lib.sum_ints(ffi.new("long[3]"), 3)
    with raises(TypeError, r"initializer for ctype 'int \*' must be a pointer or array, not cdata 'int'"):
        lib.sum_ints(ffi.cast("int", 4), 3)
    with raises(TypeError, r"initializer for ctype 'int\(\*\)\(int\)' must be a pointer to same type, not cdata '_Bool\(\*\)\(int\)'"):
        lib.call(lib.is_odd, 3)
    with raises(TypeError, r"initializer for ctype 'int\(\*\)\(int\)' must be a cdata pointer, not function"):
        lib.call(lambda x: x, 3)


@both
def test_structs_by_value(opened):
    ffi, lib = opened
    shifted = lib.shift([4, 5])
    assert (shifted.x, shifted.y) == (5, 4)
    assert repr(shifted) == "<cdata 'struct point' owning 8 bytes>"
    assert lib.shift({"x": 1}).x == 2
    assert lib.shift(shifted).x == 6
    assert list(lib.twice([[1, 2, 3, 4, 5]]).a) == [2, 4, 6, 8, 10]
    with raises(ValueError, r"too many initializers for 'struct point' \(got 3\)"):
        lib.shift((4, 5, 6))
    with raises(
        TypeError,
        r"initializer for ctype 'struct point' must be a list or tuple or dict or struct-cdata, not cdata 'struct point \*'",
    ):
        lib.shift(ffi.new("struct point *"))


@both
def test_variadic(opened):
    ffi, lib = opened
    integer = lambda value: ffi.cast("int", value)
    assert lib.sum_variadic(0) == 0
    assert lib.sum_variadic(3, integer(1), ffi.cast("short", -2), ffi.cast("signed char", 4)) == 3
    assert lib.sum_variadic(2, ffi.cast("char", 200), ffi.cast("_Bool", 1)) in (201, 201 - 256)
    assert lib.sum_variadic(12, *[integer(i) for i in range(12)]) == 66
    assert lib.average(2, ffi.cast("double", 1.5), ffi.cast("double", 2.5)) == 2.0
    assert lib.average(12, *[ffi.cast("double", i) for i in range(12)]) == 5.5
    buffer = ffi.new("char[100]")
    text = ffi.new("char[]", b"text")
    length = lib.describe(buffer, 100, b"%d %.2f %s %p %ld", integer(-7), ffi.cast("double", 2.5), text, ffi.NULL, ffi.cast("long", 1 << 40))
    assert ffi.string(buffer) == b"-7 2.50 text (nil) 1099511627776" and length == 32
    assert lib.sum_variadic(0, lib.add, ffi.new("int[3]"), ffi.new("struct point *")[0]) == 0
    for wrong in (3, None, b"abc", "abc", [1], 2.5):
        with raises(
            TypeError,
            rf"argument 2 passed in the variadic part needs to be a cdata object \(got {type(wrong).__name__}\)",
        ):
            lib.sum_variadic(1, wrong)


@both
def test_errno(opened):
    ffi, lib = opened
    lib.set_errno(33)
    assert ffi.errno == 33
    ffi.errno = 12
    open_fails = pytest.raises(OSError, open, "/nonexistent")  # changes the real errno
    assert open_fails
    assert lib.set_errno(5) == 12
    assert ffi.errno == 5
    seen = []
    thread = threading.Thread(target=lambda: seen.append(lib.set_errno(77)))
    thread.start()
    thread.join()
    assert seen == [0] and ffi.errno == 5
    with pytest.raises(TypeError):
        ffi.errno = "a"
    with pytest.raises(OverflowError):
        ffi.errno = 1 << 40


@both
def test_file(opened, tmp_path):
    ffi, lib = opened
    path = tmp_path / "out.txt"
    with open(path, "w+") as file:
        file.write("from Python, ")
        assert lib.print_to(file) == 7
        file.seek(0)
        assert file.read() == "from Python, from C\n"
        assert ffi.cast("FILE *", file) == ffi.cast("FILE *", file) != ffi.NULL
    with pytest.raises(ValueError):
        lib.print_to(file)
    with pytest.raises(io.UnsupportedOperation):
        lib.print_to(io.StringIO())


@both
def test_other_threads_run_during_a_call(FFI):
    ffi = FFI()
    ffi.cdef("int pass_on(int write_to, int read_from);")
    lib = ffi.dlopen(
        compile_library(
            "#include <unistd.h>\n"
            "int pass_on(int w, int r) { char c = 'x'; return write(w, &c, 1) == 1 && read(r, &c, 1) == 1 ? c : -1; }"
        )
    )
    import os

    # Each thread waits in C for what the other one writes in C: with the GIL held, nobody gets on.
    (read_a, write_a), (read_b, write_b) = os.pipe(), os.pipe()
    results = []
    threads = [
        threading.Thread(target=lambda w, r: results.append(lib.pass_on(w, r)), args=pair)
        for pair in ((write_a, read_b), (write_b, read_a))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert results == [ord("x")] * 2


def test_better_than_cffi():
    ffi = KeelbackFFI()
    ffi.cdef(DECLARATIONS)
    lib = ffi.dlopen(compile_library(SOURCE))
    # C promotes a float to double (CFFI passes it as it is), and fields that an initialiser leaves out are zero.
    assert lib.average(2, ffi.cast("float", 1.5), ffi.cast("double", 2.5)) == 2.0
    assert lib.shift({"y": 1}).x == 1


def test_what_cffi_refuses():
    ffi = KeelbackFFI()
    ffi.cdef(
        """
        union number { int i; double d; };
        struct bits { int a : 3; unsigned b : 7; int c; };
        double number_d(union number);
        unsigned bits_b(struct bits);
        double _Complex twice_complex(double _Complex);
        """
    )
    lib = ffi.dlopen(
        compile_library(
            """
            #include <complex.h>
            union number { int i; double d; };
            struct bits { int a : 3; unsigned b : 7; int c; };
            double number_d(union number n) { return n.d; }
            unsigned bits_b(struct bits b) { return b.b; }
            double _Complex twice_complex(double _Complex c) { return 2 * c; }
            """
        )
    )
    assert lib.number_d({"d": 2.5}) == 2.5
    assert lib.bits_b([1, 99, 3]) == 99
    assert lib.twice_complex(1 + 2j) == 2 + 4j


def test_arguments_that_change_while_they_are_converted():
    ffi = KeelbackFFI()
    ffi.cdef("int sum_ints(int *, int);")
    lib = ffi.dlopen(compile_library(SOURCE))

    class Shrinks:
        def __int__(self):
            del numbers[:]
            return 1

    numbers = [Shrinks(), 2, 3]
    with pytest.raises(IndexError):
        lib.sum_ints(numbers, 3)


QUICK_SOURCE = """
#include <stdint.h>
int none(void) { return 41; }
void *one(void *p) { return p; }
int two(int a, const char *s) { return a * 1000 + (s ? s[0] : 7); }
int64_t three(int64_t a, uint32_t b, int *p) { return a + b + (p ? *p : 0); }
uint64_t four(uint64_t a, signed char b, short c, _Bool d) { return a + b + c + d; }
unsigned char narrow(int a) { return a; }
void store(int *where, int a) { *where = a; }
double half(double a) { return a / 2; }
double ratio(double a, double b) { return a / b; }
"""
QUICK = """
int none(void); void *one(void *); int two(int, const char *); int64_t three(int64_t, uint32_t, int *);
uint64_t four(uint64_t, signed char, short, _Bool); unsigned char narrow(int); void store(int *, int);
double half(double); double ratio(double, double);
"""


class Whole(int):
    def __index__(self):
        raise AssertionError("an int is what it is")


class Real:
    def __float__(self):
        return 2.5


class Text(bytes):
    pass


@both
def test_the_most_common_signatures_with_any_arguments(FFI):
    ffi = FFI()
    ffi.cdef(QUICK)
    lib = ffi.dlopen(compile_library(QUICK_SOURCE))
    numbers = ffi.new("int[]", [70, 80])
    for _ in range(3):
        assert lib.none() == 41
        assert lib.one(numbers) == numbers and lib.one(ffi.NULL) == ffi.NULL
        assert lib.two(3, b"A") == 3065 and lib.two(-3, ffi.NULL) == -2993
        assert lib.two(Whole(2), Text(b"B")) == 2066 and lib.two(True, [b"C"]) == 1067
        assert lib.two(2, ffi.new("char[]", b"D")) == 2068
        assert lib.three(2**40, 2**32 - 1, numbers) == 2**40 + 2**32 - 1 + 70
        assert lib.three(-(2**63), 0, ffi.NULL) == -(2**63)
        assert lib.three(1, 2, [30]) == 33 and lib.three(Number(), Whole(4), [5]) == 16
        assert lib.four(2**64 - 3, -128, 130, 0) == 2**64 - 1 and lib.four(0, 1, -1, True) == 1
        assert lib.narrow(257) == 1 and lib.narrow(-1) == 255
        assert lib.store(numbers + 1, 9) is None and numbers[1] == 9
        assert lib.half(5.0) == 2.5 and lib.half(5) == 2.5 and lib.half(Real()) == 1.25
        assert lib.ratio(1.0, 4.0) == 0.25 and lib.ratio(3, Real()) == 1.2


@both
def test_the_most_common_signatures_refuse_what_does_not_fit(FFI):
    ffi = FFI()
    ffi.cdef(QUICK)
    lib = ffi.dlopen(compile_library(QUICK_SOURCE))
    for function, arguments, error in [
        (lib.none, [1], TypeError),
        (lib.two, [2**31, b"x"], OverflowError),
        (lib.two, [1, "x"], TypeError),
        (lib.two, [1.0, b"x"], TypeError),
        (lib.two, [1], TypeError),
        (lib.three, [2**63, 1, ffi.NULL], OverflowError),
        (lib.three, [1, -1, ffi.NULL], OverflowError),
        (lib.three, [1, 1, ffi.new("double *")], TypeError),
        (lib.four, [-1, 0, 0, 0], OverflowError),
        (lib.four, [1, 200, 0, 0], OverflowError),
        (lib.half, ["1"], TypeError),
        (lib.half, [], TypeError),
        (lib.ratio, [1.0, None], TypeError),
    ]:
        for _ in range(2):
            with pytest.raises(error):
                function(*arguments)
        with pytest.raises(TypeError):
            function(*arguments, keyword=1)


def test_a_function_that_is_new_to_several_threads():
    for _ in range(20):
        ffi = KeelbackFFI()
        ffi.cdef(QUICK)
        function = ffi.dlopen(compile_library(QUICK_SOURCE)).two
        start, results = threading.Barrier(4), []

        def call():
            start.wait()
            results.append(function(1, b"A"))

        threads = [threading.Thread(target=call) for _ in range(4)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert results == [1065] * 4
