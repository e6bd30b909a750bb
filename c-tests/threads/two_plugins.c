/* Two threads make the first call of a plugin each; each init code calls the other plugin. */
#include <pthread.h>
#include <stdio.h>
#include "left.h"
#include "right.h"

static pthread_barrier_t barrier;

static void *call_left(void *data)
{
    pthread_barrier_wait(&barrier);
    *(int *)data = left(1);
    return NULL;
}

static void *call_right(void *data)
{
    pthread_barrier_wait(&barrier);
    *(int *)data = right(1);
    return NULL;
}

int main(void)
{
    pthread_t one, other;
    int from_left = 0, from_right = 0;
    pthread_barrier_init(&barrier, NULL, 2);
    if (pthread_create(&one, NULL, call_left, &from_left) != 0 || pthread_create(&other, NULL, call_right, &from_right) != 0)
        return 2;
    pthread_join(one, NULL);
    pthread_join(other, NULL);
    printf("left %d right %d\n", from_left, from_right);
    return 0;
}
