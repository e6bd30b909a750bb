/* `long double` has no Rust type: these are the few operations that the conversions need. All pointers are
   to a whole long double, aligned or not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double keelback_long_double_to_double(const void *from)
{
    long double value;
    memcpy(&value, from, sizeof value);
    return (double)value;
}

void keelback_long_double_from_double(void *to, double value)
{
    long double wide = value;
    memset(to, 0, sizeof wide);
    memcpy(to, &wide, sizeof wide);
}

void keelback_long_double_from_long(void *to, long long value)
{
    long double wide = (long double)value;
    memcpy(to, &wide, sizeof wide);
}

/* Writes the value as "%.*Lg" would, NUL-terminated; returns what snprintf returns. */
int keelback_long_double_to_text(const void *from, int digits, char *buffer, size_t size)
{
    long double value;
    memcpy(&value, from, sizeof value);
    return snprintf(buffer, size, "%.*Lg", digits, value);
}

/* 0, or -1 when the text is no number. */
int keelback_long_double_from_text(void *to, const char *text)
{
    char *end;
    long double value = strtold(text, &end);
    if (end == text || *end != 0)
        return -1;
    memcpy(to, &value, sizeof value);
    return 0;
}

int keelback_long_double_is_zero(const void *from)
{
    long double value;
    memcpy(&value, from, sizeof value);
    return value == 0;
}

/* -1, 0, 1 as for memcmp; 2 when unordered. */
int keelback_long_double_compare(const void *left, const void *right)
{
    long double a, b;
    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    return a < b ? -1 : a > b ? 1 : a == b ? 0 : 2;
}

/* Writes the value as "%LE" would, NUL-terminated; returns what snprintf returns. */
int keelback_long_double_to_exponent_text(const void *from, char *buffer, size_t size)
{
    long double value;
    memcpy(&value, from, sizeof value);
    return snprintf(buffer, size, "%LE", value);
}
