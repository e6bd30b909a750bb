/* The first call comes from a thread that is not the main one, and that ends. */
#include <pthread.h>
#include <stdio.h>
#include "threads.h"

static void *work(void *unused)
{
    (void)unused;
    printf("thread: %d, init code on it: %d\n", add(40, 2), is_init_thread());
    return NULL;
}

int main(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, work, NULL) != 0 || pthread_join(thread, NULL) != 0)
        return 2;
    printf("main: %d, init code on it: %d\n", add(1, 2), is_init_thread());
    if (pthread_create(&thread, NULL, work, NULL) != 0 || pthread_join(thread, NULL) != 0)
        return 2;
    printf("init code ran %d time(s)\n", init_runs());
    return 0;
}
