/* Times dlopen of a plugin of api.h and its first call.
 * usage: start PLUGIN.so [nosite]      prints "dlopen MS", "first_call MS", "total MS", "libpython_mapped 0|1", and the memory
 *                                      in KiB after each: "rss_dlopen", "rss_after". With `nosite` a libpython that is
 *                                      mapped by then is told to start without site, as `python -S` does. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

static long resident(void)
{
    long total = 0, pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (statm != NULL && fscanf(statm, "%ld %ld", &total, &pages) != 2)
        pages = 0;
    if (statm != NULL)
        fclose(statm);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

int main(int argc, char **argv)
{
    int (*add1)(int, int), mapped, *no_site;
    long rss;
    double start = now(), opened, called;
    void *plugin = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL) : NULL;
    opened = now() - start;
    if (plugin == NULL) {
        fprintf(stderr, "%s\n", argc > 1 ? dlerror() : "usage: start PLUGIN.so");
        return 1;
    }
    rss = resident();
    mapped = is_mapped("libpython");
    no_site = argc > 2 && strcmp(argv[2], "nosite") == 0 ? dlsym(RTLD_DEFAULT, "Py_NoSiteFlag") : NULL;
    if (no_site != NULL)
        *no_site = 1;
    start = now();
    *(void **)&add1 = dlsym(plugin, "add1");
    if (add1 == NULL || add1(1, 2) != 3) {
        fprintf(stderr, "%s: add1 does not work\n", argv[1]);
        return 1;
    }
    called = now() - start;
    printf("dlopen %.4f\nfirst_call %.4f\ntotal %.4f\nlibpython_mapped %d\n", opened, called, opened + called, mapped);
    printf("rss_dlopen %ld\nrss_after %ld\n", rss, resident());
    return 0;
}
