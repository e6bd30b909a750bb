"""Runs every example of the documentation.

How a page marks its code:

* ``<!-- file: NAME -->`` before a block: the block is written to NAME, in the page's own empty folder.
* a ``console`` block: each line that starts with ``$ `` is run in that folder (in one shell session, so variables and
  background state stay), and what follows is its exact output; a line ``...`` stands for any lines.
* a ``python`` block with ``>>>``: a doctest (names are kept from block to block of a page).
* a ``python`` block without: a script, run in the same names.
* ``<!-- not run: REASON -->`` before a block: shown only.

Blocks in other languages are shown only, and need no mark.
"""

import doctest
import os
import pathlib
import re
import subprocess
import sys

import pytest

DOCS = pathlib.Path(__file__).resolve().parent
ROOT = DOCS.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
BLOCK = re.compile(
    r"(?:<!-- (?P<key>file|not run): (?P<value>.*?) -->\n)?^```(?P<language>[\w+-]*)\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


def blocks(page):
    text = page.read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start("body")) + 1
        yield match["key"], match["value"], match["language"], match["body"], line


def as_pattern(expected):
    parts = re.split(r"^\.\.\.\n?", expected, flags=re.MULTILINE)
    return "(?:.*\n)*?".join(re.escape(part) for part in parts)


def check_console(body, folder, environment, where):
    steps = []
    for line in body.splitlines(keepends=True):
        if line.startswith("$ "):
            steps.append([line[2:].rstrip("\n"), ""])
        elif line.startswith("> ") and steps and not steps[-1][1]:
            steps[-1][0] += "\n" + line[2:].rstrip("\n")
        else:
            steps[-1][1] += line
    for command, expected in steps:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        assert re.fullmatch(as_pattern(expected), done.stdout), (
            f"{where}: $ {command}\nprinted (exit {done.returncode}):\n{done.stdout}\nbut the page says:\n{expected}"
        )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page(page, tmp_path, monkeypatch):
    keelback = os.environ.get("KEELBACK")
    environment = dict(os.environ, NO_COLOR="1", LC_ALL="C.UTF-8")
    if keelback:
        environment["PATH"] = os.pathsep.join(
            [str(pathlib.Path(keelback).parent), str(pathlib.Path(sys.executable).parent), environment["PATH"]]
        )
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    found = 0
    for key, value, language, body, line in blocks(page):
        where = f"{page.name}:{line}"
        found += 1
        if key == "not run":
            assert value.strip(), f"{where}: say why it is not run"
        elif key == "file":
            target = tmp_path / value
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(body, encoding="utf-8")
        elif language == "console":
            check_console(body, tmp_path, environment, where)
        elif language == "python" and ">>>" in body:
            test = doctest.DocTestParser().get_doctest(body, names, where, str(page), line)
            runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE, verbose=False)
            said = []
            runner.run(test, out=said.append, clear_globs=False)
            names.update(test.globs)
            assert not said, "".join(said)
        elif language == "python":
            exec(compile(body, where, "exec"), names)
    assert found or page.name in {"CONTRIBUTING.md"}, f"{page.name} has no example at all"


def test_links_inside_the_project_lead_somewhere():
    missing = []
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                missing.append(f"{page.name}: {target}")
    assert missing == []


def test_promises_link_to_their_tests():
    """Each row of embedding.md's promises names a test, and the tests that any page names exist."""
    text = (DOCS / "embedding.md").read_text(encoding="utf-8")
    section = text[text.index("## What is promised to the host\n") : text.index("## What the init code sees\n")]
    rows = [line for line in section.splitlines() if line.startswith("| ") and not line.startswith("| promise |")]
    assert len(rows) > 20
    assert [row for row in rows if "#test_" not in row] == []
    missing = []
    for page in PAGES:
        for target, test in re.findall(r"\]\(([^)#\s]+\.py)#(\w+)\)", page.read_text(encoding="utf-8")):
            if f"def {test}(" not in (page.parent / target).read_text(encoding="utf-8"):
                missing.append(f"{page.name}: {target}#{test}")
    assert missing == []
