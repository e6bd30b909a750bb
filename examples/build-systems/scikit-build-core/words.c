#include <ctype.h>

typedef struct { size_t words, lines; } counts_t;

static counts_t count_words(const char *text, size_t length)
{
    counts_t counts = { 0, 0 };
    int is_inside = 0;
    for (size_t i = 0; i < length; i++) {
        int is_space = isspace((unsigned char)text[i]);
        counts.words += !is_space && !is_inside;
        counts.lines += text[i] == '\n';
        is_inside = !is_space;
    }
    return counts;
}
