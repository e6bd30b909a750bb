/* Opens the plugin in a namespace of its own. */
#include "host.h"

int main(int argc, char **argv)
{
    int (*add)(int, int), sum;
    const char *(*extensions)(void), *(*last_error)(void);
    void *plugin = argc > 1 ? dlmopen(LM_ID_NEWLM, argv[1], RTLD_NOW) : NULL;

    if (plugin == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 2;
    }
    HOST_SYMBOL(add, plugin, "add");
    HOST_SYMBOL(extensions, plugin, "extensions");
    HOST_SYMBOL(last_error, plugin, "loading_last_error");
    sum = add(2, 3);
    printf("2 + 3 = %d\n%s\n", sum, last_error() ? last_error() : extensions());
    return 0;
}
