"""The C file of `--emit c`, compiled into a program or into the program's own library."""

import pytest
from harness import Ran

CDEF = "int {name}_add(int a, int b);\nint {name}_count(void);\n"
INIT = """
    from {name} import ffi

    calls = 0

    @ffi.def_extern()
    def {name}_add(a, b):
        global calls
        calls += 1
        return a + b

    @ffi.def_extern()
    def {name}_count():
        return calls
"""


@pytest.fixture(scope="module")
def emitted(plugin):
    def emitted(name):
        return plugin(CDEF.format(name=name), INIT.replace("{name}", name), name=name, emit=True)

    return emitted


ONE = """
    #include "host.h"
    #include "inside.h"

    int main(void)
    {
        printf("mapped before: %d\\n", host_is_mapped("libpython"));
        printf("%d\\n", inside_add(40, 2));
        printf("mapped after: %d\\n", host_is_mapped("libpython"));
        return 0;
    }
"""


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("standard", ["c99", "c11", "gnu17"])
def test_in_a_program(emitted, host, run, compiler, standard):
    strict = [f"-std={standard}", "-Wpedantic", "-D_POSIX_C_SOURCE=200809L"]
    program = host(ONE, emitted("inside"), cc=compiler, flags=strict)
    assert run(program) == Ran("mapped before: 0\n42\nmapped after: 1\n")


def test_in_an_optimised_program(emitted, host, run):
    program = host(ONE, emitted("inside"), flags=["-O3", "-flto", "-fno-plt", "-fvisibility=hidden"])
    assert run(program) == Ran("mapped before: 0\n42\nmapped after: 1\n")


TWO = """
    #include <stdio.h>
    #include "one.h"
    #include "two.h"

    int main(void)
    {
        printf("%d %d\\n", one_add(1, 2), two_add(30, 4));
        printf("%d\\n", two_add(one_add(1, 2), 4));
        printf("%d %d\\n", one_count(), two_count());
        printf("%s %s\\n", one_last_error() ? "error" : "fine", two_last_error() ? "error" : "fine");
        return 0;
    }
"""


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_two_in_one_program(emitted, host, run, compiler):
    program = host(TWO, emitted("one"), emitted("two"), cc=compiler)
    assert run(program) == Ran("3 34\n7\n2 2\nfine fine\n")


def test_compiled_as_cpp(emitted, host, run):
    program = host(TWO, emitted("one"), emitted("two"), cxx=True, suffix=".cpp", flags=["-Wpedantic", "-std=c++17"])
    assert run(program) == Ran("3 34\n7\n2 2\nfine fine\n")
