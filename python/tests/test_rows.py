"""One script, two implementations: each file of `rows/` runs under CFFI and under Keelback, and every statement must have
the same outcome in both: value, class of the exception, warnings, reports, output. (The texts of exceptions may be
Keelback's own; the expressions of the other tests compare them.)

A script's headings `# Row 54: ...` or `# Rows 54, 55: ...` say which rows of the feature list it shows. Where Keelback
means to differ, two comment lines after the statement say how and why:

    ffi.typeof("")
    #! keelback: CDefError: ...
    #! why: an internal error in CFFI

A reason that starts with "crashes" or "undefined" keeps the statement away from CFFI; any other is checked: a statement
whose outcomes have become the same must lose its mark.
"""
import functools
import importlib.util
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from differential import need_cffi

FOLDER = Path(__file__).parent / "rows"
RUNNER = FOLDER / "run_script.py"
SCRIPTS = sorted(path for path in FOLDER.glob("*.py") if path != RUNNER)

_spec = importlib.util.spec_from_file_location("run_script", RUNNER)
run_script = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(run_script)

# The rows that this part of the project answers for: types, data, conversions, ffi, lib, calls, callbacks; promises;
# what packages need.
ROWS = {*range(54, 212), *range(285, 296), *range(311, 322)}


@functools.lru_cache(maxsize=None)
def outcomes(implementation, script):
    """{line: outcome} of a script; a crash is the outcome of the statement after the last that spoke."""
    child = subprocess.run(
        [sys.executable, RUNNER, implementation, script], capture_output=True, text=True, timeout=300
    )
    found = dict(json.loads(line) for line in child.stdout.splitlines())
    if child.returncode < 0:
        found[10**6] = f"crashed after line {max(found, default=0)}: {signal.Signals(-child.returncode).name}"
    elif child.returncode > 0:
        raise RuntimeError(f"{implementation}: {child.stderr}")
    return found


def without_text(outcome):
    """An exception's class; any other outcome as it is."""
    kind = re.match(r"[A-Za-z.]*(Error|Exception|Exit|Interrupt|StopIteration|Missing|BadHandle|error)(?=: |$)", outcome)
    return kind[0] if kind else outcome


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_same_outcome(script):
    source = script.read_text(encoding="utf-8")
    lines = source.splitlines()
    ours = outcomes("keelback", script)
    need_cffi()
    theirs = outcomes("cffi", script)
    wrong = []
    for statement, differs, why in run_script.statements(source):
        line = statement.lineno
        our, their = ours.pop(line, ""), theirs.pop(line, "")
        place = f"{script.name}:{line}: {lines[line - 1].strip()}"
        if differs is None:
            if without_text(our) != without_text(their):
                wrong.append(f"{place}\n    cffi:     {their}\n    keelback: {our}")
        elif not why:
            wrong.append(f"{place}\n    '#! why:' is missing")
        elif our != differs:
            wrong.append(f"{place}\n    expected: {differs}\n    keelback: {our}\n    cffi:     {their}")
        elif without_text(our) == without_text(their):
            wrong.append(f"{place}\n    cffi does the same by now: {their}")
    wrong += [f"{script.name}: {text}" for text in [*ours.values(), *theirs.values()]]
    assert not wrong, "\n".join(wrong)


HEADING = re.compile(r"# Rows? ([\d, -]+):")


def rows_of(script):
    """The rows under whose headings a script has statements."""
    source = script.read_text(encoding="utf-8")
    headings = []
    for number, line in enumerate(source.splitlines(), 1):
        if heading := HEADING.match(line):
            rows = set()
            for part in heading[1].split(","):
                first, _, last = part.partition("-")
                rows.update(range(int(first), int(last or first) + 1))
            headings.append((number, rows))
    shown = [statement.lineno for statement, *_ in run_script.statements(source)]
    found = set()
    for (start, rows), (end, _) in zip(headings, [*headings[1:], (10**6, None)]):
        assert any(start < line < end for line in shown), f"{script.name}:{start}: a heading without statements"
        found |= rows
    assert found, f"{script.name} does not say which rows it shows"
    return found


def test_every_row_has_a_script():
    shown = set().union(*map(rows_of, SCRIPTS))
    assert shown <= ROWS, f"not our rows: {sorted(shown - ROWS)}"
    assert ROWS - shown == set()
