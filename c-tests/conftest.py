"""Fixtures of the C tests: real hosts, compiled against generated headers and run as processes.

A test says what goes in (declarations, init code, a host) and the exact output, messages and exit status that
come out. See harness.py for what each fixture takes.
"""

import difflib
import os
import pathlib
import signal

import pytest
from harness import Ran, Workshop

# pytest cuts long explanations unless it believes to run in continuous integration; the cut part is the point here.
os.environ.setdefault("CI", "true")

# A shell's background job starts with SIGINT ignored, and so would every host that a test runs from it (POSIX, sh(1),
# "Asynchronous Lists"). The hosts are to start as a user's program does; a handler of our own is reset by exec.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def workshop(tmp_path_factory):
    return Workshop(tmp_path_factory.mktemp("c-tests"))


@pytest.fixture(scope="session")
def plugin(workshop):
    """plugin(cdef, init, name=..., args=[...], source=..., emit=False): builds with `keelback build`."""
    return workshop.plugin


@pytest.fixture(scope="session")
def host(workshop):
    """host(source, *plugins, link=True, cxx=False, cc=None, flags=[]): compiles a host."""
    return workshop.host


@pytest.fixture(scope="session")
def run(workshop):
    """run(program, *arguments, env={...}): runs it, returns a Ran."""
    return workshop.run


@pytest.fixture(scope="module")
def here(request):
    """The directory of the test's own sources."""
    return pathlib.Path(request.path).parent


def pytest_assertrepr_compare(op, left, right):
    """Shows what a program printed and what was expected line by line, whole."""
    if op != "==" or not (isinstance(left, Ran) and isinstance(right, Ran)):
        return None
    told = ["the program did not end as expected (- expected, + what came)"]
    for name in ("stdout", "stderr"):
        expected, came = getattr(right, name), getattr(left, name)
        if expected != came:
            told += difflib.unified_diff(expected.split("\n"), came.split("\n"), "expected " + name, name, lineterm="", n=100)
        elif came:
            told += [f"{name}, as expected:", *came.split("\n")]
    if left.code != right.code:
        told.append(f"exit status {left.code}, expected {right.code}")
    return told
