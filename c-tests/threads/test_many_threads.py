"""Threads of the host and threads of Python, together."""

import pytest
from harness import Ran

# -- a first call that many make at once, with an init code that is busy --

BUSY_CDEF = "int add(int a, int b); int facts(void);"
BUSY_INIT = """
    import threading
    from busy import ffi, lib

    @ffi.def_extern()
    def add(a, b):
        return a + b

    # Its own function, through C, on this thread and on threads that wait for nobody.
    sums = [lib.add(1, 2)]
    threads = [threading.Thread(target=lambda i=i: sums.append(lib.add(i, i))) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    @ffi.def_extern()
    def facts():
        return sum(sums)
"""
BUSY_HOST = """
    #include <pthread.h>
    #include <stdio.h>
    #include "busy.h"

    static pthread_barrier_t barrier;

    static void *work(void *data)
    {
        long *wrong = data;
        int i;
        pthread_barrier_wait(&barrier);
        for (i = 0; i < 100; i++)
            *wrong += add(i, 7) != i + 7;
        return NULL;
    }

    int main(void)
    {
        enum { COUNT = 32 };
        pthread_t threads[COUNT];
        long wrong[COUNT] = {0}, sum = 0;
        int i;
        pthread_barrier_init(&barrier, NULL, COUNT);
        for (i = 0; i < COUNT; i++)
            pthread_create(&threads[i], NULL, work, &wrong[i]);
        for (i = 0; i < COUNT; i++) {
            pthread_join(threads[i], NULL);
            sum += wrong[i];
        }
        printf("%ld wrong, %d\\n", sum, facts());
        return 0;
    }
"""


def test_init_code_that_starts_threads(plugin, host, run):
    """32 threads make the first call; the init code meanwhile calls its own plugin, from threads of its own too."""
    built = plugin(BUSY_CDEF, BUSY_INIT, name="busy")
    assert run(host(BUSY_HOST, built)) == Ran(f"0 wrong, {3 + 2 * sum(range(8))}\n")


# -- threads that come and go --

SHORT_HOST = """
    #include <pthread.h>
    #include <stdio.h>
    #include <unistd.h>
    #include "threads.h"

    static void *work(void *data)
    {
        *(int *)data = add(*(int *)data, 1);
        return NULL;
    }

    static void rounds(int count, int *sum)
    {
        pthread_t thread;
        while (count-- > 0)
            if (pthread_create(&thread, NULL, work, sum) != 0 || pthread_join(thread, NULL) != 0)
                _exit(2);
    }

    static long resident(void)
    {
        long pages = 0;
        FILE *file = fopen("/proc/self/statm", "r");
        if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1)
            _exit(3);
        fclose(file);
        return pages * sysconf(_SC_PAGESIZE) / 1024;
    }

    int main(void)
    {
        int sum = 0, states = thread_states();
        long before;
        rounds(2000, &sum);
        before = resident();
        rounds(98000, &sum);
        printf("%d calls, states %d, then %d, %s\\n", sum, states, thread_states(),
               resident() - before < 1024 ? "no growth" : "growth");
        return 0;
    }
"""


def test_a_hundred_thousand_short_lived_threads(plugin, host, run, here):
    built = plugin(here / "api.h", here / "init.py", name="threads")
    assert run(host(SHORT_HOST, built), timeout=300) == Ran("100000 calls, states 1, then 1, no growth\n")


# -- who lets whom in --

SHARE_CDEF = """
    void wait_in_c(void (*wait)(void));
    void wait_in_python(void);
    void wait_in_lock(void);
    void release(void);
    int calls(void);
"""
SHARE_INIT = """
    import threading
    from share import ffi

    released = False
    lock = threading.Lock()
    lock.acquire()
    count = 0

    @ffi.def_extern()
    def wait_in_c(wait):
        wait()

    @ffi.def_extern()
    def wait_in_python():
        while not released:
            pass

    @ffi.def_extern()
    def wait_in_lock():
        with lock:
            pass

    @ffi.def_extern()
    def release():
        global released
        released = True
        lock.release()

    @ffi.def_extern()
    def calls():
        global count
        count += 1
        return count
"""
SHARE_HOST = """
    #include <pthread.h>
    #include <semaphore.h>
    #include <stdio.h>
    #include "share.h"

    static sem_t waits, go_on;

    static void wait(void)
    {
        sem_post(&waits);
        sem_wait(&go_on);
    }

    static void *in_c(void *unused) { wait_in_c(wait); return unused; }
    static void *in_python(void *unused) { sem_post(&waits); wait_in_python(); return unused; }
    static void *in_lock(void *unused) { sem_post(&waits); wait_in_lock(); return unused; }

    int main(void)
    {
        void *(*kinds[])(void *) = {in_c, in_python, in_lock};
        pthread_t threads[3];
        int i;
        share_start();
        sem_init(&waits, 0, 0);
        sem_init(&go_on, 0, 0);
        for (i = 0; i < 3; i++) {
            pthread_create(&threads[i], NULL, kinds[i], NULL);
            sem_wait(&waits);
        }
        /* All three are somewhere inside; calls get through. */
        for (i = 0; i < 50; i++)
            calls();
        printf("%d\\n", calls());
        release();
        sem_post(&go_on);
        for (i = 0; i < 3; i++)
            pthread_join(threads[i], NULL);
        printf("all back\\n");
        return 0;
    }
"""


def test_waiting_threads_let_others_in(plugin, host, run):
    """A thread that waits in C, loops in Python, or waits for a lock of Python does not keep others out."""
    built = plugin(SHARE_CDEF, SHARE_INIT, name="share")
    assert run(host(SHARE_HOST, built)) == Ran("51\nall back\n")


# -- Python's own threads --

OWN_CDEF = "void start(void); int has_ticked(void); int computed(void); int from_loop(void); int alive(void);"
OWN_INIT = """
    import asyncio
    import concurrent.futures
    import threading
    import time
    from own import ffi

    ticks = 0
    asked = threading.Event()
    ticked = threading.Event()

    def tick():
        asked.wait()
        time.sleep(0.01)
        ticked.set()

    thread = threading.Thread(target=tick)
    executor = concurrent.futures.ThreadPoolExecutor(2)
    loop = asyncio.new_event_loop()
    loop_thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    loop_thread.start()

    async def later(value):
        await asyncio.sleep(0.001)
        return value

    @ffi.def_extern()
    def start():
        global future, task
        asked.set()
        future = executor.submit(lambda: sum(range(1000)))
        task = asyncio.run_coroutine_threadsafe(later(42), loop)

    @ffi.def_extern()
    def has_ticked():
        return ticked.is_set()

    @ffi.def_extern()
    def computed():
        return future.result() if future.done() else -1

    @ffi.def_extern()
    def from_loop():
        return task.result() if task.done() else -1

    @ffi.def_extern()
    def alive():
        thread.join()
        return loop_thread.is_alive()
"""
OWN_HOST = """
    #include <stdio.h>
    #include <unistd.h>
    #include "own.h"

    int main(void)
    {
        int i;
        start();
        /* The work is done while the host is nowhere near Python; it only looks, now and then, whether it is. */
        for (i = 0; i < 3000 && !(has_ticked() && computed() >= 0 && from_loop() >= 0); i++)
            usleep(10000);
        printf("%d %d %d %d\\n", has_ticked(), computed(), from_loop(), alive());
        fflush(stdout);
        return 0;
    }
"""


def test_threads_of_python_run_between_calls(plugin, host, run):
    """threading, concurrent.futures and asyncio, started by the init code; the host then exits past a loop that runs."""
    assert run(host(OWN_HOST, plugin(OWN_CDEF, OWN_INIT, name="own"))) == Ran("1 499500 42 1\n")


# -- recursion --

DEEP_CDEF = "typedef int (*step)(int n); int python_step(int n, step next); int limit(void);"
DEEP_INIT = """
    import sys
    from deep import ffi

    @ffi.def_extern(onerror=lambda *what: told.append(what[0].__name__))
    def python_step(n, next):
        global deepest
        deepest = max(deepest, n)
        return next(n + 1)

    deepest = 0
    told = []

    @ffi.def_extern()
    def limit():
        print(deepest > sys.getrecursionlimit() // 2 - 50, set(told), file=sys.stderr)
        return sys.getrecursionlimit()
"""
DEEP_HOST = """
    #include <pthread.h>
    #include <stdio.h>
    #include "deep.h"

    static int c_step(int n) { return python_step(n, c_step); }

    static void *work(void *unused)
    {
        printf("%d\\n", c_step(1));
        return unused;
    }

    int main(void)
    {
        pthread_t thread;
        work(NULL);
        pthread_create(&thread, NULL, work, NULL);
        pthread_join(thread, NULL);
        printf("%s\\n", limit() >= 1000 && deep_last_error() == NULL ? "alive" : deep_last_error());
        return 0;
    }
"""


def test_recursion_to_the_limit(plugin, host, run):
    """C calls Python calls C...: as deep as Python allows, on the main thread and on another, then a RecursionError."""
    assert run(host(DEEP_HOST, plugin(DEEP_CDEF, DEEP_INIT, name="deep"))) == Ran(
        "0\n0\nalive\n", "True {'RecursionError'}\n"
    )


# -- recursion to the end of the stack --

STACK_INIT = """
    import sys
    from deep import ffi

    # As many calls as one likes: the stack is the limit.
    sys.setrecursionlimit(10**6)
    told = set()

    def tell(kind, error, traceback):
        told.add(f"{kind.__name__}: {str(error)[:32]}")

    @ffi.def_extern(onerror=tell)
    def python_step(n, next):
        return next(n + 1)

    @ffi.callback("int(int)", onerror=tell)
    def callback_step(n):
        return callback_step(n + 1)

    @ffi.def_extern()
    def callback():
        return callback_step(1)

    @ffi.def_extern()
    def limit():
        print(*told, file=sys.stderr)
        told.clear()
        return 1000
"""
STACK_CDEF = DEEP_CDEF + " int callback(void);"
STACK_HOST = """
    #include <pthread.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include "deep.h"

    static int c_step(int n) { return python_step(n, c_step); }

    static void *work(void *unused)
    {
        printf("%d\\n", c_step(1));
        limit();
        printf("%d\\n", callback());
        limit();
        return unused;
    }

    int main(int argc, char **argv)
    {
        pthread_t thread;
        pthread_attr_t attributes;
        long kib = atol(argv[argc - 1]);
        deep_start();
        if (kib == 0) {
            work(NULL);
            return 0;
        }
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, kib * 1024);
        pthread_create(&thread, &attributes, work, NULL);
        pthread_join(thread, NULL);
        return 0;
    }
"""


@pytest.mark.parametrize("kib", [0, 64, 128, 192, 256, 512, 1024, 4096])
def test_recursion_to_the_end_of_the_stack(plugin, host, run, kib):
    """Whatever Python's recursion limit and the thread's stack (0: the main thread), it is a RecursionError."""
    ran = run(host(STACK_HOST, plugin(STACK_CDEF, STACK_INIT, name="deep")), kib)
    assert ran == Ran("0\n0\n", "RecursionError: maximum recursion depth exceeded\n" * 2)


# -- a function that is replaced while it is called --

REPLACED_CDEF = "int f(int n); int replace(int n); int nested(int n, int (*between)(int)); int gone(void);"
REPLACED_INIT = """
    import gc
    from replaced import ffi

    class Function:
        alive = 0

        def __init__(self, number):
            self.number = number
            Function.alive += 1

        def __call__(self, n):
            return n * 1000 + self.number

        def __del__(self):
            Function.alive -= 1

    ffi.def_extern(name="f")(Function(0))

    @ffi.def_extern()
    def replace(n):
        ffi.def_extern(name="f")(Function(n % 1000))
        return n

    @ffi.def_extern()
    def nested(n, between):
        # It is replaced while a call is in it: the call goes on with what it had.
        ffi.def_extern(name="nested")(nested.again if n % 2 else nested)
        return between(n) + 1
    nested.again = lambda n, between: nested(n, between)

    @ffi.def_extern()
    def gone():
        gc.collect()
        return Function.alive
"""
REPLACED_HOST = """
    #include <pthread.h>
    #include <stdio.h>
    #include "replaced.h"

    static pthread_barrier_t barrier;

    static int between(int n) { return f(n) / 1000; }

    static void *work(void *data)
    {
        long *wrong = data, number = *wrong;
        int i;
        *wrong = 0;
        pthread_barrier_wait(&barrier);
        for (i = 0; i < 400; i++) {
            *wrong += f(i) / 1000 != i;
            if (number % 4 == 0)
                *wrong += replace(i) != i;
            if (number % 4 == 1)
                *wrong += nested(i, between) != i + 1;
        }
        return NULL;
    }

    int main(void)
    {
        enum { COUNT = 8 };
        pthread_t threads[COUNT];
        long wrong[COUNT], sum = 0;
        int i;
        pthread_barrier_init(&barrier, NULL, COUNT);
        for (i = 0; i < COUNT; i++) {
            wrong[i] = i;
            pthread_create(&threads[i], NULL, work, &wrong[i]);
        }
        for (i = 0; i < COUNT; i++) {
            pthread_join(threads[i], NULL);
            sum += wrong[i];
        }
        printf("%ld wrong, %d left\\n", sum, gone());
        return 0;
    }
"""


def test_functions_that_are_replaced_while_they_are_called(plugin, host, run):
    """8 threads; what was replaced is freed, once the last call has left it."""
    built = plugin(REPLACED_CDEF, REPLACED_INIT, name="replaced")
    assert run(host(REPLACED_HOST, built)) == Ran("0 wrong, 1 left\n")


# -- a lock of the host --

LOCKED_CDEF = "int add(int a, int b);"
LOCKED_EXTRA = "void host_work(int n);"
LOCKED_INIT = """
    from locked import ffi, lib

    lib.host_work(5)

    @ffi.def_extern()
    def add(a, b):
        lib.host_work(1)
        return a + b
"""
LOCKED_HOST = """
    #include <pthread.h>
    #include <stdio.h>
    #include "locked.h"

    void host_work(int n);

    static pthread_mutex_t lock;
    static pthread_barrier_t barrier;
    static int done;

    /* What the init code and the functions call back: it takes the host's lock. */
    void host_work(int n)
    {
        pthread_mutex_lock(&lock);
        done += n;
        pthread_mutex_unlock(&lock);
    }

    static void *work(void *data)
    {
        int i;
        pthread_barrier_wait(&barrier);
        for (i = 0; i < 50; i++) {
            pthread_mutex_lock(&lock);
            *(int *)data += add(i, 7) != i + 7;
            pthread_mutex_unlock(&lock);
        }
        return NULL;
    }

    int main(void)
    {
        enum { COUNT = 32 };
        pthread_t threads[COUNT];
        int wrong[COUNT] = {0}, sum = 0, i;
        pthread_mutexattr_t recursive;
        pthread_mutexattr_init(&recursive);
        pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
        pthread_mutex_init(&lock, &recursive);
        pthread_barrier_init(&barrier, NULL, COUNT);
        for (i = 0; i < COUNT; i++)
            pthread_create(&threads[i], NULL, work, &wrong[i]);
        for (i = 0; i < COUNT; i++) {
            pthread_join(threads[i], NULL);
            sum += wrong[i];
        }
        printf("%d wrong, %d\\n", sum, done);
        return 0;
    }
"""


def test_a_lock_of_the_host_that_the_init_code_needs(plugin, host, run, tmp_path):
    """32 threads make the first call while they hold a (recursive) lock of the host, and the init code's calls into the
    host take it too: it runs on the thread that holds it, and nobody waits for that lock with the GIL."""
    extra = tmp_path / "extra.h"
    extra.write_text(LOCKED_EXTRA)
    built = plugin(LOCKED_CDEF, LOCKED_INIT, name="locked", source=LOCKED_EXTRA, args=["--cdef", extra])
    assert run(host(LOCKED_HOST, built, flags=["-rdynamic"])) == Ran(f"0 wrong, {5 + 32 * 50}\n")
