/* Threads that come, call and go: their Python states go with them. */
#include <pthread.h>
#include <stdio.h>
#include "threads.h"

static void *work(void *data)
{
    *(int *)data += add(1, 0) + asked_here();
    return NULL;
}

int main(void)
{
    int i, sum = 0, before = thread_states(), after;
    for (i = 0; i < 500; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, work, &sum) != 0 || pthread_join(thread, NULL) != 0)
            return 2;
    }
    after = thread_states();
    printf("sum %d, states before %d, after %d\n", sum, before, after);
    return 0;
}
