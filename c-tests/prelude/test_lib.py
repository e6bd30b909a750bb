"""`lib` as the init code sees it: functions, variables and constants of the prelude, and functions that run Python."""

from harness import Ran

CDEF = "int check(void);"

EXTRA = """
    #define FROM_COMPILER ...
    struct point { int x, y; };
    struct large { long a[5]; };
    enum color { RED, GREEN = 7 };
    static const int integer_constant;
    static const struct point corner;
    static char *const text_constant;
    extern int number;
    extern int numbers[3];
    extern struct point origin;
    int noop(void);
    int negate(int);
    int add(int, int);
    double sum9(int, double, long, float, char, double, short, int, int);
    int many(int, int, int, int, int, int, int, int, int, int, int, int);
    struct point shift(struct point);
    struct large twice(struct large);
    long double add_one(long double);
    double _Complex twice_complex(double _Complex);
    int sum_ints(int *, int);
    int call(int (*)(int), int);
    int sum_variadic(int, ...);
    int macro(int);
    void set_errno(int);
    extern "Python" int from_python(int);
    extern "Python" struct large large_from_python(struct point, double);
    int call_from_python(int);
"""

SOURCE = """
    #include <errno.h>
    #include <stdarg.h>
    #define FROM_COMPILER 99
    #define macro(x) ((x) * 3)
    struct point { int x, y; };
    struct large { long a[5]; };
    enum color { RED, GREEN = 7 };
    #define integer_constant 12
    static const struct point corner = {5, 6};
    #define text_constant "constant"
    static int number = 5, numbers[3] = {1, 2, 3};
    static struct point origin = {7, 8};
    static int noop(void) { return 42; }
    static int negate(int x) { return -x; }
    static int add(int a, int b) { return a + b; }
    static double sum9(int a, double b, long c, float d, char e, double f, short g, int h, int i)
    {
        return a + b + (double)c + (double)d + e + f + g + h + i;
    }
    static int many(int a, int b, int c, int d, int e, int f, int g, int h, int i, int j, int k, int l)
    {
        return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j + 11 * k + 12 * l;
    }
    static struct point shift(struct point p) { p.x++; p.y--; return p; }
    static struct large twice(struct large b) { for (int i = 0; i < 5; i++) b.a[i] *= 2; return b; }
    static long double add_one(long double x) { return x + 1; }
    static double _Complex twice_complex(double _Complex c) { return 2 * c; }
    static int sum_ints(int *p, int n) { int s = 0; for (int i = 0; i < n; i++) s += p[i]; return s; }
    static int call(int (*f)(int), int x) { return f(x); }
    static int sum_variadic(int n, ...)
    {
        va_list l; va_start(l, n); int s = 0; while (n--) s += va_arg(l, int); va_end(l); return s;
    }
    static void set_errno(int value) { errno = value; }
    static int from_python(int);
    static int call_from_python(int x) { return from_python(x); }
"""

INIT = """
    import pydoc
    import types
    from lib0 import ffi, lib
    import lib0.lib

    def raises(class_, text, function, *args, **kwargs):
        try:
            function(*args, **kwargs)
        except class_ as error:
            assert str(error) == text, str(error)
        else:
            raise AssertionError("no " + class_.__name__)

    def functions():
        assert isinstance(lib.add, types.BuiltinFunctionType)
        assert (lib.add.__name__, lib.add.__module__) == ("add", "lib0")
        assert lib.add.__doc__ == "int add(int, int);\\n\\nCFFI C function from lib0.lib"
        assert repr(lib.add).startswith("<built-in method add of keelback.Lib object at 0x")
        assert repr(lib.add.__self__) == "<Lib object for 'lib0'>"
        assert "int add(int, int);" in pydoc.render_doc(lib.add)
        assert lib.add is lib.add
        assert lib.noop() == 42
        assert lib.negate(5) == -5
        assert lib.add(2, 3) == 5
        assert lib.sum9(1, 2.5, 3, 4.5, b"\\x05", 6.0, 7, 8, 9) == 46.0
        assert lib.many(*range(12)) == sum((i + 1) * i for i in range(12))
        assert lib.shift([4, 5]).x == 5
        assert repr(lib.shift([4, 5])) == "<cdata 'struct point' owning 8 bytes>"
        assert list(lib.twice([[1, 2, 3, 4, 5]]).a) == [2, 4, 6, 8, 10]
        assert float(lib.add_one(1.5)) == 2.5
        assert lib.twice_complex(1 + 2j) == 2 + 4j
        assert lib.sum_ints([1, 2, 3], 3) == 6
        assert lib.macro(4) == 12
        assert lib.sum_variadic(2, ffi.cast("int", 3), ffi.cast("short", 4)) == 7
        lib.set_errno(33)
        assert ffi.errno == 33

    def wrong_calls():
        raises(TypeError, "add expected 2 arguments, got 1", lib.add, 1)
        raises(TypeError, "lib0.Lib.negate() takes exactly one argument (2 given)", lib.negate, 1, 2)
        raises(TypeError, "lib0.Lib.noop() takes no arguments (1 given)", lib.noop, 1)
        raises(TypeError, "an integer is required", lib.add, "a", 2)
        raises(OverflowError, "integer 1099511627776 does not fit 'int'", lib.add, 1, 1 << 40)
        raises(
            TypeError,
            "initializer for ctype 'int(*)(int)' must be a pointer to same type, not cdata 'int(*)(int, int)'",
            lib.call, lib.add, 3,
        )

    def function_pointers():
        assert lib.call(lib.negate, 3) == -3
        assert ffi.typeof(lib.add) is ffi.typeof("int(*)(int, int)")
        pointer = ffi.addressof(lib, "add")
        assert ffi.typeof(pointer) is ffi.typeof(lib.add) and pointer(1, 2) == 3
        assert ffi.cast("void *", lib.add) == pointer
        assert ffi.new("int(**)(int, int)", lib.add)[0] == pointer

    def variables():
        assert lib.number == 5
        lib.number = 6
        assert lib.number == ffi.addressof(lib, "number")[0] == 6
        lib.numbers[1] = 20
        assert list(lib.numbers) == [1, 20, 3]
        assert repr(ffi.addressof(lib, "numbers")).startswith("<cdata 'int(*)[3]' 0x")
        lib.origin.x = 70
        assert lib.origin.x == 70
        raises(TypeError, "an integer is required", setattr, lib, "number", "a")

    def constants():
        assert (lib.FROM_COMPILER, lib.integer_constant, lib.RED, lib.GREEN) == (99, 12, 0, 7)
        assert lib.corner.y == 6
        assert ffi.string(lib.text_constant) == b"constant"
        for name in ("add", "FROM_COMPILER", "RED", "corner", "from_python"):
            raises(AttributeError, "cannot write to function or constant %r" % name, setattr, lib, name, 1)
        raises(AttributeError, "C attribute cannot be deleted", delattr, lib, "number")
        raises(AttributeError, "cannot take the address of the constant 'RED'", ffi.addressof, lib, "RED")
        text = "cffi library 'lib0' has no function, constant or global variable named 'nothing'"
        raises(AttributeError, text, getattr, lib, "nothing")

    def from_python():
        address = lib.from_python
        raises_nothing = lib.from_python(1)
        assert raises_nothing == -1  # the error= of below, which the build has read

        @ffi.def_extern(name="from_python")
        def first(x):
            return x + 1
        assert lib.from_python(5) == lib.call_from_python(5) == lib.call(lib.from_python, 5) == 6

        @ffi.def_extern(name="from_python", error=-1)
        def second(x):
            return x + 2
        assert lib.call_from_python(5) == 7
        assert lib.from_python == address

        kept = []

        @ffi.def_extern()
        def large_from_python(point, factor):
            kept.append(point)
            return [[int(point.x * factor), point.y, 3, 4, 5]]
        assert list(lib.large_from_python([2, 9], 2.5).a) == [5, 9, 3, 4, 5]
        assert kept[0].y == 9

    def module():
        assert lib0.lib is lib
        assert repr(lib) == "<Lib object for 'lib0'>"
        assert lib.__name__ == "lib0.lib"
        assert "number" in dir(lib) and "number" not in lib.__all__ and "RED" in lib.__all__
        assert lib.__dict__["add"] is lib.add
        names = {}
        exec("from lib0.lib import *", names)
        assert names["add"](1, 2) == 3 and "number" not in names

    @ffi.def_extern(error=-1)
    def check():
        for part in (functions, wrong_calls, function_pointers, variables, constants, from_python, module):
            part()
        return 0
"""

HOST = """
    #include <stdio.h>
    #include "lib0.h"

    int main(void)
    {
        printf("%d\\n", check());
        return 0;
    }
"""


def test_lib(plugin, host, run, tmp_path):
    extra = tmp_path / "extra.cdef"
    extra.write_text(EXTRA)
    built = plugin(CDEF, INIT, name="lib0", source=SOURCE, args=["--cdef", extra])
    ran = run(host(HOST, built))
    unattached = (
        'extern "Python": function lib0.from_python() called, but no code was attached to it yet with '
        "@ffi.def_extern().  Returning its error value.\n"
    )
    assert ran == Ran("0\n", unattached)


GIL_SOURCE = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    struct point { int x, y; };
    static int held_too(void) { return ((int (*)(void))dlsym(RTLD_DEFAULT, "PyGILState_Check"))(); }
    static int held(int a) { return a == 3 ? held_too() : -1; }
    static struct point both(struct point p) { p.x = held_too(); return p; }
"""
GIL_INIT = """
    from keeping import ffi, lib

    @ffi.def_extern()
    def check():
        print(lib.held(3), lib.held_too(), lib.both([5, 6]).x)
        ffi.keep_gil(lib, "held", "both")
        print(lib.held(3), lib.held_too(), lib.both([5, 6]).x)
        ffi.keep_gil(lib)
        print(lib.held(3), lib.held_too(), lib.both([5, 6]).x, lib.check)
        try:
            ffi.keep_gil(lib, "check")
        except TypeError as error:
            print(error)
        return 0
"""


def test_functions_that_keep_the_gil(plugin, host, run, tmp_path):
    extra = tmp_path / "extra.cdef"
    extra.write_text("struct point { int x, y; }; int held(int); int held_too(void); struct point both(struct point);")
    built = plugin(CDEF, GIL_INIT, name="keeping", source=GIL_SOURCE, args=["--cdef", extra])
    program = '#include "keeping.h"\nint main(void) { return check(); }'
    assert run(host(program, built)) == Ran(
        "0 0 0\n1 0 1\n1 1 1 <cdata 'int(*)()' 0x...>\n"
        "the GIL cannot be kept in 'check': it runs Python, or is called through C of the module that releases the GIL\n"
    )
