/* Values of every kind of type into Python and back. */
#include <complex.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include "values.h"

static int multiply(int a, int b) { return a * b; }
static void add_up(int index, void *data) { *(int *)data += index; }

int main(void)
{
    char text[] = "keelback";
    int total = 0, out = 0, array[LENGTH] = {1, 2, 3, 4};
    double other = 0, values[] = {0.5, 1.5, 2.0};
    char *made = NULL;
    float _Complex cf = conjf_(1.5f + 2.5f * I);
    double _Complex cd = conj_(-1.25 + 0.5 * I);

    printf("bool %d %d, char %c\n", not_(1), not_(0), next_char('a'));
    printf("8 bits %d %d %d\n", neg8(-127), neg8(127), inv8(1));
    printf("16 bits %d %d\n", neg16(SHRT_MAX), inv16(1));
    printf("32 bits %d %u\n", neg32(INT_MAX), inv32(1));
    printf("long %ld %lu\n", negl(LONG_MAX), invl(1));
    printf("64 bits %lld %llu\n", neg64(LLONG_MAX), inv64(1));
    printf("float %g, double %.17g\n", (double)halff(0.5f), half(1e300));
    printf("long double %s\n", halfl(1.0L + 0x1p-60L) == 1.0L + 0x1p-60L ? "all digits" : "lost digits");
    printf("complex %g%+gi %g%+gi\n", (double)crealf(cf), (double)cimagf(cf), creal(cd), cimag(cd));
    printf("wchar_t %lx\n", (unsigned long)next_wide(0x1F40D));
    printf("enum %d %d %d\n", next_color(RED), next_color(GREEN), next_color(BLUE));
    printf("text %zu %s %d\n", length("four"), upper(text), upper(text) == text);
    printf("pointer %d %d\n", same(text) == text, same(NULL) == NULL);
    {
        point p = swap((point){1, -2});
        mixed m = mix((mixed){1.5, 1LL << 40, 'a'}, 2);
        floats f = scale((floats){{1, 2, 3}}, 0.5f);
        large l = fill((large){{0}, 6}, 'z');
        bits b = bump((bits){6, -15, 1ULL << 38});
        either e = flip((either){.i = 0x55});
        nested n = {{1, 2}, {0.5, 7, 'q'}, {{1, 2}, {3, 4}, {5, 6}, {7, 8}}};
        printf("point %d %d, moved", p.x, p.y);
        printf(" %d to", point_move(&p, 10, 20));
        printf(" %d %d\n", p.x, p.y);
        printf("mixed %g %lld %c\n", m.d, m.l, m.c);
        printf("floats %g %g %g\n", (double)f.f[0], (double)f.f[1], (double)f.f[2]);
        printf("large %zu %c %d\n", strlen(l.big), l.big[98], l.last);
        printf("bits %d %d %llx\n", (int)b.a, (int)b.b, (unsigned long long)b.c);
        printf("union %d\n", e.i);
        n = turn(n);
        printf("nested %d %d %g %lld %d %d %d %d\n", n.p.x, n.p.y, n.m.d, n.m.l, n.ps[0].x, n.ps[0].y, n.ps[3].x, n.ps[3].y);
    }
    printf("sum %g\n", sum(values, 3));
    fflush(stdout);
    printf("many %d\n", many(1, 2.5, 'c', 0.5f, -5, -6, 7, 1LL << 40, 9.5, (point){10, 11}, 1.25f, "twelve", 13.5L, 14,
                             (mixed){0.25, -15, 'm'}, 16.5, 1));
    printf("doubles %g\n", doubles(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
    printf("integers %ld\n", integers(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
    printf("callback %d\n", call_back(multiply, 6, 7));
    printf("adder %d\n", get_adder()(40, 2));
    printf("through Python twice %d\n", call_back(get_adder(), 40, 2));
    {
        entry e = {multiply, NULL, "four"};
        printf("entry %d\n", call_entry(&e, 5, 6));
    }
    printf("visit %d", visit(5, add_up, &total));
    printf(" %d\n", total);
    printf("array %d\n", sum_array(array));
    fill_out(&out, &other, &made);
    printf("out %d %g %s\n", out, other, made);
    printf("%s\n", values_last_error() == NULL ? "no error" : values_last_error());
    return 0;
}
