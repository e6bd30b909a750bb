"""Who owns what, destructors, release, garbage collection."""
from cdata_types import CDEF
from differential import Cases

SETUP = """
import gc, weakref
seen = []
def order():
    g = ffi.gc(new("int *", 5), lambda x: seen.append(x[0]))
    before = list(seen)
    del g
    return before, seen
def raising():
    g = ffi.gc(new("int *", 5), lambda x: 1 / 0)
    del g
def nested():
    g = ffi.gc(new("int *", 5), lambda x: seen.append("inner"))
    g = ffi.gc(g, lambda x: seen.append("outer"))
    del g
    return seen
def twice():
    g = ffi.gc(new("int *", 5), lambda x: seen.append(x[0]))
    ffi.release(g)
    ffi.release(g)
    del g
    return seen
def with_block():
    with ffi.gc(new("int *", 5), lambda x: seen.append(x[0])) as g:
        inside = g[0], list(seen)
    return inside, seen
def forget():
    g = ffi.gc(new("int *", 5), lambda x: seen.append(x[0]))
    result = ffi.gc(g, None)
    value = g[0]
    del g
    return result, value, seen
def cycle():
    class Keeper: pass
    keeper = Keeper()
    keeper.cdata = ffi.gc(new("int *", 7), lambda x: (keeper, seen.append(x[0])))
    del keeper
    gc.collect()
    return seen
def resurrect():
    kept = []
    g = ffi.gc(new("int *", 9), kept.append)
    del g
    return kept[0][0]
def keeps_alive():
    p = new("struct P *", [1, 2])
    item = p[0]
    del p
    junk = [new("struct P *", [8, 9]) for _ in range(100)]
    return item.x, item.y
def first_item_keeps_alive():
    p = new("struct P *")
    ref = weakref.ref(p)
    item = p[0]
    item.y = 5
    return p[0].y, p.y
def handle_cycle():
    class Object: pass
    o = Object()
    o.handle = ffi.new_handle(o)
    ref = weakref.ref(o)
    del o
    gc.collect()
    return ref() is None
def weak():
    results = []
    for make in (lambda: new("int *"), lambda: cast("int", 3), lambda: new("struct P *")[0], lambda: cast("fn_t", 5),
                 lambda: ffi.gc(new("int *"), lambda x: None)):
        cdata = make()
        ref = weakref.ref(cdata)
        alive = ref() is cdata
        del cdata
        results.append((alive, ref() is None))
    return results
def weak_key():
    table = weakref.WeakKeyDictionary()
    p = new("struct P *")
    table[p] = "value"
    size = len(table), table[p]
    del p
    return size, len(table)
def chain(make, length=200000):
    g = new("int *", 5)
    for _ in range(length):
        g = make(g)
    del g
    gc.collect()
    return "gone"
def forgotten(g):
    g = ffi.gc(g, print)
    ffi.gc(g, None)
    return g
def inner_keeps_alive():
    results = []
    for make, part in (
        (lambda: new("struct N *", {"p": [7, 8]}), lambda n: n.p),
        (lambda: new("struct N *", {"arr": [1, 2]}), lambda n: n.arr),
        (lambda: new("struct N *", {"arr": [1, 2]}), lambda n: n[0].arr[0:2]),
        (lambda: new("struct P[3]"), lambda a: a[1]),
        (lambda: new("struct P[3]"), lambda a: a[1:3][0]),
        (lambda: new("struct P[3]"), lambda a: list(a)[2]),
        (lambda: new("struct F *", [1, [2, 3]]), lambda f: f.a),
        (lambda: new("int[3]"), lambda a: a[1:3]),
    ):
        owner = make()
        ref = weakref.ref(owner)
        inner = part(owner)
        del owner
        kept = ref() is not None
        del inner
        results.append((kept, ref() is None))
    return set(results)
def destructor_in_time():
    g = ffi.gc(new("struct N *"), lambda x: seen.append("gone"))
    inner = g.p, g.arr, g[0]
    del g
    return seen
def released_buffer():
    b = ffi.from_buffer(bytearray(b"abcd"))
    ffi.release(b)
    return b
def released_gc():
    g = ffi.gc(new("int *", 5), lambda x: None)
    ffi.release(g)
    return g
def released_struct():
    g = ffi.gc(new("struct P *", [5]), lambda x: None)
    ffi.release(g)
    return g
def use(cdata, how):
    return how(cdata)
def unlocks():
    array = bytearray(b"abc")
    b = ffi.from_buffer(array)
    try:
        array.append(1)
    except BufferError:
        seen.append("locked")
    ffi.release(b)
    array.append(1)
    return seen, bytes(array)
alloc = ffi.new_allocator(lambda n: new("char[]", n))
alloc_free = ffi.new_allocator(lambda n: new("char[]", n), lambda x: print("freed", x))
alloc_bad = ffi.new_allocator(lambda n: 5)
alloc_null = ffi.new_allocator(lambda n: NULL)
alloc_int = ffi.new_allocator(lambda n: cast("int", 5))
alloc_plain = ffi.new_allocator(should_clear_after_alloc=False)
"""

CASES = Cases(
    cdef=CDEF,
    setup=SETUP,
    expressions=r'''
    # 
    repr(ffi.gc(new('int *', 5), print))
    ffi.gc(new('int *', 5), lambda x: None)[0]
    order()
    raising()
    nested()
    twice()
    with_block()
    forget()
    cycle()
    resurrect()
    keeps_alive()
    first_item_keeps_alive()
    handle_cycle()
    weak()
    weak_key()
    alloc('int *', 3)
    alloc('int[]', 3)
    alloc('struct P *', [1, 2])
    alloc('struct P *', [1, 2])[0].y
    alloc('struct F *', [1, [1, 2]])
    alloc('struct F *', [1, [1, 2]]).a
    alloc_free('int *')
    alloc_free('int *', 'x')
    alloc_bad('int *')
    alloc_null('int *')
    alloc_int('int *')
    alloc_plain('int *')
    alloc('int')
    alloc('struct P[2]')
    alloc_free('int *').__exit__()
    ffi.new_allocator(free=len)
    ffi.release(alloc_free('struct P *')[0])
    ffi.release(new('int *'))
    ffi.release(new('struct P *')[0])
    ffi.release(cast('int', 5))
    ffi.release(NULL)
    ffi.release(5)
    repr(released_buffer())
    ffi.from_buffer(b'abc')
    ffi.from_buffer('int[]', bytearray(b'abcdefgh'))
    ffi.from_buffer('int *', bytearray(b'abcdefgh'))
    ffi.from_buffer('int[1]', bytearray(b'abcdefgh'))
    ffi.from_buffer('struct P *', bytearray(b'abcdefgh'))[0]
    ffi.new_handle(5)
    ffi.new_handle([1, 2])
    unlocks()
    destructor_in_time()
    ''',
    different={
        # A long chain of cdata that keep each other alive: CFFI overflows the C stack on some Pythons.
        "chain(lambda g: ffi.gc(g, lambda x: None))": "'gone'",
        "chain(forgotten)": "'gone'",
        # CFFI leaves a reference to memory that is gone.
        "inner_keeps_alive()":
            '{(True, True)}',
        # A pointer to memory that was given back is NULL, an array empty: CFFI reads what was there.
        'use(released_buffer(), lambda b: b[0])':
            "RuntimeError: cdata 'char[]' was released: its memory cannot be used any more",
        'use(released_buffer(), len)':
            '0',
        'use(released_gc(), lambda g: g[0])':
            "RuntimeError: cdata 'int *' was released: its memory cannot be used any more",
        'use(released_struct(), lambda g: g.x)':
            "RuntimeError: cdata 'struct P *' was released: its memory cannot be used any more",
        "use(released_struct(), lambda g: setfield(g, 'x', 1))":
            "RuntimeError: cdata 'struct P *' was released: its memory cannot be used any more",
    },
)
test_same, test_different = CASES.tests()
