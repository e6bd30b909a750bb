"""Views of from_buffer() hold the buffer; known sizes bound memmove and buffer()."""
import gc
import warnings

import keelback
import pytest

from implementations import both

CDEF = "struct point { int x, y; }; struct line { struct point from, to; int tags[4]; };"


@pytest.fixture
def ffi():
    ffi = keelback.FFI()
    ffi.cdef(CDEF)
    return ffi


@pytest.mark.parametrize(
    "cdecl, view",
    [
        ("struct point[]", lambda array: array[1]),
        ("struct point[]", lambda array: array[0:2]),
        ("struct point[]", lambda array: array[0:2][1]),
        ("struct point[]", lambda array: list(array)[1]),
        ("int[2][3]", lambda array: array[1]),
        ("int[2][3]", lambda array: array[0:1][0]),
        ("struct line[]", lambda array: array[0].to),
        ("struct line[]", lambda array: array[0].tags),
        ("struct line *", lambda pointer: pointer.from_ if hasattr(pointer, "from_") else pointer.to),
        ("struct line *", lambda pointer: pointer[0].tags),
    ],
)
def test_a_view_holds_the_buffer(ffi, cdecl, view):
    memory = bytearray(range(96))
    shown = view(ffi.from_buffer(cdecl, memory))
    gc.collect()
    with pytest.raises(BufferError):
        memory.extend(b"x" * 100000)
    place = shown if ffi.typeof(shown).kind == "array" else ffi.addressof(shown)
    before = bytes(ffi.buffer(place))
    gc.collect()
    assert bytes(ffi.buffer(place)) == before and before in bytes(memory)
    del shown, place
    gc.collect()
    memory.extend(b"x")


def test_a_view_of_a_released_buffer_raises(ffi):
    array = ffi.from_buffer("struct point[]", bytearray(16))
    item, part = array[1], array[0:1]
    ffi.release(array)
    for use in (lambda: item.x, lambda: part[0], lambda: setattr(item, "x", 1), lambda: ffi.addressof(item)):
        with pytest.raises(RuntimeError, match="was released"):
            use()


@pytest.mark.parametrize("cdecl, size", [("int *", 3), ("struct point *", 7), ("struct line *", 0), ("double *", 1)])
def test_a_buffer_smaller_than_what_is_pointed_to(ffi, cdecl, size):
    item = ffi.typeof(cdecl).item
    with pytest.raises(ValueError) as error:
        ffi.from_buffer(cdecl, bytes(size))
    assert str(error.value) == f"buffer is too small ({size} bytes) for '{item.cname}' ({ffi.sizeof(item)} bytes)"
    assert ffi.from_buffer(cdecl, bytes(ffi.sizeof(item))) != ffi.NULL
    assert ffi.from_buffer("void *", b"") is not None


@pytest.mark.parametrize(
    "make, size",
    [
        (lambda ffi: ffi.gc(ffi.new("int[2]"), len), 8),
        (lambda ffi: ffi.gc(ffi.gc(ffi.new("int[2]"), len), len), 8),
        (lambda ffi: ffi.gc(ffi.new("int *"), len), 4),
        (lambda ffi: ffi.gc(ffi.from_buffer(bytearray(5)), len), 5),
        (lambda ffi: ffi.from_buffer(bytearray(5)), 5),
        (lambda ffi: ffi.from_buffer("int[]", bytearray(8))[1:2], 4),
        (lambda ffi: ffi.from_buffer("int[2][3]", bytearray(24))[1], 12),
        (lambda ffi: ffi.new("int[4]")[1:3], 12),
        (lambda ffi: ffi.new_allocator(lambda n: ffi.new("char[]", n))("int[3]"), 12),
        (lambda ffi: ffi.new_allocator(lambda n: ffi.new("char[]", n))("struct point *"), 8),
    ],
)
def test_memmove_keeps_to_the_size_that_is_known(ffi, make, size):
    thing = make(ffi)
    ffi.memmove(thing, bytes(size), size)
    with pytest.raises(ValueError) as error:
        ffi.memmove(thing, bytes(size + 1), size + 1)
    assert str(error.value) == f"memmove of {size + 1} bytes: the destination has only {size}"
    with pytest.raises(ValueError):
        ffi.memmove(bytearray(size + 1), thing, size + 1)


@both
@pytest.mark.parametrize("cdecl, size", [("int *", 4), ("int[3]", 12), ("struct point *", 8)])
def test_a_larger_buffer_is_warned_of(FFI, cdecl, size):
    ffi = FFI()
    ffi.cdef(CDEF)
    thing = ffi.new(cdecl)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert len(ffi.buffer(thing, size)) == size
        assert len(ffi.buffer(ffi.cast("char *", thing), 100)) == 100
        assert caught == []
        assert len(ffi.buffer(thing, 100)) == 100
    assert [(one.category, str(one.message)) for one in caught] == [(
        UserWarning,
        f"ffi.buffer(cdata, bytes): creating a buffer of 100 bytes over a cdata that owns only {size} bytes.  This will "
        "crash if you access the extra memory",
    )]  # fmt: skip


@both
@pytest.mark.parametrize("make", ["new('struct point *')[0]", "cast('int', 3)", "new('int(**)(void)')[0]"])
def test_a_buffer_of_what_is_no_memory(FFI, make):
    ffi = FFI()
    ffi.cdef(CDEF)
    thing = eval("ffi." + make)
    for arguments in ((), (4,)):
        with pytest.raises(TypeError, match="expected a pointer or array cdata|don't know the size"):
            ffi.buffer(thing, *arguments)
