"""MicroPython's modules where they go beyond MicroPython, or do not crash as it would."""
import copy
import gc
import pickle
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import pytest
from keelback import micropython
from keelback.micropython import ffi, uctypes

from c_library import compile_library

LIBRARY = (Path(__file__).parent / "micropython_scripts" / "library.c").read_text()


@pytest.fixture(scope="module")
def path():
    return compile_library(LIBRARY)


@pytest.fixture
def lib(path):
    return ffi.open(path)


def test_install():
    before = {name: sys.modules.pop(name, None) for name in ("ffi", "uctypes")}
    try:
        micropython.install()
        micropython.install()
        import ffi as first
        import uctypes as second

        assert first is ffi and second is uctypes
        assert (ffi.__name__, uctypes.__name__) == ("ffi", "uctypes")
    finally:
        for name, module in before.items():
            sys.modules.pop(name, None)
            if module is not None:
                sys.modules[name] = module


# Opening, and closed libraries.


def test_open_says_why():
    with pytest.raises(OSError, match="libkeelback-none.so") as caught:
        ffi.open("libkeelback-none.so")
    assert caught.value.errno > 0
    with pytest.raises(FileNotFoundError, match="undefined symbol: nothing"):
        ffi.open(None).func("i", "nothing", "i")


def test_closed(path):
    lib = ffi.open(path)
    function, variable = lib.func("i", "same_i", "i"), lib.var("i", "var_i")
    assert function(3) == 3
    lib.close()
    lib.close()
    for use in (
        lambda: function(3),
        variable.get,
        lambda: variable.set(1),
        lambda: repr(variable),
        lambda: lib.func("i", "same_i", "i"),
        lambda: lib.var("i", "var_i"),
        lambda: lib.addr("var_i"),
    ):
        with pytest.raises(ValueError, match="the library is closed"):
            use()
    assert repr(lib).startswith("<ffimod ") and repr(function).startswith("<ffifunc ")


def test_a_library_stays_open_without_its_object(path):
    address = ffi.open(path).addr("same_i")
    gc.collect()
    assert ffi.func("i", address, "i")(8) == 8


# Codes, arguments, results.


def test_codes_from_any_iterable(lib):
    for codes in ("lllllllli", list("lllllllli"), tuple("lllllllli"), iter("lllllllli"), ["long"] * 8 + ["int"]):
        assert lib.func("l", "nine", codes)(*range(9)) == sum(i * (i + 1) for i in range(9))


@pytest.mark.parametrize("codes", ["Z", "i?", [""], [1], [None], b"ii"])
def test_unknown_codes(lib, codes):
    with pytest.raises(TypeError, match="^unknown type$"):
        lib.func("i", "same_i", codes)
    with pytest.raises(TypeError, match="^unknown type$"):
        ffi.callback("i", print, codes)


def test_bad_codes(lib):
    for result in ("Z", ""):
        with pytest.raises(TypeError, match="^unknown type$"):
            lib.func(result, "same_i", "i")
        with pytest.raises(TypeError, match="^unknown type$"):
            lib.var(result, "var_i")
        with pytest.raises(TypeError, match="^unknown type$"):
            ffi.callback(result, print, "i")
    with pytest.raises(ValueError, match="error in ffi_prep_cif"):
        lib.func("i", "same_i", "v")
    with pytest.raises(TypeError, match="not iterable"):
        lib.func("i", "same_i", 5)
    with pytest.raises(ZeroDivisionError):
        lib.func("i", "same_i", (1 // 0 for _ in "i"))


def test_wrong_number_of_arguments(lib):
    function = lib.func("i", "same_i", "i")
    with pytest.raises(TypeError, match="^function takes 1 positional arguments but 0 were given$"):
        function()
    with pytest.raises(TypeError, match="^function takes 1 positional arguments but 2 were given$"):
        function(1, 2)
    with pytest.raises(TypeError, match="^function doesn't take keyword arguments$"):
        function(x=1)
    with pytest.raises(TypeError, match="^function takes 9 positional arguments but 1 were given$"):
        lib.func("l", "nine", "lllllllli")(1)


def test_half_an_address_is_refused(lib):
    for code in "bBhHiI":
        function = lib.func(code, "same_" + code, code)
        for value in ("x", b"x", bytearray(1), ffi.callback("v", print, "")):
            with pytest.raises(TypeError, match="don't know how to pass object to native function"):
                function(value)


def test_addresses(lib):
    same = lib.func("p", "same_p", "p")
    data = bytearray(b"abc")
    assert same(data) == uctypes.addressof(data)
    assert same(memoryview(data)[1:]) == uctypes.addressof(data) + 1
    assert same(b"abc") != 0 and same("abc") != 0 and same(None) == 0 and same(-1) == -1
    view = uctypes.struct(uctypes.addressof(data), {"x": uctypes.UINT8 | 0})
    assert same(view) == uctypes.addressof(data)
    assert same(True) == 1
    with pytest.raises(BufferError):
        same(memoryview(data)[::2])


def test_strings_and_bytes(lib):
    assert lib.func("s", "not_utf8", "")() == "caf\udce9"
    assert lib.func("S", "not_utf8", "")() == b"caf\xe9"
    assert lib.func("S", "same_p", "s")("h\u00e9") == b"h\xc3\xa9"
    assert lib.func("s", "same_p", "s")("caf\udce9") == "caf\udce9"
    for code in "sS":
        assert lib.func(code, "same_p", "p")(None) is None


def test_objects(lib):
    same = lib.func("O", "same_p", "O")
    thing = object()
    count = sys.getrefcount(thing)
    assert same(thing) is thing and same(None) is None
    assert sys.getrefcount(thing) == count
    with pytest.raises(ValueError, match="NULL"):
        lib.func("O", "same_p", "p")(None)


def test_addresses_of_functions():
    for address, of_type in (("abs", "str"), (None, "NoneType"), (1.5, "float")):
        with pytest.raises(TypeError, match=f"^can't convert {of_type} to int$"):
            ffi.func("i", address, "i")


def test_null_function():
    with pytest.raises(ValueError, match="NULL pointer"):
        ffi.func("i", 0, "i")(1)


def test_variables(lib):
    assert lib.var("p", "null").get() == 0
    assert lib.var("s", "null").get() is None
    with pytest.raises(ValueError):
        lib.var("O", "null").get()
    with pytest.raises(TypeError, match="^unknown type$"):
        lib.var("v", "null")
    variable = lib.var("b", "var_b")
    variable.set(300)
    assert variable.get() == 44 and repr(variable).endswith(": 0x2c>")


# Callbacks.


def test_callback_types(lib):
    double = lib.func("d", "call_double", "Cdf")
    seen = []
    assert double(ffi.callback("d", lambda x, y: seen.append((x, y)) or x + y, "df"), 1.5, 2.5) == 4.0
    assert seen == [(1.5, 2.5)]
    assert double(ffi.callback("d", lambda x, y: None, "df"), 1.5, 2.5) == 0.0
    narrow = lib.func("b", "call_narrow", "Cii")
    assert narrow(ffi.callback("b", lambda x, y: seen.append((x, y)) or 0x180, "bB"), -1, 255) == -128
    assert seen[1] == (-1, 255)
    passed = lib.func("O", "call_object", "CO")
    thing = object()
    assert passed(ffi.callback("O", lambda x: x, "O"), thing) is thing
    assert passed(ffi.callback("O", lambda x: [x], "O"), thing) == [thing]
    assert lib.func("i", "call", "Ci")(ffi.callback("i", lambda x: None, "i"), 5) == 0


def test_callback_that_raises_stops_the_others(lib):
    calls = []

    def fail(x):
        calls.append(x)
        raise ValueError(f"boom {x}")

    thrice = lib.func("i", "call_three_times", "C")
    with pytest.raises(ValueError, match="boom 1"):
        thrice(ffi.callback("i", fail, "i"))
    assert calls == [1]
    assert thrice(ffi.callback("i", lambda x: x, "i")) == 6
    with pytest.raises(TypeError, match="can't convert str to int"):
        thrice(ffi.callback("i", lambda x: "x", "i"))
    with pytest.raises(TypeError, match="isn't callable"):
        ffi.callback("i", 5, "i")


def test_nested_calls_keep_their_own_exceptions(lib):
    call = lib.func("i", "call", "Ci")

    def inner(x):
        raise KeyError(x)

    def outer(x):
        with pytest.raises(KeyError):
            call(ffi.callback("i", inner, "i"), x)
        return 5

    assert call(ffi.callback("i", outer, "i"), 1) == 5

    def through(x):
        return call(ffi.callback("i", inner, "i"), x)

    with pytest.raises(KeyError):
        call(ffi.callback("i", through, "i"), 1)


def test_callback_outside_of_a_call(lib, monkeypatch):
    """What calls it is not one of our functions: there is nobody to raise the exception."""
    import keelback

    unraisable = []
    monkeypatch.setattr(sys, "unraisablehook", lambda failure: unraisable.append(failure.exc_value))
    other = keelback.FFI()
    callback = ffi.callback("i", lambda x: 1 // 0, "i")
    function = other.cast("int (*)(int)", callback.cfun())
    assert function(1) == 0
    assert [type(value) for value in unraisable] == [ZeroDivisionError]
    thread = threading.Thread(target=function, args=(1,))
    thread.start()
    thread.join()
    assert len(unraisable) == 2


def test_lock(lib, capfd):
    states = []
    call = lib.func("i", "call", "Ci")
    assert gc.isenabled()
    assert call(ffi.callback("i", lambda x: states.append(gc.isenabled()) or 7, "i", lock=True), 1) == 7
    assert states == [False] and gc.isenabled()

    def fail(x):
        raise ValueError("boom")

    assert call(ffi.callback("i", fail, "i", lock=True), 1) == 0
    assert gc.isenabled()
    said = capfd.readouterr().err
    assert said.startswith("Uncaught exception in FFI callback\nTraceback") and "ValueError: boom\n" in said


def test_callbacks_stay(lib):
    """C may keep the address of a callback that Python has dropped."""
    lib.func("v", "keep", "C")(ffi.callback("i", lambda x: x * 2, "i"))
    gc.collect()
    assert lib.func("i", "call_kept", "i")(21) == 42


# Memory.


def test_bytearray_by_reference():
    data = bytearray(b"12.5")
    window = uctypes.bytearray_at(uctypes.addressof(data), 4)
    for resize in (
        lambda: window.append(1),
        window.clear,
        window.pop,
        lambda: window.extend(b"x"),
        lambda: window.__setitem__(slice(0, 1), b"xy"),
        lambda: window.__delitem__(0),
        lambda: window.__iadd__(b"x"),
        lambda: window.__init__(b"x"),
    ):
        with pytest.raises(BufferError):
            resize()
    assert window == data == b"12.5" and float(window) == 12.5 and int(window[:2]) == 12
    with pytest.raises(ValueError):
        int(window)
    for other in (copy.copy(window), copy.deepcopy(window), pickle.loads(pickle.dumps(window)), window[:]):
        assert type(other) is bytearray and other == data
    with memoryview(window) as view:
        view[0] = ord("2")
    assert data == b"22.5" and b"%s" % window == b"22.5" and bytes(window) == data
    with pytest.raises(TypeError):
        type(window)(b"x")


def test_memory_that_cannot_be():
    for call in (uctypes.bytes_at, uctypes.bytearray_at, ffi.as_bytearray):
        assert call(0, 0) == b""
        with pytest.raises(ValueError, match="NULL pointer"):
            call(0, 1)
        with pytest.raises(ValueError, match="negative"):
            call(1, -1)
        with pytest.raises(TypeError, match="can't convert str to int"):
            call("x", 1)


class Buffer(bytearray):
    """With weak references."""


def test_an_address_keeps_its_object():
    data = Buffer(b"abcd")
    gone = weakref.ref(data)
    address = uctypes.addressof(data)
    assert address == int(address) and isinstance(address, int) and repr(address) == str(int(address))
    del data
    view = uctypes.struct(address, {"sub": (0, {"bytes": (0 | uctypes.ARRAY, 4 | uctypes.UINT8)})})
    window = uctypes.bytearray_at(address, 2)
    del address
    gc.collect()
    assert view.sub.bytes == b"abcd" and window == b"ab"
    inner = view.sub.bytes
    del view, window
    gc.collect()
    assert gone() is not None and inner == b"abcd"
    del inner
    gc.collect()
    assert gone() is None


# Structs.


def test_structs_that_would_crash():
    null = uctypes.struct(0, {"x": uctypes.UINT8 | 4, "bits": uctypes.BFUINT8 | 4, "p": (8 | uctypes.PTR, uctypes.UINT8),
                              "sub": (4, {"y": uctypes.UINT8 | 0})})
    for use in (lambda: null.x, lambda: null.bits, lambda: setattr(null, "x", 1), lambda: bytes(null)):
        with pytest.raises(ValueError, match="struct: NULL pointer"):
            use()
    # Which is how an offset is asked for.
    assert repr(null.sub) == "<struct STRUCT 4>" and uctypes.sizeof(null) == 16
    memory = bytearray(16)
    view = uctypes.struct(uctypes.addressof(memory), {"p": (0 | uctypes.PTR, uctypes.UINT8),
                                                      "a": (8 | uctypes.ARRAY, 4 | uctypes.INT16)})
    with pytest.raises(ValueError, match="struct: NULL pointer"):
        view.p[0]
    with pytest.raises(IndexError, match="struct: index out of range"):
        view.a[-1]
    with pytest.raises(TypeError, match="index must be int, not str"):
        view.a["x"]
    with pytest.raises(TypeError, match="syntax error in uctypes descriptor"):
        uctypes.struct(uctypes.addressof(memory), {"x": (1,)}).x
    assert repr(uctypes.struct(1, ())) == "<struct ERROR 1>"
    with pytest.raises(TypeError, match="syntax error in uctypes descriptor"):
        bytes(uctypes.struct(uctypes.addressof(memory), (0,)))
    with pytest.raises(ValueError, match="unknown layout 7"):
        uctypes.struct(1, {}, 7)
    with pytest.raises(AttributeError, match="can't delete a field"):
        del view.a
    with pytest.raises(TypeError, match="can't convert struct to int"):
        int(view)


def test_signed_bit_fields_read_as_unsigned():
    """MicroPython too, where it does not stop at an assertion."""
    memory = bytearray(8)
    for name, width in (("BFINT8", 8), ("BFINT16", 16), ("BFINT32", 32)):
        field = getattr(uctypes, name) | 2 | (width - 5) << uctypes.BF_POS | 5 << uctypes.BF_LEN
        view = uctypes.struct(uctypes.addressof(memory), {"x": field}, uctypes.LITTLE_ENDIAN)
        view.x = -1
        assert (view.x, int.from_bytes(memory[2:6], "little")) == (31, 31 << width - 5)
        memory[:] = bytes(8)


def test_descriptor_of_many_items():
    memory = bytearray(8)
    with pytest.raises(TypeError, match="^syntax error in uctypes descriptor$"):
        uctypes.struct(uctypes.addressof(memory), {"x": (1, 2, 3, 4)}).x


def test_descriptor_that_contains_itself():
    descriptor = {}
    descriptor["x"] = (0, descriptor)
    with pytest.raises(RecursionError):
        uctypes.sizeof(descriptor)
    huge = {"x": (0 | uctypes.ARRAY, 2**27 - 1, {"x": (0 | uctypes.ARRAY, 2**27 - 1, {"x": (0 | uctypes.ARRAY, 2**27 - 1,
            {"x": uctypes.UINT64 | 0})})})}
    with pytest.raises(OverflowError, match="too large"):
        uctypes.sizeof(huge)
    with pytest.raises(TypeError, match="syntax error"):
        uctypes.sizeof({"x": 2**70})


def test_missing_field_is_also_an_attribute_error():
    view = uctypes.struct(1, {})
    assert not hasattr(view, "x") and getattr(view, "x", 5) == 5
    with pytest.raises(KeyError) as caught:
        view.x
    assert repr(caught.value) == "KeyError('x')"


def test_writing_through_a_pointer():
    memory = bytearray(16)
    address = uctypes.addressof(memory)
    memory[:8] = address.to_bytes(8, sys.byteorder)
    view = uctypes.struct(address, {"p": (0 | uctypes.PTR, uctypes.UINT16)})
    view.p[4] = 0x1234
    assert view.p[4] == 0x1234 and int.from_bytes(memory[8:10], sys.byteorder) == 0x1234


def test_size_does_not_depend_on_the_order_of_fields():
    inner = (4 | uctypes.ARRAY, 3, {"b": uctypes.UINT8 | 0})
    for descriptor in ({"n": uctypes.UINT32 | 0, "a": inner}, {"a": inner, "n": uctypes.UINT32 | 0}):
        assert uctypes.sizeof(descriptor) == 8


def test_struct_in_a_cycle_is_collected():
    data = Buffer(8)
    data.view = uctypes.struct(uctypes.addressof(data), {"x": uctypes.UINT8 | 0})
    gone = weakref.ref(data)
    del data
    gc.collect()
    assert gone() is None


def test_nothing_leaks(path):
    program = """
import resource, sys
from keelback.micropython import ffi, uctypes
lib = ffi.open(sys.argv[1])
function = lib.func("p", "same_p", "p")
data = bytearray(16)
address = uctypes.addressof(data)
view = uctypes.struct(address, {"a": uctypes.UINT8 | 0, "b": (0 | uctypes.ARRAY, 4 | uctypes.UINT8),
                                "s": (0, {"x": uctypes.UINT8 | 0})})
def once():
    function(data); function("x"); function(address)
    lib.func("i", "same_i", "i")(1); lib.var("i", "var_i").get()
    view.a = view.a; view.b; view.s.x; uctypes.bytearray_at(address, 3); uctypes.addressof(data)
    for bad in (lambda: view.nothing, lambda: function([]), lambda: lib.func("Z", "same_i", "i")):
        try: bad()
        except (KeyError, TypeError): pass
for _ in range(2000): once()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for _ in range(20000): once()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1000
