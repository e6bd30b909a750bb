"""What `cc -E -P` makes of the C library's headers is taken as it is."""

import subprocess
import sys

import pytest
import keelback

HEADERS = (
    "stdio.h stdlib.h math.h wchar.h stdarg.h signal.h pthread.h sys/socket.h sys/mman.h netdb.h aio.h regex.h dirent.h"
).split()


@pytest.mark.parametrize("header", HEADERS)
def test_the_c_librarys_headers(header):
    text = subprocess.run(
        ["cc", "-E", "-P", "-"], input=f"#include <{header}>\n", text=True, check=True, stdout=subprocess.PIPE
    ).stdout
    ffi = keelback.FFI()
    ffi.cdef(text)
    ffi.dlopen(None)


def test_what_is_only_declared_does_not_spoil_the_text():
    ffi = keelback.FFI()
    ffi.cdef(
        """typedef __builtin_va_list va_list; int vsnprintf(char *to, size_t size, const char *format, va_list arguments);
           _Float128 wide(_Float128 x); static inline int two(void) { return 2; } unsigned long strlen(const char *);"""
    )
    assert ffi.dlopen(None).strlen(b"four") == 4
    with pytest.raises(TypeError, match="^result type '_Float128' is not yet initialized$"):
        ffi.cast("_Float128(*)(void)", 0)()
    with pytest.raises(AttributeError, match="^function/symbol 'two' not found"):
        ffi.dlopen(None).two


def test_under_install_as_cffi_a_body_is_an_error():
    program = (
        "import keelback; keelback.install_as_cffi(); import cffi\n"
        "try: cffi.FFI().cdef('int f(void) { return 1; }')\n"
        "except cffi.CDefError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", program], text=True, check=True, stdout=subprocess.PIPE).stdout
    assert said == "<cdef source string>:1: unexpected <FuncDef>: this construct is valid C but not valid in cdef()\n"
