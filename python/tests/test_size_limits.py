"""Sizes at the limit of size_t: what CFFI answers, but where its own sum overflows."""
import cffi
import keelback
import pytest

BODIES = [
    "char a[9223372036854775807];",
    "char a[9223372036854775806];",
    "char a[9223372036854775808];",
    "char a[18446744073709551615];",
    "char a[4611686018427387904];",
    "char a[1152921504606846976];",
    "short a[4611686018427387903];",
    "short a[4611686018427387904];",
    "int a[2305843009213693951];",
    "int a[4611686018427387904];",
    "char a; char b[9223372036854775800];",
    "char a[4611686018427387904][2];",
]
ARRAYS = [
    "char[9223372036854775807]",
    "char[9223372036854775808]",
    "short[4611686018427387903]",
    "short[4611686018427387904]",
    "char[4611686018427387904][2]",
    "char[1152921504606846976]",
    "struct s[3]",
]


def outcome(function):
    try:
        return function()
    except Exception as error:
        return type(error)


def answers(module, body):
    ffi = module.FFI()
    ffi.cdef(f"struct s {{ {body} }};")
    size = outcome(lambda: ffi.sizeof("struct s"))
    if isinstance(size, type):
        # CFFI then takes the struct for one of unknown size.
        return [size]
    fields = [(name, field.offset, field.type.cname) for name, field in ffi.typeof("struct s").fields]
    return [size, fields, outcome(lambda: ffi.new("struct s *")), outcome(lambda: ffi.sizeof("struct s[2]"))]


@pytest.mark.parametrize("body", BODIES)
def test_structs(body):
    assert answers(keelback, body) == answers(cffi, body)


@pytest.mark.parametrize("text", ARRAYS)
def test_arrays(text):
    def ask(module):
        ffi = module.FFI()
        ffi.cdef("struct s { char a[4611686018427387904]; };")
        return outcome(lambda: ffi.sizeof(text)), outcome(lambda: ffi.new(text))

    assert ask(keelback) == ask(cffi)


@pytest.mark.parametrize(
    "body",
    [
        "char a[9223372036854775807]; char b;",
        "char a[9223372036854775799]; long b;",
        "char a[4611686018427387904]; char b[4611686018427387904];",
        "char a[9223372036854775807]; int b : 3;",
        "char a[9223372036854775807]; long b[0];",
    ],
)
def test_a_sum_that_is_too_large(body):
    """CFFI's own sum overflows here, and gives a smaller size."""
    ffi = keelback.FFI()
    ffi.cdef(f"struct s {{ {body} }};")
    for _ in range(2):
        with pytest.raises(OverflowError, match="struct s.* is larger than any object can be"):
            ffi.sizeof("struct s")
    with pytest.raises(OverflowError):
        ffi.new("struct s *")


def test_bit_fields_at_the_end_of_the_largest():
    ffi = keelback.FFI()
    ffi.cdef("struct s { char a[9223372036854775800]; unsigned char b : 3, c : 5; };")
    field = dict(ffi.typeof("struct s").fields)["c"]
    assert ffi.sizeof("struct s") == 9223372036854775801 and (field.offset, field.bitshift) == (9223372036854775800, 3)
