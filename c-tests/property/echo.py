"""Random interfaces, for test_property.py: types, signatures, and the C and Python that pass values through them.

For each signature the host calls py_N, which is Python, with random values. Python calls the C function c_N with what
it got, in one of three ways: through lib, through a function pointer, or by letting C call a callback (a libffi
closure) that does. c_N writes its arguments to the memory that its last argument names, and returns one of them, which
goes back through Python to the host. So every value crosses in both directions, as argument and as result, and must be
what it was.
"""

import random
import textwrap

INTEGERS = [
    *("signed char", "unsigned char", "short", "unsigned short", "int", "unsigned int", "long", "unsigned long"),
    *("long long", "unsigned long long", "int8_t", "uint8_t", "int16_t", "uint16_t", "int32_t", "uint32_t"),
    *("int64_t", "uint64_t", "size_t", "ssize_t", "intptr_t", "uintptr_t", "ptrdiff_t"),
]
REALS = ["float", "double", "long double"]
COMPLEX = ["float _Complex", "double _Complex"]
POINTERS = ["void *", "const char *", "int *", "struct opaque *", "binary *"]
OTHERS = ["_Bool", "char", "wchar_t", "enum color", "enum wide", "number"]
SCALARS = INTEGERS + REALS + POINTERS + OTHERS
BIT_FIELDS = {"int": 32, "unsigned int": 32, "short": 16, "unsigned char": 8, "long long": 64, "unsigned long long": 64, "_Bool": 1}

# What all interfaces have.
COMMON = """\
struct opaque;
enum color { RED, GREEN, BLUE = 7 };
enum wide { LOW = -5, HIGH = 2000000000 };
typedef int number;
typedef int binary(int, int);
"""

HOST_COMMON = """\
#include <stdio.h>
#include <string.h>
#include "echoes.h"

static unsigned long long state = %d;
static unsigned long long bits(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    /* Small numbers, the ends of ranges, and any. */
    switch (state %% 7) {
    case 0: return state >> 60;
    case 1: return -(state >> 60);
    case 2: return 1ull << (state >> 58);
    case 3: return (1ull << (state >> 58)) - 1;
    default: return state * 0x2545f4914f6cdd1dull;
    }
}
static long double real(void)
{
    switch (bits() %% 6) {
    case 0: return 0.0L;
    case 1: return -0.0L;
    case 2: return 1.0L / 0.0L;
    case 3: return (long double)(long long)bits();
    default: return (long double)(long long)bits() / 4294967296.0L;
    }
}
#define SAME(a, b) (memcmp(&(a), &(b), sizeof(a)) == 0)
#define SAME_REAL(a, b) ((a) == (b) && __builtin_signbit(a) == __builtin_signbit(b))
"""


class Interface:
    def __init__(self, seed, signatures, records, wide=()):
        """`wide`: more integer types."""
        self.random = random.Random(seed)
        self.seed = seed
        self.records = []  # (name, [(declaration, member, type, length or None)])
        self.signatures = []  # [type]
        for number in range(records):
            self.records.append((f"struct s{number}", self.members(number)))
        types = SCALARS + COMPLEX + [name for name, _ in self.records] * 3 + list(wide) * 3
        for _ in range(signatures):
            count = self.random.choice([1, 1, 2, 3, 4, 5, 6, 7, 8, 10, 14])
            # Sometimes all of one kind: the registers of that kind run out.
            some = self.random.choice([types, types, INTEGERS, REALS, [name for name, _ in self.records]])
            self.signatures.append([self.random.choice(some) for _ in range(count)])

    def members(self, number):
        members = []
        for index in range(self.random.choice([1, 1, 2, 2, 3, 4, 6])):
            name = f"m{index}"
            kind = self.random.randrange(10)
            if kind == 0:
                type_ = self.random.choice(list(BIT_FIELDS))
                members.append((f"{type_} {name} : {self.random.randint(1, BIT_FIELDS[type_])}", name, type_, None))
            elif kind == 1 and number:
                type_ = f"struct s{self.random.randrange(number)}"
                members.append((f"{type_} {name}", name, type_, None))
            else:
                type_ = self.random.choice(SCALARS + COMPLEX + REALS)
                length = self.random.choice([None, None, None, 1, 2, 3])
                members.append((f"{type_} {name}" + ("" if length is None else f"[{length}]"), name, type_, length))
        return members

    # -- texts --

    def types(self):
        text = COMMON
        for name, members in self.records:
            text += f"{name} {{ {' '.join(declaration + ';' for declaration, *_ in members)} }};\n"
        for number, types in enumerate(self.signatures):
            text += f"struct all{number} {{ {' '.join(f'{type_} a{index};' for index, type_ in enumerate(types))} }};\n"
        return text

    def parameters(self, number, first=""):
        types = self.signatures[number]
        return first + "".join(f"{type_} a{index}, " for index, type_ in enumerate(types)) + f"struct all{number} *out"

    def result(self, number):
        types = self.signatures[number]
        return types[number % len(types)]

    def api(self):
        return self.types() + "".join(f"{self.result(n)} py{n}({self.parameters(n)});\n" for n in range(len(self.signatures)))

    def extra(self):
        text = ""
        for n in range(len(self.signatures)):
            text += f"{self.result(n)} c{n}({self.parameters(n)});\n"
            text += f"{self.result(n)} through{n}({self.parameters(n, f'{self.result(n)} (*function)({self.parameters(n)}), ')});\n"
        return text

    def prelude(self):
        text = "#include <wchar.h>\n#include <stdint.h>\n#include <sys/types.h>\n" + self.types()
        for n, types in enumerate(self.signatures):
            arguments = "".join(f"a{index}, " for index in range(len(types)))
            stores = " ".join(f"out->a{index} = a{index};" for index in range(len(types)))
            text += f"static {self.result(n)} c{n}({self.parameters(n)}) {{ {stores} return a{n % len(types)}; }}\n"
            text += (
                f"static {self.result(n)} through{n}({self.parameters(n, f'{self.result(n)} (*function)({self.parameters(n)}), ')})"
                f" {{ return function({arguments}out); }}\n"
            )
        return text

    def init(self):
        return textwrap.dedent(
            f"""\
            from echoes import ffi, lib

            calls = [0]


            def define(n):
                direct = getattr(lib, f"c{{n}}")
                pointer = ffi.addressof(lib, f"c{{n}}")
                through = getattr(lib, f"through{{n}}")
                callback = ffi.callback(ffi.typeof(pointer), lambda *arguments: direct(*arguments))

                def call(*arguments):
                    calls[0] += 1
                    if calls[0] % 3 == 0:
                        return direct(*arguments)
                    if calls[0] % 3 == 1:
                        return pointer(*arguments)
                    return through(callback, *arguments)

                ffi.def_extern(name=f"py{{n}}")(call)


            for n in range({len(self.signatures)}):
                define(n)
            """
        )

    def value(self, type_):
        """A C expression for a random value."""
        if type_ in COMPLEX:
            part = type_.split()[0]
            return f"__builtin_complex(({part})real(), ({part})real())"
        if type_ == "_Bool":
            return "(bits() & 1)"
        if type_ == "wchar_t":
            return "(wchar_t)(bits() % 0xd800)"
        if type_ in REALS:
            return f"({type_})real()"
        if type_.startswith("struct s"):
            return f"make_{type_.split()[1]}()"
        if type_.endswith("*"):
            return f"({type_})(uintptr_t)bits()"
        return f"({type_})bits()"

    def same(self, type_, one, other):
        if type_ in REALS:
            return f"SAME_REAL({one}, {other})"
        if type_ in COMPLEX:
            return f"SAME_REAL(__real__ {one}, __real__ {other}) && SAME_REAL(__imag__ {one}, __imag__ {other})"
        if type_.startswith("struct s"):
            return f"same_{type_.split()[1]}(&{one}, &{other})"
        return f"{one} == {other}"

    def host(self, rounds):
        text = HOST_COMMON % (self.seed * 0x9E3779B97F4A7C15 % 2**62 + 1)
        for name, members in self.records:
            tag = name.split()[1]
            fills = same = ""
            for _, member, type_, length in members:
                for place in [member] if length is None else [f"{member}[{index}]" for index in range(length)]:
                    fills += f"    x.{place} = {self.value(type_)};\n"
                    same += f"        && {self.same(type_, 'a->' + place, 'b->' + place)}\n"
            text += f"static {name} make_{tag}(void)\n{{\n    {name} x;\n    memset(&x, 0, sizeof x);\n{fills}    return x;\n}}\n"
            text += f"static int same_{tag}(const {name} *a, const {name} *b)\n{{\n    return 1\n{same}        ;\n}}\n"
        text += "int main(void)\n{\n    long checked = 0, wrong = 0;\n    int round;\n"
        text += f"    for (round = 0; round < {rounds}; round++) {{\n"
        for n, types in enumerate(self.signatures):
            text += "        {\n"
            for index, type_ in enumerate(types):
                text += f"            {type_} a{index} = {self.value(type_)};\n"
            text += f"            struct all{n} out;\n            {self.result(n)} result;\n            memset(&out, 0xaa, sizeof out);\n"
            text += f"            result = py{n}({''.join(f'a{index}, ' for index in range(len(types)))}&out);\n"
            for index, type_ in enumerate(types):
                text += f'            if (!({self.same(type_, f"a{index}", f"out.a{index}")})) {{ wrong++; printf("py{n} argument {index} ({type_}), round %d\\n", round); }}\n'
            text += f'            if (!({self.same(self.result(n), f"a{n % len(types)}", "result")})) {{ wrong++; printf("py{n} result ({self.result(n)}), round %d\\n", round); }}\n'
            text += f"            checked += {len(types) + 1};\n        }}\n"
        return text + '    }\n    printf("%ld values, %ld wrong\\n", checked, wrong);\n    return wrong != 0;\n}\n'
