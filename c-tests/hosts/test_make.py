"""A loadable object of GNU make: functions for makefiles, `load ./libpymake.so(pymake_gmk_setup)`."""

import hashlib

import pytest

CDEF = "int pymake_gmk_setup(void);"
PRELUDE = """
    #include <gnumake.h>
    /* make refuses objects without it. */
    KEELBACK_EXPORT int plugin_is_GPL_compatible;
"""
EXTRA = """
    typedef char *(*gmk_func_ptr)(const char *name, unsigned int argc, char **argv);
    #define GMK_FUNC_DEFAULT ...
    #define GMK_FUNC_NOEXPAND ...
    char *gmk_alloc(unsigned int length);
    char *gmk_expand(const char *text);
    void gmk_free(char *text);
    void gmk_add_function(const char *name, gmk_func_ptr function, unsigned int least, unsigned int most, unsigned int flags);
    extern "Python" char *call_python(const char *name, unsigned int argc, char **argv);
"""
INIT = """
    import hashlib
    import re
    from pymake import ffi, lib

    functions = {}
    names = []

    def function(least, most):
        def add(python):
            functions[python.__name__] = python
            # make keeps the name.
            names.append(ffi.new("char[]", python.__name__.encode()))
            lib.gmk_add_function(names[-1], lib.call_python, least, most, lib.GMK_FUNC_DEFAULT)
            return python
        return add

    @ffi.def_extern()
    def call_python(name, argc, argv):
        arguments = [ffi.string(argv[i]).decode() for i in range(argc)]
        text = functions[ffi.string(name).decode()](*arguments).encode() + b"\\0"
        # make frees it.
        result = lib.gmk_alloc(len(text))
        ffi.memmove(result, text, len(text))
        return result

    @ffi.def_extern()
    def pymake_gmk_setup():
        @function(2, 3)
        def resub(pattern, replacement, text=""):
            return re.sub(pattern, replacement, text)

        @function(1, 1)
        def digest(text):
            return hashlib.sha256(text.encode()).hexdigest()[:8]

        @function(1, 1)
        def calc(text):
            return str(eval(text, {"__builtins__": {}}))

        @function(1, 1)
        def variable(name):
            value = lib.gmk_expand(f"$({name})".encode())
            try:
                return ffi.string(value).decode().upper()
            finally:
                lib.gmk_free(value)
        return 1
"""
MAKEFILE = """
load LIBRARY(pymake_gmk_setup)
SOURCES := src/b.c src/a.c
all:
	@echo '$(resub src/(\\w+)\\.c,build/\\1.o,$(SOURCES))'
	@echo '$(calc 6 * 7)' '$(digest $(SOURCES))' '$(variable SOURCES)'
	@echo '[$(calc 1 / 0)]' goes on
"""


def test_make(plugin, run, tmp_path):
    if run("make", "-s", "-f", "-", stdin="all: ; @echo '$(filter load,$(.FEATURES))'\n").stdout != "load\n":
        pytest.skip("this make cannot load objects (Debian: make)")
    if run("cc", "-fsyntax-only", "-include", "gnumake.h", "-xc", "/dev/null").code != 0:
        pytest.skip("no header gnumake.h here (Debian: make)")
    (tmp_path / "make.cdef").write_text(EXTRA)
    built = plugin(CDEF, INIT, name="pymake", source=PRELUDE, args=["--cdef", tmp_path / "make.cdef"])
    digest = hashlib.sha256(b"src/b.c src/a.c").hexdigest()[:8]
    ran = run("make", "-f", "-", stdin=MAKEFILE.replace("LIBRARY", str(built.library)), cwd=tmp_path)
    assert ran.stdout == f"build/b.o build/a.o\n42 {digest} SRC/B.C SRC/A.C\n[] goes on\n"
    assert "ZeroDivisionError: division by zero\n" in ran.stderr and ran.code == 0
    # A child that make has forked, and -j.
    ran = run("make", "-j4", "-f", "-", stdin=MAKEFILE.replace("LIBRARY", str(built.library)).replace("[$(calc 1 / 0)]", ""), cwd=tmp_path)
    assert sorted(ran.stdout.splitlines()) == sorted([f"42 {digest} SRC/B.C SRC/A.C", " goes on", "build/b.o build/a.o"])
