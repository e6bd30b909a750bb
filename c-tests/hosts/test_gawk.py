"""An extension of gawk: `gawk -l ./libpyawk.so`."""

import shutil

import pytest

CDEF = """
    typedef struct gawk_api gawk_api_t;
    typedef void *awk_ext_id_t;
    int dl_load(const gawk_api_t *api, awk_ext_id_t id);
"""
# gawk's interface is macros over two variables of these names.
PRELUDE = """
    #include <errno.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/stat.h>
    #include <sys/types.h>
    #include <gawkapi.h>

    int plugin_is_GPL_compatible;
    static const gawk_api_t *api;
    static awk_ext_id_t ext_id;

    static char *call_python(const char *name, int count);

    static awk_value_t *call(int count, awk_value_t *result, struct awk_ext_func *function)
    {
        /* Python's answer is memory of gawk's. */
        char *text = call_python(function->name, count);
        return text == NULL ? make_null_string(result) : make_malloced_string(text, strlen(text), result);
    }

    static int use_api(const gawk_api_t *with, awk_ext_id_t id)
    {
        api = with;
        ext_id = id;
        return api->major_version == GAWK_API_MAJOR_VERSION;
    }

    static int add_function(const char *name, size_t least, size_t most)
    {
        awk_ext_func_t function = {name, call, most, least, awk_false, NULL};
        awk_ext_func_t *kept = malloc(sizeof function);
        memcpy(kept, &function, sizeof function);
        return add_ext_func("", kept);
    }

    static const char *get_text(size_t index, size_t *length)
    {
        awk_value_t value;
        if (!get_argument(index, AWK_STRING, &value))
            return NULL;
        *length = value.str_value.len;
        return value.str_value.str;
    }

    static char *new_text(size_t size) { return gawk_malloc(size); }
"""
EXTRA = """
    int use_api(const gawk_api_t *api, awk_ext_id_t id);
    int add_function(const char *name, size_t least, size_t most);
    const char *get_text(size_t index, size_t *length);
    char *new_text(size_t size);
    extern "Python" char *call_python(const char *name, int count);
"""
INIT = """
    import datetime
    import re
    from pyawk import ffi, lib

    def group(text, pattern, number="1"):
        found = re.search(pattern, text)
        return found[int(number)] or "" if found else ""

    def weekday(text):
        return datetime.date.fromisoformat(text).strftime("%A")

    functions = {"group": (group, 2, 3), "weekday": (weekday, 1, 1)}

    @ffi.def_extern()
    def call_python(name, count):
        size = ffi.new("size_t *")
        arguments = []
        for index in range(count):
            text = lib.get_text(index, size)
            arguments.append(ffi.unpack(text, size[0]).decode())
        result = functions[ffi.string(name).decode()][0](*arguments).encode() + b"\\0"
        place = lib.new_text(len(result))
        ffi.memmove(place, result, len(result))
        return place

    names = []

    @ffi.def_extern()
    def dl_load(api, id):
        if not lib.use_api(api, id):
            return 0
        for name, (function, least, most) in functions.items():
            # gawk keeps the name.
            names.append(ffi.new("char[]", name.encode()))
            if not lib.add_function(names[-1], least, most):
                return 0
        return 1
"""
PROGRAM = """
    BEGIN { print "weekday " weekday("2024-02-29"); fflush() }
    { print NR ": " group($0, "(\\\\w+)@(\\\\w+)", 2) " " group($0, "(\\\\w+)@"); sum += group($0, "\\\\d+", 0) }
    END { print sum; print "[" weekday("yesterday") "]" }
"""


def test_gawk(plugin, run, tmp_path):
    if shutil.which("gawk") is None or run("cc", "-fsyntax-only", "-include", "stdio.h", "-include", "sys/stat.h", "-include", "gawkapi.h", "-xc", "/dev/null").code != 0:
        pytest.skip("no gawk with its header gawkapi.h here (Debian: gawk)")
    (tmp_path / "gawk.cdef").write_text(EXTRA)
    built = plugin(CDEF, INIT, name="pyawk", source=PRELUDE, args=["--cdef", tmp_path / "gawk.cdef"])
    ran = run("gawk", "-l", built.library, PROGRAM, stdin="anna@home 12\nbob@work 30\nnobody\n", cwd=tmp_path)
    assert ran.stdout == "weekday Thursday\n1: home anna\n2: work bob\n3:  \n42\n[]\n" and ran.code == 0
    assert "ValueError: Invalid isoformat string: 'yesterday'\n" in ran.stderr
