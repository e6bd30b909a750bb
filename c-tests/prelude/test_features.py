"""A prelude sees the system's headers as the host does: nothing of the generated file stands in front of it."""

import pytest
from harness import Ran

# What glibc's headers have depends on feature macros; so does this one.
SEEN = """
#ifndef SEEN_H
#define SEEN_H
#include <sys/types.h>
struct seen {
    off_t offset;
    int plain;
#ifdef __USE_GNU
    int gnu[7];
#endif
#ifdef __USE_XOPEN_EXTENDED
    int xopen[5];
#endif
};
#endif
"""
API = """
struct seen;
int same(const struct seen *s, int size);
"""
INIT = """
from features0 import ffi, lib

@ffi.def_extern()
def same(s, size):
    return lib.sizes(s) == size
"""
SOURCE = """
{defines}
#include "seen.h"
int sizes(const struct seen *s) {{ return sizeof *s; }}
/* What is announced in front of the prelude is there. */
int (*const announced)(void) = cffi_start_python;
{more}
"""
HOST = """
{defines}
#include "seen.h"
#include <stdio.h>
#include "features0.h"
int main(void)
{{
    static struct seen s;
    printf("%d\\n", same(&s, sizeof s));
    return 0;
}}
"""
DEFINES = ["", "#define _GNU_SOURCE", "#define _FILE_OFFSET_BITS 64", "#define _POSIX_C_SOURCE 200809L", "#define _XOPEN_SOURCE 500"]


@pytest.mark.parametrize("defines", DEFINES)
def test_types_are_those_of_the_host(defines, tmp_path, plugin, host, run):
    (tmp_path / "seen.h").write_text(SEEN)
    (tmp_path / "extra.h").write_text("struct seen; int sizes(const struct seen *s);")
    more = "" if defines == "#define _GNU_SOURCE" else "#ifdef __USE_GNU\n#error\n#endif"
    built = plugin(
        API,
        INIT,
        name="features0",
        source=SOURCE.format(defines=defines, more=more),
        args=["-I", tmp_path, "--cdef", tmp_path / "extra.h"],
    )
    assert run(host(HOST.format(defines=defines), built, flags=[f"-I{tmp_path}"])) == Ran("1\n", "")
