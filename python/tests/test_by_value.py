"""Structs, unions and complex numbers by value: what we pass must be what the C compiler passes.

Types and signatures are drawn at random (with fixed seeds) and compiled; C checks what it gets, byte by byte, and what
comes back is checked here. CFFI refuses many of these types.
"""
import platform
import random
import shutil

import pytest
from keelback import FFI

from c_library import compile_library

SCALARS = ["char", "short", "int", "long", "unsigned char", "float", "double", "void *", "_Bool", "int8_t", "uint16_t"]


class Generator:
    """Draws types and functions, and writes their C text."""

    most_parameters = 7

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.declarations = []  # shared by C and cdef
        self.code = []
        self.types = []
        self.functions = []

    def record(self):
        name = f"t{len(self.types)}"
        draw = self.random
        keyword = draw.choice(["struct"] * 4 + ["union"])
        packed = draw.random() < 0.1
        fields = []
        for index in range(draw.choice([1, 1, 2, 2, 3, 4, 5])):
            kind = draw.random()
            if kind < 0.12 and not packed:
                base, width = draw.choice([("int", 31), ("unsigned int", 32), ("long", 60), ("unsigned char", 8)])
                fields.append(f"{base} f{index} : {draw.randint(1, width)};")
            elif kind < 0.25 and self.types:
                fields.append(f"{draw.choice(self.types)} f{index};")
            elif kind < 0.40:
                fields.append(f"{draw.choice(['float', 'double', 'float', 'short', 'char'])} f{index}[{draw.randint(1, 3)}];")
            elif kind < 0.45:
                fields.append(f"long double f{index};")
            elif kind < 0.55:
                fields.append(f"float f{index};")
            else:
                fields.append(f"{draw.choice(SCALARS)} f{index};")
        attribute = " __attribute__((packed))" if packed else ""
        self.declarations.append(f"{keyword} {name} {{ {' '.join(fields)} }}{attribute};")
        self.types.append(f"{keyword} {name}")

    def function(self):
        draw = self.random
        name = f"g{len(self.functions)}"
        pool = self.types + ["int", "double", "float", "long", "char", "float _Complex", "double _Complex", "long double"]
        result = draw.choice(pool)
        params = [draw.choice(pool) for _ in range(draw.randint(0, self.most_parameters))]
        self.functions.append((name, result, params))
        listed = ", ".join(f"{ty} a{index}" for index, ty in enumerate(params)) or "void"
        self.declarations.append(f"{result} {name}({listed});")
        types = ", ".join(params) or "void"
        self.declarations.append(f"{result} {name}_back({result} (*f)({types}));")
        body = "".join(f"    keep({index}, &a{index}, sizeof a{index});\n" for index in range(len(params)))
        self.code.append(f"{result} {name}({listed})\n{{\n{body}    {result} r; load(&r, sizeof r); return r;\n}}\n")
        loads = "".join(f"    {ty} a{index}; fetch({index}, &a{index}, sizeof a{index});\n" for index, ty in enumerate(params))
        passed = ", ".join(f"a{index}" for index in range(len(params)))
        self.code.append(
            f"{result} {name}_back({result} (*f)({types}))\n{{\n{loads}    return f({passed});\n}}\n"
        )


PRELUDE = """
#include <string.h>
#include <stdint.h>
unsigned char kept[16][256], result[256], wanted[16][256];
static void keep(int i, const void *p, size_t n) { memcpy(kept[i], p, n); }
static void load(void *p, size_t n) { memcpy(p, result, n); }
static void fetch(int i, void *p, size_t n) { memcpy(p, wanted[i], n); }
"""


def leaves(ffi, ctype, offset=0):
    """(offset, size, name or bits) of every scalar of a type."""
    if ctype.kind in ("struct", "union"):
        for _, field in ctype.fields:
            if field.bitsize >= 0:
                yield offset + field.offset, ffi.sizeof(field.type), (field.bitshift, field.bitsize)
            else:
                yield from leaves(ffi, field.type, offset + field.offset)
    elif ctype.kind == "array":
        for index in range(ctype.length):
            yield from leaves(ffi, ctype.item, offset + index * ffi.sizeof(ctype.item))
    else:
        yield offset, ffi.sizeof(ctype), ctype.cname


def significant(ffi, ctype):
    """A mask of the bits that are no padding. Of a union, only what all members have: C may copy no more."""
    size = ffi.sizeof(ctype)
    mask = bytearray(size)
    for offset, length, what in leaves(ffi, ctype):
        if isinstance(what, tuple):
            shift, width = what
            for bit in range(shift, shift + width):
                mask[offset + bit // 8] |= 1 << bit % 8
        else:
            if what == "long double":
                length = 10
            mask[offset : offset + length] = b"\xff" * length
    return bytes(mask)


def value_of(ffi, draw, text):
    """A pointer to a value of the type with random contents that are a valid value."""
    ctype, pointer = ffi.typeof(text), ffi.new(f"{text} *")
    raw = bytearray(draw.randbytes(ffi.sizeof(ctype)))
    for offset, length, what in leaves(ffi, ctype):
        if what == "_Bool":
            raw[offset] &= 1
        elif "float" in what or what == "double" or "double" in what and "complex" in what.lower():
            # Small integers: exact in both sizes, and no signalling NaN.
            base = "float" if "float" in what else "double"
            count = length // ffi.sizeof(base)
            raw[offset : offset + length] = bytes(ffi.buffer(ffi.new(f"{base}[]", [draw.randint(-999, 999) for _ in range(count)])))
        elif what == "long double":
            raw[offset : offset + length] = bytes(ffi.buffer(ffi.new("long double *", draw.randint(-999, 999))))
    for offset, length, what in leaves(ffi, ctype):
        if what == "_Bool":
            raw[offset] &= 1
    ffi.buffer(pointer)[:] = bytes(raw)
    return pointer


def masked(raw, mask):
    return bytes(a & b for a, b in zip(raw, mask))


def bytes_of(ffi, text, value):
    ctype = ffi.typeof(text)
    if ctype.kind in ("struct", "union"):
        return bytes(ffi.buffer(ffi.addressof(value)))
    return bytes(ffi.buffer(ffi.new(f"{text} *", value)))


class Exotic(Generator):
    """Aligned, packed, nested and zero-size members, unnamed bit-fields; more arguments than registers."""

    most_parameters = 12
    named = False  # Bit-fields that would have no name get one.

    def record(self):
        draw, name = self.random, f"t{len(self.types)}"
        fields = []
        for index in range(draw.choice([1, 1, 2, 2, 3, 4])):
            kind = draw.random()
            if kind < 0.15:
                base, width = draw.choice(["int", "unsigned char", "long"]), draw.randint(0, 8)
                fields.append(f"{base} {f'u{index} ' if self.named and width else ''}: {width};")
                fields.append(f"int f{index} : {draw.randint(1, 31)};")
            elif kind < 0.25:
                fields.append(f"{draw.choice(['int', 'double', 'char'])} z{index}[0];")
                fields.append(f"char f{index};")
            elif kind < 0.4 and self.types:
                fields.append(f"{draw.choice(self.types)} f{index};")
            else:
                align = draw.choice(["", "", "", " __attribute__((aligned(8)))", " __attribute__((aligned(16)))", " __attribute__((packed))"])
                fields.append(f"{draw.choice(SCALARS)} f{index}{align};")
        attribute = draw.choice([""] * 4 + [" __attribute__((aligned(16)))", " __attribute__((aligned(8)))", " __attribute__((packed))"])
        self.declarations.append(f"struct {name} {{ {' '.join(fields)} }}{attribute};")
        self.types.append(f"struct {name}")


class Wide(Generator):
    """Integers of 128 bits among few others: register pairs, halves that stay free, and the stack."""

    most_parameters = 9

    def record(self):
        draw, name = self.random, f"t{len(self.types)}"
        wide = ["__int128 f0;", "unsigned __int128 f0;", "__int128 f0[1];", "__int128 f0; char f1;", "char f0; __int128 f1;"]
        fields = draw.choice(wide + ["long f0; long f1;", "double f0; long f1;", "int f0; __int128 f1 : 90; int f2;"])
        keyword = "struct" if "f1" in fields else draw.choice(["struct", "union"])
        attribute = draw.choice(["", "", "", " __attribute__((packed))"]) if ":" not in fields else ""
        self.declarations.append(f"{keyword} {name} {{ {fields} }}{attribute};")
        self.types.append(f"{keyword} {name}")

    def function(self):
        types, self.types = self.types, self.types + ["__int128", "unsigned __int128"] * 8
        super().function()
        self.types = types


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("kind,seed", [(kind, seed) for kind in (Generator, Exotic) for seed in range(12)] + [(Wide, seed) for seed in range(6)])
def test_random_signatures(kind, seed, compiler, monkeypatch):
    if not shutil.which(compiler):
        pytest.skip(f"there is no {compiler} (Debian: the package {compiler})")
    monkeypatch.setenv("CC", compiler)
    generator = kind(seed)
    # Unnamed ones are padding to clang before 24.
    generator.named = compiler == "clang"
    if kind is Wide and compiler == "clang":
        # Clang before 18 tears such an integer apart when one register is left, and aligns it to 8 on the stack.
        generator.most_parameters = 2
    for _ in range(14):
        generator.record()
    check_functions(generator, seed, compiler)


def test_unnamed_bit_fields_count_as_others_do(monkeypatch):
    """Alone in their eight bytes, or beside floating-point numbers; gcc's way."""
    monkeypatch.setenv("CC", "gcc")
    generator = Generator(99)
    bodies = ["int a; int : 32; int : 32;", "long : 64; long a;", "int : 32; int : 32; double d;", "double d; long : 64;",
              "float f; int : 4;", "double d; long : 3; long : 50;", "double d; float f; int : 1;", "struct t4 f[2];",
              "float f; struct t4 g;", "char c; long : 64; long : 1;", "union { float f; int : 32; } u; double d;"]
    for body in bodies:
        name = f"t{len(generator.types)}"
        generator.declarations.append(f"struct {name} {{ {body} }};")
        generator.types.append(f"struct {name}")
    check_functions(generator, 99, "gcc")


def check_functions(generator, seed, compiler):
    """Draws 40 functions with the generator's types, and has each called from Python and from C."""
    for _ in range(40):
        generator.function()
    declarations = "\n".join(generator.declarations)
    library = compile_library(f"/* {compiler} */" + PRELUDE + declarations + "\n" + "\n".join(generator.code))
    ffi = FFI()
    ffi.cdef(declarations + "\nextern unsigned char kept[16][256], result[256], wanted[16][256];")
    lib = ffi.dlopen(library)
    draw = random.Random(seed + 1000)
    for name, result, params in generator.functions:
        signature = f"{result} {name}({', '.join(params)})"
        ctypes = [ffi.typeof(ty) for ty in params]
        result_type = ffi.typeof(result)
        arguments = [value_of(ffi, draw, text) for text in params]
        wanted = value_of(ffi, draw, result)
        ffi.buffer(lib.result)[: ffi.sizeof(result_type)] = bytes(ffi.buffer(wanted))
        try:
            returned = getattr(lib, name)(*[argument[0] for argument in arguments])
        except NotImplementedError as error:
            # The one kind that is refused, and only there.
            assert platform.machine() == "aarch64" and "16 bytes and their alignment" in str(error), error
            assert any(ffi.sizeof(ctype) <= 16 == ffi.alignof(ctype) for ctype in ctypes)
            continue
        for index, (ctype, argument) in enumerate(zip(ctypes, arguments)):
            mask = significant(ffi, ctype)
            got = bytes(ffi.buffer(lib.kept[index]))[: len(mask)]
            assert masked(got, mask) == masked(bytes(ffi.buffer(argument)), mask), (signature, "argument", index)
        mask = significant(ffi, result_type)
        assert masked(bytes_of(ffi, result, returned), mask) == masked(bytes(ffi.buffer(wanted)), mask), signature

        # The same from C to Python and back.
        received = []

        def python_function(*values):
            received.extend(values)
            return wanted[0]

        pointer_type = f"{result}(*)({', '.join(params) or 'void'})"
        callback = ffi.callback(pointer_type, python_function)
        for index, argument in enumerate(arguments):
            ffi.buffer(lib.wanted[index])[: len(ffi.buffer(argument))] = bytes(ffi.buffer(argument))
        returned = getattr(lib, f"{name}_back")(callback)
        assert len(received) == len(params), signature
        for index, (text, argument, value) in enumerate(zip(params, arguments, received)):
            mask = significant(ffi, ffi.typeof(text))
            assert masked(bytes_of(ffi, text, value), mask) == masked(bytes(ffi.buffer(argument)), mask), (
                signature,
                "callback's argument",
                index,
            )
        mask = significant(ffi, result_type)
        assert masked(bytes_of(ffi, result, returned), mask) == masked(bytes(ffi.buffer(wanted)), mask), (
            signature,
            "callback's result",
        )


@pytest.mark.skipif(platform.machine() == "aarch64", reason="of System V's; these are refused for AArch64")
def test_padding_takes_no_register(monkeypatch):
    """The second eightbyte of the struct is nothing but padding."""
    text = "struct pad { short f; } __attribute__((aligned(16))); struct real { double f; } __attribute__((aligned(16)));"
    declared = """
    long call(long (*f)(struct pad, int, double));
    double call_real(double (*f)(struct real, double, long));
    long last_register(long a, long b, long c, long d, long e, struct pad s, long g, long h);
    long on_the_stack(long a, long b, long c, long d, long e, long f, long g, struct pad s, long h);
    """
    ffi = FFI()
    ffi.cdef(text + declared)
    for compiler in [name for name in ("gcc", "clang") if shutil.which(name)]:
        monkeypatch.setenv("CC", compiler)
        lib = ffi.dlopen(
            compile_library(
                f"/* {compiler} */" + text
                + """
    long call(long (*f)(struct pad, int, double)) { struct pad s = { 3 }; return f(s, 4, 5.0); }
    double call_real(double (*f)(struct real, double, long)) { struct real s = { 3 }; return f(s, 4, 5); }
    long last_register(long a, long b, long c, long d, long e, struct pad s, long g, long h)
    { return a * 1000000 + s.f * 100 + g * 10 + h; }
    long on_the_stack(long a, long b, long c, long d, long e, long f, long g, struct pad s, long h)
    { return g * 100 + s.f * 10 + h; }
    """
            )
        )
        assert lib.call(ffi.callback("long(struct pad, int, double)", lambda s, i, d: int(s.f * 100 + i * 10 + d))) == 345
        assert lib.call_real(ffi.callback("double(struct real, double, long)", lambda s, d, i: s.f * 100 + d * 10 + i)) == 345
        pad = ffi.new("struct pad *", [7])[0]
        assert lib.last_register(1, 2, 3, 4, 5, pad, 8, 9) == 1000789
        assert lib.on_the_stack(1, 2, 3, 4, 5, 6, 7, pad, 8) == 778


def test_arguments_on_the_stack_aligned_to_more_than_16_are_refused():
    ffi = FFI()
    ffi.cdef("struct wide { int a; } __attribute__((aligned(32)));")
    with pytest.raises(NotImplementedError, match="'struct wide' not supported as argument by value: it goes on the stack"):
        ffi.callback("int(struct wide)", lambda s: 0)
