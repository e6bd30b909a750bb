"""Neighbours of "init code is a module": packages, reloads, two plugins in one process."""

from harness import Ran

HOST = """
    #include <stdio.h>
    #include "{header}"
    int main(void)
    {{
        printf("%d %d\\n", probe(0), probe(1));
        return 0;
    }}
"""


def test_a_dotted_name_has_its_package(plugin, host, run):
    """`__package__` is the package, as for a module of it that Python imports, and there are no relative surprises."""
    init = """
import sys
from outer.inner import ffi

@ffi.def_extern(error=-1)
def probe(which):
    if which == 0:
        return (__name__, __package__, __spec__.name, __spec__.parent) == ("outer.inner", "outer", "outer.inner", "outer")
    return sys.modules["outer.inner"].__dict__ is globals()
"""
    built = plugin("int probe(int which);", init, name="outer.inner")
    assert run(host(HOST.format(header="outer.inner.h"), built)) == Ran("1 1\n")


TWO_HOST = """
    #include <stdio.h>
    #include "one.h"
    #include "two.h"
    int main(void)
    {
        printf("%d", one_probe());
        printf(" %d", two_probe());
        printf(" %d\\n", one_probe());
        return 0;
    }
"""
TWO_INIT = """
import pickle, sys
from {name} import ffi, lib

class Same:
    pass

def helper():
    return {value}

@ffi.def_extern(error=-1)
def {name}_probe():
    module = sys.modules[__name__]
    assert __name__ == "{name}" and module.helper is helper and module.lib is lib
    assert type(pickle.loads(pickle.dumps(Same()))) is Same and Same.__module__ == "{name}"
    other = sys.modules.get("{other}")
    assert other is None or other.helper is not helper and other.ffi is not ffi
    return module.helper()
"""


def test_two_plugins_have_names_of_their_own(plugin, host, run):
    one = plugin("int one_probe(void);", TWO_INIT.format(name="one", other="two", value=1), name="one")
    two = plugin("int two_probe(void);", TWO_INIT.format(name="two", other="one", value=2), name="two")
    assert run(host(TWO_HOST, one, two)) == Ran("1 2 1\n")


POOL_INIT = """
import multiprocessing, operator, sys
from concurrent.futures import ProcessPoolExecutor
from pooled import ffi

def helper(x):
    return x + 1

@ffi.def_extern(error=-1)
def probe(which):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        if which == 0:
            return pool.submit(operator.neg, 7).result(60)
        try:
            return pool.submit(helper, 7).result(60)
        except Exception as error:
            sys.stderr.flush()
            return -len(type(error).__name__)
"""


def test_pools_of_new_processes(plugin, host, run):
    """A process that is no fork has no plugin in it: functions of modules work there, the init code's own do not."""
    # The pool writes to processes that have ended: a host that leaves SIGPIPE at its default would end.
    built = plugin("int probe(int which);", POOL_INIT, name="pooled", args=["--ignore-sigpipe"])
    ran = run(host(HOST.format(header="pooled.h"), built))
    assert (ran.stdout, ran.code) == (f"-7 {-len('BrokenProcessPool')}\n", 0)
    assert "ModuleNotFoundError: No module named 'pooled'\n" in ran.stderr
