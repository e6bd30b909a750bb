"""`keelback header --plain`: headers for parsers without a preprocessor. PHP's FFI and CFFI's cdef() read them, and call the
library through them."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

cffi = pytest.importorskip("cffi")

API = r"""
#include <stdint.h>
#include <stddef.h>
#include <stdio.h>
#include <stdbool.h>
#define PL_VERSION "1.0"
#define PL_MAX 42
#define PL_BIG 0xFFFFFFFFFFFFFFFFULL
#define PL_NEGATIVE (-3)
#if defined(__GNUC__)
#define PL_API __attribute__((visibility("default")))
#else
#define PL_API
#endif
typedef int pl_status;
struct pl; /* opaque */
typedef struct pl pl;
enum pl_kind { PL_A, PL_B = 5 /* five */ };
static const int PL_K = 7;
typedef struct __attribute__((aligned(8))) pair { int64_t a; _Bool flag; union { int x; float y; }; } pair;
// a comment of one line
PL_API pl_status pl_sum(const int *restrict items, size_t count) __attribute__((nonnull(1)));
/** Doc with "quotes". */
int64_t pl_of_pair(const pair *p, uint_least16_t more, intmax_t most);
PL_API pl_status pl_each(int (*visit)(void *userdata, int item), void *userdata);
bool pl_file(FILE *file, pl *self);
"""

INIT = """
from plain import ffi

@ffi.def_extern()
def pl_sum(items, count):
    return sum(items[0:count])

@ffi.def_extern()
def pl_of_pair(p, more, most):
    return p.a + p.x + more + most

@ffi.def_extern()
def pl_each(visit, userdata):
    return sum(visit(userdata, item) for item in (1, 2, 3))

@ffi.def_extern()
def pl_file(file, self):
    return not file
"""

HEADER = """/* Made by keelback VERSION: the C interface of plain, for parsers without a preprocessor. Changes to this file are lost. */

typedef uint16_t uint_least16_t;
typedef int64_t intmax_t;
typedef struct _IO_FILE FILE;

typedef int pl_status;
struct pl; /* opaque */
typedef struct pl pl;
enum pl_kind { PL_A, PL_B = 5 };
enum { PL_K = 7 };
typedef struct pair { int64_t a; bool flag; union { int x; float y; }; } pair;
// a comment of one line
pl_status pl_sum(const int *items, size_t count);
/** Doc with "quotes". */
int64_t pl_of_pair(const pair *p, uint_least16_t more, intmax_t most);
pl_status pl_each(int (*visit)(void *userdata, int item), void *userdata);
bool pl_file(FILE *file, pl *self);

enum { PL_MAX = 42 };

enum { PL_NEGATIVE = -3 };

/* What every library made by keelback has."""


def keelback(folder, *arguments):
    command = [os.environ.get("KEELBACK", "keelback"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The folder of a library and its plain header."""
    folder = tmp_path_factory.mktemp("plain")
    (folder / "api.h").write_text(API)
    (folder / "plugin.py").write_text(INIT)
    python = os.environ.get("PYTHON", sys.executable)
    built = keelback(folder, "build", "api.h", "--init", "plugin.py", "--name", "plain", "--no-header", "--python", python)
    assert (built.returncode, built.stderr) == (0, "")
    made = keelback(folder, "header", "api.h", "--name", "plain", "--plain", "-o", "plain.h")
    assert (made.returncode, made.stderr) == (0, "")
    return folder


def test_text(plain):
    text = (plain / "plain.h").read_text()
    version = keelback(plain, "--version").stdout.split()[1]
    assert text.startswith(HEADER.replace("VERSION", version, 1))
    assert "#" not in text and "__" not in text
    for name in ["plain_start", "plain_last_error", "plain_set_error_handler", "plain_enter", "plain_leave"]:
        assert f"{name}(" in text


HOST = """
import sys, cffi
ffi = cffi.FFI()
ffi.cdef(open("plain.h").read())
lib = ffi.dlopen("./libplain.so")
@ffi.callback("int(void *, int)")
def visit(userdata, item):
    return 10 * item
print(lib.pl_sum([1, 2, 3], 3), lib.pl_of_pair(ffi.new("pair *", {"a": 1, "x": 2}), 3, 4), lib.pl_each(visit, ffi.NULL), lib.pl_file(ffi.NULL, ffi.NULL))
print(lib.PL_MAX, lib.PL_NEGATIVE, lib.PL_K, lib.PL_B, ffi.sizeof("pair"), lib.plain_start())
"""


def test_cffi_reads_it(plain):
    # In a process of its own, which has the Python that runs this.
    done = subprocess.run([sys.executable, "-c", HOST], cwd=plain, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("6 10 60 True\n42 -3 7 5 16 0\n", "")


PHP = r"""
$ffi = FFI::cdef(file_get_contents("plain.h"), "./libplain.so");
$items = FFI::new("int[3]");
for ($i = 0; $i < 3; $i++) $items[$i] = $i + 1;
$pair = $ffi->new("pair");
$pair->a = 1;
$pair->x = 2;
$each = $ffi->pl_each(function ($userdata, $item) { return 10 * $item; }, null);
echo $ffi->pl_sum($items, 3), " ", $ffi->pl_of_pair(FFI::addr($pair), 3, 4), " ", $each, " ", var_export($ffi->pl_file(null, null), true), "\n";
echo $ffi->PL_MAX, " ", $ffi->PL_NEGATIVE, " ", $ffi->PL_K, " ", $ffi->PL_B, " ", FFI::sizeof($ffi->type("pair")), " ", $ffi->plain_start(), "\n";
"""


@pytest.mark.skipif(not shutil.which("php"), reason="there is no php (Debian: the package php-cli)")
def test_php_calls_through_it(plain):
    done = subprocess.run(["php", "-d", "ffi.enable=1", "-r", PHP], cwd=plain, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("6 10 60 true\n42 -3 7 5 16 0\n", "")


REFUSED = {
    "struct __attribute__((packed)) s { char c; int i; }; int f(struct s x);": "in a plain header 'struct s' would be something else: "
    "its size was 5 and is 8; its alignment was 1 and is 4; member 'i' was at byte 1 and is at byte 4",
    "#pragma pack(1)\nstruct s { char c; int i; }; int f(struct s *x);": "in a plain header 'struct s' would be something else: "
    "its size was 5 and is 8; its alignment was 1 and is 4; member 'i' was at byte 1 and is at byte 4",
    "struct s { _Alignas(16) int i; }; int f(struct s *x);": "in a plain header 'struct s' would be something else: "
    "its size was 16 and is 4; its alignment was 16 and is 4",
    "typedef int v4 __attribute__((vector_size(16))); int f(v4 *x);": "in a plain header 'f' would be something else: "
    "int f(int __attribute__((vector_size(16))) *) -> int f(int *)",
    "typedef double d __attribute__((aligned(2))); int f(d *x);": "in a plain header 'd' would be something else: "
    "its alignment was 2 and is the type's own",
    "enum __attribute__((packed)) e { A }; int f(enum e *x);": "in a plain header 'enum e' would be something else: its size was 1 and is 4",
    'int f(void) __asm__("g");': "a plain header cannot say that 'f' is 'g' in the library",
}


@pytest.mark.parametrize("api", REFUSED)
def test_what_it_cannot_say(tmp_path, api):
    (tmp_path / "api.h").write_text(api)
    made = keelback(tmp_path, "header", "api.h", "--name", "plain", "--plain")
    assert (made.returncode, made.stdout) == (1, "")
    assert made.stderr.splitlines()[0] == f"error: {REFUSED[api]}"


def test_opaque_types_of_a_prelude(tmp_path):
    (tmp_path / "api.h").write_text("typedef struct { int x; ...; } part;\ntypedef ... *handle;\nint f(part *x, handle y);\n")
    made = keelback(tmp_path, "header", "api.h", "--name", "plain", "--plain", "--source", "none.c")
    assert made.returncode == 5
    (tmp_path / "none.c").write_text("typedef struct { int x, y; } part; typedef struct h *handle;\n")
    made = keelback(tmp_path, "header", "api.h", "--name", "plain", "--plain", "--source", "none.c")
    assert (made.returncode, made.stderr) == (0, "")
    cffi.FFI().cdef(made.stdout)


def test_options_that_say_otherwise(tmp_path):
    (tmp_path / "api.h").write_text("int f(void);\n")
    for other in ["--cpp", "--keep-header"]:
        made = keelback(tmp_path, "header", "api.h", "--name", "plain", "--plain", other)
        assert made.returncode == 2, made.stderr
        assert "cannot be used with" in made.stderr
