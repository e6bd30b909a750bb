/* A C program like any other: it knows the header and the library, not Python. */
#include <stdio.h>

#include "@NAME@.h"

int main(void)
{
    char text[80];

    if (@NAME@_start() != 0) {
        fprintf(stderr, "%s\n", @NAME@_last_error());
        return 1;
    }
    printf("2 + 3 = %d\n", @NAME@_add(2, 3));
    if (@NAME@_greet("world", text, sizeof text) < 0)
        return 1;
    puts(text);
    return 0;
}
