/* Times dlopen of a plugin of api.h and its first call.
 * usage: start PLUGIN.so      prints "dlopen MS", "first_call MS", "total MS", "libpython_mapped 0|1" */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int is_mapped(const char *part)
{
    char line[4096];
    int found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL)
        found |= strstr(line, part) != NULL;
    if (maps != NULL)
        fclose(maps);
    return found;
}

int main(int argc, char **argv)
{
    int (*add1)(int, int), mapped;
    double start = now(), opened, called;
    void *plugin = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL) : NULL;
    opened = now() - start;
    if (plugin == NULL) {
        fprintf(stderr, "%s\n", argc > 1 ? dlerror() : "usage: start PLUGIN.so");
        return 1;
    }
    mapped = is_mapped("libpython");
    start = now();
    *(void **)&add1 = dlsym(plugin, "add1");
    if (add1 == NULL || add1(1, 2) != 3) {
        fprintf(stderr, "%s: add1 does not work\n", argv[1]);
        return 1;
    }
    called = now() - start;
    printf("dlopen %.4f\nfirst_call %.4f\ntotal %.4f\nlibpython_mapped %d\n", opened, called, opened + called, mapped);
    return 0;
}
