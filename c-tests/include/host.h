/* Small things that hosts share. */
#ifndef KEELBACK_TEST_HOST_H
#define KEELBACK_TEST_HOST_H

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Is a file whose name has `part` in it mapped into this process? */
static inline int host_is_mapped(const char *part)
{
    char line[4096];
    int found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    if (maps == NULL)
        abort();
    while (!found && fgets(line, sizeof line, maps) != NULL) {
        const char *path = strchr(line, '/');
        found = path != NULL && strstr(path, part) != NULL;
    }
    fclose(maps);
    return found;
}

static inline void *host_open(const char *path, int flags)
{
    void *handle = dlopen(path, flags);
    if (handle == NULL) {
        fprintf(stderr, "dlopen: %s\n", dlerror());
        exit(99);
    }
    return handle;
}

/* The address of a symbol, to be assigned to a function pointer by HOST_SYMBOL. */
static inline void *host_symbol(void *handle, const char *name)
{
    void *address = dlsym(handle, name);
    if (address == NULL) {
        fprintf(stderr, "dlsym: %s\n", dlerror());
        exit(98);
    }
    return address;
}

/* ISO C has no cast from an object pointer to a function pointer; POSIX shows this way. */
#define HOST_SYMBOL(pointer, handle, name) (*(void **)(&(pointer)) = host_symbol((handle), (name)))

#endif
