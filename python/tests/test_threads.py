"""Shared objects in many threads at once: nothing crashes, and each thread sees one of the states that are possible.

With a GIL the switches between threads are made as frequent as they can be; on a free-threaded Python the same test runs
in parallel. KEELBACK_STORM_SECONDS=N lets each script run for so long instead of some rounds.
"""
import subprocess
import sys
import textwrap

import pytest

PROLOGUE = """
import sys, threading, gc, itertools, os, time
import keelback
sys.setswitchinterval(1e-6)
ffi = keelback.FFI()
ffi.cdef('''
    struct point { int x, y; };
    struct node { struct node *next; int values[4]; int bits : 5; };
    int abs(int);
    size_t strlen(const char *);
    extern char **environ;
''')
lib = ffi.dlopen(None)
failures = []

def expect(kinds, function, *args):
    try:
        return function(*args)
    except kinds:
        return None

storm = float(os.environ.get("KEELBACK_STORM_SECONDS", 0))

def run(*bodies, threads=3, rounds=300):
    end = time.monotonic() + storm
    start = threading.Barrier(len(bodies) * threads)
    def work(body, number):
        try:
            start.wait()
            for turn in itertools.count():
                if time.monotonic() > end if storm else turn == rounds:
                    break
                body(number, turn)
        except BaseException as error:
            failures.append(repr(error))
            raise
    all_ = [threading.Thread(target=work, args=(body, number)) for body in bodies for number in range(threads)]
    for thread in all_: thread.start()
    for thread in all_: thread.join()
    assert not failures, failures
"""

# What runs together, on what.
SCRIPTS = {
    "release against use": """
        def make():
            kind = box["turn"] % 4
            box["turn"] += 1
            if kind == 0: return ffi.gc(ffi.new("struct point[4]"), lambda old: gone.append(1))
            if kind == 1: return ffi.from_buffer("struct point[]", bytearray(32))
            if kind == 2: return ffi.gc(ffi.new("struct point *"), lambda old: gone.append(1))
            return ffi.new_allocator(lambda n: ffi.new("char[]", n), lambda p: gone.append(1))("struct point *")
        gone, box = [], {"turn": 0}
        box["cdata"] = make()
        def use(number, turn):
            c = box["cdata"]
            expect(RuntimeError, lambda: c[0].x)
            expect(RuntimeError, lambda: setattr(c[0], "y", turn))
            expect((RuntimeError, ValueError), lambda: ffi.memmove(c, b"12345678", 8))
            expect(RuntimeError, lambda: bytes(ffi.buffer(c, 8)))
            repr(c), bool(c), hash(c), c == c
        def release(number, turn):
            ffi.release(box["cdata"])
            box["cdata"] = make()
        run(use, release)
    """,
    "declarations against types": """
        def declare(number, turn):
            ffi.cdef(f"struct s_{number}_{turn} {{ int a[{turn % 7 + 1}]; }}; typedef struct s_{number}_{turn} t_{number}_{turn};")
            assert ffi.sizeof(f"t_{number}_{turn}") == 4 * (turn % 7 + 1)
        def ask(number, turn):
            assert ffi.typeof(f"int[{turn % 50}]") is ffi.typeof(f"int [{turn % 50}]")
            assert ffi.new("struct node *", {"values": [1, 2]}).values[1] == 2
            assert len(ffi.typeof("struct node").fields) == 3
            ffi.list_types()
        run(declare, ask, rounds=120)
    """,
    "types that come and go": """
        def come_and_go(number, turn):
            text = f"int(*(*)(struct point[{turn % 5 + 1}]))[{turn % 3 + 1}]"
            one, two = ffi.typeof(text), keelback.FFI().typeof("int[%d][%d]" % (turn % 4 + 1, number + 1))
            assert one is ffi.typeof(text.replace("int(", "int ("))
            del one, two
        run(come_and_go, threads=6)
    """,
    "handles": """
        table = {}
        def make(number, turn):
            thing = [number, turn]
            handle = ffi.new_handle(thing)
            assert ffi.from_handle(handle) is thing
            address = ffi.cast("void *", int(ffi.cast("uintptr_t", handle)))
            table[number] = address
            assert ffi.from_handle(address) is thing
        def look(number, turn):
            address = table.get(number)
            if address is not None:
                found = expect(SystemError, ffi.from_handle, address)
                assert found is None or type(found) is list
        run(make, look, threads=4)
    """,
    "lib, calls, errno": """
        def call(number, turn):
            ffi.errno = number * 1000 + turn
            assert lib.abs(-turn) == turn and lib.strlen(b"abc") == 3 and lib.environ
            assert ffi.errno == number * 1000 + turn
            assert expect(AttributeError, lambda: lib.nosuch) is None
        def close(number, turn):
            own = keelback.FFI()
            own.cdef("double cos(double);")
            library = box.setdefault("lib", own.dlopen("libm.so.6"))
            assert expect(ValueError, lambda: library.cos(0.0)) in (None, 1.0)
            if turn % 10 == number:
                own.dlclose(library)
                box.pop("lib", None)
        box = {}
        run(call, close, rounds=150)
    """,
    "callbacks": """
        kept = [ffi.callback("int(int)", lambda n: n + 1)]
        def call(number, turn):
            assert kept[0](turn) == turn + 1
            own = ffi.callback("struct point(int)", lambda n: {"x": n, "y": number}, error=[0, 0])
            p = own(turn)
            assert (p.x, p.y) == (turn, number)
        def replace(number, turn):
            kept[0] = ffi.callback("int(int)", lambda n: n + 1)
        run(call, replace)
    """,
    "init_once": """
        made = []
        def once(number, turn):
            assert ffi.init_once(lambda: made.append(turn) or ("value", turn), turn) == ("value", turn)
        run(once, threads=6)
        assert sorted(made) == list(range(len(made))) and len(made) >= 300 or storm
    """,
    "one array": """
        array = ffi.new("int[64]")
        node = ffi.new("struct node *")
        iterator = [iter(array)]
        def write(number, turn):
            array[turn % 64] = turn
            array[0:4] = [turn] * 4
            node.bits = turn % 16
            node.values = [turn] * 4
            ffi.buffer(array)[8:12] = b"abcd"
        def read(number, turn):
            assert len(list(array)) == 64 and len(array[2:9]) == 7
            assert 0 <= node.bits < 16
            next(iterator[0], None)
            if turn % 30 == 0:
                iterator[0] = iter(array)
        run(write, read)
    """,
    "garbage": """
        class Node: pass
        def cycle(number, turn):
            node = Node()
            node.cdata = ffi.gc(ffi.new("int *", turn), lambda old: node)
            node.handle = ffi.new_handle(node)
            node.callback = ffi.callback("int(int)", lambda n: node)
            node.ffi = keelback.FFI()
            node.ffi.cdef("struct own { int x; };")
            node.own = node.ffi.new("struct own *")
        def collect(number, turn):
            gc.collect()
        run(cycle, threads=3, rounds=60)
        run(cycle, collect, threads=2, rounds=30)
    """,
    "first requests": """
        names = ["struct p", "p_t *", "union u", "enum e", "struct p[%d]", "int(*)(struct p *, long[%d])", "struct p ***"]
        def make():
            own = keelback.FFI()
            own.cdef("typedef struct p { int x; double w[3]; } p_t; union u { int i; float f; }; enum e { A, B = 5 };"
                     "struct q { p_t p; union u u[2]; };")
            return own, [{} for _ in range(8)]
        box = [make()]
        barrier = threading.Barrier(8)
        # All ask a new FFI at once for what nobody has asked for: one of each comes out.
        for turn in range(40 + int(storm * 20)):
            def ask(number):
                own, found = box[0]
                barrier.wait()
                for name in names[number % 3:] + names[:number % 3]:
                    name = name % (turn + 1) if "%" in name else name
                    found[number][name] = own.typeof(name)
                assert own.new("struct q *", [[1, [2, 3, 4]]]).p.w[2] == 4 and dict(own.typeof("struct q").fields)["p"].type is own.typeof("p_t")
                assert own.typeof("enum e").relements == {"A": 0, "B": 5}
                lib = own.dlopen(None)
                assert lib.B == 5
            threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            found = box[0][1]
            assert all(len(one) == len(names) for one in found)
            assert all(one[name] is found[0][name] for one in found for name in one), found
            box[0] = make()
    """,
    "buffers released while read": """
        def make():
            source = bytearray(b"x" * 64)
            return ffi.from_buffer("char[]", source), ffi.buffer(ffi.new("char[64]", b"y" * 64))
        box = [make()]
        def read(number, turn):
            array, buffer = box[0]
            for look in (lambda: bytes(ffi.buffer(array)), lambda: ffi.unpack(array, 64), lambda: ffi.string(array, 64), lambda: array[5] * 8):
                found = expect((RuntimeError, ValueError), look)
                assert found is None or bytes(found)[:8] == b"x" * 8, found
            assert buffer[:] == b"y" * 64 and bytes(memoryview(buffer)[3:5]) == b"yy"
        def release(number, turn):
            expect((RuntimeError, ValueError), ffi.release, box[0][0])
            box[0] = make()
        run(read, release, threads=4, rounds=150)
    """,
    "recursion limits": """
        import traceback
        limit = sys.getrecursionlimit()
        told = []
        @ffi.callback("int(int)", onerror=lambda kind, error, tb: told.append(kind))
        def deeper(n):
            return deeper(n + 1)
        def recurse(number, turn):
            deeper(0)
        run(recurse, threads=8, rounds=4)
        assert set(told) == {RecursionError} and sys.getrecursionlimit() == limit, (set(told), sys.getrecursionlimit())
    """,
    "ffis that include each other": """
        base = keelback.FFI()
        base.cdef("struct base { int x; };")
        def include(number, turn):
            own = keelback.FFI()
            own.include(base)
            own.cdef("struct more { struct base b; };")
            assert own.new("struct more *", [[turn]]).b.x == turn and own.typeof("struct base") is base.typeof("struct base")
        def extend(number, turn):
            base.cdef(f"struct extra_{number}_{turn} {{ int x; }};")
        run(include, extend, rounds=80)
    """,
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_many_threads(script):
    child = subprocess.run(
        [sys.executable, "-c", PROLOGUE + textwrap.dedent(script) + "\nprint('done')"],
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert (child.returncode, child.stdout) == (0, "done\n"), child.stderr[-3000:]
