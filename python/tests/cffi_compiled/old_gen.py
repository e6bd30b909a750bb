"""With an old CFFI's Python files first on the path: what its generator makes of declarations that every version takes.

    old_gen.py FOLDER NAME OUTPUT.c

Run by a Python that has today's `_cffi_backend`, which passes for the old one: the generator asks it for little.
"""
import sys

import _cffi_backend

FOLDER, NAME, OUTPUT = sys.argv[1:]
VERSION = NAME.removeprefix("old_").replace("_", ".")
PARTS = tuple(int(part) for part in VERSION.split("."))
_cffi_backend.__version__ = VERSION
sys.path.insert(0, FOLDER)
import cffi
from cffi import recompiler

assert cffi.__version__ == VERSION, cffi.__version__

CDEF = """
typedef struct { int a; double b; ...; } part_t;
struct whole { int x; short y[3]; };
struct wrong_size { int a; };
struct bits { unsigned a : 3; int b : 9; };
typedef struct { int x, y; } point;
typedef struct { float f; } *unnamed_p;
typedef ... hidden;
typedef enum { SMALL = -1, LARGE = 70000 } level;
enum color { RED, GREEN = 5, ... };
#define LIMIT 100
#define WRONG 7
#define BIG ...
static const int computed;
static const double ratio;
static char *const greeting;
extern int counter;
extern short wrong_variable;
extern int table[...];
extern point corner;
int add(int, int);
int neg(int);
int seven(void);
void nothing(void);
double scale(part_t *p, double f);
point mirror(point p);
int sum(int *v, int n);
size_t length(const char *s);
int variadic(const char *f, ...);
long double ld(long double);
int fail(void);
wchar_t widest(wchar_t);
_Bool flip(_Bool);
unsigned char u8(unsigned char);
"""
SOURCE = r"""
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <wchar.h>
typedef struct { double b; char unseen[40]; int a; } part_t;
struct whole { int x; short y[3]; };
struct wrong_size { int a, b; };
struct bits { unsigned a : 3; int b : 9; };
typedef struct { int x, y; } point;
typedef struct { float f; } *unnamed_p;
typedef struct { int x; } hidden;
typedef enum { SMALL = -1, LARGE = 70000 } level;
enum color { RED = 2, GREEN = 5 };
#define LIMIT 100
#define WRONG 8
#define BIG 12345678901234567890ULL
static const int computed = 6 * 7;
static const double ratio = 2.5;
static char *const greeting = "hello";
int counter = 3;
int wrong_variable = 4;
int table[17] = {1, 2, 3};
point corner = {5, 6};
static int add(int a, int b) { return a + b; }
static int neg(int a) { return -a; }
static int seven(void) { return 7; }
static void nothing(void) { }
static double scale(part_t *p, double f) { p->a *= 2; return p->b * f; }
static point mirror(point p) { point q = {p.y, p.x}; return q; }
static int sum(int *v, int n) { int s = 0; for (int i = 0; i < n; i++) s += v[i]; return s; }
static size_t length(const char *s) { return strlen(s); }
static int variadic(const char *f, ...) {
    va_list l; va_start(l, f); int x = va_arg(l, int); va_end(l); return x;
}
static long double ld(long double x) { return x * 2; }
static int fail(void) { errno = 42; return -1; }
static wchar_t widest(wchar_t c) { return c + 1; }
static _Bool flip(_Bool b) { return !b; }
static unsigned char u8(unsigned char c) { return c + 1; }
"""
HOOK = "static int hook(int, double);\nstatic int call_hook(int n) { return hook(n, 1.5); }\n"

ffi = cffi.FFI()
ffi.cdef(CDEF)
# extern "Python" came with CFFI 1.4.
if PARTS >= (1, 4):
    ffi.cdef('extern "Python" int hook(int, double); int call_hook(int);')
recompiler.make_c_source(ffi, NAME, SOURCE + (HOOK if PARTS >= (1, 4) else ""), OUTPUT)
