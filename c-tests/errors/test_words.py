"""What a C program's user reads is in Keelback's words; after `install_as_cffi()` it is in CFFI's."""
import pytest

CDEF = "int run(int what);"
EXTRA = """
    struct partial { int a; ...; };
    int many(int count, ...);
"""
SOURCE = """
    #include <stdarg.h>
    struct partial { int a, b, c, d; };
    static int many(int count, ...) { return count; }
"""
INIT = """
    {first}
    from spoken import ffi, lib

    def fails(x):
        raise ValueError(x)

    def wrong(x):
        return ffi.new("int *")

    @ffi.def_extern(error=-1)
    def run(what):
        if what == 0:
            return ffi.callback("int(int)", fails, error=-2)(7)
        if what == 1:
            return ffi.callback("int(int)", wrong, error=-3)(7)
        if what == 2:
            return lib.many(1, ffi.new("struct partial *")[0])
        if what == 3:
            return ffi.new("int[2]") * "x"
        if what == 4:
            return ffi.typeof("int") < ffi
"""
HOST = """
    #include <stdio.h>
    #include "spoken.h"
    int main(void)
    {
        int what;
        for (what = 0; what < 5; what++)
            printf("%d\\n", run(what));
        return 0;
    }
"""
BY_VALUE = (
    "NotImplementedError: ctype 'struct partial' not supported as argument or return value by value: it is declared with "
    '"...;", so how it is passed is not known. Such structs are supported if the function '
)
OURS = "is one of the prelude's that a cdef declares, and does not take a final '...' argument"
CFFIS = (
    "is 'API mode' and non-variadic (i.e. declared inside ffibuilder.cdef()+ffibuilder.set_source() "
    "and not taking a final '...' argument)"
)


@pytest.fixture
def told(plugin, host, run, tmp_path):
    extra = tmp_path / "extra.cdef"
    extra.write_text(EXTRA)

    def told(first):
        built = plugin(CDEF, INIT.format(first=first), name="spoken", source=SOURCE, args=["--cdef", extra])
        ran = run(host(HOST, built))
        assert (ran.code, ran.stdout) == (0, "-2\n-3\n-1\n-1\n-1\n")
        lines = ran.stderr.splitlines()
        return [line for line in lines if line.startswith(("Exception", "NotImplementedError", "TypeError", "ValueError"))]

    return told


def test_in_a_plugin(told):
    assert told("import keelback") == [
        "Exception ignored from the callback <function fails at 0x...>:",
        "ValueError: 7",
        "Exception ignored from the callback <function wrong at 0x...> (init.py, line 7), whose result is 'int' in C: "
        "it returned <cdata 'int *' owning 4 bytes> (__CDataOwn):",
        "TypeError: int() not supported on cdata 'int *'",
        "Exception ignored from the plugin's function <function run at 0x...>:",
        BY_VALUE + OURS,
        "Exception ignored from the plugin's function <function run at 0x...>:",
        "TypeError: can't multiply sequence by non-int of type 'keelback.__CDataOwn'",
        "Exception ignored from the plugin's function <function run at 0x...>:",
        "TypeError: '<' not supported between instances of 'keelback.CType' and 'keelback.FFI'",
    ]


def test_after_install_as_cffi(told):
    assert told("import keelback; keelback.install_as_cffi()") == [
        "Exception ignored from cffi callback <function fails at 0x...>:",
        "ValueError: 7",
        "Exception ignored from cffi callback <function wrong at 0x...>, trying to convert the result back to C:",
        "TypeError: int() not supported on cdata 'int *'",
        "Exception ignored from cffi callback <function run at 0x...>:",
        BY_VALUE + CFFIS,
        "Exception ignored from cffi callback <function run at 0x...>:",
        "TypeError: can't multiply sequence by non-int of type '_cffi_backend.__CDataOwn'",
        "Exception ignored from cffi callback <function run at 0x...>:",
        "TypeError: '<' not supported between instances of '_cffi_backend.CType' and '_cffi_backend.FFI'",
    ]
