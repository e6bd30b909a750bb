/* host [LIBRARY]: opens the library first, hidden from others; then asks the plugin. */
#include <dlfcn.h>
#include <stdio.h>
#include "which.h"

#ifdef REFUSE_MEMFD
/* Found before the C library's. */
int memfd_create(const char *name, unsigned int flags);
int memfd_create(const char *name, unsigned int flags)
{
    (void)name;
    (void)flags;
    return -1;
}
#endif

int main(int count, char **words)
{
    const char *text;
    if (count > 1 && dlopen(words[1], RTLD_NOW | RTLD_LOCAL) == NULL)
        printf("%s\n", dlerror());
    text = found();
    puts(text == NULL ? "nothing" : text);
    return 0;
}
