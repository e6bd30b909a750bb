"""Fixtures of the C tests: real hosts, compiled against generated headers and run as processes.

A test says what goes in (declarations, init code, a host) and the exact output, messages and exit status that
come out. See harness.py for what each fixture takes.
"""

import pathlib

import pytest
from harness import Workshop


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
