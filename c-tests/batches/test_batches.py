"""Batches: `score_n(n, x, result)` for an exported `double score(double x)`, element by element or by a function of Python
that takes the arrays."""

import sys

import pytest
from harness import Ran

KINDS = """\
weigh 1 -2 33
3 7 13
2 2 4
middle 1.5,3 3.5,5 6,9
moved 11 23 35
wide 1
flip 7 3 3
same 1
draw 1 2 3
"""
ARGS = ["--error", "score=-9", "--error", "weigh=-5", "--batch", "flip"]


@pytest.fixture(scope="module")
def singly(plugin, here):
    return plugin(here / "api.h", here / "init.py", name="batches", args=ARGS)


@pytest.fixture(scope="module")
def program(singly, host, here):
    return host(here / "host.c", singly)


@pytest.fixture(scope="module")
def by_arrays(plugin, host, here):
    return host(here / "host.c", plugin(here / "api.h", here / "arrays.py", name="batches", args=ARGS))


def test_every_kind_of_argument_and_result(program, by_arrays, run):
    assert run(program, "kinds") == Ran(KINDS)
    assert run(by_arrays, "kinds") == Ran(KINDS)


def test_failures_are_reported_once_for_a_batch(program, run):
    ran = run(program, "errors")
    traceback = (
        "Traceback (most recent call last):\n"
        '  File "init.py", line 9, in score\n    raise ValueError("unlucky")\n'
        "ValueError: unlucky\n"
    )
    who = "Exception ignored from the plugin's function <function score at 0x...>"
    which = f"{who}, for element 1 of 6; 3 of them failed:\n{traceback}"
    assert ran.stdout == (
        "2 -1 6 -1 -1 99\n"
        f"batches.score_n: ValueError: unlucky\n{which}\n"
        # The call that an element makes is one of its own.
        "told of score: ValueError: unlucky\n"
        "told of score_n: ValueError: unlucky\n"
        # What is no error of one element ends the batch.
        "told of score_n: KeyboardInterrupt\n"
        "2 -1 -1\n"
        "told of score_n: ValueError: unlucky\n"
        "told of score_n: batches.score_n(): no array has 9223372036854775807 elements: nothing is called, and no result "
        "written\n"
        "reports: 5\n"
    )
    assert ran.stderr == f"{who}:\n{traceback}{which}"
    assert ran.code == 0


def test_functions_that_take_the_arrays(by_arrays, run):
    assert run(by_arrays, "arrays") == Ran(
        "3 6 9\n"
        "told of score_n: ValueError: unlucky\n"
        "-1 -1 -1\n"
        "told of score_n: TypeError: a function under def_extern(batch=True) writes its results into the last array, and "
        "returns None\n"
        "-1 -1 -1\n"
        "told of score_n: IndexError: index too large for cdata 'double[]' (expected 1 < 1)\n"
        "15 -1 7\n"
        "4.5 5.5 -1 7 1 1\n"
        "seen 5\n"
        # A function that is attached to the single one is what single calls go to.
        "6\n"
    )


def test_python_cannot_be_started(program, run):
    ran = run(program, "unstarted", env={"KEELBACK_PYTHON": "/nonexistent/libpython3.so"})
    assert ran.stdout == "-9 -9 -9\n-5 -5 9\n"
    assert "batches: score_n was called, but its Python code could not be started\n" in ran.stderr
    assert ran.code == 0


def test_the_first_call_starts_python(program, run):
    assert run(program, "unstarted") == Ran("2 4 6\n0 0 9\n")


DECLARED = "double score(double x); /* keelback: batch */\nint plain(int n);\n"
HOST = """
#include <stdio.h>
#include "wrong.h"
int main(void)
{
    double x[] = {1, 2}, result[2] = {7, 7};
    score_n(2, x, result);
    printf("%g %g\\n", result[0], result[1]);
    return 0;
}
"""


@pytest.mark.parametrize(
    "init, message",
    [
        (
            "@ffi.def_extern(batch=True)\ndef plain(n, result): pass",
            "keelback.error: ffi.def_extern('plain', batch=True): the library has no batch of it; build it with --batch "
            "plain, or with the comment /* keelback: batch */ at its declaration",
        ),
        (
            "@ffi.def_extern()\ndef score_n(n, x, result): pass",
            "keelback.error: ffi.def_extern('score_n'): it is the batch of 'score'; attach to 'score', with batch=True for "
            "a function that takes the arrays",
        ),
    ],
)
def test_what_cannot_be_attached(plugin, host, run, init, message):
    wrong = plugin(DECLARED, f"from wrong import ffi\n{init}\n", name="wrong", args=["--error", "score=-3"])
    ran = run(host(HOST, wrong))
    assert ran.stdout == "-3 -3\n"
    assert message in ran.stderr


def test_nothing_is_attached(plugin, host, run):
    wrong = plugin(DECLARED, "from wrong import ffi\n", name="wrong", args=["--error", "score=-3"])
    assert run(host(HOST, wrong)) == Ran(
        "-3 -3\n",
        'extern "Python": function wrong.score_n() called, but no code was attached to it yet with @ffi.def_extern().  '
        "Returning its error value.\n",
    )


def test_one_batch_is_served_by_one_function(plugin, host, run):
    """A function that attaches another one while a batch runs."""
    init = """
from wrong import ffi

@ffi.def_extern()
def score(x):
    ffi.def_extern("score")(lambda x: x + 100)
    return x + 1
"""
    twice = HOST.replace("    return 0;", "    score_n(2, x, result);\n    printf(\"%g %g\\n\", result[0], result[1]);\n    return 0;")
    assert run(host(twice, plugin(DECLARED, init, name="wrong"))) == Ran("2 3\n101 102\n")


def test_arrays_that_are_not_there(plugin, host, run):
    """NULL where C should pass an array: a message, and no access to it. For no elements it is right."""
    cdef = "struct point { double x, y; };\nint both(const struct point *p, int n); /* keelback: batch */\n"
    one_by_one = """
from nulls import ffi

@ffi.def_extern(error=-1)
def both(p, n):
    return -5 if not p else int(p.x) + n
"""
    by_arrays = """
from nulls import ffi

@ffi.def_extern(error=-1, batch=True)
def both(p, n, result):
    for index in range(len(result)):
        result[index] = int(p[index].x) + n[index]
"""
    source = """
#include <stdio.h>
#include "nulls.h"
static void told(const char *function, const char *message, void *data)
{
    (void)data;
    printf("%s: %.*s\\n", function, (int)strcspn(message, "\\n"), message);
}
int main(void)
{
    struct point p[] = {{1, 0}, {2, 0}};
    int n[] = {10, 20}, result[] = {7, 7};
    nulls_set_error_handler(told, NULL);
    both_n(2, p, n, result);
    printf("%d %d\\n", result[0], result[1]);
    both_n(0, NULL, NULL, NULL);
    both_n(2, NULL, n, result);
    both_n(2, p, NULL, result);
    both_n(2, p, n, NULL);
    printf("%d %d\\n", result[0], result[1]);
    printf("%d\\n", both(NULL, 3));
    return 0;
}
""".replace("#include <stdio.h>", "#include <stdio.h>\n#include <string.h>")
    refused = "".join(
        f"both_n: nulls.both_n(): its argument {number} is NULL and no array of 2 elements: nothing is called, and no result "
        "written\n"
        for number in (2, 3, 4)
    )
    for init, single in (
        (one_by_one, "-5\n"),
        (
            by_arrays,
            "both_n: ValueError: argument 1 is NULL: there is no element for the function under def_extern(batch=True)\n-1\n",
        ),
    ):
        assert run(host(source, plugin(cdef, init, name="nulls"))) == Ran(f"11 22\n{refused}11 22\n{single}")


def test_arrays_of_numpy(plugin, host, run):
    init = """
from wrong import ffi
import numpy as np

@ffi.def_extern(batch=True)
def score(x, result):
    x, result = np.frombuffer(ffi.buffer(x)), np.frombuffer(ffi.buffer(result))
    np.multiply(x, 2.5, out=result)
"""
    # The Python that runs the tests is a venv with numpy in it.
    library = plugin(DECLARED, init, name="wrong", python=sys.executable)
    assert run(host(HOST, library)) == Ran("2.5 5\n")


def test_the_header_in_cpp(plugin, host, run):
    init = "from wrong import ffi\n\n@ffi.def_extern(error=-1)\ndef score(x):\n    return 1 / x\n"
    source = """
#include <cstdio>
#include <stdexcept>
#include <vector>
#include "wrong.hpp"
int main()
{
    const wrong::scope running;
    const std::vector<double> x{1, 2, 4};
    std::vector<double> result(3), less(2);
    wrong::score_n(x, result);
    std::printf("%g %g %g\\n", result[0], result[1], result[2]);
    wrong::score_n(x.size(), x.data(), result.data());
    try {
        wrong::score_n(x, less);
    } catch (const std::invalid_argument &error) {
        std::printf("%s\\n", error.what());
    }
    try {
        wrong::score_n(less, less);
    } catch (const wrong::error &error) {
        std::printf("%s\\n", error.function());
    }
}
"""
    library = plugin(DECLARED, init, name="wrong", args=["--cpp-header"])
    assert run(host(source, library, cxx=True, flags=["-std=c++20"])) == Ran(
        "1 0.5 0.25\nx and result are not of one length\nscore_n\n"
    )
