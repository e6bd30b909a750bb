"""The end of the interpreter: what a script holds goes as in any other script, types are made once, and C may call back
into Python on the thread that ends it. Each script runs under CFFI and under Keelback, and both print the same."""
import subprocess
import sys

import pytest

from sub_interpreters import INTERPRETERS

IMPLEMENTATIONS = ["keelback", "cffi"]

BUILD = """
import IMPL
ffi = IMPL.FFI()
ffi.cdef('''
    typedef struct bag bag;
    bag *bag_new(int n);
    void bag_each(bag *b, void (*visit)(int item, void *data), void *data);
    void bag_free(bag *b);
    extern "Python" void visit(int, void *);
    extern "Python" int fails(int);
''')
ffi.set_source("_bag", '''
    #include <stdlib.h>
    typedef struct bag { int n; } bag;
    static bag *bag_new(int n) { bag *b = malloc(sizeof *b); b->n = n; return b; }
    static void bag_each(bag *b, void (*visit)(int, void *), void *data) { for (int i = 0; i < b->n; i++) visit(i, data); }
    static void bag_free(bag *b) { free(b); }
''')
ffi.compile()
"""

START = """
import os
from _bag import ffi, lib

def say(text, write=os.write):
    write(1, text.encode() + b"\\n")

class Noisy:
    def __init__(self, name):
        self.name = name
    def __del__(self, say=say):
        say("del " + self.name)
"""

SCRIPTS = {
    "attached": (
        """
@ffi.def_extern()
def visit(item, data, noisy=Noisy("default")):
    pass
kept = open("kept.txt", "w")
kept.write("kept until the end")
""",
        "del default\n",
        "kept until the end",
    ),
    "error handler": (
        """
def onerror(*args, noisy=Noisy("onerror")):
    pass
@ffi.def_extern(onerror=onerror)
def fails(x):
    raise ValueError
""",
        "del onerror\n",
        None,
    ),
    "replaced": (
        """
@ffi.def_extern(name="visit")
def first(item, data, noisy=Noisy("first")):
    pass
del first
@ffi.def_extern(name="visit")
def second(item, data, noisy=Noisy("second")):
    pass
say("end")
""",
        "del first\nend\ndel second\n",
        None,
    ),
    "called back from an atexit function": (
        """
import atexit
@ffi.def_extern()
def visit(item, data):
    say("item %d" % item)
def at_end():
    bag = lib.bag_new(2)
    lib.bag_each(bag, lib.visit, ffi.NULL)
    lib.bag_free(bag)
atexit.register(at_end)
""",
        "item 0\nitem 1\n",
        None,
    ),
}


@pytest.fixture(scope="module", params=IMPLEMENTATIONS)
def module(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("end")
    build = BUILD.replace("IMPL", request.param)
    subprocess.run([sys.executable, "-c", build], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_ends(module, name):
    folder = module
    script, wanted, kept = SCRIPTS[name]
    ran = subprocess.run(
        [sys.executable, "-c", START + script], cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert (ran.stdout, ran.stderr, ran.returncode) == (wanted, "", 0)
    if kept is not None:
        assert (folder / "kept.txt").read_text() == kept


BAGS = """
from _bag import ffi, lib

@ffi.def_extern()
def visit(item, data):
    ffi.from_handle(data).append(item)

@ffi.callback("void(int, void *)")
def each(item, data):
    ffi.from_handle(data).append(item)

def free(bag):
    for function in lib.visit, each:
        found = []
        handle = ffi.new_handle(found)
        lib.bag_each(bag, function, handle)
        print("visited", len(found), flush=True)
    lib.bag_free(bag)

class Bag:
    def __init__(self, n):
        self.bag = ffi.gc(lib.bag_new(n), free)
        self.me = self      # a ring: the collector finds it, at the latest that of the interpreter's end
"""


def test_c_calls_back_from_destructors(module):
    (module / "bags.py").write_text(BAGS)
    script = "import bags; kept = bags.Bag(3); print('kept', flush=True)"
    ran = subprocess.run([sys.executable, "-c", script], cwd=module, capture_output=True, text=True, timeout=60)
    assert (ran.stdout, ran.stderr, ran.returncode) == ("kept\nvisited 3\nvisited 3\n", "", 0)


@pytest.mark.parametrize("module", ["keelback"], indirect=True)
def test_what_init_once_keeps_goes(module):
    """CFFI keeps it for ever."""
    script = START + "ffi.init_once(lambda: Noisy('once'), 'tag')"
    ran = subprocess.run([sys.executable, "-c", script], cwd=module, capture_output=True, text=True, timeout=60)
    assert (ran.stdout, ran.stderr, ran.returncode) == ("del once\n", "", 0)


IN_LINE = """
import gc, os, sys
import IMPL
outcomes = []

def make(note):
    ffi = IMPL.FFI()
    ffi.cdef('''
        struct odd { int a; short b[7]; };
        enum hue { RED, GREEN };
        typedef union { int i; float f; } both;
        void qsort(void *, size_t, size_t, int (*)(const struct odd *, const struct odd *));
    ''')
    lib = ffi.dlopen(None)

    @ffi.callback("int(const struct odd *, const struct odd *)")
    def compare(a, b):
        return a.a - b.a

    items = ffi.new("struct odd[3]", [[3], [1], [2]])
    hue = ffi.cast("enum hue", 1)

    def free(p):
        lib.qsort(items, 3, ffi.sizeof("struct odd"), compare)
        note("%s %s %s %s" % (
            [items[i].a for i in range(3)], ffi.typeof(items[0]) is ffi.typeof("struct odd"),
            ffi.typeof(hue) is ffi.typeof("enum hue"), ffi.typeof("both *").item is ffi.typeof("both")))

    class Ring:
        pass

    ring = Ring()
    ring.me, ring.all, ring.p = ring, (ffi, lib, compare, hue), ffi.gc(ffi.new("int *"), free)
    return ring

for _ in range(3):
    make(outcomes.append)
    gc.collect()
print(outcomes, flush=True)
kept = make(lambda text, write=os.write: write(1, text.encode()))
"""


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_types_in_collected_cycles_are_made_once(implementation, tmp_path):
    line = "[1, 2, 3] True True True"
    ran = subprocess.run(
        [sys.executable, "-c", IN_LINE.replace("IMPL", implementation)],
        cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (ran.stdout, ran.stderr, ran.returncode) == (f"{[line] * 3}\n{line}", "", 0)


def test_micropython_callbacks_let_go_of_their_functions(tmp_path):
    script = """
import os
from keelback.micropython import ffi
class Noisy:
    def __del__(self, write=os.write):
        write(1, b"del\\n")
noisy = Noisy()
kept = open("kept.txt", "w")
kept.write("kept")
def compare(a, b):
    return 0
callback = ffi.callback("i", compare, "PP")
"""
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (ran.stdout, ran.stderr, ran.returncode) == ("del\n", "", 0)
    assert (tmp_path / "kept.txt").read_text() == "kept"


SUB_FIRST = """
import os
sub = create()
# From 3.13 on it returns what went wrong, before it raised it.
assert interpreters.run_string(sub, "import sys; sys.path.insert(0, '.'); import FIRST") is None
if not LATE:
    interpreters.destroy(sub)
from _bag import ffi, lib

@ffi.def_extern()
def visit(item, data):
    os.write(1, b"visit %d\\n" % item)

if LATE:
    interpreters.destroy(sub)
bag = lib.bag_new(2)
lib.bag_each(bag, lib.visit, ffi.NULL)
kept = open("kept.txt", "w")
kept.write("kept")
"""


@pytest.mark.parametrize("module", ["keelback"], indirect=True)
@pytest.mark.parametrize("first", ["_bag", "keelback"])
@pytest.mark.parametrize("late", [False, True])
def test_a_sub_interpreter_comes_first(module, first, late):
    """It imports without PyGILState, which does not know it, and its end is not Python's."""
    script = INTERPRETERS + SUB_FIRST.replace("FIRST", first).replace("LATE", str(late))
    ran = subprocess.run([sys.executable, "-c", script], cwd=module, capture_output=True, text=True, timeout=60)
    assert (ran.stdout, ran.stderr, ran.returncode) == ("visit 0\nvisit 1\n", "", 0)
    assert (module / "kept.txt").read_text() == "kept"
