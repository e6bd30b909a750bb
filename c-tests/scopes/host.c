/* Scopes: argv[1] says what is done in and around them. Each line says first whether the thread holds the GIL. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "scoped.h"

static int in_python(void)
{
    int (*check)(void);
    *(void **)&check = dlsym(RTLD_DEFAULT, "PyGILState_Check");
    return check != NULL && check();
}

static void say(const char *text, int value)
{
    printf("%d %s %d\n", in_python(), text, value);
    fflush(stdout);
}

static void rest(int milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    nanosleep(&time, NULL);
}

static void run(void *(*function)(void *))
{
    pthread_t thread;
    pthread_create(&thread, NULL, function, NULL);
    pthread_join(thread, NULL);
}

static void nested(void)
{
    say("entered", scoped_enter());
    say("entered", scoped_enter());
    say("add", add(1, 2));
    scoped_leave();
    say("left once", add(3, 4));
    tell("in order");
    scoped_leave();
    say("left", add(5, 6));
    scoped_leave();
    say("left once more", 0);
    say("last error", strstr(scoped_last_error(), "in no scope") != NULL);
}

static int returns(int n)
{
    SCOPED_SCOPE
    {
        if (n > 0)
            return in_python() + add(n, 1);
    }
    return -1;
}

static int jumps(void)
{
    int i, seen = 0;
    for (i = 0; i < 3; i++)
        SCOPED_SCOPE {
            SCOPED_SCOPE {
                seen += in_python();
                if (i == 1)
                    goto out;
            }
            seen += 10 * in_python();
            if (i == 0)
                break;
            seen += 100;
        }
out:
    return seen;
}

static void macro(void)
{
    int i, bodies = 0;
    SCOPED_SCOPE
        say("in the scope", add(1, 1));
    say("after it", 0);
    say("returned", returns(1));
    say("not returned", returns(0));
    say("jumped", jumps());
    for (i = 0; i < 3; i++)
        SCOPED_SCOPE {
            bodies++;
            continue;
        }
    if (bodies == 3)
        SCOPED_SCOPE { bodies += in_python(); }
    else
        bodies = -1;
    say("bodies", bodies);
}

/* Without a Python. */
static void failing(void)
{
    int bodies = 0;
    say("entered", scoped_enter());
    say("last error", strstr(scoped_last_error(), "no libpython") != NULL);
    SCOPED_SCOPE
    {
        bodies++;
        say("add", add(1, 2));
    }
    say("bodies", bodies);
    scoped_leave();
}

static void *forgets(void *unused)
{
    int entered = scoped_enter() + scoped_enter();
    say("forgets", entered + add(1, 2));
    return unused;
}

static void *forgets_with_a_call_before(void *unused)
{
    add(0, 0);
    return forgets(unused);
}

static void *exits(void *unused)
{
    SCOPED_SCOPE
    {
        say("exits", add(2, 3));
        pthread_exit(unused);
    }
    return unused;
}

/* Threads that end in a scope; the first of them has started Python. */
static void threads(void)
{
    run(forgets);
    run(forgets);
    run(forgets_with_a_call_before);
    run(exits);
    say("after them", add(4, 5));
}

static volatile int calls, stop;

static void *calls_on(void *unused)
{
    while (!stop)
        calls += add(1, 0);
    return unused;
}

/* Another thread has its turns while calls run in the scope, and when Python waits; none while the scope's thread waits. */
static void turns(void)
{
    pthread_t thread;
    int before;
    scoped_start();
    pthread_create(&thread, NULL, calls_on, NULL);
    while (calls < 5)
        rest(1);
    scoped_enter();
    for (before = calls; calls < before + 5;)
        add(1, 1);
    say("while calls run", 1);
    before = calls;
    python_sleep();
    say("while Python waits", calls > before);
    before = calls;
    rest(50);
    /* One that was over in Python may have come back to C meanwhile. */
    say("while C waits", calls <= before + 1);
    scoped_leave();
    while (calls <= before + 1)
        rest(1);
    say("left", 1);
    stop = 1;
    pthread_join(thread, NULL);
}

static void *leaves(void *unused)
{
    scoped_leave();
    return unused;
}

static void from_another_thread(void)
{
    scoped_enter();
    run(leaves);
    say("still in it", add(1, 2));
    scoped_leave();
    say("left", 0);
}

static int in_c(int what)
{
    int result = 0;
    printf("%d called by Python\n", in_python());
    if (what == 0) {
        scoped_enter();
        result = in_python() + add(10, 20);
        scoped_leave();
    } else if (what == 1) {
        scoped_enter();
        scoped_enter();
        result = in_python();
    } else
        scoped_leave();
    return result + 100 * in_python();
}

/* C that Python calls has scopes of its own; what it forgets ends when it returns. */
static void callbacks(void)
{
    int scoped;
    for (scoped = 0; scoped < 2; scoped++) {
        if (scoped)
            scoped_enter();
        say("entered and left", call(in_c, 0));
        say("forgotten", call(in_c, 1));
        say("left only", call(in_c, 2));
    }
    scoped_leave();
    say("left", 0);
}

static void handler(const char *function, const char *message, void *data)
{
    (void)data;
    printf("%d %s: %.*s\n", in_python(), function, (int)strcspn(message, "\n"), message);
    scoped_enter();
    printf("%d in a scope of the handler: %d\n", in_python(), add(1, 2));
}

static void handlers(void)
{
    scoped_set_error_handler(handler, NULL);
    scoped_enter();
    say("failed", fail());
    scoped_leave();
    scoped_leave();
    say("left", 0);
}

static void forks(void)
{
    pthread_t thread;
    pid_t child;
    int status = -1;
    scoped_enter();
    count_forks();
    pthread_create(&thread, NULL, calls_on, NULL);
    while (calls < 5)
        add(1, 1);
    child = fork();
    if (child == 0) {
        SCOPED_SCOPE
            say("in the child", add(1, forks_counted()));
        scoped_leave();
        say("left in the child", add(1, 2));
        exit(scoped_enter());
    }
    say("in the parent", add(2, forks_counted()));
    scoped_leave();
    waitpid(child, &status, 0);
    say("left in the parent", status);
    stop = 1;
    pthread_join(thread, NULL);
    /* Another thread is in a scope. */
    run(forgets);
    child = fork();
    if (child == 0)
        exit(add(0, 3));
    waitpid(child, &status, 0);
    say("the second child", WEXITSTATUS(status));
}

static void exit_in_a_scope(void)
{
    scoped_enter();
    tell_at_exit();
    exit(3);
}

static void *blocks(void *unused)
{
    tell_at_exit();
    SCOPED_SCOPE
    {
        calls = 1;
        pause();
    }
    return unused;
}

/* While another thread blocks in a scope. */
static void exit_of_another(void)
{
    pthread_t thread;
    scoped_start();
    pthread_create(&thread, NULL, blocks, NULL);
    while (calls == 0)
        rest(1);
    exit(3);
}

static void *calls_for_ever(void *unused)
{
    SCOPED_SCOPE
        for (;;)
            calls = add(0, 1);
    return unused;
}

/* While another thread makes calls in a scope. */
static void exit_among_calls(void)
{
    pthread_t thread;
    scoped_start();
    tell_at_exit();
    pthread_create(&thread, NULL, calls_for_ever, NULL);
    while (calls == 0)
        rest(1);
    exit(4);
}

/* A scope that keeps others out, of a library made with --dev. */
static void idle(void)
{
    SCOPED_SCOPE
    {
        add(1, 1);
        rest(250);
        add(1, 1);
    }
    rest(150);
    run(forgets);
    rest(150);
    say("left", 0);
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"nested", nested}, {"macro", macro}, {"failing", failing}, {"threads", threads}, {"turns", turns},
    {"from_another_thread", from_another_thread}, {"callbacks", callbacks}, {"handlers", handlers}, {"forks", forks},
    {"exit_in_a_scope", exit_in_a_scope}, {"exit_of_another", exit_of_another}, {"exit_among_calls", exit_among_calls},
    {"idle", idle},
};

int main(int argc, char **argv)
{
    size_t i;
    for (i = 0; argc > 1 && i < sizeof cases / sizeof *cases; i++)
        if (strcmp(cases[i].name, argv[1]) == 0)
            cases[i].run();
    return 0;
}
