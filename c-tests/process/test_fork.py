"""fork() of the host, before, after and between calls: parent and child both go on."""

import pytest
from harness import Ran

CDEF = "int add(int a, int b); void hook(void); int hooks(void); int spin(void); void stop(void); int fork_in_python(void);"
INIT = """
    import os
    import threading
    from forked import ffi

    told = []
    spinning = threading.Event()
    stopped = False

    @ffi.def_extern()
    def add(a, b):
        return a + b

    @ffi.def_extern()
    def hook():
        os.register_at_fork(before=lambda: told.append("before"), after_in_parent=lambda: told.append("parent"),
                            after_in_child=lambda: told.append("child"))

    @ffi.def_extern()
    def hooks():
        print(os.getpid() != first, ",".join(told), threading.active_count(), threading.current_thread() is threading.main_thread())
        return len(told)

    @ffi.def_extern()
    def spin():
        spinning.set()
        count = 0
        while not stopped:
            count += 1
        return count > 0

    @ffi.def_extern()
    def stop():
        global stopped
        spinning.wait()
        stopped = True

    @ffi.def_extern()
    def fork_in_python():
        child = os.fork()
        if child == 0:
            return 0
        os.waitpid(child, 0)
        return child

    first = os.getpid()
"""
HEAD = """
    #include <pthread.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/wait.h>
    #include <unistd.h>
    #include "forked.h"

    static inline int wait_for(pid_t child)
    {
        int status = 0;
        if (child < 0 || waitpid(child, &status, 0) != child)
            return -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
"""


@pytest.fixture(scope="module")
def forked(plugin):
    return plugin(CDEF, INIT, name="forked")


@pytest.fixture(scope="module")
def program(forked, host):
    return lambda body: host(HEAD + body, forked)


def test_before_the_first_call(program, run):
    """Parent and child each start a Python of their own."""
    assert run(program("""
        int main(void)
        {
            pid_t child = fork();
            if (child == 0)
                return add(40, 2);
            printf("child %d, parent %d\\n", wait_for(child), add(1, 2));
            return 0;
        }
    """)) == Ran("child 42, parent 3\n")


def test_after_calls(program, run):
    """Also in the children's children, and with os.register_at_fork's functions run on both sides."""
    assert run(program("""
        int main(void)
        {
            pid_t child;
            add(1, 2);
            hook();
            child = fork();
            if (child == 0) {
                int inner;
                hooks();
                child = fork();
                if (child == 0) {
                    hooks();
                    return add(20, 3);
                }
                inner = wait_for(child);
                hooks();
                return add(inner, 20);
            }
            printf("child %d\\n", wait_for(child));
            fflush(stdout);
            hooks();
            return add(0, 0);
        }
    """)) == Ran(
        "True before,child 1 True\n"
        "True before,child,before,child 1 True\n"
        "True before,child,before,parent 1 True\n"
        "child 43\n"
        "False before,parent 1 True\n"
    )


def test_while_another_thread_is_in_python(program, run):
    """The child has only the thread that forked; Python finds its own state in order there."""
    assert run(program("""
        static void *work(void *unused) { return spin() ? NULL : unused; }

        int main(void)
        {
            pthread_t thread;
            pid_t children[5];
            int i;
            add(1, 2);
            pthread_create(&thread, NULL, work, NULL);
            while (usleep(1000), add(1, 1) != 2)
                ;
            for (i = 0; i < 5; i++) {
                children[i] = fork();
                if (children[i] == 0)
                    exit(add(i, 10));
            }
            for (i = 0; i < 5; i++)
                printf("%d ", wait_for(children[i]));
            stop();
            pthread_join(thread, NULL);
            printf("parent %d\\n", add(40, 2));
            return 0;
        }
    """)) == Ran("10 11 12 13 14 parent 42\n")


def test_on_a_thread_that_python_does_not_know(program, run):
    """The forking thread has never called; in the child it is the only one, and Python's main thread."""
    assert run(program("""
        static void *work(void *unused)
        {
            pid_t child = fork();
            if (child == 0) {
                hooks();
                exit(add(40, 2));
            }
            printf("child %d\\n", wait_for(child));
            return unused;
        }

        int main(void)
        {
            pthread_t thread;
            add(1, 2);
            pthread_create(&thread, NULL, work, NULL);
            pthread_join(thread, NULL);
            printf("parent %d\\n", add(1, 2));
            return 0;
        }
    """)) == Ran("True  1 True\nchild 42\nparent 3\n")


def test_threads_that_call_while_others_fork(program, run):
    assert run(program("""
        static volatile int done;
        static void *caller(void *data)
        {
            int i;
            for (i = 0; !done; i = (i + 1) % 1000)
                if (add(i, i) != 2 * i)
                    ++*(int *)data;
            return NULL;
        }

        static void *forker(void *data)
        {
            int i;
            for (i = 0; i < 20; i++) {
                pid_t child = fork();
                if (child == 0)
                    _exit(add(i, 1));
                if (wait_for(child) != i + 1)
                    ++*(int *)data;
            }
            return NULL;
        }

        int main(void)
        {
            pthread_t callers[3], forkers[3];
            int wrong[6] = {0}, i;
            add(1, 2);
            for (i = 0; i < 3; i++) {
                pthread_create(&callers[i], NULL, caller, &wrong[i]);
                pthread_create(&forkers[i], NULL, forker, &wrong[3 + i]);
            }
            for (i = 0; i < 3; i++)
                pthread_join(forkers[i], NULL);
            done = 1;
            for (i = 0; i < 3; i++)
                pthread_join(callers[i], NULL);
            printf("%d wrong\\n", wrong[0] + wrong[1] + wrong[2] + wrong[3] + wrong[4] + wrong[5]);
            return 0;
        }
    """)) == Ran("0 wrong\n")


def test_by_python(program, run):
    """os.fork() in a function: it returns to C in parent and child. The hooks run once each."""
    assert run(program("""
        int main(void)
        {
            int child;
            add(1, 2);
            hook();
            child = fork_in_python();
            printf("%s\\n", child == 0 ? "child" : "parent");
            fflush(stdout);
            hooks();
            return add(child == 0 ? 7 : 8, 0);
        }
    """)) == Ran("child\nTrue before,child 1 True\nparent\nFalse before,parent 1 True\n", code=8)


def test_in_a_callback(plugin, host, run):
    """C code that Python called forks: both sides return through Python."""
    built = plugin("int call(int (*function)(void));", """
        import os
        from forked import ffi

        os.register_at_fork(before=lambda: print("before"), after_in_child=lambda: print("child"), after_in_parent=lambda: print("parent"))

        @ffi.def_extern()
        def call(function):
            return function() + 1
    """, name="forked")
    assert run(host(HEAD + """
        static int forks(void)
        {
            pid_t child = fork();
            return child == 0 ? 10 : 20 + wait_for(child);
        }

        int main(void)
        {
            int result = call(forks);
            printf("%d\\n", result);
            return 0;
        }
    """, built)) == Ran("before\nchild\n11\nbefore\nparent\n21\n")


def test_while_the_init_code_runs(plugin, host, run):
    """The fork waits: no child is born with half a plugin."""
    built = plugin("int answer(void);", """
        import time
        from forked import ffi
        time.sleep(0.2)

        @ffi.def_extern()
        def answer():
            return 42
    """, name="forked")
    assert run(host(HEAD + """
        static void *work(void *data) { *(int *)data = answer(); return NULL; }

        int main(void)
        {
            pthread_t thread;
            int result = 0;
            pid_t child;
            pthread_create(&thread, NULL, work, &result);
            usleep(100000);
            child = fork();
            if (child == 0)
                return answer();
            pthread_join(thread, NULL);
            printf("child %d, parent %d\\n", wait_for(child), result);
            return 0;
        }
    """, built)) == Ran("child 42, parent 42\n")


SLOW_RUNTIME = """
    #include <stdio.h>
    #include <unistd.h>

    /* While this runs, the loader that maps the library holds its lock, and the dynamic linker its own. */
    __attribute__((constructor)) static void slow(void) { usleep(400000); }
"""


def test_while_another_thread_is_in_the_loader(forked, program, run, tmp_path):
    """The fork waits here too: the child would find the loader's lock taken by a thread that it does not have, and
    libraries half mapped."""
    runtime = run(program("""
        int main(void)
        {
            char line[600];
            FILE *file = fopen("/proc/self/maps", "r");
            add(1, 2);
            while (file != NULL && fgets(line, sizeof line, file) != NULL)
                if (strstr(line, "keelback_runtime") != NULL) {
                    printf("%s", strchr(line, '/'));
                    return 0;
                }
            return 1;
        }
    """), normalise=False).stdout.strip()
    # A library of ours that needs the real runtime, and so has its symbols.
    (tmp_path / "slow.c").write_text(SLOW_RUNTIME)
    slow = tmp_path / "libslow_runtime.so"
    built = run("cc", "-shared", "-fPIC", tmp_path / "slow.c", "-Wl,--no-as-needed", runtime, "-o", slow)
    assert built == Ran()
    ran = run(program("""
        static void *work(void *data) { *(int *)data = add(20, 22); return NULL; }

        int main(void)
        {
            pthread_t threads[4];
            int results[4] = {0}, i, children[4], codes[4];
            pid_t child;
            for (i = 0; i < 4; i++)
                pthread_create(&threads[i], NULL, work, &results[i]);
            usleep(100000);
            for (i = 0; i < 4; i++) {
                child = children[i] = fork();
                if (child == 0)
                    _exit(add(40, i));
            }
            for (i = 0; i < 4; i++) {
                codes[i] = wait_for(children[i]);
                pthread_join(threads[i], NULL);
            }
            printf("%d %d %d %d, %d %d %d %d\\n", codes[0], codes[1], codes[2], codes[3], results[0], results[1], results[2],
                   results[3]);
            return 0;
        }
    """), env={"KEELBACK_RUNTIME": slow})
    assert ran == Ran("40 41 42 43, 42 42 42 42\n")
