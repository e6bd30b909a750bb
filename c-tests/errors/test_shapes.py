"""`def_extern` at the start: functions that no call from C can succeed with, which the build cannot see."""

import pytest

CDEF = "int take(int a, int b); int none(void);"
# Each attaches something to `take`, which has two parameters: what it is, and what is said of it.
CALLABLES = {
    "lambda a: 0": "takes 1 argument, and C calls it with 2",
    "lambda: 0": "takes no arguments, and C calls it with 2",
    "lambda a, b, c, d=1: 0": "takes 3 to 4 arguments, and C calls it with 2",
    "lambda a, b, c, *more: 0": "takes at least 3 arguments, and C calls it with 2",
    "lambda a, b, *, c, d, e=1: 0": "must be given 'c' and 'd' by keyword, which C cannot do",
    "lambda a, b: (yield)": "gives a generator when it is called, and no result",
    "coroutine": "gives a coroutine when it is called, and no result",
    "stream": "gives an asynchronous generator when it is called, and no result",
    "Counter().one": "takes 1 argument, and C calls it with 2",
    "Counter.one_of_class": "takes 1 argument, and C calls it with 2",
    "Counter()": "takes 1 argument, and C calls it with 2",
    "functools.partial(three, 1, 2)": "takes 1 argument, and C calls it with 2",
    "functools.partial(Counter().three, 1, 2)": None,
    "lambda a, b: 0": None,
    "lambda *both: 0": None,
    "lambda a, b=1, *c, d=2, **e: 0": None,
    "Counter().two": None,
    "Counter.two_of_none": None,
    "functools.partial(three, 1)": None,
    "functools.partial(three, c=1)": None,
    "decorated": None,
    "max": None,
    "Counter": None,
    "type('Callable', (), {'__call__': max})()": None,
    "type('Static', (), {'__call__': staticmethod(lambda a, b: 0)})()": None,
    "type('OfClass', (), {'__call__': classmethod(lambda c, a, b: 0)})()": None,
    "type('Derived', (Counter,), {})()": "takes 1 argument, and C calls it with 2",
}
INIT = """
    import functools
    from shapes import ffi

    async def coroutine(a, b): return 0
    async def stream(a, b): yield 0
    def three(a, b, c): return 0
    class Counter:
        def __call__(self, a): return 0
        def one(self, a): return 0
        def two(self, a, b): return 0
        def three(self, a, b, c): return 0
        @classmethod
        def one_of_class(cls, a): return 0
        @staticmethod
        def two_of_none(a, b): return 0
    @functools.wraps(lambda a: 0)
    def decorated(*arguments): return 0

    ffi.def_extern(name="none")(lambda: 7)
"""
HOST = """
    #include <stdio.h>
    #include "shapes.h"

    int main(void)
    {
        printf("start %d\\n", shapes_start());
        printf("none %d\\n", none());
        return 0;
    }
"""


def init(callables):
    lines = [f"    ffi.def_extern(name='ta' + 'ke')({callable})\n" for callable in callables]
    return INIT + "".join(lines)


def test_warnings(plugin, host, run):
    """In the order of the lines; nothing of what can be called, or of what nobody knows."""
    shapes = plugin(CDEF, init(CALLABLES), name="shapes")
    ran = run(host(HOST, shapes))
    assert ran.stdout == "start 0\nnone 7\n"
    said = [line.partition("UserWarning: ")[2] for line in ran.stderr.splitlines() if "UserWarning: " in line]
    assert said == [f"ffi.def_extern('take'): 'take' {what}" for what in CALLABLES.values() if what]


@pytest.mark.parametrize("callable", ["lambda a: 0", "lambda a, b: 0"])
def test_strict(plugin, host, run, callable):
    """What was built with --strict does not start."""
    shapes = plugin(CDEF, init([callable]), name="shapes", args=["--strict"])
    ran = run(host(HOST, shapes))
    if CALLABLES[callable] is None:
        assert (ran.stdout, ran.stderr) == ("start 0\nnone 7\n", "")
        return
    assert ran.stdout == "start -3\nnone 0\n"
    assert (
        "TypeError: ffi.def_extern('take'): 'take' takes 1 argument, and C calls it with 2 (the library was built with "
        "--strict)"
    ) in ran.stderr
