"""Loadable builtins of bash: `enable -f ./libpybuiltins.so json slug`."""

import shutil

import pytest

CDEF = """
    typedef struct word_list WORD_LIST;
    int json_builtin(WORD_LIST *words);
    int slug_builtin(WORD_LIST *words);
"""
PRELUDE = """
    #include <config.h>
    #include <sys/types.h>
    #include <stdio.h>
    #include <builtins.h>
    #include <shell.h>

    int json_builtin(WORD_LIST *words);
    int slug_builtin(WORD_LIST *words);
    static char *json_doc[] = {"Sets VARIABLE to what PATH leads to in the JSON text.", NULL};
    static char *slug_doc[] = {"Prints its arguments as a slug.", NULL};
    KEELBACK_EXPORT struct builtin json_struct = {"json", json_builtin, BUILTIN_ENABLED, json_doc, "json VARIABLE TEXT PATH", 0};
    KEELBACK_EXPORT struct builtin slug_struct = {"slug", slug_builtin, BUILTIN_ENABLED, slug_doc, "slug WORD...", 0};
    static char *word_of(WORD_LIST *list) { return list->word->word; }
    static void set(const char *name, const char *value) { bind_variable(name, (char *)value, 0); }
"""
EXTRA = """
    struct word_list { WORD_LIST *next; ...; };
    char *word_of(WORD_LIST *list);
    void set(const char *name, const char *value);
    #define EXECUTION_SUCCESS ...
    #define EXECUTION_FAILURE ...
    #define EX_USAGE ...
"""
INIT = """
    import json
    import re
    import sys
    import unicodedata
    from pybuiltins import ffi, lib

    def arguments(words):
        while words:
            yield ffi.string(lib.word_of(words)).decode("utf-8", "surrogateescape")
            words = words.next

    @ffi.def_extern(error=lib.EXECUTION_FAILURE)
    def json_builtin(words):
        words = list(arguments(words))
        if len(words) != 3:
            print("json: usage: json VARIABLE TEXT PATH", file=sys.stderr)
            return lib.EX_USAGE
        name, text, path = words
        value = json.loads(text)
        for step in path.strip(".").split("."):
            value = value[int(step)] if isinstance(value, list) else value[step]
        lib.set(name.encode(), str(value).encode())
        return lib.EXECUTION_SUCCESS

    @ffi.def_extern(error=lib.EXECUTION_FAILURE)
    def slug_builtin(words):
        text = unicodedata.normalize("NFKD", " ".join(arguments(words))).encode("ascii", "ignore").decode()
        print(re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-"))
        return lib.EXECUTION_SUCCESS
"""
SCRIPT = """
enable -f LIBRARY json slug || exit 9
echo first
slug 'Crème brûlée!' s\\'il 'vous plaît'
echo "in a pipe: $(slug A  B | tr a-z A-Z)"
json name '{"people": [{"name": "Zoë"}]}' .people.0.name && echo "$name"
json name '{}' .nothing 2>/dev/null; echo "status $? $name"
json; echo "status $?"
( slug in a sub shell; exit 3 ); echo "status $?"
for i in 1 2 3; do slug "Round $i" & wait; done
trap 'slug At The Exit' EXIT
help json
kill -INT $$
echo not reached
"""


def test_bash(plugin, run, tmp_path):
    """Sub-shells are forks after Python came; output keeps its order; Ctrl-C ends the script."""
    includes = ["-I/usr/include/bash", "-I/usr/include/bash/include", "-I/usr/include/bash/builtins"]
    if shutil.which("bash") is None:
        pytest.skip("no bash here (Debian: bash)")
    if run("cc", "-fsyntax-only", *includes, "-include", "config.h", "-include", "sys/types.h", "-include", "stdio.h", "-include", "shell.h", "-xc", "/dev/null").code != 0:
        pytest.skip("no headers of bash here (Debian: bash-builtins)")
    (tmp_path / "bash.cdef").write_text(EXTRA)
    built = plugin(CDEF, INIT, name="pybuiltins", source=PRELUDE, args=["--cdef", tmp_path / "bash.cdef", *includes])
    ran = run("bash", "--norc", "-c", SCRIPT.replace("LIBRARY", str(built.library)), cwd=tmp_path)
    lines = ran.stdout.splitlines()
    assert lines[:5] == ["first", "creme-brulee-s-il-vous-plait", "in a pipe: A-B", "Zoë", "status 1 Zoë"]
    assert lines[5] in ("status 2", "status 258") and lines[6:11] == ["in-a-sub-shell", "status 3", "round-1", "round-2", "round-3"]
    assert lines[11:] == ["json: json VARIABLE TEXT PATH", "    Sets VARIABLE to what PATH leads to in the JSON text.", "at-the-exit"]
    assert ran.stderr == "json: usage: json VARIABLE TEXT PATH\n" and ran.code == -2
