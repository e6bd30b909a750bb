"""The C compiler's messages about a builder's texts: they name what the user wrote, and carets stand under it."""
import re
import subprocess
import sys
from pathlib import Path

import pytest

import keelback

BUILD = '''import keelback

ffi = keelback.FFI()
ffi.cdef({cdef})
ffi.set_source("mod", {prelude}, {options})
ffi.{act}
'''
CDEF = '"""\n    int fine(int);\n    int   absent(int number);\n"""'
PRELUDE = '"""\nstatic int fine(int x) { return x; }\n"""'


def messages(place, act="compile()", cdef=CDEF, prelude=PRELUDE, options=""):
    """The compiler's lines, without those that say in which function something is."""
    (place / "build_mod.py").write_text(BUILD.format(cdef=cdef, prelude=prelude, options=options, act=act))
    ran = subprocess.run(
        [sys.executable, "build_mod.py"], cwd=place, capture_output=True, text=True, check=False, env=None
    )
    assert ran.returncode == 1
    # The traceback names Keelback's own files, wherever the checkout is.
    said = ran.stderr.replace(str(Path(keelback.__file__).parent), "")
    assert not re.search(r"\.~\d|/tmp/(?!pytest)", said), ran.stderr
    return ran.stderr


def shows(text, place, line, mark):
    """A message at `place` shows the line, with a caret under the mark."""
    expected = re.compile(
        rf"^{re.escape(place)}: error: .*\n +{place.split(':')[1]} \| {re.escape(line)}\n +\| {re.escape(mark)}$", re.M
    )
    assert expected.search(text), text


@pytest.mark.parametrize("act", ["compile()", "compile('sub/deep')", "compile(target='other.so')"])
def test_a_cdef_in_the_script(tmp_path, act):
    up = "../../" if "deep" in act else ""
    shows(messages(tmp_path, act), f"{up}build_mod.py:6:11", "    int   absent(int number);", "          ^~~~~~")


def test_a_cdef_that_is_made(tmp_path):
    """Its lines stand nowhere: they are shown under the name that it has in messages."""
    made = messages(tmp_path, cdef='"int fine(int);" + chr(10) + "int   absent(int number);"')
    shows(made, "<cdef 1 of mod>:2:7", "int   absent(int number);", "      ^~~~~~")


def test_a_prelude_keeps_its_columns(tmp_path):
    """The prelude is in the same file as the cdef."""
    told = messages(tmp_path, prelude='"""\nstatic int fine(int x) { return   missing; }\nint absent(int);\n"""')
    shows(told, "build_mod.py:9:35", "static int fine(int x) { return   missing; }", " " * 34 + "^~~~~~~")


def test_the_linker_s_messages(tmp_path):
    told = messages(tmp_path, prelude='"int fine(int); int absent(int);"', options='extra_link_args=["-Wl,--no-undefined"]')
    assert "undefined reference to `absent'" in told
