"""An alignment on a typedef, smaller than the type's own too, as gcc lays it out."""
import subprocess

from keelback import FFI

from c_library import compile_library

TEXT = """
typedef double d4 __attribute__((aligned(4)));
typedef d4 d4_again;
typedef const d4_again d4_const;
typedef d4_again d16 __attribute__((aligned(16)));
typedef int i1 __attribute__((aligned(1)));
typedef int __attribute__((aligned(2))) i2;
typedef struct { char c; } s8 __attribute__((aligned(8)));
typedef struct { long l; } s2 __attribute__((aligned(2)));
typedef struct tagged { long l; } s4 __attribute__((aligned(4)));
typedef long long l2[3] __attribute__((aligned(2)));
typedef d4 d4s[2];
typedef d4 *pointer;
typedef void *pointer2 __attribute__((aligned(2)));
typedef struct { struct { int jumped; } buf[1]; void *pad[4]; } unwind __attribute__((__aligned__));
struct packed { char c; d16 x; } __attribute__((packed));
"""
NAMES = ["d4", "d4_again", "d4_const", "d16", "i1", "i2", "s8", "s2", "s4", "struct tagged", "l2", "d4s", "pointer", "pointer2",
         "unwind", "struct packed", "d4[3]", "const i1", "d4 *"]
FIELDS = ["d4", "d4_again", "d4_const", "d16", "i1", "i2", "s8", "s2", "s4", "l2", "d4s", "pointer", "pointer2", "unwind"]


def records():
    return "".join(f"struct with_{name} {{ char before; {name} x; char behind; }};\n" for name in FIELDS)


def test_sizes_alignments_and_offsets_are_those_of_gcc(tmp_path):
    ffi = FFI()
    ffi.cdef(TEXT + records())
    names = NAMES + [f"struct with_{name}" for name in FIELDS]
    ours = [(name, ffi.sizeof(name), ffi.alignof(name)) for name in names]
    ours += [(name, ffi.offsetof(f"struct with_{name}", "x"), ffi.offsetof(f"struct with_{name}", "behind")) for name in FIELDS]
    program = "#include <stddef.h>\n#include <stdio.h>\n" + TEXT + records() + "int main(void) {\n"
    program += "".join(f'printf("%zu %zu\\n", sizeof({name}), _Alignof({name}));\n' for name in names)
    program += "".join(
        f'printf("%zu %zu\\n", offsetof(struct with_{name}, x), offsetof(struct with_{name}, behind));\n' for name in FIELDS
    )
    (tmp_path / "t.c").write_text(program + "}\n")
    subprocess.run(["gcc", "-std=gnu11", "-w", "-o", tmp_path / "t", tmp_path / "t.c"], check=True)
    said = subprocess.run([tmp_path / "t"], capture_output=True, text=True, check=True).stdout.splitlines()
    assert ours == [(name, *map(int, line.split())) for name, line in zip(names + FIELDS, said)]


def test_the_types_are_those_without_it():
    ffi = FFI()
    ffi.cdef(TEXT)
    assert ffi.typeof("d4") is ffi.typeof("double") and ffi.typeof("d4[3]") is ffi.typeof("double[3]")
    assert ffi.typeof("d4 *") is ffi.typeof("double *") and ffi.typeof("int(*)(d4, d4 *)") is ffi.typeof("int(*)(double, double *)")
    # A ctype does not know by what name it was asked for.
    assert ffi.alignof(ffi.typeof("d4")) == ffi.alignof("double") == 8 and ffi.alignof("d4") == 4
    assert ffi.alignof(ffi.typeof("d16")) == 8 and ffi.alignof("d16") == 16
    assert ffi.alignof(ffi.new("d4 *")[0:1]) == 8 and ffi.alignof(ffi.typeof("d4[3]")) == 8
    # What has no other name than the typedef has its alignment.
    assert ffi.alignof(ffi.typeof("s8")) == 8 and ffi.alignof(ffi.new("s2 *")[0]) == 2
    assert ffi.alignof(ffi.typeof("s8[2]")) == 8 and ffi.alignof(ffi.typeof("struct tagged")) == 8
    ffi.cdef("double f(d4 *); double f(double *);")


def test_an_expression_of_the_cdef_sees_it():
    ffi = FFI()
    ffi.cdef(TEXT + "enum { A = _Alignof(i1), B = _Alignof(d4s), C = sizeof(struct packed) };")
    lib = ffi.dlopen(None)
    assert (lib.A, lib.B, lib.C) == (1, 4, 9)


def test_an_included_typedef_keeps_it():
    first, second = FFI(), FFI()
    first.cdef(TEXT)
    second.include(first)
    second.cdef("struct s { char c; i1 x; d4s y; };")
    assert second.alignof("i1") == 1 and second.sizeof("struct s") == 24 and second.alignof("s8") == 8


def test_values_are_read_where_they_are():
    text = "typedef double d4 __attribute__((aligned(4))); struct s { char c; d4 x; int y; };"
    lib_path = compile_library(text + "double get(struct s *p) { return p->x * p->y; }")
    ffi = FFI()
    ffi.cdef(text + "double get(struct s *p);")
    lib = ffi.dlopen(lib_path)
    assert ffi.sizeof("struct s") == 16 and lib.get(ffi.new("struct s *", [b"c", 1.5, 4])) == 6
