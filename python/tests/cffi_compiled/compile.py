"""What CFFI itself compiles: a module with every kind of entry that its tables have, one that includes it,
and one of verify(). With the names of modules, only these; with "keelback" first, Keelback compiles them."""
import sys

if sys.argv[1:2] == ["keelback"]:
    import keelback as cffi
else:
    import cffi

NAMES = [name for name in sys.argv[1:] if name != "keelback"]

CDEF = """
typedef struct { int a; double b; ...; } part_t;
struct whole { int x; short y[3]; struct { char c; int d; }; };
struct bits { unsigned a : 3; int b : 9; unsigned char c; };
struct wrong { int a; short b; };
struct wrong_size { int a; };
struct tail { int n; short items[]; };
struct middle { int items[]; int n; ...; };
struct opaque;
struct recursive { struct recursive *next; int (*get)(struct recursive *); };
union either { int i; double d; };
typedef struct { int x, y; } point;
typedef struct { float f; ...; } small_part;
typedef ... hidden;
typedef ... *handle;
typedef int... num_t;
typedef float... real_t;
typedef float... not_real_t;
typedef int (__stdcall *standard_fn)(int);
typedef enum { SMALL = -1, LARGE = 70000 } level;
enum color { RED, GREEN = 5, BLUE };
enum known { ONE, TWO, ... };
#define LIMIT 100
#define WRONG 7
#define BIG ...
#define NEGATIVE ...
static const int computed;
static const double ratio;
static char *const greeting;
static const point origin;
static int (*const adder)(int, int);
extern int counter;
extern int table[...];
extern point corner;
extern struct opaque *nobody;
extern int unsized[];
int add(int, int);
int neg(int);
int seven(void);
void nothing(void);
double scale(part_t *p, double f);
part_t by_value(part_t, int);
small_part small(small_part);
point mirror(point);
union either either(union either);
struct whole whole(int x);
struct bits bits(struct bits);
int sum(int *v, int n);
size_t length(const char *s);
int wide_length(wchar_t *s);
int variadic(const char *f, ...);
long double ld(long double);
int fail(void);
int get_errno(void);
char16_t wide(char16_t);
char32_t wider(char32_t);
wchar_t widest(wchar_t);
char letter(char);
bool flip(bool);
float half(float);
float _Complex conjugate(float _Complex);
double _Complex conjugate2(double _Complex);
level raise_level(level, enum color);
num_t number(num_t);
handle make(void);
int use(handle);
void fill(void *, int);
FILE *standard(void);
unsigned char u8(unsigned char);
long long i64(long long, unsigned long long);
int ten(int, int, int, int, int, int, int, int, int, int);
int sum_point(point, point *, int);
int held(int n, int (*f)(int));
int held_standard(int n, standard_fn f);
extern "Python" int hook(int, double, part_t);
extern "Python" point hook_point(point, long double);
extern "Python" float hook_complex(float _Complex, int);
extern "Python" long double hook_long(void);
extern "Python" void hook_void(char *, bool);
extern "Python+C" int hook_c(int);
int call_hook(int);
point call_hook_point(int, long double);
float call_hook_complex(float _Complex, int);
long double call_hook_long(void);
void call_hook_void(char *, bool);
int call_hook_thread(int);
int call_hook_c(int);
"""

# Types that the including module has too.
TYPES = r"""
typedef struct { double b; char unseen[40]; int a; } part_t;
struct whole { int x; short y[3]; struct { char c; int d; }; };
struct bits { unsigned a : 3; int b : 9; unsigned char c; };
struct wrong { short b; int a; };
struct wrong_size { int a, b; };
struct tail { int n; short items[]; };
struct middle { int n; int unseen; int items[5]; };
struct opaque { int x; };
struct recursive { struct recursive *next; int (*get)(struct recursive *); };
union either { int i; double d; };
typedef struct { int x, y; } point;
typedef struct { int unseen; float f; } small_part;
typedef struct { int x; } hidden;
typedef hidden *handle;
typedef unsigned short num_t;
typedef double real_t;
typedef short not_real_t;
#define __stdcall
typedef int (*standard_fn)(int);
typedef enum { SMALL = -1, LARGE = 70000 } level;
enum color { RED, GREEN = 5, BLUE };
enum known { ZERO, ONE, TWO };
"""

SOURCE = r"""
#include <complex.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <uchar.h>
#include <wchar.h>
#define LIMIT 100
#define WRONG 8
#define BIG 12345678901234567890ULL
#define NEGATIVE (-3)
static const int computed = 6 * 7;
static const double ratio = 2.5;
static char *const greeting = "hello";
static const point origin = {3, 4};
int counter = 3;
int table[17] = {1, 2, 3};
point corner = {5, 6};
static struct opaque *nobody;
int unsized[4] = {1, 2, 3, 4};
static int add(int a, int b) { return a + b; }
static int (*const adder)(int, int) = add;
static int neg(int a) { return -a; }
static int seven(void) { return 7; }
static void nothing(void) { }
static double scale(part_t *p, double f) { p->a *= 2; return p->b * f; }
static part_t by_value(part_t p, int n) { p.a += n; p.b *= n; return p; }
static small_part small(small_part p) { p.f += 1; return p; }
static point mirror(point p) { point q = {p.y, p.x}; return q; }
static union either either(union either e) { e.d += 1; return e; }
static struct whole whole(int x) { struct whole w = {x, {1, 2, 3}}; w.d = 9; return w; }
static struct bits bits(struct bits b) { b.a++; b.b--; return b; }
static int sum(int *v, int n) { int s = 0; for (int i = 0; i < n; i++) s += v[i]; return s; }
static size_t length(const char *s) { return strlen(s); }
static int wide_length(wchar_t *s) { return wcslen(s); }
static int variadic(const char *f, ...) {
    va_list l; va_start(l, f); int x = va_arg(l, int); va_end(l); return x;
}
static long double ld(long double x) { return x * 2; }
static int fail(void) { errno = 42; return -1; }
static int get_errno(void) { return errno; }
static char16_t wide(char16_t c) { return c + 1; }
static char32_t wider(char32_t c) { return c + 1; }
static wchar_t widest(wchar_t c) { return c + 1; }
static char letter(char c) { return c + 1; }
static bool flip(bool b) { return !b; }
static float half(float f) { return f / 2; }
static float _Complex conjugate(float _Complex z) { return conjf(z); }
static double _Complex conjugate2(double _Complex z) { return conj(z); }
static level raise_level(level l, enum color c) { return c == GREEN ? LARGE : l; }
static num_t number(num_t n) { return n + 1; }
static handle make(void) { static hidden h = {11}; return &h; }
static int use(handle h) { return h->x; }
static void fill(void *p, int c) { memset(p, c, 4); }
static FILE *standard(void) { return stdout; }
static unsigned char u8(unsigned char c) { return c + 1; }
static long long i64(long long a, unsigned long long b) { return a + (long long)b; }
static int ten(int a, int b, int c, int d, int e, int f, int g, int h, int i, int j) {
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j;
}
static int sum_point(point a, point *b, int n) { return a.x + a.y + b[n].x + b[n].y; }
static int held(int n, int (*f)(int)) { return f(n); }
static int held_standard(int n, standard_fn f) { return f(n); }
static int hook(int, double, part_t);
static point hook_point(point, long double);
static float hook_complex(float _Complex, int);
static long double hook_long(void);
static void hook_void(char *, bool);
static int call_hook(int n) {
    part_t p; memset(&p, 0, sizeof p); p.a = n; return hook(n, 2.5, p);
}
static point call_hook_point(int n, long double d) { point p = {n, n + 1}; return hook_point(p, d); }
static float call_hook_complex(float _Complex z, int n) { return hook_complex(z, n); }
static long double call_hook_long(void) { return hook_long(); }
static void call_hook_void(char *s, bool b) { hook_void(s, b); }
static void *in_thread(void *n) { *(int *)n = call_hook(*(int *)n); return NULL; }
static int call_hook_thread(int n) {
    pthread_t t; pthread_create(&t, NULL, in_thread, &n); pthread_join(t, NULL); return n;
}
extern int hook_c(int);
static int call_hook_c(int n) { return hook_c(n); }
"""

ffi = cffi.FFI()
ffi.cdef(CDEF)
ffi.set_source("compiled_everything", TYPES + SOURCE)
if not NAMES or "compiled_everything" in NAMES:
    ffi.compile()

including = cffi.FFI()
including.include(ffi)
including.cdef(
    """
    struct more { point p; struct opaque *other; };
    int more(struct more *, point);
    """
)
including.set_source(
    "compiled_including",
    TYPES
    + r"""
    struct more { point p; struct opaque *other; };
    static int more(struct more *m, point p) { return m->p.x + p.y; }
    """,
)
if not NAMES or "compiled_including" in NAMES:
    including.compile()

if not NAMES:
    bare = cffi.FFI()
    bare.cdef("int one(void);")
    bare.verify(
        "static int one(void) { return 1; }", tmpdir=".", modulename="compiled_verified", force_generic_engine=False
    )
