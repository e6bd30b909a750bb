/* Calls the batches of each kind of function, and prints what the arrays hold afterwards. */
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include "batches.h"

static void told(const char *function, const char *message, void *data)
{
    *(int *)data += 1;
    printf("told of %s: %.*s\n", function, (int)strcspn(message, "\n"), message);
}

static void print(const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        printf("%s%g", i ? " " : "", values[i]);
    printf("\n");
}

static int kinds(void)
{
    int8_t counts[] = {1, -2, 3};
    float factors[] = {1.5f, 2.0f, 10.0f};
    const char *const labels[] = {"", "ab", "abc"};
    int weights[3];
    struct point points[] = {{1, 2}, {3, 4}, {5, 8}};
    struct point others[] = {{2, 4}, {4, 6}, {7, 10}};
    struct point middles[3];
    double values[3], steps[] = {10, 20, 30};
    long double wides[] = {1.0L / 3, 2, 3};
    enum mood moods[] = {CALM, ANGRY, CALM};
    bool really[] = {true, true, false};
    struct opaque *handles[] = {(struct opaque *)points, NULL, (struct opaque *)values};
    void *same_handles[3];
    unsigned draws[3];

    weigh_n(3, counts, factors, labels, weights);
    printf("weigh %d %d %d\n", weights[0], weights[1], weights[2]);
    length_n(3, points, values);
    print(values, 3);
    area_n(3, points, others, values);
    print(values, 3);
    middle_n(3, points, others, middles);
    printf("middle %g,%g %g,%g %g,%g\n", middles[0].x, middles[0].y, middles[1].x, middles[1].y, middles[2].x, middles[2].y);
    move_by_n(3, points, steps);
    printf("moved %g %g %g\n", points[0].x, points[1].x, points[2].x);
    wide_n(3, wides, wides);
    printf("wide %d\n", wides[0] == 1.0L / 3 && wides[2] == 3);
    flip_n(3, moods, really, moods);
    printf("flip %d %d %d\n", moods[0], moods[1], moods[2]);
    same_n(3, handles, same_handles);
    printf("same %d\n", memcmp(handles, same_handles, sizeof handles) == 0);
    draw_n(3, draws);
    printf("draw %u %u %u\n", draws[0], draws[1], draws[2]);
    return 0;
}

static int errors(void)
{
    double values[] = {1, 13, 3, 14, 13, 16}, result[6];
    int count = 0;
    score_n(6, values, result);
    print(result, 6);
    printf("%s\n", batches_last_error());
    batches_set_error_handler(told, &count);
    score_n(6, values, result);
    score_n(0, NULL, NULL);
    double stopped[] = {1, 15, 3};
    score_n(3, stopped, stopped);
    print(stopped, 3);
    double one[] = {2, 13};
    score_n(2, one, one);
    score_n(SIZE_MAX / 2, values, result);
    printf("reports: %d\n", count);
    return 0;
}

/* What a function under def_extern(batch=True) gets and gives; calls of the single functions reach it too. */
static int arrays(void)
{
    double values[] = {1, 2, 3}, wrong[] = {13, 2, 3}, result[3];
    struct point point = {3, 4}, other = {5, 7};
    int count = 0;
    score_n(3, values, result);
    print(result, 3);
    score_n(0, NULL, NULL);
    batches_set_error_handler(told, &count);
    score_n(3, wrong, result);
    print(result, 3);
    wrong[0] = 14;
    score_n(3, wrong, wrong);
    print(wrong, 3);
    printf("%g %g %g\n", score(5), score(13), length(&point));
    point = middle(point, &other);
    move_by(&point, 0.5);
    printf("%g %g %d %d %u %d\n", point.x, point.y, weigh(-2, 2.0f, "abc"), (int)flip(CALM, 1), draw(), wide(2.5L) == 2.5L);
    printf("seen %d\n", plain(0));
    printf("%g\n", score(5));
    return 0;
}

static int unstarted(void)
{
    double values[] = {1, 2, 3};
    score_n(3, values, values);
    print(values, 3);
    int8_t counts[2] = {1, 2};
    float factors[2] = {0, 0};
    const char *const labels[2] = {"", ""};
    int weights[3] = {9, 9, 9};
    weigh_n(2, counts, factors, labels, weights);
    printf("%d %d %d\n", weights[0], weights[1], weights[2]);
    return 0;
}

int main(int argc, char **argv)
{
    (void)argc;
    if (strcmp(argv[1], "kinds") == 0)
        return kinds();
    if (strcmp(argv[1], "arrays") == 0)
        return arrays();
    if (strcmp(argv[1], "errors") == 0)
        return errors();
    return unstarted();
}
