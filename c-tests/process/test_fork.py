"""fork() of the host, before, after and between calls: parent and child both go on."""

import pytest
from harness import Ran

CDEF = """
    int add(int a, int b);
    void say(const char *text);
    int call(int (*function)(void));
    void register_exit(void);
    void hook(void);
    int hooks(void);
    int spin(void);
    void wait_for_spin(void);
    void stop(void);
    int fork_in_python(void);
"""
INIT = """
    import atexit
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
    def say(text):
        print(ffi.string(text).decode())

    @ffi.def_extern()
    def call(function):
        return function()

    @ffi.def_extern()
    def register_exit():
        atexit.register(print, "Python's exit function")

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
    def wait_for_spin():
        spinning.wait()

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
    """, built)) == Ran("before\nchild\n11\nparent\n21\n")


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


def test_while_threads_make_their_first_calls(program, run):
    """Threads come and go, each with one call, while another forks: every child can call, and so can its threads."""
    assert run(program("""
        static volatile int done;
        static void *first(void *failed) { return add(2, 3) == 5 ? NULL : failed; }
        static void *spawner(void *data)
        {
            while (!done) {
                pthread_t threads[4];
                void *failed;
                int i;
                for (i = 0; i < 4; i++)
                    pthread_create(&threads[i], NULL, first, data);
                for (i = 0; i < 4; i++) {
                    pthread_join(threads[i], &failed);
                    *(int *)data += failed != NULL;
                }
            }
            return NULL;
        }

        int main(void)
        {
            pthread_t spawners[3];
            int wrong[4] = {0}, i;
            alarm(50);
            add(1, 1);
            for (i = 0; i < 3; i++)
                pthread_create(&spawners[i], NULL, spawner, &wrong[i]);
            for (i = 0; i < 150; i++) {
                pid_t child = fork();
                if (child == 0) {
                    pthread_t thread;
                    void *failed;
                    alarm(40);
                    pthread_create(&thread, NULL, first, &failed);
                    pthread_join(thread, &failed);
                    (i % 2 ? exit : _exit)(add(i % 16, failed == NULL));
                }
                wrong[3] += wait_for(child) != i % 16 + 1;
            }
            done = 1;
            for (i = 0; i < 3; i++)
                pthread_join(spawners[i], NULL);
            printf("%d wrong in children, %d in the parent\\n", wrong[3], wrong[0] + wrong[1] + wrong[2]);
            return 0;
        }
    """)) == Ran("0 wrong in children, 0 in the parent\n")


STUCK = """
    #include <poll.h>

    static char text[300001], read_back[sizeof text];
    static void *work(void *unused)
    {
        memset(text, 'z', sizeof text - 1);
        say(text);
        return unused;
    }

    int main(void)
    {
        int ends[2], out = dup(1), i;
        struct pollfd full = {.events = POLLOUT}, more = {.events = POLLIN};
        size_t count = 0;
        pthread_t thread;
        alarm(40);
        if (pipe(ends) != 0 || dup2(ends[1], 1) < 0)
            return 2;
        full.fd = ends[1];
        more.fd = ends[0];
        add(1, 2);
        pthread_create(&thread, NULL, work, NULL);
        while (poll(&full, 1, 0) != 0)
            usleep(1000);
        for (i = 0; i < 3; i++) {
            pid_t child = fork();
            if (child == 0) {
                alarm(10);
                if (i == 0)
                    END(40);
                dup2(out, 1);
                if (i == 1)
                    say("printed by a child");
                END(add(40, i));
            }
            dprintf(out, "child %d\\n", wait_for(child));
        }
        while (count < sizeof text) {
            ssize_t got = read(ends[0], read_back + count, sizeof text - count);
            if (got <= 0)
                return 3;
            count += got;
        }
        text[sizeof text - 1] = '\\n';
        pthread_join(thread, NULL);
        add(1, 2);
        dprintf(out, "%s\\n", memcmp(text, read_back, sizeof text) == 0 && poll(&more, 1, 0) == 0 ? "once" : "not as printed");
        return 0;
    }
"""
STUCK_OUT = "child 40\nprinted by a child\nchild 41\nchild 42\nonce\n"


def test_while_a_thread_is_stuck_in_print(program, run):
    """Nobody reads the pipe that it prints into. Children wait for nothing, print elsewhere, and have none of its text."""
    assert run(program(STUCK.replace("END(", "_exit("))) == Ran(STUCK_OUT)


def test_exit_of_a_child_while_a_thread_is_stuck_in_print(program, run):
    """exit() of the children writes what they have printed, and does not wait for the parent's thread."""
    assert run(program(STUCK.replace("END(", "exit("))) == Ran(STUCK_OUT)


def test_nothing_printed_comes_twice(plugin, host, run):
    """What a thread of Python printed while nobody called, and what a hook prints before the fork."""
    built = plugin("void print_in_background(int begin, int done);", """
        import os
        import threading
        from forked import ffi

        os.register_at_fork(before=lambda: print("and the other", "before the fork", sep="\\n"))

        @ffi.def_extern()
        def print_in_background(begin, done):
            def work():
                os.read(begin, 1)
                print("in the background")
                print("one half ", end="")
                os.write(done, b".")
            threading.Thread(target=work).start()
    """, name="forked")
    assert run(host(HEAD + """
        int main(void)
        {
            int begin[2], done[2];
            char byte = '.';
            pid_t child;
            if (pipe(begin) != 0 || pipe(done) != 0)
                return 2;
            print_in_background(begin[0], done[1]);
            if (write(begin[1], &byte, 1) != 1 || read(done[0], &byte, 1) != 1)
                return 3;
            child = fork();
            if (child == 0)
                exit(40);
            printf("child %d\\n", wait_for(child));
            fflush(stdout);
            child = fork();
            if (child == 0)
                _exit(41);
            printf("child %d\\n", wait_for(child));
            return 0;
        }
    """, built)) == Ran(
        "in the background\n"
        "one half and the other\nbefore the fork\nchild 40\n"
        "and the other\nbefore the fork\nchild 41\n"
    )


@pytest.mark.parametrize("end", ["return NULL", "pthread_exit(NULL)"])
@pytest.mark.parametrize("where", ["plain", "called", "callback"])
def test_the_thread_that_forked_ends(program, run, where, end):
    """In the child it was the only one: the process ends as if main() had returned, and Python's exit functions run."""
    assert run(program(f"""
        static pid_t child = -1;
        static int forks(void) {{ child = fork(); return 0; }}
        static void *busy(void *unused) {{ return spin() ? NULL : unused; }}
        static void *work(void *where)
        {{
            if (strcmp(where, "called") == 0)
                add(1, 2);
            if (strcmp(where, "callback") == 0)
                call(forks);
            else
                forks();
            if (child == 0) {{
                alarm(30);
                add(2, 3);
                {end};
            }}
            printf("child %d\\n", wait_for(child));
            fflush(stdout);
            return NULL;
        }}

        int main(void)
        {{
            pthread_t threads[2];
            alarm(40);
            register_exit();
            pthread_create(&threads[0], NULL, busy, NULL);
            wait_for_spin();
            pthread_create(&threads[1], NULL, work, "{where}");
            pthread_join(threads[1], NULL);
            stop();
            pthread_join(threads[0], NULL);
            return 3;
        }}
    """)) == Ran("Python's exit function\nchild 0\nPython's exit function\n", code=3)


def test_by_a_thread_of_the_init_code(plugin, host, run):
    """multiprocessing's `fork`, before the init code is at its end: the children call what is attached, and do not run it again."""
    built = plugin("int add(int a, int b);", """
        import multiprocessing
        import os
        import sys
        import threading
        from forked import ffi, lib

        # Children that run it too, and have children: not for ever.
        sys.depth = getattr(sys, "depth", 0) + 1
        print("init code", sys.depth)
        if sys.depth > 3:
            os._exit(99)

        @ffi.def_extern()
        def add(a, b):
            return a + b

        codes = []

        def work():
            for number in range(3):
                process = multiprocessing.get_context("fork").Process(target=lambda: os._exit(lib.add(40, number)))
                process.start()
                process.join()
                codes.append(process.exitcode)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        print(codes)
    """, name="forked")
    assert run(host(HEAD + """
        int main(void)
        {
            printf("%d\\n", add(1, 2));
            return 0;
        }
    """, built)) == Ran("init code 1\n[40, 41, 42]\n3\n")


def test_on_a_small_stack(program, run):
    """On 64 KiB: a fork as well, and the child's threads call."""
    assert run(program("""
        static void *busy(void *unused) { return spin() ? NULL : unused; }
        static void *sum(void *data) { *(int *)data = add(40, 2); return NULL; }
        static void *work(void *unused)
        {
            pid_t child = fork();
            if (child == 0) {
                pthread_t thread;
                int result = 0;
                alarm(30);
                pthread_create(&thread, NULL, sum, &result);
                pthread_join(thread, NULL);
                _exit(result);
            }
            printf("child %d\\n", wait_for(child));
            return unused;
        }

        int main(void)
        {
            pthread_t threads[2];
            pthread_attr_t attributes;
            int result = 0;
            alarm(40);
            add(1, 2);
            pthread_create(&threads[0], NULL, busy, NULL);
            wait_for_spin();
            pthread_attr_init(&attributes);
            pthread_attr_setstacksize(&attributes, 64 * 1024);
            pthread_create(&threads[1], &attributes, work, NULL);
            pthread_join(threads[1], NULL);
            stop();
            pthread_join(threads[0], NULL);
            sum(&result);
            printf("parent %d\\n", result);
            return 0;
        }
    """)) == Ran("child 42\nparent 42\n")


def test_where_the_host_has_handlers(program, run):
    """A lock that its handlers of pthread_atfork take, and that its threads hold when they call."""
    assert run(program("""
        #include <sched.h>

        static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
        static volatile int done;
        static void before(void) { pthread_mutex_lock(&lock); }
        static void after(void) { pthread_mutex_unlock(&lock); }
        static void *caller(void *data)
        {
            while (!done) {
                pthread_mutex_lock(&lock);
                *(int *)data += add(20, 22) != 42;
                pthread_mutex_unlock(&lock);
                sched_yield();
            }
            return NULL;
        }

        int main(void)
        {
            pthread_t callers[2];
            int wrong[3] = {0}, i;
            alarm(40);
            pthread_atfork(before, after, after);
            add(1, 2);
            for (i = 0; i < 2; i++)
                pthread_create(&callers[i], NULL, caller, &wrong[i]);
            for (i = 0; i < 100; i++) {
                pid_t child = fork();
                if (child == 0)
                    _exit(add(i, 1));
                wrong[2] += wait_for(child) != i + 1;
            }
            done = 1;
            for (i = 0; i < 2; i++)
                pthread_join(callers[i], NULL);
            printf("%d wrong\\n", wrong[0] + wrong[1] + wrong[2]);
            return 0;
        }
    """)) == Ran("0 wrong\n")


def test_again_in_a_child_without_a_start(plugin, host, run):
    """Python forks while another thread starts a plugin: in the child nobody goes on with that. It forks again without
    waiting for it, and its child's first call starts the plugin anew."""
    starting = plugin("int answer(void);", """
        import sys
        from starting import ffi

        print("start")
        # Only the first waits.
        if not sys.begun.is_set():
            sys.begun.set()
            sys.go_on.wait()

        @ffi.def_extern()
        def answer():
            return 42
    """, name="starting")
    forks = plugin("int begin(void); int fork_in_python(void); void go_on(void);", """
        import os
        import sys
        import threading
        from forks import ffi

        sys.begun = threading.Event()
        sys.go_on = threading.Event()

        @ffi.def_extern()
        def begin():
            return 1

        @ffi.def_extern()
        def fork_in_python():
            sys.begun.wait()
            return os.fork()

        @ffi.def_extern()
        def go_on():
            sys.go_on.set()
    """, name="forks")
    assert run(host(HEAD.replace('#include "forked.h"', '#include "starting.h"') + """
        #include "forks.h"

        static void *work(void *data) { *(int *)data = answer(); return NULL; }

        int main(void)
        {
            pthread_t thread;
            pid_t child;
            int result = 0, code;
            alarm(40);
            begin();
            pthread_create(&thread, NULL, work, &result);
            child = fork_in_python();
            if (child == 0) {
                alarm(30);
                child = fork();
                if (child == 0) {
                    alarm(20);
                    _exit(answer());
                }
                code = wait_for(child);
                _exit(code < 0 ? 99 : code + 1);
            }
            code = wait_for(child);
            go_on();
            pthread_join(thread, NULL);
            printf("child %d, parent %d\\n", code, result);
            return 0;
        }
    """, starting, forks)) == Ran("start\nstart\nchild 43, parent 42\n")


def test_while_an_init_code_comes_to_another_plugin(plugin, host, run, tmp_path):
    """The fork waits for the start of one plugin, and that start for the other plugin's, which was never called before and
    whose handlers have begun already."""
    extra = tmp_path / "extra.h"
    extra.write_text("void host_tell(void);")
    first = plugin("int first(void);", """
        import ctypes
        import time
        from first import ffi, lib

        lib.host_tell()
        time.sleep(0.3)
        answer = ctypes.CDLL("libsecond.so").second()

        @ffi.def_extern()
        def first():
            return answer
    """, name="first", source="void host_tell(void);", args=["--cdef", extra])
    second = plugin("int second(void);", """
        from second import ffi

        @ffi.def_extern()
        def second():
            return 42
    """, name="second")
    program = host("""
        #include <dlfcn.h>
        #include <pthread.h>
        #include <stdio.h>
        #include <sys/wait.h>
        #include <unistd.h>

        typedef int function_t(void);
        static int ends[2];
        static function_t *function;

        void host_tell(void) { if (write(ends[1], "", 1) != 1) _exit(9); }
        static void *work(void *result) { *(int *)result = function(); return NULL; }

        int main(int argc, char **argv)
        {
            pthread_t thread;
            int result = 0, status = 0;
            char byte;
            void *plugin = dlopen(argv[1], RTLD_NOW);
            pid_t child;
            if (argc < 3 || pipe(ends) != 0 || plugin == NULL || dlopen(argv[2], RTLD_NOW) == NULL)
                return 2;
            function = (function_t *)dlsym(plugin, "first");
            pthread_create(&thread, NULL, work, &result);
            if (read(ends[0], &byte, 1) != 1)
                return 3;
            child = fork();
            if (child == 0)
                _exit(function());
            pthread_join(thread, NULL);
            waitpid(child, &status, 0);
            printf("%d %d\\n", result, WEXITSTATUS(status));
            return 0;
        }
    """, link=False, flags=["-rdynamic"])
    ran = run(program, first.library, second.library, env={"LD_LIBRARY_PATH": second.directory})
    assert ran == Ran("42 42\n")
