/* Opens the plugin with the flags that the command line names. */
#include "host.h"

int main(int argc, char **argv)
{
    int flags = 0, i, (*add)(int, int);
    const char *(*extensions)(void);
    void *plugin;

    for (i = 2; i < argc; i++) {
        flags |= strcmp(argv[i], "RTLD_NOW") == 0 ? RTLD_NOW : 0;
        flags |= strcmp(argv[i], "RTLD_LAZY") == 0 ? RTLD_LAZY : 0;
        flags |= strcmp(argv[i], "RTLD_GLOBAL") == 0 ? RTLD_GLOBAL : 0;
        flags |= strcmp(argv[i], "RTLD_LOCAL") == 0 ? RTLD_LOCAL : 0;
        flags |= strcmp(argv[i], "RTLD_DEEPBIND") == 0 ? RTLD_DEEPBIND : 0;
    }
    plugin = host_open(argv[1], flags);
    HOST_SYMBOL(add, plugin, "add");
    HOST_SYMBOL(extensions, plugin, "extensions");
    printf("libpython mapped before the first call: %d\n", host_is_mapped("libpython"));
    printf("2 + 3 = %d\n", add(2, 3));
    printf("libpython mapped after it: %d\n", host_is_mapped("libpython"));
    printf("%s\n", extensions());
    return dlclose(plugin);
}
