/* Makes one call, named on the command line, and tells what came back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "errors.h"

static void handler(const char *function, const char *message, void *data)
{
    printf("handler: function %s, data %d\n%s", function, *(int *)data, message);
}

int main(int argc, char **argv)
{
    static int data = 123;
    const char *call = argv[1];
    int kind = argc > 2 ? atoi(argv[2]) : 0;

    if (argc > 3)
        errors_set_error_handler(handler, &data);
    if (strcmp(call, "fail") == 0)
        printf("%d\n", fail(kind));
    else if (strcmp(call, "fail_with_value") == 0)
        printf("%d\n", fail_with_value(kind));
    else if (strcmp(call, "fail_double") == 0)
        printf("%g\n", fail_double());
    else if (strcmp(call, "fail_pointer") == 0)
        printf("%s\n", fail_pointer());
    else if (strcmp(call, "fail_struct") == 0) {
        struct pair pair = fail_struct();
        printf("%d %d\n", pair.a, pair.b);
    } else if (strcmp(call, "bad_result") == 0)
        printf("%d\n", bad_result());
    else if (strcmp(call, "too_big") == 0)
        printf("%d\n", too_big());
    else if (strcmp(call, "returns_none") == 0)
        printf("%d\n", returns_none());
    else if (strcmp(call, "void_returns") == 0) {
        void_returns();
        printf("void\n");
    } else if (strcmp(call, "with_onerror") == 0)
        printf("%d\n", with_onerror(kind));
    else if (strcmp(call, "never_attached") == 0)
        printf("%d\n", never_attached(kind));
    else
        return 99;
    printf("last error: %s\n", errors_last_error() == NULL ? "none" : strtok(strdup(errors_last_error()), "\n"));
    printf("lives: %d\n", fine());
    return 0;
}
