#include <stddef.h>
double dot(const double *a, const double *b, size_t n);
int parse(const char *text);
int total(const char *text, unsigned char_count, int text_len);
void fill(double *out, short count, double value);
/* Calls parse() of C, which fails inside. */
int lenient(const char *text);
