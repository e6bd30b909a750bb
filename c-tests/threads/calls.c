/* calls LIBRARY:FUNCTION...: one thread for each, all at the same time; prints what they return, in order. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_barrier_t barrier;

typedef struct {
    int (*function)(int);
    int result;
} call_t;

static void *run(void *data)
{
    call_t *call = (call_t *)data;
    pthread_barrier_wait(&barrier);
    call->result = call->function(1);
    return NULL;
}

int main(int count, char **arguments)
{
    int i;
    call_t *calls = (call_t *)calloc((size_t)count, sizeof *calls);
    pthread_t *threads = (pthread_t *)calloc((size_t)count, sizeof *threads);
    pthread_barrier_init(&barrier, NULL, (unsigned)(count - 1));
    for (i = 1; i < count; i++) {
        char *colon = strrchr(arguments[i], ':');
        void *library, *function;
        *colon = '\0';
        library = dlopen(arguments[i], RTLD_NOW | RTLD_LOCAL);
        function = library == NULL ? NULL : dlsym(library, colon + 1);
        if (function == NULL) {
            fprintf(stderr, "%s\n", dlerror());
            return 2;
        }
        memcpy(&calls[i].function, &function, sizeof function);
    }
    for (i = 1; i < count; i++)
        if (pthread_create(&threads[i], NULL, run, &calls[i]) != 0)
            return 2;
    for (i = 1; i < count; i++) {
        pthread_join(threads[i], NULL);
        printf("%s%d", i == 1 ? "" : " ", calls[i].result);
    }
    printf("\n");
    return 0;
}
