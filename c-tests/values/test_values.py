"""Arguments and results of every kind of type, checked on the C side."""

import pytest
from harness import Ran

EXPECTED = """\
bool 0 1, char b
8 bits 127 -127 254
16 bits -32767 65534
32 bits -2147483647 4294967294
long -9223372036854775807 18446744073709551614
64 bits -9223372036854775807 18446744073709551614
float 0.25, double 5.0000000000000003e+299
long double all digits
complex 1.5-2.5i -1.25-0.5i
wchar_t 1f40e
enum 5 6 0
text 4 KEELBACK 1
pointer 1 1
point -2 1, moved 29 to 8 21
mixed 3 2199023255552 c
floats 0.5 1 1.5
large 99 z 7
bits 7 -16 8000000000
union -86
nested 2 1 -0.5 7 2 1 8 7
sum 4
1 2.5 b'c' 0.5 -5 -6 7 1099511627776 9.5 (10, 11) 1.25 b'twelve' 13.5 14 (0.25, -15, b'm') 16.5 True
many 17
doubles 385
integers 385
callback 42
adder 42
through Python twice 42
entry 34
visit 5 10
array 10
out 11 2.25 out of Python
no error
"""


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("level", ["-O0", "-O3"])
def test_values(plugin, host, run, here, compiler, level):
    built = plugin(here / "api.h", here / "init.py", name="values")
    assert run(host(here / "host.c", built, cc=compiler, flags=[level])) == Ran(EXPECTED)


def test_values_in_a_plugin_that_clang_built(plugin, host, run, here):
    built = plugin(here / "api.h", here / "init.py", name="values", args=["--cc", "clang"])
    assert run(host(here / "host.c", built)) == Ran(EXPECTED)
