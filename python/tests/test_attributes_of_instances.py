"""What tools ask of any object: pydoc, doctest, Sphinx."""
import pytest

from implementations import both

MAKE = {
    "new": "ffi.new('int *')",
    "array": "ffi.new('int[3]')",
    "slice": "ffi.new('int[3]')[0:2]",
    "struct": "ffi.new('struct point *')[0]",
    "number": "ffi.cast('int', 1)",
    "pointer": "ffi.cast('int *', 1)",
    "gc": "ffi.gc(ffi.new('int *'), lambda cdata: None)",
    "handle": "ffi.new_handle(1)",
    "callback": "ffi.callback('int(int)', lambda x: x)",
    "buffer": "ffi.from_buffer(b'ab')",
    "function": "ffi.dlopen(None).abs",
    "NULL": "ffi.NULL",
}


@both
@pytest.mark.parametrize("what", MAKE)
def test_cdata(FFI, what):
    ffi = FFI()
    ffi.cdef("struct point { int x, y; }; int abs(int);")
    cdata = eval(MAKE[what])
    assert (cdata.__module__, cdata.__name__, type(cdata).__module__) == ("_cffi_backend", "<cdata>", "_cffi_backend")
    with pytest.raises(AttributeError):
        cdata.__qualname__
    assert type(cdata).__name__ != "<cdata>"


@both
@pytest.mark.parametrize("what", ["typeof('int')", "typeof('struct point').fields[0][1]", "buffer(ffi.new('int *'))"])
def test_what_has_none(FFI, what):
    ffi = FFI()
    ffi.cdef("struct point { int x, y; };")
    with pytest.raises(AttributeError):
        eval("ffi." + what).__module__


@both
def test_ffi(FFI):
    assert FFI().__module__ == FFI.__module__
