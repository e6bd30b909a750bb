"""Each file of `scripts/` runs under CFFI and under Keelback, and every statement must do the same in both (differential.py
says what is compared, and how a script marks where Keelback means to differ).

A script's parts have headings, `# What it shows. [54, 55]`: the numbers are those of the feature list that the parts
answer for.
"""
import re
from pathlib import Path

import pytest

from differential import Script

SCRIPTS = [Script(path) for path in sorted((Path(__file__).parent / "scripts").glob("*.py"))]
HEADING = re.compile(r"# \S.* \[([\d, -]+)\]$")

# What the scripts answer for: types, data, conversions, ffi, lib, calls, callbacks; promises; what packages need.
FEATURES = {*range(54, 212), *range(285, 296), *range(311, 322)}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.path.stem)
def test_same_outcome(script):
    wrong = script.differences()
    assert not wrong, "\n".join(wrong)


def features_of(script):
    """The numbers in the headings under which a script has statements."""
    headings = []
    for number, line in enumerate(script.lines, 1):
        if heading := HEADING.match(line):
            features = set()
            for part in heading[1].split(","):
                first, _, last = part.partition("-")
                features.update(range(int(first), int(last or first) + 1))
            headings.append((number, features))
    shown = [statement.lineno for statement, *_ in script.statements()]
    found = set()
    for (start, features), (end, _) in zip(headings, [*headings[1:], (10**6, None)]):
        assert any(start < line < end for line in shown), f"{script.path.name}:{start}: a heading without statements"
        found |= features
    assert found, f"{script.path.name} has no heading with numbers of the feature list"
    return found


def test_every_feature_has_a_script():
    shown = set().union(*map(features_of, SCRIPTS))
    assert shown <= FEATURES, f"not answered for here: {sorted(shown - FEATURES)}"
    assert FEATURES - shown == set()
