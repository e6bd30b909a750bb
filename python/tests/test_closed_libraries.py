"""What a closed library leaves behind: nothing. (CFFI keeps 6.5 KB for each.)"""
import gc
import weakref

import keelback
import pytest


@pytest.mark.parametrize("path", [None, "libm.so.6"])
@pytest.mark.parametrize("use", [lambda lib: None, lambda lib: lib.abs(-1)])
def test_a_closed_library_is_not_kept(path, use):
    ffi = keelback.FFI()
    ffi.cdef("int abs(int);")
    other = ffi.dlopen(None)
    kept = []
    for _ in range(100):
        lib = ffi.dlopen(path)
        use(lib)
        ffi.dlclose(lib)
        kept.append(weakref.ref(lib))
        del lib
    gc.collect()
    assert [reference() for reference in kept] == [None] * 100
    assert other.abs(-3) == 3


def test_an_open_library_is_kept_by_its_ffi():
    ffi = keelback.FFI()
    ffi.cdef("int abs(int);")
    lib = ffi.dlopen(None)
    reference = weakref.ref(lib)
    function = lib.abs
    del lib
    gc.collect()
    assert reference() is not None and function(-2) == 2


def test_closing_twice_and_through_another_ffi():
    ffi, other = keelback.FFI(), keelback.FFI()
    lib = ffi.dlopen(None)
    other.dlclose(lib)
    ffi.dlclose(lib)
    with pytest.raises(AttributeError):
        lib.abs
