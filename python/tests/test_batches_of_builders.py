"""embedding_api(batch=): the library that compile() makes has the batch, and what cannot have one is told."""

import subprocess
import sys

import keelback
import pytest

INIT = """
from rates import ffi

@ffi.def_extern(error=-1)
def rate(x):
    return 1 / x

@ffi.def_extern(error=-1, batch=True)
def twice(x, result):
    for index in range(len(x)):
        result[index] = 2 * x[index]
"""
# The library is called by another process, which has no Python of Keelback's.
CALLER = """
import ctypes, sys
library = ctypes.PyDLL(sys.argv[1])
three = ctypes.c_double * 3
result = three()
for name in ("rate_n", "twice_n"):
    getattr(library, name)(ctypes.c_size_t(3), three(1, 0, 4), result)
    print(list(result))
"""


def builder(text, **options):
    ffi = keelback.FFI()
    ffi.embedding_api(text, **options)
    ffi.set_source("rates", "")
    ffi.embedding_init_code(INIT)
    return ffi


@pytest.mark.parametrize("batch", ["twice", ["twice"], ("twice", "rate")])
def test_the_library_has_it(tmp_path, batch):
    ffi = builder("double rate(double x); /* keelback: batch */\ndouble twice(double x);\n", batch=batch)
    library = ffi.compile(tmpdir=str(tmp_path), target="librates.so")
    ran = subprocess.run([sys.executable, "-c", CALLER, library], text=True, capture_output=True)
    assert (ran.stdout, ran.returncode) == ("[1.0, -1.0, 0.25]\n[2.0, 0.0, 8.0]\n", 0), ran.stderr
    assert "for element 1 of 3:\n" in ran.stderr and "ZeroDivisionError" in ran.stderr


@pytest.mark.parametrize(
    "text, batch, message",
    [
        ("double rate(double x);", "rat", "a batch of 'rat' is asked for, but no exported function has that name: did you mean 'rate'?"),
        ("void ping(void);", ["ping"], "'ping' can have no batch: it has neither parameters nor a result"),
        ("int log(const char *f, ...);", "log", "'log' can have no batch: it is variadic"),
        ("int f(int); int f_n(int);", "f", "the batch of 'f' is called 'f_n', and something else has that name"),
    ],
)
def test_what_can_have_none(tmp_path, text, batch, message):
    # What has a place in the cdef is an FFIError.
    with pytest.raises(keelback.VerificationError if batch == "rat" else keelback.FFIError) as caught:
        builder(text, batch=batch).compile(tmpdir=str(tmp_path))
    assert message in "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
    assert list(tmp_path.iterdir()) == []


def test_arguments():
    with pytest.raises(TypeError) as caught:
        keelback.FFI().embedding_api("int f(int);", batch=[1])
    assert str(caught.value) == "'batch' takes a str or several, not int"
