"""Bit-fields in packed and unpacked structs, against what the C compiler makes of them."""
import random

import keelback
import pytest

from c_library import compile_library

TYPES = {"int": 32, "unsigned int": 32, "short": 16, "unsigned char": 8, "long long": 64, "unsigned long long": 64}


def draw(seed):
    random_ = random.Random(seed)
    fields = []
    for index in range(random_.randint(1, 7)):
        ctype = random_.choice(list(TYPES))
        if random_.random() < 0.2:
            fields.append((f"f{index}", ctype, None))
        else:
            fields.append((f"f{index}", ctype, random_.randint(1, TYPES[ctype])))
    return random_, fields


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("seed", range(25))
def test_same_bits_as_the_compiler(seed, packed):
    random_, fields = draw(seed)
    body = " ".join(f"{ctype} {name};" if bits is None else f"{ctype} {name}:{bits};" for name, ctype, bits in fields)
    getters = "\n".join(f"long long get_{name}(struct s *p) {{ return (long long)p->{name}; }}" for name, _, _ in fields)
    pack = "#pragma pack(1)\n" if packed else ""
    library = compile_library(f"{pack}struct s {{ {body} }};\nunsigned long size(void) {{ return sizeof(struct s); }}\n{getters}")
    ffi = keelback.FFI()
    ffi.cdef(f"struct s {{ {body} }};", packed=packed)
    ffi.cdef("unsigned long size(void);" + "".join(f"long long get_{name}(struct s *p);" for name, _, _ in fields))
    lib = ffi.dlopen(library)
    size = ffi.sizeof("struct s")
    assert size == lib.size()

    # Bytes on both sides show whether a write stays inside.
    memory = ffi.new("unsigned char[]", b"\xa5" * (size + 32))
    p = ffi.cast("struct s *", memory + 16)
    ffi.memmove(p, bytes(size), size)
    expected = {name: 0 for name, _, _ in fields}
    for _ in range(30):
        name, ctype, bits = random_.choice(fields)
        width = bits or TYPES[ctype]
        low, high = (0, 2**width - 1) if ctype.startswith("unsigned") else (-(2 ** (width - 1)), 2 ** (width - 1) - 1)
        value = random_.choice([low, high, random_.randint(low, high)])
        setattr(p, name, value)
        expected[name] = value
        for other, _, _ in fields:
            assert getattr(p, other) == expected[other], (body, other)
            from_c = getattr(lib, "get_" + other)(p)
            assert from_c % 2**64 == expected[other] % 2**64, (body, other)
    assert bytes(memory[0:16]) == b"\xa5" * 16
    assert bytes(memory[size + 16 : size + 32]) == b"\xa5" * 16


def test_a_char_field_is_a_number():
    ffi = keelback.FFI()
    ffi.cdef("struct s { char c:3; };")
    p = ffi.new("struct s *", [5])
    assert p.c == 5
    with pytest.raises(OverflowError):
        p.c = 8
