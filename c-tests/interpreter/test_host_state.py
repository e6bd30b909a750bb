"""What is the host's stays the host's: signal masks, streams, environment, floating point, small stacks, W^X."""

import pytest
from harness import Ran, python, version_of

USE_CDEF = "double use(double x); int ask(int what); int fails(void);"
USE_INIT = """
    import asyncio, ctypes, decimal, json, locale, math, os, signal, subprocess, threading
    from used import ffi

    @ffi.def_extern()
    def use(x):
        subprocess.run(["true"], check=True)
        asyncio.run(asyncio.sleep(0))
        thread = threading.Thread(target=json.dumps, args=({"a": [1.5]},))
        thread.start()
        thread.join()
        return float(repr(x)) + math.sqrt(4.0)

    @ffi.def_extern()
    def ask(what):
        return what

    @ffi.def_extern(error=-1)
    def fails():
        raise ValueError("told")
"""


@pytest.fixture(scope="module")
def used(plugin):
    return plugin(USE_CDEF, USE_INIT, name="used")


def test_signal_masks(used, host, run):
    """Every signal's place in the mask of the first calling thread, and of others, stays; pending signals stay pending."""
    assert run(host("""
        #include <pthread.h>
        #include <signal.h>
        #include <stdio.h>
        #include <string.h>
        #include "used.h"

        static void *work(void *unused)
        {
            sigset_t before, after, pending;
            int number, same = 1;
            sigemptyset(&before);
            sigaddset(&before, SIGUSR1);
            sigaddset(&before, SIGTERM);
            sigaddset(&before, SIGCHLD);
            pthread_sigmask(SIG_SETMASK, &before, NULL);
            pthread_kill(pthread_self(), SIGUSR1);
            use(1);
            pthread_sigmask(SIG_SETMASK, NULL, &after);
            for (number = 1; number < 32; number++)
                same &= sigismember(&before, number) == sigismember(&after, number);
            sigpending(&pending);
            printf("same %d, pending %d\\n", same, sigismember(&pending, SIGUSR1));
            return unused;
        }

        int main(void)
        {
            pthread_t thread;
            pthread_create(&thread, NULL, work, NULL);
            pthread_join(thread, NULL);
            work(NULL);
            return 0;
        }
    """, used)) == Ran("same 1, pending 1\nsame 1, pending 1\n")


def test_environment_and_streams(used, host, run):
    """`environ` entry by entry, the flags of the standard streams, and a buffer of the host's that nobody flushes."""
    assert run(host("""
        #include <fcntl.h>
        #include <stdio.h>
        #include <string.h>
        #include <unistd.h>
        #include "used.h"

        extern char **environ;

        int main(void)
        {
            char *before[512];
            static char buffer[4096];
            int i, count, flags[3], same = 1;
            setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
            printf("kept back ");
            for (count = 0; environ[count] != NULL && count < 511; count++)
                before[count] = environ[count];
            for (i = 0; i < 3; i++)
                flags[i] = fcntl(i, F_GETFL);
            use(1);
            for (i = 0; i < count; i++)
                same &= environ[i] == before[i];
            same &= environ[count] == NULL;
            for (i = 0; i < 3; i++)
                same &= flags[i] == fcntl(i, F_GETFL) && (fcntl(i, F_GETFD) & FD_CLOEXEC) == 0;
            if (memcmp(buffer, "kept back ", 10) != 0)
                same = 0;
            write(1, "first\\n", 6);
            printf("%d\\n", same);
            return 0;
        }
    """, used, flags=["-Wno-unused-result"]), env={"EMPTY": "", "LATIN": "x"}) == Ran("first\nkept back 1\n")


def test_floating_point(plugin, host, run):
    """A host with traps on and another rounding mode: the init code's constants are right, and everything is as before."""
    built = plugin(
        "double constant(void); int rounded_up(double x);",
        """
        import math
        from floating import ffi
        tenth = 0.1
        assert math.inf - math.inf != 0 and 0.1 + 0.2 == 0.30000000000000004

        @ffi.def_extern()
        def constant():
            return tenth

        @ffi.def_extern()
        def rounded_up(x):
            return x + 1e-20 > x
        """,
        name="floating",
    )
    assert run(host("""
        #define _GNU_SOURCE
        #include <fenv.h>
        #include <stdio.h>
        #include "floating.h"

        int main(void)
        {
            double value;
            fesetround(FE_UPWARD);
            feclearexcept(FE_ALL_EXCEPT);
            feraiseexcept(FE_UNDERFLOW);
        #if defined(__x86_64__)
            feenableexcept(FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW);
        #endif
            floating_start();
            printf("start: rounding %s, flags %s\\n", fegetround() == FE_UPWARD ? "kept" : "changed",
                   fetestexcept(FE_ALL_EXCEPT) == FE_UNDERFLOW ? "kept" : "changed");
        #if defined(__x86_64__)
            if (fegetexcept() != (FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW))
                printf("traps changed\\n");
        #endif
            value = constant();
            printf("%d %d\\n", value == 0x1.999999999999ap-4, rounded_up(1.0));
            fesetround(FE_TONEAREST);
            printf("%d, rounding %s\\n", rounded_up(1.0), fegetround() == FE_TONEAREST ? "kept" : "changed");
            return 0;
        }
    """, built)) == Ran("start: rounding kept, flags kept\n1 0\n0, rounding kept\n")


STACK_HOST = """
    #include <pthread.h>
    #include <stdio.h>
    #include <string.h>
    #include "used.h"

    static const char *first_line(const char *text)
    {
        static char line[300];
        if (text == NULL)
            return "none";
        snprintf(line, sizeof line, "%.*s", (int)strcspn(text, "\\n"), text);
        return line;
    }

    static void *work(void *unused)
    {
        int answer = ask(7);
        printf("%d, %s\\n", answer, first_line(used_last_error()));
        return unused;
    }

    static void on(size_t kib)
    {
        pthread_t thread;
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, kib * 1024);
        pthread_create(&thread, &attributes, work, NULL);
        pthread_join(thread, NULL);
    }
"""
TOO_SMALL = "the stack of this thread is too small for Python: "


FLOATS_INIT = """
    import math
    from floats import ffi, lib

    @ffi.def_extern(error=-1)
    def compute(x):
        inf = float("inf")
        return (1e308 * 10 == inf and inf * 0 != 0 and math.isnan(inf - inf) and repr(x) == "0.1" and round(2.675, 2) == 2.67
                and x + 1e-20 == x and 5e-324 / 1 == 5e-324)

    @ffi.callback("int(double)")
    def function(x):
        return compute_again(x) and lib.ask(3)

    def compute_again(x):
        return 1e308 * 10 > 1e308 and x + 1e-20 == x

    @ffi.def_extern()
    def callback():
        return function

    @ffi.def_extern(error=-1)
    def round_trip(depth):
        before = 0.1 + 1e-20 == 0.1
        told = lib.ask(depth)
        return told if before and 0.1 + 1e-20 == 0.1 and 1e308 * 10 > 1e308 else -2

    @ffi.def_extern(error=-1)
    def change():
        lib.change_it()
        return 0.1 + 1e-20 == 0.1

    start = lib.ask(0)

    @ffi.def_extern()
    def seen_at_start():
        return start
"""

FLOATS_HOST = """
    #define _GNU_SOURCE
    #include <fenv.h>
    #include <stdio.h>
    #include "floats.h"

    #if defined(__x86_64__)
    #define TRAPS (FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW)
    #else
    #define TRAPS 0
    #define feenableexcept(traps) 0
    #define fegetexcept() 0
    #endif

    static int is_mine(int rounding)
    {
        volatile long double tenth = 1, ten = 10;
        /* Both units: the x87's as well. */
        int up = tenth / ten > 0.1L;
        (void)up;
        return fegetround() == rounding && fegetexcept() == TRAPS;
    }

    int ask(int depth)
    {
        if (!is_mine(FE_UPWARD))
            return 100;
        return depth > 1 ? round_trip(depth - 1) + 1 : is_mine(FE_UPWARD);
    }

    void change_it(void)
    {
        fesetround(FE_DOWNWARD);
    }

    int main(void)
    {
        int (*function)(double), computed;
        fesetround(FE_UPWARD);
        (void)feenableexcept(TRAPS);
        feclearexcept(FE_ALL_EXCEPT);
        feraiseexcept(FE_UNDERFLOW);
        computed = compute(0.1);
        printf("compute %d, flags %s\\n", computed, fetestexcept(FE_ALL_EXCEPT) == FE_UNDERFLOW ? "kept" : "changed");
        printf("start %d\\n", seen_at_start());
        function = callback();
        printf("callback %d\\n", function(0.1));
        printf("round trip %d\\n", round_trip(5));
        printf("mine %d\\n", is_mine(FE_UPWARD));
        computed = change();
        printf("changed by C: %d, mine %d\\n", computed, is_mine(FE_DOWNWARD));
    #if defined(__x86_64__)
        fesetenv(FE_DFL_ENV);
        __builtin_ia32_ldmxcsr(0x9fc0);
        computed = compute(0.1);
        printf("denormal numbers %d %x\\n", computed, __builtin_ia32_stmxcsr());
    #else
        puts("denormal numbers 1 9fc0");
    #endif
        return 0;
    }
"""


def test_floating_point_of_calls(plugin, host, run, tmp_path):
    """Traps and another rounding are put aside while Python runs, in both directions and nested; -ffast-math's too."""
    extra = tmp_path / "extra.cdef"
    extra.write_text("int ask(int depth); void change_it(void);")
    built = plugin(
        "int compute(double x); typedef int (*function_t)(double); function_t callback(void); int round_trip(int depth);"
        " int change(void); int seen_at_start(void);",
        FLOATS_INIT,
        name="floats",
        source="extern int ask(int depth); extern void change_it(void);",
        args=["--cdef", extra],
    )
    assert run(host(FLOATS_HOST, built, flags=["-frounding-math", "-rdynamic"])) == Ran(
        "compute 1, flags kept\nstart 1\ncallback 3\nround trip 5\nmine 1\nchanged by C: 1, mine 1\n"
        "denormal numbers 1 9fc0\n"
    )


def test_small_stacks(used, host, run):
    """Python is not started on a thread with a stack of 64 KiB: a clear error, at the first call of all and later."""
    ran = run(host(STACK_HOST + """
        int main(void)
        {
            on(64);
            on(128);
            on(64);
            on(1024);
            work(NULL);
            return 0;
        }
    """, used))
    lines = ran.stdout.splitlines()
    assert len(lines) == 5 and ran.code == 0
    assert lines[0].startswith(f"0, used: {TOO_SMALL}") and lines[0].endswith("needed (pthread_attr_setstacksize)")
    # A failed start is not tried again by a call.
    assert lines[1] == lines[0].replace("0, ", "0, ")
    assert ran.stderr.startswith(f"used: {TOO_SMALL}")


def test_small_stacks_after_the_start(used, host, run):
    """64 KiB do for a call, also one that a library makes as soon as it is there; 48 do not, and others go on."""
    ran = run(host(STACK_HOST + """
        int main(void)
        {
            used_start();
            on(48);
            on(64);
            on(128);
            on(48);
            on(64);
            on(1024);
            work(NULL);
            return 0;
        }
    """, used))
    lines = ran.stdout.splitlines()
    assert lines[0] == lines[3] and lines[0].startswith(f"0, used.ask(): {TOO_SMALL}")
    assert lines[1:3] + lines[4:] == ["7, none"] * 5 and ran.code == 0
    assert ran.stderr.startswith(f"used.ask(): {TOO_SMALL}") and len(ran.stderr.splitlines()) == 2


def test_ordinary_code_on_a_small_stack(plugin, host, run):
    """On 64 KiB: imports that have not been made, a hundred Python frames, an exception's first traceback, an `onerror`.
    Python 3.14 and later keep 32 KiB of every stack free, and raise RecursionError before: there it is 128 KiB."""
    minor = int(version_of(python()).split(".")[1].rstrip("t"))
    built = plugin("int work(int n); int fail(int n);", """
        import sys
        from ordinary import ffi

        def deep(n):
            return deep(n - 1) + 1 if n else 0

        @ffi.def_extern(error=-1)
        def work(n):
            if n:
                return deep(n)
            import logging
            import json
            logging.error("logged %s", json.dumps([{"a": [1.5, None]}]))
            return 3

        @ffi.def_extern(error=-2, onerror=lambda kind, error, traceback: int(str(error)))
        def fail(n):
            if n:
                raise ValueError(n)
            deep(5)
            return no_such_name
    """, name="ordinary")
    ran = run(host("""
        #include <pthread.h>
        #include <stdio.h>
        #include "ordinary.h"

        static void *work_on(void *unused)
        {
            int worked = work(0), deep = work(100), told = fail(7), failed = fail(0);
            printf("%d %d %d %d\\n", worked, deep, told, failed);
            return unused;
        }

        int main(void)
        {
            int i;
            ordinary_start();
            for (i = 0; i < 2; i++) {
                pthread_t thread;
                pthread_attr_t attributes;
                pthread_attr_init(&attributes);
                pthread_attr_setstacksize(&attributes, SIZE);
                pthread_create(&thread, &attributes, work_on, NULL);
                pthread_join(thread, NULL);
            }
            return 0;
        }
    """, built, flags=[f"-DSIZE={(64 if minor < 14 else 128) * 1024}"]))
    assert (ran.stdout, ran.code) == ("3 100 7 -2\n" * 2, 0)
    assert ran.stderr.count('ERROR:root:logged [{"a": [1.5, null]}]\n') == 2
    assert "NameError: name 'no_such_name' is not defined" in ran.stderr


def test_small_stack_of_a_coroutine(used, host, run):
    """A stack that the host has made itself: nobody knows its size, so the call is made."""
    assert run(host("""
        #include <stdio.h>
        #include <stdlib.h>
        #include <ucontext.h>
        #include "used.h"

        static ucontext_t back, there;
        static void work(void) { printf("%d\\n", ask(5)); fflush(stdout); }

        int main(void)
        {
            getcontext(&there);
            there.uc_stack.ss_size = 512 * 1024;
            there.uc_stack.ss_sp = malloc(there.uc_stack.ss_size);
            there.uc_link = &back;
            makecontext(&there, work, 0);
            swapcontext(&back, &there);
            printf("%d\\n", ask(6));
            return 0;
        }
    """, used)) == Ran("5\n6\n")


WX_HOST = """
    #define _GNU_SOURCE
    #include <errno.h>
    #include <linux/audit.h>
    #include <linux/filter.h>
    #include <linux/seccomp.h>
    #include <stddef.h>
    #include <stdio.h>
    #include <sys/mman.h>
    #include <sys/prctl.h>
    #include <sys/syscall.h>
    #include "wx.h"

    #define ARGUMENT(n) (offsetof(struct seccomp_data, args) + 8 * (n))
    #define LOAD(place) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, place)
    #define IF_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
    #define IF_ANY(bits, yes, no) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, yes, no)
    #define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)

    /* As systemd's MemoryDenyWriteExecute: no memory that can be written and executed, and none made executable later. */
    static int refuse_write_and_execute(void)
    {
        struct sock_filter filter[] = {
            LOAD(offsetof(struct seccomp_data, nr)),
            IF_EQUAL(__NR_mmap, 0, 4),
            LOAD(ARGUMENT(2)),
            IF_ANY(PROT_EXEC, 0, 6),
            IF_ANY(PROT_WRITE, 4, 5),
            RETURN(SECCOMP_RET_ALLOW),
            IF_EQUAL(__NR_mprotect, 1, 0),
            IF_EQUAL(__NR_pkey_mprotect, 0, 2),
            LOAD(ARGUMENT(2)),
            IF_ANY(PROT_EXEC, 1, 0),
            RETURN(SECCOMP_RET_ALLOW),
            RETURN(SECCOMP_RET_ERRNO | EPERM),
        };
        struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
    }

    static int twice(int x) { return 2 * x; }

    int main(void)
    {
        if (refuse_write_and_execute() != 0)
            return 77;
        if (mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
            return 76;
        printf("%d\\n", plain(20));
        printf("%d\\n", through_pointer(twice, 21));
        printf("%d\\n", give_callback()(41));
        printf("%s\\n", wx_last_error() == NULL ? "no error" : wx_last_error());
        return 0;
    }
"""


def test_where_write_and_execute_is_refused(plugin, host, run):
    """A seccomp filter refuses memory that is writable and executable: start, calls and callbacks work."""
    built = plugin(
        "int plain(int x); int through_pointer(int (*function)(int), int x); typedef int (*callback)(int); callback give_callback(void);",
        """
        from wx import ffi

        @ffi.def_extern()
        def plain(x):
            import json, decimal, ctypes.util
            return x + 1

        @ffi.def_extern()
        def through_pointer(function, x):
            return function(x)

        # Made at run time, by libffi: static trampolines need no memory that is both.
        callback = ffi.callback("int(int)", lambda x: x + 1)

        @ffi.def_extern()
        def give_callback():
            return callback
        """,
        name="wx",
    )
    ran = run(host(WX_HOST, built))
    if ran.code == 77:
        pytest.skip("this kernel or container does not allow seccomp filters")
    assert ran == Ran("21\n42\n42\nno error\n")


def test_file_names_in_the_c_locale(plugin, host, run, tmp_path):
    """A host that has set no locale: names of files with any letters, and bytes that are no UTF-8, work."""
    built = plugin(
        "int write_files(const char *directory);",
        """
        import os
        from names import ffi

        @ffi.def_extern()
        def write_files(directory):
            directory = os.fsdecode(ffi.string(directory))
            for name in ("grüße", "日本", "🐍", os.fsdecode(b"latin-\\xe9")):
                with open(os.path.join(directory, name), "w") as file:
                    file.write(name + "\\n") if name.isprintable() else None
            return sorted(os.listdir(directory)) == sorted(["grüße", "日本", "🐍", "latin-\\udce9"])
        """,
        name="names",
    )
    program = host("""
        #include <locale.h>
        #include <stdio.h>
        #include "names.h"
        int main(int argc, char **argv)
        {
            printf("%d\\n", write_files(argv[argc - 1]));
            printf("%s\\n", setlocale(LC_ALL, NULL));
            return 0;
        }
    """, built)
    directory = tmp_path / "ümläute"
    directory.mkdir()
    for environment in ({}, {"LC_ALL": "C"}, {"LC_ALL": "POSIX", "PYTHONUTF8": "0"}):
        assert run(program, directory, env=environment) == Ran("1\nC\n")
    assert (directory / "grüße").read_text("utf-8") == "grüße\n"


INTERRUPT_HOST = """
    #include <signal.h>
    #include <stdio.h>
    #include "interrupt.h"

    int main(void)
    {
        /* A host that a background job started gets SIGINT ignored. */
        signal(SIGINT, SIG_DFL);
        interrupt_start();
        printf("%d\\n", wait_a_while());
        printf("%s\\n", interrupt_last_error() == NULL ? "no error" : "error");
        return 0;
    }
"""
INTERRUPT_INIT = """
    import os, signal, threading, time
    from interrupt import ffi
    {asks}

    @ffi.def_extern(error=-1)
    def wait_a_while():
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        end = time.monotonic() + 20
        while time.monotonic() < end:
            time.sleep(0.001)
        return 1
"""


def test_interrupt_ends_the_host(plugin, host, run):
    """Ctrl-C in the middle of Python code ends a host that left SIGINT at its default."""
    built = plugin("int wait_a_while(void);", INTERRUPT_INIT.replace("{asks}", ""), name="interrupt")
    assert run(host(INTERRUPT_HOST, built)) == Ran(code=-2)


def test_interrupt_when_the_init_code_asks_for_it(plugin, host, run):
    """signal.signal(SIGINT, signal.default_int_handler): then it is a KeyboardInterrupt, an error like any other."""
    init = INTERRUPT_INIT.replace("{asks}", "signal.signal(signal.SIGINT, signal.default_int_handler)")
    built = plugin("int wait_a_while(void);", init, name="interrupt")
    ran = run(host(INTERRUPT_HOST, built))
    assert (ran.stdout, ran.code) == ("-1\nerror\n", 0)
    assert ran.stderr.endswith("\nKeyboardInterrupt\n")
