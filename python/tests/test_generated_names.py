"""How generated C names what the declarations name: structs, unions and enums by their typedefs, as CFFI does, because the
headers that the compiler reads may have no tags; and nothing of the declarations' names meets the generated C's own.
"""
import re
import subprocess

import keelback
import pytest
from implementations import both
from test_builder import build, place  # noqa: F401

# What real headers say without a tag, and the declarations with one.
UNTAGGED = """
    typedef struct magic magic;
    struct magic { int len; char text[4]; };
    typedef struct part_s { ...; int x; } part_t;
    typedef union either either;
    union either { double d; ...; };
    typedef struct both_s { either value; magic *next; magic all[...]; ...; } both_t;
    typedef enum kind { NONE, SOME = 5 } kind;
    typedef enum level_e { LOW, HIGH, ... } level_t;
    magic make(int len);
    int length(struct magic m, const struct magic *p);
    kind kind_of(union either *e, enum kind k);
    level_t next_level(enum level_e l);
    extern struct magic one;
    extern struct magic many[2];
    extern struct part_s *const part;
    magic *const *pointers(magic *const *, void (*with)(struct magic *, union either));
    extern "Python" int visit(struct magic m, struct part_s *p, enum kind k);
    extern "Python+C" struct magic produce(union either e);
    int call_visit(int len);
    int call_produce(double d);
"""
UNTAGGED_SOURCE = """
    typedef struct { int len; char text[4]; } magic;
    typedef struct { long before; int x; } part_t;
    typedef union { double d; long double wide; } either;
    typedef struct { magic *next; magic all[3]; either value; } both_t;
    typedef enum { NONE, SOME = 5 } kind;
    typedef enum { LOW = -3, HIGH = 7 } level_t;
    static magic make(int len) { magic m = { len, "abc" }; return m; }
    static int length(magic m, const magic *p) { return m.len + p->len; }
    static kind kind_of(either *e, kind k) { return e->d > 1 ? k : NONE; }
    static level_t next_level(level_t l) { return l == LOW ? HIGH : LOW; }
    static magic one = { 1, "one" };
    static magic many[2] = { { 2, "two" }, { 3, "thr" } };
    static part_t the_part = { 9, 10 };
    static part_t *const part = &the_part;
    static magic *const *pointers(magic *const *p, void (*with)(magic *, either)) { (void)with; return p; }
    static int visit(magic m, part_t *p, kind k);
    magic produce(either e);
    static int call_visit(int len) { return visit(make(len), &the_part, SOME); }
    static int call_produce(double d) { either e; e.d = d; return produce(e).len; }
"""


@both
def test_untagged_in_the_header(FFI, place):  # noqa: F811
    module = build(FFI, UNTAGGED, UNTAGGED_SOURCE)
    ffi, lib = module.ffi, module.lib
    made = lib.make(4)
    assert (made.len, ffi.string(made.text)) == (4, b"abc")
    assert lib.length(made, lib.many) == 6
    assert lib.kind_of(ffi.new("either *", {"d": 2}), lib.SOME) == 5
    assert (lib.next_level(lib.LOW), lib.LOW, lib.HIGH) == (7, -3, 7)
    assert (lib.one.len, lib.many[1].len, lib.part.x) == (1, 3, 10)
    assert ffi.sizeof("part_t") == 16 and ffi.offsetof("struct part_s", "x") == 8
    assert (ffi.sizeof("union either"), ffi.sizeof("both_t"), ffi.sizeof(ffi.new("both_t *").all)) == (16, 48, 24)
    # A compiled module prints tags.
    names = [ffi.typeof(name).cname for name in ("magic", "part_t *", "either", "kind", "level_t")]
    assert names == ["struct magic", "struct part_s *", "union either", "enum kind", "enum level_e"]
    assert ffi.typeof("level_t").elements == {-3: "LOW", 7: "HIGH"}

    @ffi.def_extern()
    def visit(m, p, k):
        return m.len + p.x + k

    @ffi.def_extern()
    def produce(e):
        return lib.make(int(e.d))

    assert lib.call_visit(100) == 115
    assert lib.call_produce(8.0) == 8


@both
def test_printed_by_the_first_typedef(FFI):
    def name(cdef, spelled):
        ffi = FFI()
        ffi.cdef(cdef)
        return ffi.typeof(spelled).cname

    assert name("typedef struct s a; typedef struct s b; struct s { int x; };", "struct s") == "a"
    assert name("struct s { int x; }; typedef const struct s a; typedef struct s b;", "b") == "a"
    assert name("typedef struct s *a; typedef struct s b[2]; typedef union s c;", "struct s") == "struct s"
    # An enum only where it is mentioned first.
    assert name("typedef enum s { A } a; typedef enum s b;", "b") == "a"
    assert name("enum s { A }; typedef enum s a;", "a") == "enum s"
    ffi = FFI()
    ffi.cdef("typedef struct s a;")
    with pytest.raises(Exception):
        ffi.cdef("struct t { int x; }; typedef struct t b; typedef struct s c; int f(")
    ffi.cdef("struct t { int x; }; typedef struct t c; typedef struct s b;")
    assert (ffi.typeof("struct s").cname, ffi.typeof("struct t").cname) == ("a", "c")
    including = FFI()
    including.cdef("typedef struct other first;")
    including.include(ffi)
    assert (including.typeof("struct s").cname, including.typeof("c *").cname) == ("a", "c *")


@both
def test_a_layout_that_differs(FFI, place):  # noqa: F811
    module = build(FFI, "typedef struct s { int a; } s_t;", "typedef struct { int b, a; } s_t;")
    with pytest.raises(module.ffi.error) as caught:
        module.ffi.new("struct s *")
    fix = 'fix it or use "...;" as the last field in the cdef for struct s to make it flexible'
    assert str(caught.value) == f"struct s: wrong offset for field 'a' (cdef says 0, but C compiler says 4). {fix}"


# CFFI's own names are in the way of some of these.
NAMES = "slots result at0 at to typed value member p answer frame function next known".split()


def test_names_of_the_generated_code(place):  # noqa: F811
    types = build(
        keelback.FFI,
        "".join(
            f"typedef struct {n}_s {n}; struct {n}_s {{ int {n}; ...; }}; {n} f_{n}({n}, {n} *); extern {n} v_{n};"
            f"typedef struct {{ {n} a; {n} *b; {n} c[3]; }} h_{n}; extern \"Python\" {n} cb_{n}({n}, {n} *);\n"
            for n in NAMES
        ),
        "".join(
            f"typedef struct {{ double pad; int {n}; }} {n}; {n} f_{n}({n} x, {n} *y) {{ x.{n} += y->{n}; return x; }} {n} v_{n} = {{1.5, 7}};"
            f"typedef struct {{ {n} a; {n} *b; {n} c[3]; }} h_{n};\n"
            for n in NAMES
        ),
    )
    for name in NAMES:
        x = types.ffi.new(f"{name} *", {name: 4})
        assert getattr(getattr(types.lib, f"f_{name}")(x[0], x), name) == 8
        assert getattr(getattr(types.lib, f"v_{name}"), name) == 7
    variables = build(
        keelback.FFI,
        "".join(f"extern int {name};" for name in NAMES) + "static const int known_value; static const double known_double;",
        "".join(f"int {name} = {place};" for place, name in enumerate(NAMES)) + "static const int known_value = 3; static const double known_double = 2.5;",
        # Its own variables, whatever libraries of the same process have symbols of these names.
        extra_link_args=["-Wl,-Bsymbolic"],
    )
    assert [getattr(variables.lib, name) for name in NAMES] == list(range(len(NAMES)))
    constants = build(
        keelback.FFI,
        "".join(f"static const int {name};" for name in NAMES[:8]) + "".join(f"static const double {name};" for name in NAMES[8:]),
        "".join(f"static const int {name} = {place};" for place, name in enumerate(NAMES[:8])) + "".join(f"static const double {name} = 0.5;" for name in NAMES[8:]),
    )
    assert [getattr(constants.lib, name) for name in NAMES] == [*range(8), *[0.5] * (len(NAMES) - 8)]


@both
def test_what_the_source_defines_is_exported(FFI, place):  # noqa: F811
    """Functions and variables without `static`; nothing of the generated code but the entry point."""
    module = build(FFI, "int entry(void);", "int flag; int entry(void) { return 5; } static int own(void) { return entry(); } int (*pointer)(void) = own;")
    listed = subprocess.run(["nm", "-D", "--defined-only", module.__file__], capture_output=True, text=True, check=True).stdout
    names = set(re.findall(r" \w (\w+)$", listed, re.MULTILINE)) - {"_init", "_fini"}
    assert {name for name in names if "cffi" not in name} == {"flag", "entry", "pointer", "PyInit_" + module.__name__} - (
        {"PyInit_" + module.__name__} if "cffi" in module.__name__ else set()
    )
