"""The same Python expressions under Keelback and under CFFI, each implementation in processes of its own: what comes out
(the value's repr, or the exception's class and text, with warnings and what was printed) must be the same.

    CASES = Cases(cdef="...", setup="p = ffi.new('int *', 5)", expressions='''
        p[0]
        p[1]
    ''', different={"NULL_struct.x": "RuntimeError: ..."})
    test_same, test_different = CASES.tests()

`setup` is executed anew before each expression, so they do not see each other's effects. `different` holds the
expressions for which Keelback means to differ, with its outcome. A crash is an outcome too, of that one expression.

Tests need CFFI beside pytest; without it they are skipped, or fail where KEELBACK_TESTS_NEED_CFFI is set (CI).
"""
import functools
import importlib.util
import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest

CHILD = r'''
import contextlib, io, json, re, sys, warnings
implementation, = sys.argv[1:]
job = json.load(sys.stdin)
if implementation == "cffi":
    import cffi as module
else:
    import keelback as module
ffi = module.FFI()
if job["cdef"]:
    ffi.cdef(job["cdef"])
PRELUDE = """
new, cast, NULL, typeof = ffi.new, ffi.cast, ffi.NULL, ffi.typeof
def setitem(p, i, value):
    p[i] = value
    return p[0] if isinstance(i, slice) else p[i]
def setfield(p, name, value):
    setattr(p, name, value)
    return getattr(p, name)
def delitem(p, i):
    del p[i]
class Index:
    def __index__(self): return 7
class Int:
    def __int__(self): return 8
class Float:
    def __float__(self): return 2.5
class BadInt:
    def __int__(self): return "x"
"""
# Without this the garbage of one expression could speak during another.
import gc
gc.disable()

def short(text):
    text = re.sub(r"0x[0-9a-fA-F]{6,}", "ADDRESS", text)
    return re.sub(r"\b(keelback|cffi)\.", "module.", text)

def run(expression):
    printed = io.StringIO()
    with warnings.catch_warnings(record=True) as warned, contextlib.redirect_stdout(printed):
        warnings.simplefilter("always")
        unraisable = []
        sys.unraisablehook = lambda args: unraisable.append(f"{args.err_msg} {args.exc_value!r}")
        try:
            namespace = {"ffi": ffi}
            exec(PRELUDE, namespace)
            exec(job["setup"], namespace)
            outcome = repr(eval(expression, namespace))
        except Exception as error:
            what = error.args[0] if len(error.args) == 1 else error.args
            outcome = f"{type(error).__name__}: {what}"
        namespace.clear()
        sys.unraisablehook = sys.__unraisablehook__
    for warning in warned:
        outcome += f" | {warning.category.__name__}: {warning.message}"
    for text in unraisable:
        outcome += f" | unraisable {text}"
    if printed.getvalue():
        outcome += f" | printed {printed.getvalue()!r}"
    return short(outcome)

for expression in job["expressions"]:
    print(json.dumps(run(expression)), flush=True)
'''


def has_cffi():
    return importlib.util.find_spec("_cffi_backend") is not None


def need_cffi():
    """Skips the test where CFFI is not installed, or fails it where it must be."""
    if not has_cffi():
        if os.environ.get("KEELBACK_TESTS_NEED_CFFI"):
            pytest.fail("cffi is not installed: pip install -r python/tests/requirements.txt")
        pytest.skip("cffi is not installed: nothing to compare with")


def _run(implementation, cdef, setup, expressions):
    """Outcomes of the expressions, in one process as long as none of them kills it."""
    outcomes = []
    while len(outcomes) < len(expressions):
        job = {"cdef": cdef, "setup": setup, "expressions": expressions[len(outcomes):]}
        child = subprocess.run(
            [sys.executable, "-c", CHILD, implementation],
            input=json.dumps(job), capture_output=True, text=True, timeout=120,
        )
        before = len(outcomes)
        outcomes += [json.loads(line) for line in child.stdout.splitlines()]
        if child.returncode < 0:
            # At the end of the process no expression is to blame; before it, the next one.
            crash = f"crashed: {signal.Signals(-child.returncode).name}"
            if len(outcomes) < len(expressions):
                outcomes.append(crash)
            else:
                outcomes[-1] += f" | {crash} at exit"
        elif child.returncode > 0 or len(outcomes) == before:
            raise RuntimeError(f"{implementation}: {child.stderr}")
    return outcomes


class Cases:
    """Expressions with a common cdef and setup."""

    def __init__(self, *, cdef="", setup="", expressions, different=None):
        self.cdef = cdef
        self.setup = textwrap.dedent(setup)
        lines = [line.strip() for line in expressions.splitlines()]
        self.same = [line for line in lines if line and not line.startswith("#")]
        self.different = different or {}

    @functools.lru_cache(maxsize=None)
    def outcomes(self, implementation):
        expressions = self.same + list(self.different)
        return dict(zip(expressions, _run(implementation, self.cdef, self.setup, expressions)))

    def tests(self):
        @pytest.mark.parametrize("expression", self.same)
        def test_same(expression):
            need_cffi()
            assert self.outcomes("keelback")[expression] == self.outcomes("cffi")[expression]

        @pytest.mark.parametrize("expression", list(self.different))
        def test_different(expression):
            assert self.outcomes("keelback")[expression] == self.different[expression]

        return test_same, test_different if self.different else None
