/* The init code fails: every call gives its error value, and NAME_start tells. */
#include <stdio.h>
#include <string.h>
#include "initfails.h"

static void handler(const char *function, const char *message, void *data)
{
    printf("handler %s: %s: %s\n", (const char *)data, function, strtok(strdup(message), "\n"));
}

int main(int argc, char **argv)
{
    int first;
    (void)argv;
    if (argc > 1)
        initfails_set_error_handler(handler, (void *)"here");
    first = count();
    printf("%d %d\n", first, status());
    fflush(stdout);
    first = count();
    printf("%d %d\n", first, status());
    printf("start %s\n", initfails_start() < 0 ? "negative" : "not negative");
    fflush(stdout);
    printf("last error:\n%s", initfails_last_error() == NULL ? "none\n" : initfails_last_error());
    return 0;
}
