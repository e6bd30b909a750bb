"""Types in types: what C programs never write, and generators do."""
import gc

import pytest

import keelback

DEEP = 100_000


def test_structs_nested_by_value():
    """Sizes, fields and the end of a hundred thousand structs in each other take no stack."""
    ffi = keelback.FFI()
    ffi.cdef("struct s0 { int a; };" + "".join(f"struct s{i + 1} {{ struct s{i} x; }};" for i in range(DEEP)))
    assert ffi.sizeof(f"struct s{DEEP}") == 4
    inner = whole = ffi.new(f"struct s{DEEP} *")
    for _ in range(DEEP):
        inner = inner.x
    inner.a = 7
    assert ffi.cast("int *", whole)[0] == 7
    with pytest.raises(NotImplementedError, match="it is inside of 1000 other structs"):
        ffi.cast(f"int(*)(struct s{DEEP})", 1)(whole[0])
    del ffi, inner, whole
    gc.collect()


def test_chains_of_typedefs_and_parameters():
    ffi = keelback.FFI()
    ffi.cdef("typedef short t0;" + "".join(f"typedef t{i} t{i + 1};" for i in range(DEEP)))
    assert ffi.typeof(f"t{DEEP}") is ffi.typeof("short")
    ffi.cdef("int many(" + ", ".join(["int"] * DEEP) + ");")
    assert len(ffi.typeof("int(*)(" + ", ".join(["int"] * DEEP) + ")").args) == DEEP
    with pytest.raises(keelback.CDefError, match="nested too deeply"):
        ffi.cdef("typedef int *p0;" + "".join(f"typedef p{i} *p{i + 1};" for i in range(1000)))
