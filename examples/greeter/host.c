#include <stdio.h>

#include "greeter.h"

int main(void)
{
    greet("world");
    printf("%d greetings\n", greet("C"));
    return 0;
}
