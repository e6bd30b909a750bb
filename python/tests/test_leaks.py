"""Nothing that is used again and again may leave memory behind."""
import gc
import resource
import sys

import keelback
import pytest

from cdata_types import CDEF

SETUP = """
a = ffi.new("int[5]", [1, 2, 3, 4, 5])
s = ffi.new("struct P *", [1, 2])
n = ffi.new("struct N *")
def cycle():
    class Keeper: pass
    keeper = Keeper()
    keeper.cdata = ffi.gc(ffi.new("int *"), lambda x: keeper)
def handle_cycle():
    class Keeper: pass
    keeper = Keeper()
    keeper.handle = ffi.new_handle(keeper)
def new_ffi():
    other = keelback.FFI()
    other.cdef("struct node { struct node *next; int (*f)(struct node *); int v[5]; };")
    p = other.new("struct node *")
    p.next = p
    p.v, p.f, other.typeof("struct node").fields
def released():
    with ffi.gc(ffi.new("int *"), lambda x: None): pass
def callback():
    return ffi.callback("int(int)", lambda x: x)(5)
def callback_cycle():
    class Keeper: pass
    keeper = Keeper()
    keeper.callback = ffi.callback("int(int)", lambda x: keeper)
"""

OPERATIONS = """
    ffi.new("int *")
    ffi.new("int[]", [1, "x"])
    ffi.new("int[]", list(range(100)))
    ffi.new("struct P *", {"x": 1, "y": 2})
    ffi.new("struct P *", {"z": 1})
    ffi.new("struct F *", [1, [2, 3]]).a
    ffi.new("struct B *", [1, 2, 3])
    ffi.new("char[]", b"abc")
    ffi.new("wchar_t[]", "abc")
    ffi.new("int[3]", iter([]))
    ffi.new("int[%d]" % 7)
    ffi.new_handle(s)
    ffi.from_buffer(b"abc")
    ffi.new_allocator(lambda n: ffi.new("char[]", n), lambda p: None)("int *")
    ffi.cast("int", 5)
    ffi.cast("int *", a) + 1
    ffi.cast("long double", 5)
    int(ffi.cast("long double", 1e300))
    ffi.cast("enum E", 5)
    ffi.typeof("struct N").fields
    ffi.typeof("enum E").elements
    ffi.typeof("fn_t").args
    s.x
    s.nope
    s[0]
    s[0].x
    s == a
    hash(s)
    repr(s)
    dir(s)
    a[1:3]
    a[9]
    list(a)
    n.arr
    n.p
    n.q
    setattr(n, "name", b"abc")
    setattr(n, "arr", [1, 2])
    setattr(n, "q", s)
    a.__setitem__(slice(0, 2), [8, 9])
    a.__setitem__(slice(0, 2), iter([8]))
    released()
    cycle()
    handle_cycle()
    new_ffi()
    callback()
    callback_cycle()
"""


@pytest.mark.parametrize("operation", [line.strip() for line in OPERATIONS.strip().splitlines()])
def test_leaves_nothing(operation):
    ffi = keelback.FFI()
    ffi.cdef(CDEF)
    namespace = {"ffi": ffi, "keelback": keelback}
    exec(SETUP, namespace)
    code = compile(operation, "<operation>", "eval")

    def repeat(times):
        for _ in range(times):
            try:
                eval(code, namespace)
            except Exception:
                pass
        gc.collect()
        return sys.getallocatedblocks(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    repeat(200)
    blocks, resident = repeat(20)
    blocks_after, resident_after = repeat(1500)
    # One block or 100 bytes a time would be 1500 blocks, 150 kB.
    assert blocks_after - blocks < 100
    assert resident_after - resident < 600
