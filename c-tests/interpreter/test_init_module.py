"""Init code is the code of the plugin's module: what it defines is found by its `__module__`."""

from harness import Ran, python

CDEF = "int probe(int which);"
INIT = '''
from __future__ import annotations
import dataclasses, enum, importlib.util, inspect, pickle, sys, typing, unittest.mock
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from modular import ffi, lib

@dataclasses.dataclass
class Item:
    name: str
    size: typing.Optional[int] = None
    LIMIT: typing.ClassVar[int] = 5

class Colour(enum.Enum):
    RED = 1

class Pair(typing.NamedTuple):
    a: int
    b: int

def helper(x=5):
    return x

def patched():
    with unittest.mock.patch(f"{__name__}.helper", return_value=9):
        return helper()

def in_a_process():
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        return pool.submit(helper, 7).result(60)

def attributes():
    module = sys.modules[__name__]
    return (
        vars(module) is globals() and module.helper is helper and module.ffi is ffi and module.lib is lib
        and __spec__ is importlib.util.find_spec("modular") and __spec__.loader is __loader__
        and __spec__.origin.rpartition("/")[2] in (__file__, "libmodular.so") and __package__ == ""
    )

PROBES = [
    lambda: len(dataclasses.fields(Item)),
    lambda: pickle.loads(pickle.dumps(Item("x", 3))).size,
    lambda: pickle.loads(pickle.dumps(Colour.RED)) is Colour.RED,
    lambda: pickle.loads(pickle.dumps(Pair(1, 2))).b,
    lambda: len(typing.get_type_hints(Item)),
    lambda: inspect.getsource(helper).count("\\n"),
    patched,
    in_a_process,
    attributes,
]

@ffi.def_extern(error=-1)
def probe(which):
    return PROBES[which]()
'''
ANSWERS = "2 3 1 2 3 2 9 7 1 "
HOST = """
    #include <stdio.h>
    #include "modular.h"
    int main(void)
    {
        for (int i = 0; i <= 8; i++)
            printf("%d ", probe(i));
        return 0;
    }
"""


def test_embedded(plugin, host, run):
    assert run(host(HOST, plugin(CDEF, INIT, name="modular"))) == Ran(ANSWERS)


def test_imported(plugin, run):
    """The same, with the import system's spec, and names for whoever imports it."""
    built = plugin(CDEF, INIT, name="modular")
    script = f"""
import importlib.util, sys
spec = importlib.util.spec_from_file_location("modular", {str(built.library)!r})
modular = importlib.util.module_from_spec(spec)
spec.loader.exec_module(modular)
assert modular.__spec__ is spec and sys.modules["modular"] is modular
print(*(int(modular.probe(i)) for i in range(9)), end=" ")
"""
    assert run(python(), "-c", script) == Ran(ANSWERS)


def test_start_that_failed_leaves_no_names(plugin, host, run):
    init = """
import os
from modular import ffi
assert "seen" not in globals()
seen = lib = 1
if not os.environ.get("GO"):
    os.environ["GO"] = "1"
    raise ValueError("first")

@ffi.def_extern(error=-1)
def probe(which):
    return seen
"""
    source = """
    #include <stdio.h>
    #include "modular.h"
    int main(void)
    {
        int first = modular_start(), second = modular_start();
        printf("%d %d %d", first < 0, second, probe(0));
        return 0;
    }
"""
    ran = run(host(source, plugin(CDEF, init, name="modular")))
    assert (ran.stdout, ran.code) == ("1 0 1", 0)
