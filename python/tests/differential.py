"""The same Python code under Keelback and under CFFI, each implementation in processes of its own: what each statement
does (its value's repr, or its exception's class and text, with warnings, reports and what was printed) must be the same.
A crash is an outcome too, of that one statement. differential_child.py is the other half: it runs the statements.

Two ways to write such tests:

- `Cases`: expressions that do not see each other, each of them a test. Texts of exceptions are compared.
- `Script`: a file of `scripts/`, whose statements follow one another, all of them one test. Of an exception only the
  class is compared.

Tests need CFFI beside pytest; without it they are skipped, or fail where KEELBACK_TESTS_NEED_CFFI is set (CI).
"""
import ast
import functools
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent


def has_cffi():
    return importlib.util.find_spec("_cffi_backend") is not None


def need_cffi():
    """Skips the test where CFFI is not installed, or fails it where it must be."""
    if not has_cffi():
        if os.environ.get("KEELBACK_TESTS_NEED_CFFI"):
            pytest.fail("cffi is not installed: pip install -r python/tests/requirements.txt")
        pytest.skip("cffi is not installed: nothing to compare with")


def _run(implementation, job):
    """({key: outcome} of the statements that spoke, the signal that killed the process or None)."""
    # Scripts import c_library and the like.
    path = os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH")]))
    child = subprocess.run(
        [sys.executable, TESTS / "differential_child.py", implementation],
        input=json.dumps(job), capture_output=True, text=True, timeout=300, env={**os.environ, "PYTHONPATH": path},
    )
    if child.returncode > 0:
        raise RuntimeError(f"{implementation}: {child.stderr}")
    outcomes = dict(json.loads(line) for line in child.stdout.splitlines())
    return outcomes, signal.Signals(-child.returncode).name if child.returncode else None


class Cases:
    """Expressions with a common cdef and setup.

        CASES = Cases(cdef="...", setup="p = ffi.new('int *', 5)", expressions='''
            p[0]
            p[1]
        ''', different={"NULL_struct.x": "RuntimeError: ..."})
        test_same, test_different = CASES.tests()

    `setup` is executed anew before each expression, so they do not see each other's effects. `different` holds the
    expressions for which Keelback means to differ, with its outcome.
    """

    def __init__(self, *, cdef="", setup="", expressions, different=None):
        self.cdef = cdef
        self.setup = textwrap.dedent(setup)
        lines = [line.strip() for line in expressions.splitlines()]
        self.same = [line for line in lines if line and not line.startswith("#")]
        self.different = different or {}

    @functools.lru_cache(maxsize=None)
    def outcomes(self, implementation):
        """{expression: outcome}, from one process as long as no expression kills it."""
        expressions = self.same + list(self.different)
        outcomes = {}
        while len(outcomes) < len(expressions):
            rest = expressions[len(outcomes):]
            job = {"cdef": self.cdef, "setup": self.setup, "statements": list(enumerate(rest, len(outcomes)))}
            found, killed = _run(implementation, job)
            if not found and not killed:
                raise RuntimeError(f"{implementation}: {rest[0]}: the child said nothing")
            outcomes.update(found)
            if killed and len(outcomes) < len(expressions):
                outcomes[len(outcomes)] = f"crashed: {killed}"
            elif killed:
                # At the end of the process no expression is to blame but the last.
                outcomes[len(expressions) - 1] += f" | crashed: {killed} at exit"
        return dict(zip(expressions, outcomes.values()))

    def tests(self):
        @pytest.mark.parametrize("expression", self.same)
        def test_same(expression):
            need_cffi()
            assert self.outcomes("keelback")[expression] == self.outcomes("cffi")[expression]

        @pytest.mark.parametrize("expression", list(self.different))
        def test_different(expression):
            assert self.outcomes("keelback")[expression] == self.different[expression]

        return test_same, test_different if self.different else None


class Script:
    """A file whose statements follow one another, as in any script that uses CFFI.

    Where Keelback means to differ, two comment lines after the statement say how and why:

        ffi.typeof("")
        #! keelback: CDefError: ...
        #! why: an internal error in CFFI

    A reason that starts with "crashes" or "undefined" keeps the statement away from CFFI; any other is checked: a
    statement whose outcomes have become the same must lose its mark.
    """

    MARKS = ("#! keelback: ", "#! why: ")
    UNSAFE = re.compile(r"(crashes|undefined)\b")

    def __init__(self, path):
        self.path = path
        self.source = path.read_text(encoding="utf-8")
        self.lines = self.source.splitlines()

    def statements(self):
        """(statement, outcome under Keelback or None, why it differs or None) of each."""
        for statement in ast.parse(self.source).body:
            found = [None, None]
            after = self.lines[statement.end_lineno : statement.end_lineno + 2]
            for place, (line, mark) in enumerate(zip(after, self.MARKS)):
                if not line.startswith(mark):
                    break
                found[place] = line.removeprefix(mark)
            yield statement, *found

    def outcomes(self, implementation):
        """{line: outcome} of the statements that did something one can see."""
        job = {"file": str(self.path), "statements": [
            [statement.lineno, "\n".join(self.lines[self.first_line(statement) - 1 : statement.end_lineno])]
            for statement, _, why in self.statements()
            if not (why and implementation == "cffi" and self.UNSAFE.match(why))
        ]}
        found, killed = _run(implementation, job)
        if killed:
            found[10**6] = f"crashed after line {max(found, default=0)}: {killed}"
        return found

    @staticmethod
    def first_line(statement):
        """Where the statement starts, decorators included."""
        decorators = getattr(statement, "decorator_list", [])
        return min([statement.lineno, *[decorator.lineno for decorator in decorators]])

    def differences(self):
        """A text for each statement that Keelback runs otherwise than CFFI, or than its mark says."""
        need_cffi()
        ours, theirs, wrong = self.outcomes("keelback"), self.outcomes("cffi"), []
        for statement, differs, why in self.statements():
            line = statement.lineno
            our, their = ours.pop(line, ""), theirs.pop(line, "")
            place = f"{self.path.name}:{line}: {self.lines[line - 1].strip()}"
            if differs is None:
                if without_text(our) != without_text(their):
                    wrong.append(f"{place}\n    cffi:     {their}\n    keelback: {our}")
            elif not why:
                wrong.append(f"{place}\n    '{self.MARKS[1].strip()}' is missing")
            elif our != differs:
                wrong.append(f"{place}\n    expected: {differs}\n    keelback: {our}\n    cffi:     {their}")
            elif without_text(our) == without_text(their):
                wrong.append(f"{place}\n    cffi does the same by now: {their}")
        return wrong + [f"{self.path.name}: {text}" for text in [*ours.values(), *theirs.values()]]


def without_text(outcome):
    """An exception's class; any other outcome as it is."""
    kind = re.match(r"[A-Za-z.]*(Error|Exception|Exit|Interrupt|StopIteration|Missing|BadHandle|error)(?=: |$)", outcome)
    return kind[0] if kind else outcome
