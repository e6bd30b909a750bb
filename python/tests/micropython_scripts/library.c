/* What the scripts open: built by test_micropython_scripts.py. */
#include <stdint.h>
#include <stdlib.h>

#define SAME(letter, type) type var_##letter = 1; type same_##letter(type x) { return x; }
SAME(b, signed char)
SAME(B, unsigned char)
SAME(h, short)
SAME(H, unsigned short)
SAME(i, int)
SAME(I, unsigned)
SAME(l, long)
SAME(L, unsigned long)
SAME(q, long long)
SAME(Q, unsigned long long)
SAME(f, float)
SAME(d, double)

void *null;
void *same_p(void *p) { return p; }
int call(int (*function)(int), int x) { return function(x); }
void call_void(void (*function)(void)) { function(); }
int call_three_times(int (*function)(int)) { return function(1) + function(2) + function(3); }
double call_double(double (*function)(double, float), double x, float y) { return function(x, y); }
void *call_object(void *(*function)(void *), void *object) { return function(object); }
signed char call_narrow(signed char (*function)(signed char, unsigned char), int x, int y) { return function(x, y); }
long nine(long a, long b, long c, long d, long e, long f, long g, long h, int i)
{
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i;
}
static int (*kept)(int);
void keep(int (*function)(int)) { kept = function; }
int call_kept(int x) { return kept(x); }
const char *not_utf8(void) { return "caf\xe9"; }
