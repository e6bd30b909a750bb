/* Prints the answer to each argument. */
#include <stdio.h>
#include "bundled.h"

int main(int count, char **names)
{
    int i;
    for (i = 1; i < count; i++) {
        const char *answer = ask(names[i]);
        printf("%s\n", answer == NULL ? "NULL" : answer);
    }
    return 0;
}
