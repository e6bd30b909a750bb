"""Memory that is not there: NULL, and what ffi.release() gave back. Whatever is done with it raises or says something
true; nothing crashes, nothing reads or writes through it."""
import os
import subprocess
import sys
from pathlib import Path

import keelback
import pytest

CDEF = """
    struct P { int x, y; };
    struct N { struct P p; struct P *q; int arr[3]; char name[8]; struct { int k; }; wchar_t w[4]; int b : 3;
               float _Complex z; long double ld; };
    struct F { int n; short a[]; };
    union U { int a; double b; };
    struct O;
    enum E { A, B };
    typedef int (*fn_t)(int);
    int abs(int);
    size_t strlen(const char *);
"""

POINTERS = """
    int *, char *, wchar_t *, _Bool *, double *, long double *, float _Complex *, struct P *, struct N *, struct F *,
    union U *, void *, struct O *, fn_t, fn_t *, int **, struct P **, int(*)[3], int(*)[], struct P(*)[2], enum E *,
    char(*)[4], int[3], struct P[2], char[4], FILE *
"""


def dead(ffi):
    """{what: a function that makes a cdata without memory}"""
    kinds = {name.strip(): lambda name=name: ffi.cast(name.strip(), 0) for name in POINTERS.split(",")}
    alloc = ffi.new_allocator(lambda size: ffi.new("char[]", size), lambda memory: None)

    def released(cdata, result=None):
        ffi.release(cdata)
        return cdata if result is None else result

    def released_view():
        cdata = alloc("struct N *")
        view = cdata[0]
        return released(cdata, view)

    def released_buffer():
        cdata = ffi.from_buffer("char[]", bytearray(64))
        view = ffi.buffer(cdata)
        return released(cdata, view)

    kinds["a NULL field"] = lambda: ffi.new("struct N *").q
    kinds["an empty slice of NULL"] = lambda: ffi.cast("int *", 0)[0:0]
    kinds["released gc"] = lambda: released(ffi.gc(ffi.new("struct N *"), lambda old: None))
    kinds["released gc array"] = lambda: released(ffi.gc(ffi.new("struct N[2]"), lambda old: None))
    kinds["released function"] = lambda: released(ffi.gc(ffi.cast("fn_t", ffi.dlopen(None).abs), lambda old: None))
    kinds["released from_buffer"] = lambda: released(ffi.from_buffer("struct P[]", bytearray(64)))
    kinds["released from_buffer pointer"] = lambda: released(ffi.from_buffer("struct N *", bytearray(640)))
    kinds["released from_buffer char"] = lambda: released(ffi.from_buffer("char[]", bytearray(64)))
    kinds["released allocator"] = lambda: released(alloc("struct N *"))
    kinds["p[0] of a released allocator"] = released_view
    kinds["ffi.buffer of a released from_buffer"] = released_buffer
    return kinds


OPERATIONS = """
    c[0]
    c[1]
    c[-1]
    c[0:1]
    c[0:2]
    c[0:0]
    c[5:9]
    c.x
    c.y
    c.p
    c.arr
    c.k
    c.b
    c.name
    c.z
    c.a
    setattr(c,'x',1)
    setattr(c,'b',1)
    setattr(c,'p',[1,2])
    setattr(c,'arr',[1,2])
    setattr(c,'name',b'ab')
    setattr(c,'w','ab')
    c.__setitem__(0, 1)
    c.__setitem__(0, [1])
    c.__setitem__(0, {})
    c.__setitem__(0, b'a')
    c.__setitem__(slice(0,2), [1,2])
    c.__setitem__(slice(0,2), b'ab')
    c.__setitem__(slice(0,1), [[1,2]])
    c.__setitem__(slice(0,0), [])
    list(c)
    [x for x in c]
    len(c)
    bool(c)
    repr(c)
    hash(c)
    dir(c)
    c == c
    c < c
    c + 1
    c - 1
    c - c
    c()
    c(1)
    int(c)
    float(c)
    complex(c)
    ffi.buffer(c)[:]
    ffi.buffer(c, 4)[:]
    bytes(ffi.buffer(c, 4))
    memoryview(ffi.buffer(c, 4))[0]
    bytearray(ffi.buffer(c,4))
    ffi.buffer(c,4).__setitem__(0, b'x')
    ffi.buffer(c,4).__setitem__(slice(0,4), b'xxxx')
    ffi.buffer(c,4) == b'abcd'
    list(ffi.buffer(c,4))
    ffi.from_buffer(ffi.buffer(c,4))[0]
    ffi.string(c)
    ffi.string(c, 3)
    ffi.unpack(c, 1)
    ffi.unpack(c, 0)
    ffi.unpack(c, 3)
    ffi.memmove(c, b'abcd', 4)
    ffi.memmove(bytearray(4), c, 4)
    ffi.memmove(c, c, 4)
    ffi.memmove(c, c, 0)
    ffi.addressof(c)
    ffi.addressof(c, 'x')
    ffi.addressof(c, 0)
    ffi.addressof(c, 1)
    ffi.addressof(c, 'p', 'x')
    ffi.addressof(c, 'arr', 2)
    ffi.addressof(c, 0, 'x')
    ffi.sizeof(c)
    ffi.typeof(c)
    ffi.gc(c, lambda x: None) is None
    ffi.release(c)
    ffi.from_handle(c)
    ffi.from_handle(ffi.cast('void *', c))
    ffi.new('struct P *', c)
    ffi.new('struct N *', [c])
    ffi.new('struct N *', {'q': c}) is None
    ffi.new('int[3]', c)
    ffi.new('struct P[2]', [c])
    ffi.new('int **', c) is None
    ffi.cast('int *', c) is None
    ffi.cast('int', c)
    ffi.cast('double', c)
    ffi.callback('int(struct P)', lambda p: p.x)(c)
    ffi.callback('int(struct P *)', lambda p: p.x)(c)
    ffi.callback('struct P(int)', lambda n: c)(1)
    ffi.callback('int(int)', lambda n: c)(1)
    ffi.callback('int *(int)', lambda n: c)(1)
    c.__enter__()
    c.__exit__(None,None,None)
    iter(c)
    next(iter(c))
    ffi.new('int[4]').__setitem__(slice(0,2), c)
    ffi.new('char[4]').__setitem__(slice(0,4), c)
    ffi.new('struct P *').__setitem__(0, c)
    ffi.offsetof('struct P', c)
    ffi.dlopen(c)
    ffi.typeof(c).fields
    c[ffi.cast('int', 0)]
    ffi.new('int[]', c)
    ffi.new('int *', c)
    ffi.cast('struct P *', c).x if ffi.cast('intptr_t', c) == 0 else 0
    ffi.cast('int[3]', c)[0] if int(ffi.cast('intptr_t', c)) == 0 else 0
    ffi.cast('int(*)[3]', c)[0][0] if int(ffi.cast('intptr_t', c)) == 0 else 0
    ffi.cast('struct N *', c).p.x if int(ffi.cast('intptr_t', c)) == 0 else 0
    ffi.cast('struct N *', c)[0].p.x if int(ffi.cast('intptr_t', c)) == 0 else 0
    ffi.cast('struct N *', c)[1].p.x if int(ffi.cast('intptr_t', c)) == 0 else 0
    ffi.cast('struct N **', c)[0].p.x if int(ffi.cast('intptr_t', c)) == 0 else 0
    ffi.cast('struct F *', c).a[0] if int(ffi.cast('intptr_t', c)) == 0 else 0
"""


def run_all():
    """Every operation with every kind, as far as none kills the process; prints where it is."""
    ffi = keelback.FFI()
    ffi.cdef(CDEF)
    lib = ffi.dlopen(None)
    sys.unraisablehook = lambda unraisable: None
    number = 0
    for name, make in dead(ffi).items():
        for operation in OPERATIONS.strip().splitlines():
            print(f"{name}: {operation.strip()}", flush=True)
            try:
                repr(eval(operation.strip(), {"c": make(), "ffi": ffi, "lib": lib}))
            except SystemError:
                if "from_handle" not in operation:
                    raise
            except Exception:
                pass
            number += 1
    print(f"{number} operations", flush=True)


def test_no_operation_crashes():
    code = "import test_memory_safety; test_memory_safety.run_all()"
    child = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True, timeout=600
    )
    last = child.stdout.splitlines()[-1:]
    assert child.returncode == 0 and last and last[0].endswith(" operations"), (last, child.stderr[-2000:])
    assert int(last[0].split()[0]) > 4000


RAISE = """
    c.x
    c.x = 1
    c[0]
    c[0] = {}
    c[0].x
    c[0:1]
    c[0:1] = [{}]
    ffi.buffer(c, 4)[0]
    ffi.buffer(c, 4)[0:2]
    ffi.buffer(c, 4)[0] = b"x"
    bytes(ffi.buffer(c, 4))
    ffi.unpack(c, 1)
    ffi.memmove(c, b"abcd", 4)
    ffi.memmove(bytearray(4), c, 4)
    ffi.addressof(c, "x")
    ffi.addressof(c[0])
    ffi.new("struct P *", c[0])
    ffi.callback("int(struct P)", lambda p: p.x)(c[0])
"""


@pytest.mark.parametrize("statement", [line.strip() for line in RAISE.strip().splitlines()])
def test_no_memory_is_a_runtime_error(statement):
    ffi = keelback.FFI()
    ffi.cdef(CDEF)
    released = ffi.gc(ffi.new("struct P *"), lambda old: None)
    ffi.release(released)
    buffered = ffi.from_buffer("struct P *", bytearray(8))
    ffi.release(buffered)
    allocated = ffi.new_allocator(lambda size: ffi.new("char[]", size))("struct P *")
    ffi.release(allocated)
    for c in (ffi.cast("struct P *", 0), released, buffered, allocated):
        with pytest.raises(RuntimeError):
            exec(statement, {"c": c, "ffi": ffi})


TEXT = """
    ffi.string(c)
    ffi.string(c, 2)
    ffi.unpack(c, 2)
    c[0]
    c[0] = b"x"
    list(c[0:1])
    ffi.buffer(c, 2)[:]
"""


@pytest.mark.parametrize("statement", [line.strip() for line in TEXT.strip().splitlines()])
def test_no_text_is_a_runtime_error(statement):
    ffi = keelback.FFI()
    released = ffi.from_buffer("char *", bytearray(8))
    ffi.release(released)
    for c in (ffi.cast("char *", 0), released):
        with pytest.raises(RuntimeError):
            exec(statement, {"c": c, "ffi": ffi})


def test_a_released_array_has_no_items():
    ffi = keelback.FFI()
    ffi.cdef(CDEF)
    array = ffi.from_buffer("struct P[]", bytearray(64))
    ffi.release(array)
    assert len(array) == 0
    for statement in ("array[0]", "array[0:1]", "list(array)", "array[0] = {}", "array[0:1] = [{}]", "ffi.unpack(array, 1)"):
        with pytest.raises(RuntimeError, match="^cdata 'struct P\\[\\]' was released: |NULL|RELEASED"):
            exec(statement, {"array": array, "ffi": ffi})


def test_a_view_of_released_memory():
    """`p[0]` keeps the memory of an allocator's pointer alive, but not beyond ffi.release()."""
    ffi = keelback.FFI()
    ffi.cdef(CDEF)
    p = ffi.new_allocator(lambda size: ffi.new("char[]", size))("struct P *", [1, 2])
    view = p[0]
    buffer = ffi.buffer(ffi.addressof(view))
    assert view.y == 2 and len(buffer) == 8
    ffi.release(p)
    text = "^cdata 'struct P' was released: its memory cannot be used any more$"
    for statement in (
        "view.x", "view.x = 1", "ffi.addressof(view)", "ffi.addressof(view, 'y')", "ffi.new('struct P *', view)",
        "ffi.callback('int(struct P)', lambda p: p.x)(view)", "ffi.gc(view, print)", "ffi.new('struct P[1]', [view])",
    ):  # fmt: skip
        with pytest.raises(RuntimeError, match=text):
            exec(statement, {"view": view, "ffi": ffi})


def test_memmove_knows_what_is_behind_a_part():
    ffi = keelback.FFI()
    ffi.cdef(CDEF)
    numbers = ffi.new("int[8]")
    part = numbers[6:8]
    ffi.memmove(part, bytes(8), 8)
    ffi.memmove(numbers[0:2], bytes(32), 32)
    with pytest.raises(ValueError, match="^memmove of 9 bytes: the destination has only 8$"):
        ffi.memmove(part, bytes(9), 9)
    n = ffi.new("struct N *")
    behind = ffi.sizeof("struct N") - ffi.offsetof("struct N", "arr")
    ffi.memmove(n.arr, bytes(behind), behind)
    with pytest.raises(ValueError, match=f"^memmove of {behind + 1} bytes: the source has only {behind}$"):
        ffi.memmove(bytearray(behind + 1), n.arr, behind + 1)


def test_no_number_is_taken_for_a_handle():
    """In a process of its own: a handle that another test left is one too."""
    script = """
import random
import keelback

ffi = keelback.FFI()
things = [[n] for n in range(50)]
handles = [ffi.new_handle(thing) for thing in things]
living = {int(ffi.cast("uintptr_t", handle)): thing for handle, thing in zip(handles, things)}
draw = random.Random(1)
numbers = [0, 1, 2**63, 2**64 - 1, 2**64 - 16, 2**47, id(things), id(None)]
numbers += [address + offset for address in living for offset in range(-40, 41)]
numbers += [draw.getrandbits(64) for _ in range(2000)]


def refused(number):
    try:
        ffi.from_handle(ffi.cast("void *", number))
    except (SystemError, RuntimeError) as error:
        return type(error), str(error)


for number in numbers:
    if number in living:
        assert ffi.from_handle(ffi.cast("void *", number)) is living[number]
    else:
        assert refused(number), hex(number)
gone = list(living)
del handles, living, things
for number in gone:
    kind, text = refused(number)
    assert kind is SystemError and text.startswith("ffi.from_handle(): dead or bogus handle"), text
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_libraries_stay_open_while_python_ends(tmp_path):
    """Destructors of C objects, and C's own threads, run until the very end: their library must be there."""
    from c_library import compile_library

    library = compile_library(
        """
        #include <pthread.h>
        #include <unistd.h>
        static volatile int number;
        static void *run(void *data) { for (;;) { number++; } return data; }
        void start(void) { pthread_t thread; pthread_create(&thread, 0, run, 0); pthread_detach(thread); }
        void *make(void) { return (void *)&number; }
        void destroy(void *p) { number += p == &number; }
        """,
        "-pthread",
    )
    script = tmp_path / "script.py"
    script.write_text(
        f"""
import keelback
ffi = keelback.FFI()
ffi.cdef("void start(void); void *make(void); void destroy(void *);")
class Holder:
    pass
def use():
    lib = ffi.dlopen({library!r})
    lib.start()
    holder = Holder()
    # A cycle: found by the garbage collector, when Python ends, in whatever order.
    holder.itself, holder.lib, holder.made = holder, lib, ffi.gc(lib.make(), lib.destroy)
    holder.again = [ffi.gc(lib.make(), lib.destroy) for _ in range(20)]
use()
kept = ffi.dlopen({library!r})
made = ffi.gc(kept.make(), kept.destroy)
"""
    )
    for _ in range(10):
        child = subprocess.run([sys.executable, script], capture_output=True, text=True, env=dict(os.environ))
        assert (child.returncode, child.stderr) == (0, "")
