"""Bit-fields of width zero in packed structs: where the C compiler puts what follows.

CFFI caps the alignment that `int : 0` asks for at the pack value; gcc and clang do not, and the compiler counts: it is
its structs that are shared with C. (FEATURES: layout as the platform's C compiler lays out.)
"""
import re
import shutil
import subprocess

import keelback
import pytest

BODIES = [
    "char a:3; int :0; char b:2;",
    "char a; int :0; char b;",
    "char a:3; short :0; int b:5;",
    "char a; char :0; char b:3; long long :0; char c;",
    "int :0; char a;",
    "char a; int :0;",
    "char a:1; long long :0; short b;",
]
PACKINGS = [{}, {"packed": True}, {"pack": 1}, {"pack": 2}, {"pack": 4}]


def ours(body, packing):
    ffi = keelback.FFI()
    ffi.cdef(f"struct s {{ {body} }};", **packing)
    fields = [(name, 8 * field.offset + max(field.bitshift, 0)) for name, field in ffi.typeof("struct s").fields if name]
    return f"{ffi.sizeof('struct s')} {ffi.alignof('struct s')}" + "".join(f" {name}@{bit}" for name, bit in fields)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_as_the_compiler_does_it(compiler, tmp_path):
    if not shutil.which(compiler):
        pytest.skip(f"there is no {compiler} (Debian: the package {compiler})")
    program = "#include <stdio.h>\n#include <string.h>\n"
    main = ""
    cases = [(body, packing) for body in BODIES for packing in PACKINGS]
    for number, (body, packing) in enumerate(cases):
        attribute = " __attribute__((packed))" if "packed" in packing else ""
        if "pack" in packing:
            program += f"#pragma pack(push, {packing['pack']})\n"
        program += f"struct s{number} {{ {body} }}{attribute};\n"
        if "pack" in packing:
            program += "#pragma pack(pop)\n"
        main += f'{{ static struct s{number} x; unsigned char *p = (unsigned char *)&x; int i; printf("%zu %zu", sizeof x, _Alignof(struct s{number}));\n'
        for name in re.findall(r"\b([abc])\b", body):
            main += f'memset(&x, 0, sizeof x); x.{name} = -1; for (i = 0; !(p[i / 8] >> i % 8 & 1); i++); printf(" {name}@%d", i);\n'
        main += 'puts(""); }\n'
    (tmp_path / "layout.c").write_text(f"{program}int main(void) {{\n{main}return 0; }}\n")
    subprocess.run([compiler, "-w", "-o", "layout", "layout.c"], cwd=tmp_path, check=True)
    theirs = subprocess.run([tmp_path / "layout"], capture_output=True, text=True, check=True).stdout.splitlines()
    assert [(case, ours(*case)) for case in cases] == list(zip(cases, theirs))
