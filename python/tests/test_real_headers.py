"""What `cc -E -P` makes of the C library's headers is taken as it is."""

import re
import subprocess
import sys

import pytest
import keelback

HEADERS = (
    "stdio.h stdlib.h math.h wchar.h stdarg.h signal.h pthread.h sys/socket.h sys/mman.h netdb.h link.h aio.h regex.h dirent.h"
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


SEALED = [
    ("float", "float __attribute__((vector_size(16)))", "a vector", 16),
    ("_BitInt(7)", "_BitInt(7)", "a _BitInt", 1),
    ("unsigned _BitInt(65)", "unsigned _BitInt(65)", "a _BitInt", 16),
    ("_Float16", "_Float16", "a floating-point number of 16 bits", 2),
    ("__bf16", "__bf16", "a bfloat16 number", 2),
    ("__float128", "__float128", "a floating-point number of 128 bits", 16),
    ("_Decimal32", "_Decimal32", "a decimal floating-point number", 4),
    ("_Decimal64", "_Decimal64", "a decimal floating-point number", 8),
    ("_Decimal128", "_Decimal128", "a decimal floating-point number", 16),
]


@pytest.mark.parametrize("base, name, kind, size", SEALED)
def test_types_that_only_c_calculates_with_have_their_size(base, name, kind, size):
    attribute = "__attribute__((vector_size(16)))" if base == "float" else ""
    ffi = keelback.FFI()
    ffi.cdef(f"typedef {base} t {attribute}; struct s {{ char c; t v; t w[2]; char d; }}; struct only {{ t v; }};")
    assert (ffi.sizeof("t"), ffi.typeof("t").cname, ffi.sizeof("t[3]")) == (size, name, 3 * size)
    assert ffi.typeof(name) is ffi.typeof("t")
    assert ffi.offsetof("struct s", "v") == ffi.alignof("t")
    assert ffi.sizeof("struct s") == ffi.alignof("t") + 3 * size + ffi.alignof("t")
    one, two = ffi.new("struct s *"), ffi.new("t *")
    ffi.buffer(two)[:] = bytes(range(1, size + 1))
    one.v = two[0]
    one.w[1] = two[0]
    assert bytes(ffi.buffer(one))[ffi.alignof("t") :][:size] == bytes(ffi.buffer(ffi.addressof(one.w, 1)))[:size]
    assert ffi.addressof(one, "v")[0] == one.v
    said = f"^ctype '{re.escape(name)}' has no values in Python: it is {kind} \\(ffi.buffer\\(\\) has the bytes\\)$"
    for use in (
        lambda: two.__setitem__(0, 1.5),
        lambda: ffi.new("t *", [1.5]),
        lambda: ffi.new("struct s *", {"v": 1}),
        lambda: setattr(one, "v", {"x": 1}),
        lambda: ffi.cast("t", 1),
        lambda: int(two[0]),
        lambda: float(two[0]),
        lambda: complex(two[0]),
    ):
        with pytest.raises(TypeError, match=said):
            use()
    with pytest.raises(AttributeError, match=f"^cdata '{re.escape(name)} &' has no field 'x': it is {kind}$|^cdata '{re.escape(name)}' has no field 'x': it is {kind}$"):
        two[0].x
    refused = f"^ctype '{re.escape(name)}' not supported as argument or return value by value: it is {kind} \\(use a pointer\\)$"
    for signature in "t(*)(void)", "void(*)(t)", "void(*)(int, struct only)", "struct s(*)(void)":
        arguments = {"void(*)(t)": [two[0]], "void(*)(int, struct only)": [1, ffi.new("struct only *")[0]]}
        with pytest.raises(NotImplementedError, match=refused):
            ffi.cast(signature, 1)(*arguments.get(signature, []))
        with pytest.raises(NotImplementedError, match=refused):
            ffi.callback(signature, lambda *_: None)


def test_pointers_to_them_are_passed():
    ffi = keelback.FFI()
    ffi.cdef("typedef int v4 __attribute__((vector_size(16))); void *memcpy(v4 *to, const v4 *from, size_t size);")
    source, target = ffi.new("v4[2]"), ffi.new("v4[2]")
    ffi.buffer(source)[:] = bytes(range(32))
    ffi.dlopen(None).memcpy(target, source, 32)
    assert bytes(ffi.buffer(target)) == bytes(range(32))


def test_words_of_headers_that_cffi_does_not_know():
    text = """
        int old(a, b) char a; float b; { return a; }
        constexpr unsigned char M = 300; auto K = 2 * 3ul;
        extern struct unknown *u; _Static_assert(sizeof(struct unknown) == 4, "size");
        [[nodiscard]] char *_Nullable f(char *_Nonnull);
        struct s { char text[sizeof "four\\n" "" ]; };
    """
    ffi = keelback.FFI()
    # What such a pointer points to has no fixed type.
    with pytest.raises(keelback.FFIError, match="'n' isn't known as one"):
        ffi.cdef("void lengths(int n, int a[n][n]);")
    with pytest.warns(UserWarning, match="^this _Static_assert is not checked: ctype 'struct unknown' is of unknown size$"):
        ffi.cdef(text)
    lib = ffi.dlopen(None)
    assert (lib.M, lib.K, ffi.sizeof("struct s")) == (44, 6, 6)
    for part in text.strip().split("\n"):
        program = (
            "import sys, keelback; keelback.install_as_cffi(); import cffi\n"
            "try: cffi.FFI().cdef(sys.argv[1])\n"
            "except (cffi.CDefError, cffi.FFIError): print('refused')"
        )
        said = subprocess.run([sys.executable, "-c", program, part], text=True, check=True, stdout=subprocess.PIPE).stdout
        assert said == "refused\n", part


def test_compiled_modules_have_fields_and_pointers_of_them(tmp_path, monkeypatch):
    text = """typedef float v4 __attribute__((vector_size(16))); typedef _Bool flag;
              struct s { char c; v4 v; __int128 n; }; int fill(struct s *s, v4 *p);"""
    ffi = keelback.FFI()
    ffi.cdef(text)
    c = "int fill(struct s *s, v4 *p) { s->v = *p; s->n = -1; return sizeof *s; }"
    ffi.set_source("_sealed_types", text + c)
    ffi.compile(tmpdir=str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    from _sealed_types import ffi as compiled, lib

    s, p = compiled.new("struct s *"), compiled.new("v4 *")
    compiled.cast("float *", p)[0:4] = [1, 2, 3, 4]
    assert lib.fill(s, p) == compiled.sizeof("struct s") == 48
    assert compiled.cast("float *", compiled.addressof(s, "v"))[3] == 4
    assert bytes(compiled.buffer(s))[32:] == b"\xff" * 16

    ffi = keelback.FFI()
    ffi.cdef("typedef float v4 __attribute__((vector_size(16))); v4 make(void);")
    ffi.set_source("_sealed_result", "")
    said = r"^function make: 'float __attribute__\(\(vector_size\(16\)\)\)' is used as result type, but is a vector\n"
    with pytest.raises(TypeError, match=said):
        ffi.emit_c_code(str(tmp_path / "result.c"))
