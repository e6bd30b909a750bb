"""All errors of a text come at once: the first with CFFI's class and words, each of the others on a line of its own."""

import subprocess
import sys

import pytest
import keelback

TEXT = "int f(;\nunsinged count(void);\nint fine(void);\nstruct s { int a : 99; };\nint g(x y);\n"
FIRST = 'cannot parse "int f(;"\n<cdef source string>:1:7: expected a type here'
OTHERS = [
    "<cdef source string>:2:1: error: unknown type name 'unsinged' (did you mean 'unsigned'?)",
    "<cdef source string>:5:7: error: unknown type name 'x' (declare it first: 'typedef ... x;' if its contents don't matter, "
    "'typedef int... x;' if it is some integer type)",
]


def error_of(function, *arguments, **options):
    with pytest.raises(Exception) as caught:
        function(*arguments, **options)
    return caught.value


@pytest.mark.parametrize("method", ["cdef", "embedding_api"])
def test_every_error_has_its_line(method):
    ffi = keelback.FFI()
    error = error_of(getattr(ffi, method), TEXT)
    assert type(error) is keelback.CDefError
    assert str(error).split("\n") == [*FIRST.split("\n"), *OTHERS]
    if sys.version_info >= (3, 11):
        (note,) = error.__notes__
        assert [line for line in note.split("\n") if line.startswith(" -->")] == [
            f" --> <cdef source string>:{place}" for place in ("1:7", "2:1", "5:7")
        ]
    # Nothing of it was taken.
    ffi.cdef("long fine(void);")
    assert ffi.typeof("long(*)(void)") is ffi.typeof(ffi.callback("long(void)", lambda: 1))


def test_lines_are_those_of_the_files_that_markers_name():
    error = error_of(keelback.FFI().cdef, '# 7 "one.h"\nint a(x1 y);\n# 30 "two.h"\n\nint b(x2 y);\n')
    assert str(error).split("\n")[1].startswith("one.h:7:7: unknown type name 'x1'")
    assert str(error).split("\n")[2].startswith("two.h:31:7: error: unknown type name 'x2'")


def test_the_class_is_that_of_the_first():
    error = error_of(keelback.FFI().cdef, "int a[1 / 0];\nint f(;\n")
    assert type(error) is keelback.FFIError
    assert str(error).split("\n") == ["division by zero in a constant expression", "<cdef source string>:2:7: error: expected a type here"]


def test_of_very_many_only_some_are_in_the_text():
    error = error_of(keelback.FFI().cdef, "\n".join(f"x{index} f{index}(void);" for index in range(100)))
    lines = str(error).split("\n")
    assert (lines[-1], len(lines)) == ("and 79 more errors", 23)


def test_under_install_as_cffi_the_text_is_cffi_s():
    program = (
        "import sys, keelback; keelback.install_as_cffi(); import cffi\n"
        "try: cffi.FFI().cdef(sys.argv[1])\n"
        "except cffi.CDefError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", program, TEXT], text=True, check=True, stdout=subprocess.PIPE).stdout
    assert said == FIRST + "\n"
