/* N threads make the first call at once; each then calls some more. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "threads.h"

static pthread_barrier_t barrier;

static void *work(void *data)
{
    long *wrong = data;
    int i;
    pthread_barrier_wait(&barrier);
    for (i = 0; i < 300; i++)
        if (add(i, 1000) != i + 1000)
            ++*wrong;
    for (i = 1; i <= 3; i++)
        if (asked_here() != i)
            ++*wrong;
    return NULL;
}

int main(int argc, char **argv)
{
    int count = atoi(argv[argc - 1]), i;
    long wrong[64] = {0}, sum = 0;
    pthread_t threads[64];

    pthread_barrier_init(&barrier, NULL, (unsigned)count);
    for (i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, work, &wrong[i]) != 0)
            return 2;
    for (i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        sum += wrong[i];
    }
    printf("%d threads, %ld wrong results, init code ran %d time(s)\n", count, sum, init_runs());
    return 0;
}
