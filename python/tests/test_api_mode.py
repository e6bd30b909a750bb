"""API mode in detail: what is refused, and when; what the compiler completes; what type strings say. Rows 41-53, 187-195
and 198-211 of the feature list. Every test runs against Keelback and against CFFI.
"""
import sys
import threading

import keelback
import pytest
from implementations import both
from test_builder import build, place  # noqa: F401


def raised(function, *args):
    """The exception's class and its text."""
    with pytest.raises(Exception) as caught:
        function(*args)
    return type(caught.value), str(caught.value)


# -- What CFFI leaves to libffi --

VARIADIC_CDEF = """
    union u { int a; char b; };                             union u get_u(int, ...);
    struct bits { int x:5; };                               struct bits get_bits(int, ...);
    struct custom { int x; ...; };                          struct custom get_custom(int, ...);
    struct nested { int a; union { int b, c; }; };          struct nested get_nested(int, ...);
    struct alone { int a; struct { int b; }; };             struct alone get_alone(int, ...);
    struct zero { int a; int x[0]; };                       struct zero get_zero(int, ...);
    struct in_struct { struct bits inner; };                struct in_struct get_in_struct(int, ...);
    struct plain { int a[2]; double b; };                   struct plain get_plain(int, ...);
    int take_u(union u, ...);  int take_plain(struct plain, ...);
    union u direct_u(int);  struct bits direct_bits(int);  struct custom direct_custom(int);
    struct nested direct_nested(int); struct zero direct_zero(int);
    extern int (*pointer)(struct custom);
"""
VARIADIC_SOURCE = """
    union u { int a; char b; };
    struct bits { int x:5; };
    struct custom { int y, x; };
    struct nested { int a; union { int b, c; }; };
    struct alone { int a; struct { int b; }; };
    struct zero { int a; int x[0]; };
    struct in_struct { struct bits inner; };
    struct plain { int a[2]; double b; };
    static union u get_u(int a, ...) { union u s = { a }; return s; }
    static struct bits get_bits(int a, ...) { struct bits s = { a }; return s; }
    static struct custom get_custom(int a, ...) { struct custom s = { 1, a }; return s; }
    static struct nested get_nested(int a, ...) { struct nested s; s.a = 1; s.b = a; return s; }
    static struct alone get_alone(int a, ...) { struct alone s; s.a = 1; s.b = a; return s; }
    static struct zero get_zero(int a, ...) { struct zero s = { a }; return s; }
    static struct in_struct get_in_struct(int a, ...) { struct in_struct s = { { a } }; return s; }
    static struct plain get_plain(int a, ...) { struct plain s = { { a, 2 }, 3.5 }; return s; }
    static int take_u(union u s, ...) { return s.a; }
    static int take_plain(struct plain s, ...) { return s.a[0]; }
    static union u direct_u(int a) { return get_u(a); }
    static struct bits direct_bits(int a) { return get_bits(a); }
    static struct custom direct_custom(int a) { return get_custom(a); }
    static struct nested direct_nested(int a) { return get_nested(a); }
    static struct zero direct_zero(int a) { return get_zero(a); }
    static int custom_x(struct custom s) { return s.x; }
    static int (*pointer)(struct custom) = custom_x;
"""
ONLY = (
    "only supported as {place} if the function is 'API mode' and non-variadic (i.e. declared inside ffibuilder.cdef()"
    "+ffibuilder.set_source() and not taking a final '...' argument)"
)
UNION = "ctype '{type}' not supported as {place} by libffi.  Unions are " + ONLY
STRUCT = "ctype '{type}' not supported as {place}.  {why}.  Such structs are " + ONLY
BITS = "It is a struct with bit fields, which libffi does not support"
ZERO = "It is a struct with a zero-length array, which libffi does not support"
PACKED = "It is a 'packed' structure, with a different layout than expected by libffi"
CUSTOM = (
    'It is a struct declared with "...;", but the C calling convention may depend on the missing fields; or, it contains '
    "anonymous struct/unions"
)


@both
def test_values_that_libffi_does_not_know(FFI, place):  # noqa: F811
    """By value in every function, but not in a variadic one of a module."""
    ffi, lib = (lambda module: (module.ffi, module.lib))(build(FFI, VARIADIC_CDEF, VARIADIC_SOURCE))
    assert (lib.direct_u(5).a, lib.direct_bits(5).x, lib.direct_custom(5).x) == (5, 5, 5)
    assert (lib.direct_nested(5).c, lib.direct_zero(5).a) == (5, 5)
    for function, text in [
        (lib.get_u, UNION.format(type="union u", place="return value")),
        (lib.get_bits, STRUCT.format(type="struct bits", place="return value", why=BITS)),
        (lib.get_custom, STRUCT.format(type="struct custom", place="return value", why=CUSTOM)),
        (lib.get_nested, STRUCT.format(type="struct nested", place="return value", why=CUSTOM)),
        (lib.get_zero, STRUCT.format(type="struct zero", place="return value", why=ZERO)),
        (lib.get_in_struct, STRUCT.format(type="struct bits", place="argument", why=BITS)),
    ]:
        assert raised(function, 0) == (NotImplementedError, text)
    assert raised(lib.take_u, ffi.new("union u *")[0]) == (
        NotImplementedError,
        UNION.format(type="union u", place="argument"),
    )
    assert lib.get_alone(9).b == 9
    assert (lib.get_plain(7).a[0], lib.get_plain(7).b) == (7, 3.5)
    assert lib.take_plain(ffi.new("struct plain *", [[8]])[0], ffi.cast("int", 1)) == 8
    # A pointer is not the compiled function: nobody knows how the struct is passed.
    assert raised(lib.pointer, ffi.new("struct custom *")[0]) == (
        NotImplementedError,
        STRUCT.format(type="struct custom", place="argument", why=CUSTOM),
    )


@both
def test_packed_value_of_a_variadic_function(FFI, place):  # noqa: F811
    builder = FFI()
    builder.cdef("struct foo { char y; int x; }; struct foo f(void); struct foo g(int, ...);", packed=True)
    name = f"_built_packed_{FFI.__module__.split('.')[0]}"
    builder.set_source(
        name,
        """
        struct foo { char y; int x; } __attribute__((packed));
        static struct foo f(void) { struct foo s = { 40, 200 }; return s; }
        static struct foo g(int a, ...) { struct foo s = { 41, 201 }; (void)a; return s; }
        """,
    )
    builder.compile()
    lib = __import__(name).lib
    assert (lib.f().y, lib.f().x) == (b"(", 200)
    assert raised(lib.g, 0) == (
        NotImplementedError,
        STRUCT.format(type="struct foo", place="return value", why=PACKED),
    )


# -- Types that are not complete --


@both
def test_opaque_things(FFI, place):  # noqa: F811
    module = build(
        FFI,
        """
        typedef ... opaque_t;
        extern opaque_t variable;
        const opaque_t CONSTANT;
        struct takes { void (*function)(opaque_t); };
        struct returns { opaque_t (*functions[2])(void); };
        struct itself { int (*compare)(struct itself); };
        struct one { struct two *other; int (*function)(struct one *); };
        struct two { struct one one; int (*function)(struct one); };
        """,
        """
        typedef int opaque_t;
        static opaque_t variable = 0x00636261;
        static const int CONSTANT = 42;
        struct takes { void (*function)(opaque_t); };
        struct returns { opaque_t (*functions[2])(void); };
        struct itself { int (*compare)(struct itself); };
        struct one { struct two *other; int (*function)(struct one *); };
        struct two { struct one one; int (*function)(struct one); };
        """,
    )
    ffi, lib = module.ffi, module.lib
    assert raised(getattr, lib, "variable") == (TypeError, "cdata 'opaque_t' is opaque")
    assert raised(setattr, lib, "variable", 5) == (TypeError, "'opaque_t' is opaque")
    pointer = ffi.addressof(lib, "variable")
    assert ffi.typeof(pointer) is ffi.typeof("opaque_t *")
    assert ffi.string(ffi.cast("char *", pointer)) == b"abc"
    assert raised(getattr, lib, "CONSTANT") == (
        ffi.error,
        "constant 'CONSTANT' is of type 'opaque_t', whose size is not known",
    )
    assert raised(ffi.new, "struct takes *") == (TypeError, "ctype 'opaque_t' has incomplete type")
    assert raised(ffi.new, "struct returns *") == (TypeError, "result type 'opaque_t' is opaque")
    assert raised(ffi.new, "struct itself *")[0] is RuntimeError
    # What is not by value may go round.
    assert ffi.new("struct two *").one.other == ffi.NULL
    assert raised(ffi.sizeof, "opaque_t") == (ffi.error, "don't know the size of ctype 'opaque_t'")
    assert raised(ffi.sizeof, "int[]") == (ffi.error, "don't know the size of ctype 'int[]'")
    assert raised(ffi.alignof, "opaque_t") == (ValueError, "ctype 'opaque_t' is of unknown alignment")


@both
@pytest.mark.parametrize(
    "cdef, text",
    [
        ("struct a { struct b b; };", "struct a: field 'a.b' is of an opaque type (not declared in cdef())"),
        ("struct a { struct b b[2]; };", "struct a: field 'a.b' is of an opaque type (not declared in cdef())"),
        ("struct a { int x; struct b b[]; };", "struct a: field 'a.b' is of an opaque type (not declared in cdef())"),
        ("union a { struct b b; ...; };", "union a: field 'a.b' is of an opaque type (not declared in cdef())"),
        ("typedef ... t; t f(void);", "function f: 't' is used as result type, but is opaque"),
    ],
)
def test_opaque_parts(FFI, place, cdef, text):  # noqa: F811
    assert raised(build, FFI, cdef, "?") == (TypeError, text)


@both
@pytest.mark.parametrize(
    "cdef, text",
    [
        ("void foo(sp);", "function foo: cannot generate 'struct $1 * *' in argument of foo: unknown type name"),
        ("sp foo(int);", "function foo: cannot generate 'struct $1 * *' in a C file: unknown type name"),
        ("extern sp g;", "variable g: cannot generate 'struct $1 * *' in a C file: unknown type name"),
    ],
)
def test_types_without_a_name(FFI, place, cdef, text):  # noqa: F811
    class_, told = raised(build, FFI, "typedef struct { int x; } **sp; " + cdef, "?")
    assert (class_.__name__, told) == ("VerificationError", text)


@both
def test_pack(FFI, place):  # noqa: F811
    builder = FFI()
    builder.cdef("struct foo { char y; int x; };", pack=2)
    builder.set_source(f"_built_pack_{FFI.__module__.split('.')[0]}", "")
    class_, text = raised(builder.compile)
    assert class_ is NotImplementedError
    assert text.startswith("struct foo: ") and "pack=2" in text


# -- What the compiler says otherwise --


@both
@pytest.mark.parametrize(
    "cdef, source",
    [
        ("enum e1 { A1, ... }; enum e2 { A1, ... };", "enum e1 { A1 }; enum e2 { B1 };"),
        ("typedef int... number_t;", "typedef float number_t;"),
        ("typedef int... number_t;", "typedef struct { int x; } number_t;"),
        ("typedef double... number_t;", "typedef struct { int x; } number_t;"),
        ("#define TEXT ...", '#define TEXT "text"'),
        ("extern int nosuch;", ""),
        ("struct s { int nosuch; ...; };", "struct s { int other; };"),
        # The pointers that are compared are what a compiler warns of.
        ("struct s { int a[5]; };", "struct s { int a[6]; };"),
        ("struct s { int a[5][2]; ...; };", "struct s { int x, a[5][3]; };"),
        ("struct s { char *a; ...; };", "struct s { int x, *a; };"),
        ("struct s { struct { int a; char b; }; };", "struct s { struct { int a; short b; }; };"),
    ],
)
def test_compilation_fails(FFI, place, cdef, source):  # noqa: F811
    class_, _ = raised(lambda: build(FFI, cdef, source, extra_compile_args=["-Werror"]))
    assert class_.__name__ == "VerificationError"


@both
@pytest.mark.parametrize(
    "members, truth, error",
    [
        ("struct { int a; char b; }; int c;", "struct { int a; short b; }; int c;", "size for field 'b'"),
        ("int a; union { char c; short d; };", "int a; union { char c; long d; };", "for field"),
        ("int a; int b;", "int a; int b; int c;", "total size"),
        ("int a; short b;", "short b; int a;", "offset for field"),
        ("char a[4];", "char a[5];", "size for field 'a'"),
    ],
)
def test_exact_struct_that_is_otherwise(FFI, place, members, truth, error):  # noqa: F811
    """It may be used where only its size counts; its members not."""
    module = build(
        FFI,
        f"struct s {{ {members} }}; int size(struct s *);",
        f"struct s {{ {truth} }}; static int size(struct s *p) {{ (void)p; return sizeof(struct s); }}",
        # gcc 14 and later refuse what `-w` once made silent.
        extra_compile_args=["-w", "-Wno-error=incompatible-pointer-types"],
    )
    ffi, lib = module.ffi, module.lib
    assert lib.size(ffi.NULL) > 0
    with pytest.raises(ffi.error) as caught:
        ffi.new("struct s *")
    text = str(caught.value)
    assert text.startswith("struct s: wrong ") and error in text
    assert "cdef says" in text and "C compiler says" in text and '"...;"' in text


def test_members_of_an_anonymous_struct_in_another_order(place):  # noqa: F811
    """CFFI takes them from where C has them. The cdef is wrong all the same."""
    module = build(
        keelback.FFI,
        "struct s { struct { int a; char b; }; int c; };",
        "struct s { struct { char b; int a; }; int c; };",
    )
    with pytest.raises(module.ffi.error, match="wrong offset for field 'a'"):
        module.ffi.new("struct s *")


@both
@pytest.mark.parametrize(
    "truth, text",
    [
        ("unsigned long", "primitive floating-point type with an unexpected size (or not a float type at all)"),
        ("short", "primitive floating-point type with an unexpected size (or not a float type at all)"),
        (
            "long double",
            "primitive floating-point type is 'long double', not supported for now with the syntax 'typedef double... "
            "xxx;'",
        ),
    ],
)
def test_float_that_is_none(FFI, place, truth, text):  # noqa: F811
    """Refused where it is used, and nowhere else."""
    module = build(
        FFI,
        "typedef double... foo_t; foo_t neg(foo_t); int other(void); struct s { foo_t a; };",
        f"typedef {truth} foo_t; static foo_t neg(foo_t x) {{ return x; }} static int other(void) {{ return 5; }} "
        "struct s { foo_t a; };",
    )
    ffi, lib = module.ffi, module.lib
    assert lib.other() == 5
    assert raised(getattr, lib, "neg") == (ffi.error, text)
    assert raised(ffi.sizeof, "foo_t") == (ffi.error, text)
    with pytest.raises(ffi.error) as caught:
        ffi.new("struct s *")
    assert str(caught.value) == text


@both
@pytest.mark.parametrize("truth, size", [("float", 4), ("double", 8)])
def test_float_that_is_one(FFI, place, truth, size):  # noqa: F811
    module = build(
        FFI,
        "typedef float... real_t; real_t half(real_t);",
        f"typedef {truth} real_t; static real_t half(real_t x) {{ return x / 2; }}",
    )
    assert module.ffi.typeof("real_t") is module.ffi.typeof(truth) and module.ffi.sizeof("real_t") == size
    assert module.lib.half(3) == 1.5


# -- Arrays --

ARRAYS_CDEF = """
    typedef int row_t[...];
    typedef int matrix_t[...][...];
    typedef int rows_t[][...];
    struct s { row_t a; row_t *b; row_t **c; };
    struct m { matrix_t a; matrix_t *b; matrix_t **c; };
    int last(row_t a, row_t *b, row_t **c);
    int last_of_matrix(matrix_t a, matrix_t *b, matrix_t **c);
    extern row_t row, *row_pointer;
"""
ARRAYS_SOURCE = """
    typedef int row_t[50];
    typedef int matrix_t[6][7];
    typedef int rows_t[][8];
    struct s { row_t a; row_t *b; row_t **c; };
    struct m { matrix_t a; matrix_t *b; matrix_t **c; };
    static int last(row_t a, row_t *b, row_t **c) { (void)a; (void)b; return (**c)[49]; }
    static int last_of_matrix(matrix_t a, matrix_t *b, matrix_t **c) { (void)a; (void)b; return (**c)[5][6]; }
    static row_t row, *row_pointer = &row;
"""


@both
@pytest.mark.parametrize("extension", [".c", ".cpp"])
def test_lengths_in_types(FFI, place, extension):  # noqa: F811
    """Pointers to arrays of lengths that only the compiler knows: in C++ their types have to be said whole."""
    flags = ["-Wall", "-Wextra", "-Werror"]
    module = build(FFI, ARRAYS_CDEF, ARRAYS_SOURCE, source_extension=extension, extra_compile_args=flags)
    ffi, lib = module.ffi, module.lib
    p = ffi.new("struct s *")
    p.a[49] = 321
    p.b = ffi.addressof(p, "a")
    p.c = ffi.addressof(p, "b")
    assert lib.last(ffi.NULL, ffi.NULL, p.c) == 321
    p = ffi.new("struct m *")
    p.a[5][6] = -321
    p.b = ffi.addressof(p, "a")
    p.c = ffi.addressof(p, "b")
    assert lib.last_of_matrix(ffi.NULL, ffi.NULL, p.c) == -321
    assert raised(ffi.sizeof, "rows_t") == (ffi.error, "don't know the size of ctype 'int[][8]'")
    assert len(ffi.new("rows_t", 4)[3]) == 8
    lib.row[49] = 7
    assert lib.row_pointer[0][49] == 7


@both
def test_array_without_length_in_the_middle(FFI, place):  # noqa: F811
    """It reaches to the end of the struct."""
    module = build(
        FFI,
        "struct foo_s { int a[]; int y; ...; }; int bar(struct foo_s *);",
        "struct foo_s { int x; int a[17]; int y; }; static int bar(struct foo_s *f) { return f->a[14]; }",
    )
    ffi, lib = module.ffi, module.lib
    assert ffi.sizeof("struct foo_s") == 19 * ffi.sizeof("int")
    s = ffi.new("struct foo_s *")
    assert ffi.typeof(s.a) is ffi.typeof("int[]") and len(s.a) == 18
    s.a[14] = 4242
    assert lib.bar(s) == 4242
    s.a[17] = -521
    assert s.y == s.a[17] == -521
    s = ffi.new("struct foo_s *", {"a": list(range(17))})
    assert (s.a[16], s.y) == (16, 0)
    s = ffi.new("struct foo_s *", {"a": list(range(18))})
    assert s.y == s.a[17] == 17


# -- Type strings --


@both
def test_type_strings(FFI, place):  # noqa: F811
    types = "struct foo_s { int a; }; union bar_s { int a; };"
    ffi = build(FFI, types, types).ffi
    for string, text in [
        ("int int", "unexpected symbol\nint int\n    ^"),
        ("struct bar_s", "wrong kind of tag: struct vs union\nstruct bar_s\n       ^"),
        ("union foo_s *", "wrong kind of tag: struct vs union\nunion foo_s *\n      ^"),
        ("struct nosuch", "undefined struct/union name\nstruct nosuch\n       ^"),
        ("\t\n\x01\x1f~\x7f\x80\xff", "identifier expected\n  ??~?????\n  ^"),
        ("X" * 600, "undefined type name"),
        ("int(void)", "the type 'int()' is a function type, not a pointer-to-function type"),
        ("int(  long )", "the type 'int(long)' is a function type, not a pointer-to-function type"),
    ]:
        assert raised(ffi.typeof, string) == (ffi.error, text)
    assert raised(ffi.cast, "int(*)(int)[5]", 0)[0] is TypeError
    assert raised(type(ffi), 42)[0] is TypeError


@both
def test_long_double_and_int(FFI):
    ffi = FFI()
    for number in [0x7182838485868788, 2**63 - 1, -(2**62) - 1, 5, 0]:
        assert int(ffi.cast("long double", number)) == int(float(number))


# -- Globals --


@both
def test_globals(FFI, place):  # noqa: F811
    module = build(
        FFI,
        """
        extern int number; extern int local; extern double reals[3]; extern struct point { int x, y; } place;
        extern const char *text; extern int (*function)(int); extern int *const fixed; static const double PI;
        static const struct point ORIGIN; extern int *at_null;
        int get_number(void); int get_local(void);
        """,
        """
        struct point { int x, y; };
        static int number = 5; static __thread int local = 6; static double reals[3] = { 1, 2, 3 };
        static struct point place = { 7, 8 }; static const char *text = "text";
        static int twice(int x) { return 2 * x; } static int (*function)(int) = twice;
        static int *const fixed = &number;
        #define PI 3.25
        static const struct point ORIGIN = { 3, 4 };
        static int *at_null;
        static int get_number(void) { return number; } static int get_local(void) { return local; }
        """,
    )
    ffi, lib = module.ffi, module.lib
    lib.number = 50
    assert (lib.get_number(), lib.number, lib.fixed[0]) == (50, 50, 50)
    assert raised(setattr, lib, "number", 2**40)[0] is OverflowError
    assert raised(setattr, lib, "number", "5")[0] is TypeError
    lib.local = 60
    assert lib.get_local() == 60

    other = []
    thread = threading.Thread(target=lambda: other.append((lib.local, lib.get_local())))
    thread.start()
    thread.join()
    assert other == [(6, 6)]
    assert ffi.addressof(lib, "local")[0] == 60

    lib.reals[1] = 2.5
    assert list(lib.reals) == [1, 2.5, 3]
    lib.reals = [4, 5, 6]
    assert list(lib.reals) == [4, 5, 6]
    lib.place.x = 70
    assert (lib.place.x, lib.place.y) == (70, 8)
    lib.place = {"x": 1, "y": 2}
    assert (lib.place.x, lib.place.y) == (1, 2)
    assert ffi.string(lib.text) == b"text"
    assert lib.function(21) == 42
    assert lib.PI == 3.25 and (lib.ORIGIN.x, lib.ORIGIN.y) == (3, 4)
    assert lib.at_null == ffi.NULL
    for constant in ["PI", "ORIGIN", "get_number"]:
        assert raised(setattr, lib, constant, 1)[0] is AttributeError
    assert raised(setattr, lib, "nosuch", 1)[0] is AttributeError
    assert raised(delattr, lib, "number")[0] in (AttributeError, TypeError)
    # `import *` has no variables.
    assert "number" in dir(lib) and "number" not in lib.__all__ and "PI" in lib.__all__


# -- extern "Python" --


@both
def test_extern_python_idioms(FFI, place, capfd, monkeypatch):  # noqa: F811
    """A handle in a `void *`, a field with user data, an error value, an error handler."""
    unraisable = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: unraisable.append(what.exc_type))
    module = build(
        FFI,
        """
        typedef struct { int (*compare)(void *data, int a, int b); void *data; } sorter_t;
        struct pair { int a, b; };
        extern "Python" int compare(void *, int, int);
        extern "Python" {
            void visit(void *, int);
            double real(float, double);
            struct pair both_of(struct pair);
        }
        int run(sorter_t *, int, int);
        void visit_all(void (*)(void *, int), void *, int count);
        double call_real(float, double);
        struct pair call_both_of(int, int);
        """,
        """
        typedef struct { int (*compare)(void *data, int a, int b); void *data; } sorter_t;
        struct pair { int a, b; };
        static double real(float, double);
        static struct pair both_of(struct pair);
        static int run(sorter_t *s, int a, int b) { return s->compare(s->data, a, b); }
        static void visit_all(void (*visitor)(void *, int), void *data, int count)
        { int i; for (i = 0; i < count; i++) visitor(data, i); }
        static double call_real(float a, double b) { return real(a, b); }
        static struct pair call_both_of(int a, int b) { struct pair p; p.a = a; p.b = b; return both_of(p); }
        """,
    )
    ffi, lib = module.ffi, module.lib

    class Sorter:
        def __init__(self):
            self.handle = ffi.new_handle(self)
            self.sorter = ffi.new("sorter_t *", {"compare": lib.compare, "data": self.handle})
            self.seen = []

    @ffi.def_extern()
    def compare(data, a, b):
        self = ffi.from_handle(data)
        self.seen.append((a, b))
        return (a > b) - (a < b)

    sorters = [Sorter(), Sorter()]
    assert [lib.run(one.sorter, 3, index * 5) for index, one in enumerate(sorters)] == [1, -1]
    assert [one.seen for one in sorters] == [[(3, 0)], [(3, 5)]]

    @ffi.def_extern(name="visit")
    def visit_with_another_name(data, i):
        ffi.from_handle(data).append(i)

    visited = []
    handle = ffi.new_handle(visited)
    address = lib.visit
    lib.visit_all(lib.visit, handle, 3)
    assert visited == [0, 1, 2]

    @ffi.def_extern()
    def visit(data, i):
        ffi.from_handle(data).append(-i)

    assert lib.visit == address
    lib.visit_all(lib.visit, handle, 3)
    assert visited == [0, 1, 2, 0, -1, -2]

    assert lib.call_both_of(1, 2).a == 0
    assert "both_of" in capfd.readouterr().err
    ffi.def_extern("both_of")(lambda pair: [pair.b, pair.a])
    pair = lib.call_both_of(1, 2)
    assert (pair.a, pair.b) == (2, 1)

    ffi.def_extern("real", error=-1.5)(lambda a, b: a / b)
    assert lib.call_real(1, 4) == 0.25
    assert lib.call_real(1, 0) == -1.5
    assert unraisable.pop() is ZeroDivisionError
    told = []

    def onerror(exception, value, traceback):
        told.append((exception, traceback.tb_frame.f_locals["b"]))
        return 9.5

    ffi.def_extern("real", onerror=onerror)(lambda a, b: a / b)
    assert lib.call_real(1, 0) == 9.5
    assert told == [(ZeroDivisionError, 0)] and not unraisable
    # A result that does not fit is an error as any.
    ffi.def_extern("compare", error=77)(lambda data, a, b: 2**40)
    assert lib.run(sorters[0].sorter, 1, 1) == 77
    assert unraisable == [OverflowError]

    assert raised(ffi.def_extern("nosuch"), lambda: None)[0] is ffi.error
    assert raised(ffi.def_extern("real", error="x"), lambda a, b: 0.0)[0] is TypeError
    assert raised(ffi.def_extern("real", onerror=5), lambda a, b: 0.0)[0] is TypeError
    assert raised(ffi.def_extern("real"), 5)[0] is TypeError
    assert raised(ffi.def_extern, "real", 0, None, False)[0] is TypeError


@both
def test_calls_from_threads_of_c(FFI, place):  # noqa: F811
    module = build(
        FFI,
        'extern "Python" int on_thread(int); int run_threads(int count);',
        """
        #include <pthread.h>
        static int on_thread(int);
        static void *body(void *data) { *(int *)data = on_thread(*(int *)data); return NULL; }
        static int run_threads(int count)
        {
            pthread_t threads[32];
            int values[32], i, sum = 0;
            for (i = 0; i < count; i++) {
                values[i] = i;
                if (pthread_create(&threads[i], NULL, body, &values[i]) != 0)
                    return -1;
            }
            for (i = 0; i < count; i++) {
                pthread_join(threads[i], NULL);
                sum += values[i];
            }
            return sum;
        }
        """,
        extra_link_args=["-pthread"],
    )
    seen = set()

    @module.ffi.def_extern()
    def on_thread(x):
        seen.add(threading.get_ident())
        return 2 * x

    assert module.lib.run_threads(32) == 32 * 31
    assert threading.get_ident() not in seen
