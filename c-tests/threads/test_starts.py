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
