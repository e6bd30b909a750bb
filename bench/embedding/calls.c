/* Times calls into a plugin of api.h, from the main thread, from a thread that Python did not create, and from two and
 * four such threads at once.
 * usage: calls PLUGIN.so [CASE...]      prints "main/add1 BEST MEDIAN", nanoseconds per call; with several threads
 *                                       ("mt2/add1") the time on the wall divided by the calls of all threads */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifdef INSTRUCTIONS /* ../instructions.py: counts instructions under callgrind instead of taking the time */
#include <valgrind/callgrind.h>
#define IS_TIMED 0
#else
#define IS_TIMED 1
#endif

typedef struct { double x, y; } point_t;

static int (*add1)(int, int);
static double (*multiply)(double, double);
static void (*multiply_n)(size_t, const double *, const double *, double *);
static double (*scale)(double);
static void (*scale_n)(size_t, const double *, double *);
static void (*noop)(void);
static int (*length)(const char *);
static double (*point)(const point_t *);
static double (*point_val)(point_t);
static void *(*make_handle)(void);
static int (*handle)(void *);
static int (*raises)(int);
static int (*wrong)(int);

static int (*enter)(void);
static void (*leave)(void);

static void *a_handle;
static volatile double sink;

static void run_add1(long n) { long i, s = 0; for (i = 0; i < n; i++) s += add1(1000 + (int)(i & 255), 500); sink = (double)s; }
static void run_multiply(long n) { long i; double s = 0; for (i = 0; i < n; i++) s += multiply(1.5, (double)i); sink = s; }
static void run_noop(long n) { long i; for (i = 0; i < n; i++) noop(); }
static void run_length(long n) { long i, s = 0; for (i = 0; i < n; i++) s += length("sixteen bytes ok"); sink = (double)s; }
static void run_point(long n) { long i; double s = 0; point_t p = {1.5, 2.5}; for (i = 0; i < n; i++) s += point(&p); sink = s; }
static void run_point_val(long n) { long i; double s = 0; point_t p = {1.5, 2.5}; for (i = 0; i < n; i++) s += point_val(p); sink = s; }
static void run_handle(long n) { long i, s = 0; for (i = 0; i < n; i++) s += handle(a_handle); sink = (double)s; }

/* Elements of batches; one by one where the plugin has none. */
enum { BATCH = 10000 };
static double elements[BATCH], results[BATCH];

static void run_multiply_batch(long n)
{
    for (; n > 0; n -= BATCH) {
        long i, count = n < BATCH ? n : BATCH;
        if (multiply_n != NULL)
            multiply_n((size_t)count, elements, elements, results);
        else
            for (i = 0; i < count; i++)
                results[i] = multiply(elements[i], elements[i]);
    }
}

static void run_scale_batch(long n)
{
    for (; n > 0; n -= BATCH) {
        long i, count = n < BATCH ? n : BATCH;
        if (scale_n != NULL)
            scale_n((size_t)count, elements, results);
        else
            for (i = 0; i < count; i++)
                results[i] = scale(elements[i]);
    }
}

/* In a scope, where the plugin has any: the thread stays in Python between the calls. */
static void in_a_scope(void (*run)(long), long n)
{
    int is_in = enter != NULL && enter() == 0;
    run(n);
    if (is_in)
        leave();
}

static void run_add1_scope(long n) { in_a_scope(run_add1, n); }
static void run_noop_scope(long n) { in_a_scope(run_noop, n); }

/* Calls that fail: what they say on standard error goes to /dev/null. */
static void run_quietly(int (*function)(int), long n)
{
    int i, kept = dup(2), null = open("/dev/null", O_WRONLY);
    fflush(stderr);
    dup2(null, 2);
    for (i = 0; i < n; i++)
        sink = function(i);
    dup2(kept, 2);
    close(kept);
    close(null);
}

static void run_raises(long n) { run_quietly(raises, n); }
static void run_wrong(long n) { run_quietly(wrong, n); }

static const struct { const char *name; void (*run)(long); void *needs; } cases[] = {
    {"add1", run_add1, &add1}, {"multiply", run_multiply, &multiply}, {"noop", run_noop, &noop},
    {"add1_scope", run_add1_scope, &add1}, {"noop_scope", run_noop_scope, &noop}, {"length", run_length, &length},
    {"multiply_batch", run_multiply_batch, &multiply}, {"scale_batch", run_scale_batch, &scale},
    {"point", run_point, &point}, {"point_val", run_point_val, &point_val}, {"handle", run_handle, &handle},
    {"raises", run_raises, &raises}, {"wrong", run_wrong, &wrong},
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static char **wanted;

static int is_wanted(size_t c)
{
    char **name;
    for (name = wanted; *name != NULL && strcmp(*name, cases[c].name) != 0; name++)
        ;
    return (*wanted == NULL || *name != NULL) && *(void **)cases[c].needs != NULL;
}

static void *measure(void *where)
{
    enum { ROUNDS = 25 };
    size_t c;
    for (c = 0; c < sizeof cases / sizeof *cases; c++) {
        double rounds[ROUNDS], start;
        long n = 500;
        int i;
        if (!is_wanted(c))
            continue;
        cases[c].run(n);
        do {
            n *= 2;
            start = now();
            cases[c].run(n);
        } while (now() - start < 4e6);
        for (i = 0; i < ROUNDS; i++) {
            start = now();
            cases[c].run(n);
            rounds[i] = (now() - start) / (double)n;
        }
        qsort(rounds, ROUNDS, sizeof *rounds, compare);
        printf("%s/%s %.2f %.2f\n", (const char *)where, cases[c].name, rounds[0], rounds[ROUNDS / 2]);
    }
    return NULL;
}

struct work {
    pthread_barrier_t *ready;
    void (*run)(long);
    long n;
    double start, end;
};

static void *work(void *data)
{
    struct work *work = data;
    work->run(10); /* Its first call makes the thread's state. */
    pthread_barrier_wait(work->ready);
    work->start = now();
    work->run(work->n);
    work->end = now();
    return NULL;
}

/* How many calls a new thread makes in some milliseconds: one that never called Python before may be much slower. */
static void *count_calls(void *data)
{
    struct work *work = data;
    double start;
    work->n = 50;
    do {
        work->n *= 2;
        start = now();
        work->run(work->n);
    } while (now() - start < 8e6);
    return NULL;
}

static void measure_together(int threads)
{
    enum { ROUNDS = 7, MOST = 4 };
    size_t c;
    for (c = 0; c < sizeof cases / sizeof *cases; c++) {
        double rounds[ROUNDS];
        struct work alone = {NULL, cases[c].run, 0, 0, 0};
        pthread_t counter;
        int i, t;
        if (!is_wanted(c) || (cases[c].run != run_add1 && cases[c].run != run_noop))
            continue;
        pthread_create(&counter, NULL, count_calls, &alone);
        pthread_join(counter, NULL);
        for (i = 0; i < ROUNDS; i++) {
            pthread_barrier_t ready;
            pthread_t ids[MOST];
            struct work each[MOST];
            double start, end;
            pthread_barrier_init(&ready, NULL, (unsigned)threads);
            for (t = 0; t < threads; t++) {
                each[t] = (struct work){&ready, cases[c].run, alone.n, 0, 0};
                pthread_create(&ids[t], NULL, work, &each[t]);
            }
            for (t = 0; t < threads; t++)
                pthread_join(ids[t], NULL);
            /* From the first thread that started to the last one that was done. */
            start = each[0].start;
            end = each[0].end;
            for (t = 1; t < threads; t++) {
                start = each[t].start < start ? each[t].start : start;
                end = each[t].end > end ? each[t].end : end;
            }
            rounds[i] = (end - start) / (double)(alone.n * threads);
            pthread_barrier_destroy(&ready);
        }
        qsort(rounds, ROUNDS, sizeof *rounds, compare);
        printf("mt%d/%s %.2f %.2f\n", threads, cases[c].name, rounds[0], rounds[ROUNDS / 2]);
    }
}

int main(int argc, char **argv)
{
    pthread_t thread;
    void *plugin = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL) : NULL;
    if (plugin == NULL) {
        fprintf(stderr, "%s\n", argc > 1 ? dlerror() : "usage: calls PLUGIN.so [CASE...]");
        return 1;
    }
    wanted = argv + 2;
#define FIND(name) *(void **)&name = dlsym(plugin, #name)
    FIND(add1); FIND(multiply); FIND(noop); FIND(length); FIND(point); FIND(point_val); FIND(make_handle); FIND(handle);
    FIND(raises); FIND(wrong); FIND(multiply_n); FIND(scale); FIND(scale_n);
    if (add1 == NULL || add1(1, 2) != 3) {
        fprintf(stderr, "%s: add1 does not work\n", argv[1]);
        return 1;
    }
    if (make_handle != NULL)
        a_handle = make_handle();
    size_t c, e;
    for (e = 0; e < BATCH; e++)
        elements[e] = (double)e + 0.5;
    for (c = 0; c < sizeof cases / sizeof *cases; c++)
        if (cases[c].run == run_scale_batch && is_wanted(c) && IS_TIMED) {
            run_scale_batch(1);
            if (results[0] != 1.25) /* There is no numpy. */
                scale = NULL;
        }
    *(void **)&enter = dlsym(plugin, "bench_plugin_enter");
    *(void **)&leave = dlsym(plugin, "bench_plugin_leave");
#ifdef INSTRUCTIONS
    for (c = 0; c < sizeof cases / sizeof *cases; c++) {
        /* Under valgrind, numpy's import takes minutes. */
        if (!is_wanted(c) || cases[c].run == run_scale_batch)
            continue;
        cases[c].run(100);
        CALLGRIND_ZERO_STATS;
        cases[c].run(1000);
        CALLGRIND_DUMP_STATS_AT(cases[c].name);
    }
    return 0;
#endif
    measure("main");
    pthread_create(&thread, NULL, measure, "thread");
    pthread_join(thread, NULL);
    measure_together(2);
    measure_together(4);
    return 0;
}
