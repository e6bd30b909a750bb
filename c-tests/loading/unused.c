/* Opens and closes the plugin, and never calls it. */
#include "host.h"

int main(int argc, char **argv)
{
    void *plugin = host_open(argv[argc - 1], RTLD_NOW | RTLD_GLOBAL);
    printf("libpython mapped: %d, runtime mapped: %d\n", host_is_mapped("libpython"), host_is_mapped("keelback_runtime"));
    return dlclose(plugin);
}
