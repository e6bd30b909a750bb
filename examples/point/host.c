#include <stdio.h>
#include <string.h>

#include "point.h"

/* What the walk is told to collect. */
struct sum {
    double x, y;
    int left;
};

static int add(point_t point, void *data)
{
    struct sum *sum = data;
    sum->x += point.x;
    sum->y += point.y;
    return --sum->left == 0;
}

/* Gets what goes wrong in Python; without it, standard error does. The first line says it, the rest is the traceback. */
static void complain(const char *function, const char *message, void *data)
{
    printf("%s: %s failed\n", (const char *)data, function);
    printf("    %.*s\n", (int)strcspn(message, "\n"), message);
}

int main(void)
{
    point_t a = {0, 0}, b = {3, 4}, middle;
    struct sum all = {0, 0, -1}, some = {0, 0, 2};
    int visited;

    point_set_error_handler(complain, "host");

    printf("distance %g\n", point_distance(a, b));
    middle = point_middle(a, b);
    printf("middle %g, %g\n", middle.x, middle.y);
    point_rotate(&b, 90);
    printf("rotated %g, %g\n", b.x, b.y);

    visited = point_walk(a, b, 4, add, &all);
    printf("walked %d points, sum %g, %g\n", visited, all.x, all.y);
    visited = point_walk(a, b, 4, add, &some);
    printf("stopped after %d points\n", visited);

    printf("parse %d", point_parse("1.5, -2", &a));
    printf(": %g, %g\n", a.x, a.y);
    printf("parse %d\n", point_parse("nonsense", &a));
    return 0;
}
