/* Opens, calls and closes the plugin many times. */
#include "host.h"

int main(int argc, char **argv)
{
    int round, sum = 0, (*add)(int, int) = NULL, (*init_runs)(void) = NULL, (*first)(int, int) = NULL;

    for (round = 0; round < 300; round++) {
        void *plugin = host_open(argv[argc - 1], RTLD_NOW | (round % 2 ? RTLD_LOCAL : RTLD_GLOBAL));
        HOST_SYMBOL(add, plugin, "add");
        HOST_SYMBOL(init_runs, plugin, "init_runs");
        if (first == NULL)
            first = add;
        sum = add(sum, round);
        if (dlclose(plugin) != 0)
            return 2;
    }
    printf("sum %d, init code ran %d time(s)\n", sum, init_runs());
    printf("same address: %d, callable when closed: %d\n", first == add, first(40, 2));
    return 0;
}
