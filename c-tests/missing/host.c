/* Calls, starts, and tells what it sees. With an argument: mends the cause (sets KEELBACK_PYTHON or
 * KEELBACK_RUNTIME, as "NAME=VALUE" says; "NAME=" unsets it) and starts again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "missing.h"

static void tell(const char *what)
{
    const char *error = missing_last_error();
    fflush(stdout);
    printf("%s: %s\n", what, error == NULL ? "no error" : strtok(strdup(error), "\n"));
}

static void call(void)
{
    const char *text;
    printf("add %d, ", add(2, 3));
    printf("checked %d, ", checked());
    text = name();
    printf("name %s\n", text == NULL ? "NULL" : text);
}

int main(int argc, char **argv)
{
    int code, i;
    call();
    tell("last error");
    code = missing_start();
    printf("start %s\n", code == 0 ? "0" : code < 0 ? "negative" : "positive");
    tell("last error");
    for (i = 1; i < argc; i++) {
        char *equals = strchr(argv[i], '=');
        *equals = '\0';
        if (equals[1] == '\0')
            unsetenv(argv[i]);
        else
            setenv(argv[i], equals + 1, 1);
    }
    if (argc > 1) {
        printf("start %d\n", missing_start());
        call();
        tell("last error");
    }
    return 0;
}
