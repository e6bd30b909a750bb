"""ffi.malloc(): as new(), in memory that free() gives back."""

import keelback
import pytest

ffi = keelback.FFI()
ffi.cdef("void free(void *); size_t strlen(const char *); struct flexible { int n; short tail[]; };")
C = ffi.dlopen(None)


@pytest.mark.parametrize(
    "cdecl, init, type_, values",
    [
        ("int *", 42, "int *", [42]),
        ("int *", None, "int *", [0]),
        ("int[3]", [1, 2], "int *", [1, 2, 0]),
        ("int[]", 2, "int *", [0, 0]),
        ("char[]", b"text", "char *", [b"t", b"e", b"x", b"t", b"\0"]),
        ("char[2][2]", [b"a", b"bc"], "char(*)[2]", None),
        ("int[0]", None, "int *", []),
    ],
)
def test_values(cdecl, init, type_, values):
    p = ffi.malloc(cdecl) if init is None else ffi.malloc(cdecl, init)
    assert ffi.typeof(p) is ffi.typeof(type_) and "owning" not in repr(p)
    if values is not None:
        assert ffi.unpack(p, len(values)) == (b"".join(values) if type_ == "char *" else values)
    C.free(p)


def test_flexible_arrays_and_text():
    p = ffi.malloc("struct flexible *", {"n": 2, "tail": [5, 6, 7]})
    assert (p.n, p.tail[0], p.tail[2]) == (2, 5, 7)
    C.free(p)
    text = ffi.malloc("char[]", init=b"keelback")
    assert C.strlen(text) == 8 and ffi.string(text) == b"keelback"
    C.free(text)


def test_errors_are_those_of_new():
    for cdecl, init, error in [("int", 5, TypeError), ("int *", "x", TypeError), ("int[]", -1, ValueError), ("int[1]", [1, 2], IndexError)]:
        with pytest.raises(error) as ours:
            ffi.malloc(cdecl, init)
        with pytest.raises(error) as theirs:
            ffi.new(cdecl, init)
        assert str(ours.value) == str(theirs.value)
    with pytest.raises(MemoryError):
        ffi.malloc("char[]", 1 << 62)
