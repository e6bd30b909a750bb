"""Several plugins start at the same time, on threads of their own."""

import pytest
from harness import Ran

# All init codes of a test are under way before any of them goes on.
TOGETHER = """
    import ctypes
    import sys
    import threading

    from {this} import ffi, lib

    barrier = sys.__dict__.setdefault("test_barrier", threading.Barrier({count}))
    other = ctypes.CDLL("lib{other}.so").{other}

    def {this}(depth):
        return {weight} if depth == 0 else {weight} + other(depth - 1)
"""


def together(plugin, names, codes, count=None):
    """Plugins of these names. Each one's init code is TOGETHER, and what `codes` has; `other` is the next one's."""
    built = []
    for index, name in enumerate(names):
        values = {"this": name, "other": names[(index + 1) % len(names)], "weight": 10**index, "count": count or len(names)}
        init = TOGETHER + codes[index % len(codes)]
        built.append(plugin(f"int {name}(int depth);", init.format(**values), name=name))
    return built


@pytest.fixture
def call(host, run, here):
    """Calls a function of each plugin on a thread of its own: all at once."""

    def calls(plugins):
        program = host(here / "calls.c", link=False)
        directories = ":".join(sorted({str(one.directory) for one in plugins}))
        return run(program, *(f"{one.library}:{one.name}" for one in plugins), env={"LD_LIBRARY_PATH": directories})

    return calls


ATTACH = """
    ffi.def_extern()({this})
"""
MEET = """
    barrier.wait(50)
"""
CALL = """
    called = other(0)
"""
SAY = """
    print("{this} called", called)
"""


def test_init_codes_run_at_the_same_time(plugin, call):
    """Each waits until the other one runs too."""
    plugins = together(plugin, ["left", "right"], [ATTACH + MEET])
    assert call(plugins) == Ran("11 11\n")


@pytest.mark.parametrize("names", [["left", "right"], ["one", "two", "three"]], ids=len)
@pytest.mark.parametrize("backwards", [False, True])
def test_ring(plugin, call, names, backwards):
    """Each init code calls the next plugin while that one's runs: all have attached their function."""
    plugins = together(plugin, names, [ATTACH + MEET + CALL])
    sums = {1: 11, 2: 110 if len(names) == 3 else 11, 3: 101}
    expected = [sums[index + 1] for index in range(len(names))]
    if backwards:
        plugins, expected = plugins[::-1], expected[::-1]
    assert call(plugins) == Ran(" ".join(map(str, expected)) + "\n")


@pytest.mark.parametrize("backwards", [False, True])
def test_ring_of_which_one_is_not_attached(plugin, call, backwards):
    """The one whose function is attached lets the other go on, whichever called first."""
    plugins = together(plugin, ["left", "right"], [ATTACH + MEET + CALL + SAY, MEET + CALL + SAY + ATTACH])
    ran = call(plugins[::-1] if backwards else plugins)
    # `right` comes first: only after it has attached its function can `left` call it.
    assert ran == Ran("right called 1\nleft called 10\n11 11\n")


def test_ring_of_which_none_is_attached(plugin, call):
    """One call has to fail; then the other plugin comes to its end, and so does the first."""
    plugins = together(plugin, ["left", "right"], [MEET + CALL + ATTACH])
    ran = call(plugins)
    assert (ran.stdout, ran.code) == ("11 11\n", 0)
    failed = "right" if "right.right" in ran.stderr else "left"
    assert ran.stderr == (
        f'extern "Python": function {failed}.{failed}() called, but no code was attached to it yet with '
        "@ffi.def_extern().  Returning 0.\n"
    )


def test_many_threads(plugin, call):
    plugins = together(plugin, ["left", "right"], [ATTACH + MEET + CALL])
    assert call(plugins * 16) == Ran("11 " * 31 + "11\n")


def test_thread_of_an_init_code_in_a_ring(plugin, call):
    """An init code waits for a thread that it started, and that thread for the other plugin."""
    through_thread = """
    called = []
    thread = threading.Thread(target=lambda: called.append(other(0)))
    thread.start()
    thread.join()
    """
    plugins = together(plugin, ["left", "right"], [ATTACH + MEET + through_thread, ATTACH + MEET + CALL])
    assert call(plugins) == Ran("11 11\n")


FAILS = """
    import sys
    from fails import ffi
    raise LookupError("not today")
"""


def test_failure_is_everybody_s(plugin, host, run):
    """All threads that wait for a start that fails learn why."""
    built = plugin("int fails(void);", FAILS, name="fails")
    program = host(
        """
        #include <pthread.h>
        #include <stdio.h>
        #include <string.h>
        #include "fails.h"

        static pthread_barrier_t barrier;
        static void *start(void *data)
        {
            pthread_barrier_wait(&barrier);
            *(int *)data = fails_start() < 0 && strstr(fails_last_error(), "LookupError: not today") != NULL;
            return NULL;
        }

        int main(void)
        {
            pthread_t threads[16];
            int told[16], i, sum = 0;
            pthread_barrier_init(&barrier, NULL, 16);
            for (i = 0; i < 16; i++)
                if (pthread_create(&threads[i], NULL, start, &told[i]) != 0)
                    return 2;
            for (i = 0; i < 16; i++) {
                pthread_join(threads[i], NULL);
                sum += told[i];
            }
            printf("%d of 16 were told\\n", sum);
            return 0;
        }
        """,
        built,
        flags=["-Wl,--no-as-needed"],
    )
    assert run(program) == Ran("16 of 16 were told\n")


# Runs until the file `go` is there; in a child, at once.
SLOW = """
    import os
    import time

    from slow import ffi

    print("init code in", "child" if os.path.exists("forked") else "parent", flush=True)
    open("begun", "w").close()
    while not (os.path.exists("go") or os.path.exists("forked")):
        time.sleep(0.01)

    @ffi.def_extern()
    def slow():
        return 5
"""
FORKER = """
    import ctypes
    import os

    from forker import ffi

    @ffi.def_extern()
    def forker():
        slow = ctypes.CDLL("libslow.so").slow
        child = os.fork()
        if child == 0:
            open("forked", "w").close()
            os._exit(slow())
        _, status = os.waitpid(child, 0)
        open("go", "w").close()
        return os.waitstatus_to_exitcode(status)
"""
FORK_HOST = """
    #include <pthread.h>
    #include <stdio.h>
    #include <sys/wait.h>
    #include <unistd.h>
    #include "slow.h"
    #include "forker.h"

    static void *call_slow(void *data)
    {
        *(int *)data = slow();
        return NULL;
    }
    static void *let_go(void *data)
    {
        usleep(200000);
        fclose(fopen("go", "w"));
        return data;
    }

    int main(int argc, char **argv)
    {
        pthread_t thread, other;
        int result = 0, status = 0;
        if (argc == 1 && forker_start() != 0)
            return 2;
        pthread_create(&thread, NULL, call_slow, &result);
        while (access("begun", F_OK) != 0)
            usleep(1000);
        if (argc == 1) {
            printf("child: %d\\n", forker());
        } else {
            pid_t child;
            pthread_create(&other, NULL, let_go, NULL);
            child = fork();
            if (child == 0)
                _exit(slow());
            waitpid(child, &status, 0);
            printf("child: %d\\n", WEXITSTATUS(status));
            pthread_join(other, NULL);
        }
        pthread_join(thread, NULL);
        printf("parent: %d\\n", result);
        (void)argv;
        return 0;
    }
"""


def test_python_forks_while_an_init_code_runs(plugin, host, run, tmp_path):
    """The child has no thread that goes on with it, so there it starts over."""
    built = [plugin("int slow(void);", SLOW, name="slow"), plugin("int forker(void);", FORKER, name="forker")]
    ran = run(
        host(FORK_HOST, *built),
        cwd=tmp_path,
        env={"LD_LIBRARY_PATH": ":".join(str(one.directory) for one in built)},
    )
    assert ran == Ran("init code in parent\ninit code in child\nchild: 5\nparent: 5\n")


def test_host_forks_while_an_init_code_runs(plugin, host, run, tmp_path):
    """fork() waits for the init code's end: the child has a plugin that is ready."""
    built = [plugin("int slow(void);", SLOW, name="slow"), plugin("int forker(void);", FORKER, name="forker")]
    ran = run(host(FORK_HOST, *built), "in C", cwd=tmp_path)
    assert ran == Ran("init code in parent\nchild: 5\nparent: 5\n")


# -- rings through locks of the host --

LOCKS_CDEF = "int add(int a, int b);"
LOCKS_EXTRA = "void host_visit(void); void host_tell(void);"
LOCKS_HOST = """
    #include <pthread.h>
    #include <stdio.h>
    #include <sys/wait.h>
    #include <unistd.h>
    #include "locks.h"

    enum { COUNT = 6 };
    static pthread_mutex_t locks[COUNT];
    static pthread_barrier_t barrier;
    static int visits;

    void host_visit(void);
    void host_tell(void);

    /* What the init code calls: it needs every lock. */
    void host_visit(void)
    {
        int i;
        for (i = 0; i < COUNT; i++) {
            pthread_mutex_lock(&locks[i]);
            visits++;
            pthread_mutex_unlock(&locks[i]);
        }
    }

    static int under_way[2];
    void host_tell(void) { if (write(under_way[1], "", 1) != 1) _exit(9); }

    static inline void wait_until_under_way(void) { char c; if (read(under_way[0], &c, 1) != 1) _exit(9); }

    static void prepare(int kind)
    {
        pthread_mutexattr_t attributes;
        int i;
        if (pipe(under_way) != 0)
            _exit(9);
        pthread_mutexattr_init(&attributes);
        pthread_mutexattr_settype(&attributes, kind % 2 ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL);
        if (kind / 2 == 1)
            pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
        if (kind / 2 == 2)
            pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
        for (i = 0; i < COUNT; i++)
            pthread_mutex_init(&locks[i], &attributes);
    }

    static inline void *first(void *unused) { add(0, 0); return unused; }

    /* Makes its call while it holds its own lock, when the init code is under way. */
    static inline void *hold(void *data)
    {
        int *place = (int *)data, i = place[0];
        pthread_mutex_lock(&locks[i]);
        pthread_barrier_wait(&barrier);
        place[1] = add(i, 100);
        pthread_mutex_unlock(&locks[i]);
        return NULL;
    }
"""
LOCKS_MAIN = """
    #include <stdlib.h>

    int main(int argc, char **argv)
    {
        pthread_t starter, threads[COUNT];
        int places[COUNT][2], i;
        prepare(atoi(argv[argc - 1]));
        pthread_barrier_init(&barrier, NULL, COUNT + 1);
        for (i = 0; i < COUNT; i++) {
            places[i][0] = i;
            pthread_create(&threads[i], NULL, hold, places[i]);
        }
        usleep(50000);
        pthread_create(&starter, NULL, first, NULL);
        wait_until_under_way();
        pthread_barrier_wait(&barrier);
        for (i = 0; i < COUNT; i++)
            pthread_join(threads[i], NULL);
        pthread_join(starter, NULL);
        for (i = 0; i < COUNT; i++)
            printf("%d ", places[i][1]);
        printf("%d %d\\n", add(1, 1), visits);
        return 0;
    }
"""
ATTACHED_FIRST = """
    from locks import ffi, lib

    @ffi.def_extern()
    def add(a, b):
        return a + b

    lib.host_tell()
    lib.host_visit()
"""
ATTACHED_LAST = """
    from locks import ffi, lib

    lib.host_tell()
    lib.host_visit()

    @ffi.def_extern()
    def add(a, b):
        return a + b
"""


@pytest.fixture(scope="module")
def locks(plugin, host, tmp_path_factory):
    extra = tmp_path_factory.mktemp("locks") / "extra.h"
    extra.write_text(LOCKS_EXTRA)

    def build(init, main):
        built = plugin(LOCKS_CDEF, init, name="locks", source=LOCKS_EXTRA, args=["--cdef", extra, "--error", "add=-1"])
        return host(LOCKS_HOST + main, built, flags=["-rdynamic"])

    return build


@pytest.mark.parametrize("kind", range(6))
def test_locks_that_the_init_code_needs(locks, run, kind):
    """Threads that hold locks of the host (of every kind) wait for a start whose init code needs those locks: they go on
    with what is attached already."""
    assert run(locks(ATTACHED_FIRST, LOCKS_MAIN), kind) == Ran("100 101 102 103 104 105 2 6\n")


def test_locks_that_the_init_code_needs_before_it_attaches(locks, run):
    """What is not attached cannot be called: an error instead of a deadlock, and later calls are as they should be."""
    ran = run(locks(ATTACHED_LAST, LOCKS_MAIN), 0)
    told = (
        'extern "Python": function locks.add() called, but no code was attached to it yet with @ffi.def_extern(): the init '
        "code, on another thread, waits for a lock that this thread holds.  Returning its error value.\n"
    )
    # Which of the threads waited when the init code came to their locks is a matter of time; the first surely did.
    *results, last, visits = map(int, ran.stdout.split())
    wrong = [result for index, result in enumerate(results) if result != index + 100]
    assert results[0] == -1 and set(wrong) == {-1} and (last, visits) == (2, 6)
    assert ran == Ran(ran.stdout, told * len(wrong))


def test_fork_under_a_lock_that_the_init_code_needs(locks, run):
    """The fork does not wait for a start that waits for the thread that forks: the child starts over."""
    assert run(locks(ATTACHED_LAST, """
        int main(void)
        {
            pthread_t starter;
            pid_t child;
            int status = 0;
            prepare(0);
            pthread_mutex_lock(&locks[3]);
            pthread_create(&starter, NULL, first, NULL);
            wait_until_under_way();
            child = fork();
            pthread_mutex_unlock(&locks[3]);
            if (child == 0) {
                /* The other thread had this one, and is not here. */
                pthread_mutex_init(&locks[3], NULL);
                _exit(add(2, 3));
            }
            pthread_join(starter, NULL);
            waitpid(child, &status, 0);
            printf("child %d, parent %d\\n", WEXITSTATUS(status), add(4, 5));
            return 0;
        }
    """)) == Ran("child 5, parent 9\n")
