"""Functions with an asm label, and packing by `_Pragma`: header and library agree."""

import subprocess

import pytest
from harness import Ran

CDEF = """
    _Pragma("pack(push, 1)") struct tight { char c; int x; }; _Pragma("pack(pop)")
    struct wide { char c; int x; };
    int answer(struct tight *t, struct wide *w) __asm__("answer_v2");
    int plain(void);
"""
INIT = """
from labelled import ffi

@ffi.def_extern()
def answer(t, w):
    return 100 * t.x + w.x + ffi.sizeof(t[0])

@ffi.def_extern()
def plain():
    return 7
"""
HOST = """
#include <stdio.h>
#include "labelled.h"
int main(void)
{
    struct tight t = {1, 4};
    struct wide w = {1, 5};
    printf("%d %d %d %d\\n", (int)sizeof t, (int)sizeof w, answer(&t, &w), plain());
    return 0;
}
"""


@pytest.mark.parametrize("cxx", [False, True])
def test_header_and_export_agree(cxx, plugin, host, run):
    built = plugin(CDEF, INIT, name="labelled")
    assert run(host(HOST, built, cxx=cxx)) == Ran("5 8 410 7\n", "")
    symbols = subprocess.run(["nm", "-D", "--defined-only", built.library], capture_output=True, text=True, check=True).stdout
    names = {line.split()[-1] for line in symbols.splitlines()}
    assert "answer_v2" in names and "answer" not in names and "plain" in names
