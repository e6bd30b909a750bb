/* Linked with -lloading: knows nothing of Python. */
#include "host.h"
#include "loading.h"

int main(void)
{
    printf("libpython mapped before the first call: %d\n", host_is_mapped("libpython"));
    printf("runtime mapped before the first call: %d\n", host_is_mapped("keelback_runtime"));
    printf("2 + 3 = %d\n", add(2, 3));
    printf("libpython mapped after it: %d\n", host_is_mapped("libpython"));
    printf("%s\n", extensions());
    return 0;
}
