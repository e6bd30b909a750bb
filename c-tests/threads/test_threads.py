"""Calls from threads that Python did not create."""

import pytest
from harness import Ran


@pytest.fixture(scope="module")
def threads(plugin, here):
    return plugin(here / "api.h", here / "init.py", name="threads")


def test_first_call_from_another_thread(threads, host, run, here):
    assert run(host(here / "elsewhere.c", threads)) == Ran(
        "thread: 42, init code on it: 1\n"
        "main: 3, init code on it: 0\n"
        # The thread that ran the init code has ended; the next one may have its number.
        "thread: 42, init code on it: 1\n"
        "init code ran 1 time(s)\n"
    )


@pytest.mark.parametrize("count", [2, 8, 32])
def test_racing_first_calls(threads, host, run, here, count):
    assert run(host(here / "race.c", threads), count) == Ran(f"{count} threads, 0 wrong results, init code ran 1 time(s)\n")


def test_states_end_with_their_threads(threads, host, run, here):
    assert run(host(here / "short_lived.c", threads)) == Ran("sum 1000, states before 1, after 1\n")


INIT = """
    import ctypes
    import time

    from {this} import ffi

    # Both init codes are under way when they call each other.
    time.sleep(0.2)
    other = ctypes.CDLL("{library}").{other}

    @ffi.def_extern()
    def {this}(depth):
        return {weight} if depth == 0 else {weight} + other(depth - 1)

    called = other(0)
"""


def test_init_codes_that_call_each_other(plugin, host, run, here):
    """Two plugins' first calls race, and each init code calls the other plugin: no deadlock.

    One start-up lock serves both: the second thread waits, and the first runs both init codes."""
    built = []
    for this, other, weight in (("left", "right", 1), ("right", "left", 10)):
        init = INIT.format(this=this, other=other, library=f"lib{other}.so", weight=weight)
        built.append(plugin(f"int {this}(int depth);", init, name=this))
    program = host(here / "two_plugins.c", *built)
    ran = run(program, env={"LD_LIBRARY_PATH": ":".join(str(one.directory) for one in built)})
    assert ran == Ran("left 11 right 11\n")
