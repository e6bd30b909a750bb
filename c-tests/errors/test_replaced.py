"""Functions that are replaced, and callbacks that are dropped, during a call of theirs. The call ends as it began: with
the error value, the onerror and the name of the function that was called. The next call is the new function's."""

import pytest
from harness import Ran

CDEF = """
    struct pair { int a, b; };
    int call(int x);
    int nested(int depth);
    struct pair pair(int x);
    int is_gone(void);
"""
HOST = """
    #include <stdio.h>
    #include "replaced.h"

    int main(void)
    {
        setvbuf(stdout, NULL, _IONBF, 0);
        %s
        return 0;
    }
"""
CALL_TWICE = HOST % 'printf("%d\\n", call(4)); printf("%d\\n", call(4));'
ATTACH = 'ffi.def_extern(name="call", error=-2)(lambda x: x + 100)'

# What the function that replaces itself does after that, and what the host then gets and reads on stderr.
ENDS = {
    "raises": (
        f"""
        def old(x):
            {ATTACH}
            raise ValueError("replaced meanwhile")

        ffi.def_extern(name="call", error=-1)(old)
        """,
        "-1",
        """\
Exception ignored from the plugin's function <function old at 0x...>:
Traceback (most recent call last):
  File "init.py", line 5, in old
    raise ValueError("replaced meanwhile")
ValueError: replaced meanwhile
""",
    ),
    "bad result": (
        f"""
        def old(x):
            {ATTACH}
            return "text"

        ffi.def_extern(name="call", error=-1)(old)
        """,
        "-1",
        """\
Exception ignored from the plugin's function <function old at 0x...> (init.py, line 3), whose result is 'int' in C: it returned 'text' (str):
TypeError: an integer is required
""",
    ),
    "returns": (
        f"""
        def old(x):
            {ATTACH}
            return x

        ffi.def_extern(name="call", error=-1)(old)
        """,
        "4",
        "",
    ),
    "onerror": (
        f"""
        def old(x):
            {ATTACH}
            raise ValueError(x)

        ffi.def_extern(name="call", error=-1, onerror=lambda *exception: exception[1].args[0] + 1)(old)
        """,
        "5",
        "",
    ),
    "onerror replaces": (
        f"""
        def handle(*exception):
            {ATTACH}

        def old(x):
            raise ValueError(x)

        ffi.def_extern(name="call", error=-1, onerror=handle)(old)
        """,
        "-1",
        "",
    ),
    "onerror replaces, bad result": (
        f"""
        def handle(*exception):
            {ATTACH}
            return "text"

        def old(x):
            raise ValueError(x)

        ffi.def_extern(name="call", error=-1, onerror=handle)(old)
        """,
        "-1",
        """\
Exception ignored from the plugin's function <function old at 0x...>:
Traceback (most recent call last):
  File "init.py", line 8, in old
    raise ValueError(x)
ValueError: 4
Exception ignored during handling of the above exception by 'onerror':
TypeError: an integer is required
""",
    ),
    "onerror replaces, raises": (
        f"""
        def handle(*exception):
            {ATTACH}
            raise KeyError("onerror")

        def old(x):
            raise ValueError(x)

        ffi.def_extern(name="call", error=-1, onerror=handle)(old)
        """,
        "-1",
        """\
Exception ignored from the plugin's function <function old at 0x...>:
Traceback (most recent call last):
  File "init.py", line 8, in old
    raise ValueError(x)
ValueError: 4
Exception ignored during handling of the above exception by 'onerror':
Traceback (most recent call last):
  File "init.py", line 5, in handle
    raise KeyError("onerror")
KeyError: 'onerror'
""",
    ),
}


@pytest.fixture(scope="module")
def replaced(plugin, host):
    """replaced(init, source): a host with that plugin. `init` is what follows the import of ffi and lib."""
    from textwrap import dedent

    def build(init, source):
        return host(source, plugin(CDEF, "from replaced import ffi, lib\n" + dedent(init), name="replaced"))

    return build


@pytest.mark.parametrize("end", ENDS)
def test_function_replaces_itself(replaced, run, end):
    init, result, stderr = ENDS[end]
    assert run(replaced(init, CALL_TWICE)) == Ran(f"{result}\n104\n", stderr)


def test_replaced_at_every_depth(replaced, run):
    """Fifty calls of one function are under way, each of which has replaced the one before; all fail with values of
    their own."""
    init = """
        def attach(number):
            @ffi.def_extern(name="nested", error=-number)
            def function(depth):
                attach(number + 1)
                if depth:
                    results.append(lib.nested(depth - 1))
                raise ValueError(number)

        results = []
        attach(1)

        @ffi.def_extern()
        def call(x):
            print(results == list(range(-50, -1)), flush=True)
            return len(results)
    """
    ran = run(replaced(init, HOST % 'printf("%d\\n", nested(49)); printf("%d\\n", call(0));'))
    assert ran.stdout == "-1\nTrue\n49\n" and ran.code == 0
    assert [line for line in ran.stderr.split("\n") if line.startswith("ValueError")] == [f"ValueError: {n}" for n in range(50, 0, -1)]


def test_replaced_function_that_returns_a_struct(replaced, run):
    init = """
        def old(x):
            ffi.def_extern(name="pair", error=(5, 6))(lambda x: (x, x + 1))
            raise ValueError(x)

        ffi.def_extern(name="pair", error=(-7, -8))(old)
    """
    source = HOST % 'for (int i = 0; i < 2; i++) { struct pair got = pair(1); printf("%d %d\\n", got.a, got.b); }'
    ran = run(replaced(init, source))
    assert ran.stdout == "-7 -8\n1 2\n" and ran.stderr.endswith("\nValueError: 1\n") and ran.code == 0


def test_replaced_function_is_freed(replaced, run):
    """It lives until its last call is over, and no longer."""
    init = f"""
        import gc, weakref

        class Function:
            def __call__(self, x):
                {ATTACH}
                gc.collect()
                print("alive", old() is self, flush=True)
                return x

        function = Function()
        old = weakref.ref(function)
        ffi.def_extern(name="call")(function)
        del function

        @ffi.def_extern()
        def is_gone():
            gc.collect()
            return old() is None
    """
    source = HOST % 'printf("%d\\n", call(4)); printf("%d\\n", is_gone()); printf("%d\\n", call(4));'
    assert run(replaced(init, source)) == Ran("alive True\n4\n1\n104\n")


def test_replaced_by_another_thread(replaced, run):
    """Thread 1 is in the function while thread 2 attaches another one, and calls that."""
    init = """
        import threading

        inside, attached = threading.Event(), threading.Event()

        def old(x):
            inside.set()
            attached.wait()
            raise ValueError("replaced meanwhile")

        ffi.def_extern(name="call", error=-1)(old)

        @ffi.def_extern()
        def nested(depth):
            inside.wait()
            ffi.def_extern(name="call", error=-2)(lambda x: x + 100)
            result = lib.call(4)
            attached.set()
            return result
    """
    source = """
        #include <pthread.h>
        #include <stdio.h>
        #include "replaced.h"

        static void *work(void *result) { *(int *)result = call(4); return NULL; }

        int main(void)
        {
            pthread_t thread;
            int result = 0, other;
            if (replaced_start() != 0 || pthread_create(&thread, NULL, work, &result) != 0)
                return 2;
            other = nested(0);
            pthread_join(thread, NULL);
            printf("%d %d\\n", result, other);
            return 0;
        }
    """
    ran = run(replaced(init, source))
    assert ran.stdout == "-1 104\n" and ran.stderr.endswith("\nValueError: replaced meanwhile\n") and ran.code == 0


def test_init_code_fails_during_a_call(replaced, run):
    """A thread of the init code calls a function that is attached; the init code fails, so nothing is attached any more;
    then the call fails too."""
    init = """
        import os, threading

        inside = threading.Event()

        @ffi.def_extern(error=-1)
        def call(x):
            inside.set()
            os.read(0, 1)
            raise ValueError("in a call")

        def work():
            os.write(0, b"%d" % lib.call(1))

        threading.Thread(target=work, daemon=True).start()
        inside.wait()
        raise RuntimeError("the init code fails")
    """
    # Standard input is a socket: the call waits there, and the thread writes its result.
    source = """
        #include <stdio.h>
        #include <sys/socket.h>
        #include <unistd.h>
        #include "replaced.h"

        static void quiet(const char *function, const char *message, void *data) { (void)function, (void)message, (void)data; }

        int main(void)
        {
            int ends[2], started;
            char result[10] = "";
            if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || dup2(ends[1], 0) != 0)
                return 2;
            started = replaced_start();
            replaced_set_error_handler(quiet, NULL);
            printf("start %d, call %d\\n", started, call(1));
            replaced_set_error_handler(NULL, NULL);
            if (write(ends[0], "x", 1) != 1 || read(ends[0], result, sizeof result - 1) < 1)
                return 3;
            printf("the call under way %s\\n", result);
            return 0;
        }
    """
    assert run(replaced(init, source)) == Ran(
        "start -3, call -1\nthe call under way -1\n",
        "Exception ignored from the plugin's function <function call at 0x...>:\n"
        "Traceback (most recent call last):\n"
        '  File "init.py", line 11, in call\n'
        '    raise ValueError("in a call")\n'
        "ValueError: in a call\n",
    )


CALLBACKS_CDEF = """
    struct pair { int a, b; };
    typedef int (*callback)(int);
    typedef struct pair (*pair_callback)(int);
    callback one_shot(int kind);
    pair_callback one_shot_pair(void);
"""
CALLBACKS_INIT = """
    from callbacks import ffi

    kept = []

    def take(type, function, **options):
        kept.append(ffi.callback(type, function, **options))
        return kept[0]

    def drop():
        kept.clear()
        # What is made now may get the memory.
        others = [ffi.callback("int(int)", lambda x: 1 / 0, error=77) for _ in range(50)]

    def fails(x):
        drop()
        raise ValueError("dropped")

    def bad(x):
        drop()
        return "text"

    def handle(*exception):
        drop()
        return "text" if exception[1].args[0] else 9

    def fails_undropped(x):
        raise ValueError(x)

    @ffi.def_extern()
    def one_shot(kind):
        if kind == 0:
            return take("int(int)", fails, error=-1)
        if kind == 1:
            return take("int(int)", bad, error=-2)
        return take("int(int)", fails_undropped, error=-3, onerror=handle)

    @ffi.def_extern()
    def one_shot_pair():
        return take("struct pair(int)", fails, error=(-4, -5))
"""


def test_callback_that_drops_itself(plugin, host, run):
    """The last cdata of an ffi.callback goes during the callback's call by C: that call ends as any other."""
    program = host(
        """
        #include <stdio.h>
        #include "callbacks.h"

        int main(void)
        {
            struct pair pair;
            printf("%d\\n", one_shot(0)(1));
            printf("%d\\n", one_shot(1)(1));
            printf("%d\\n", one_shot(2)(0));
            printf("%d\\n", one_shot(2)(1));
            pair = one_shot_pair()(1);
            printf("%d %d\\n", pair.a, pair.b);
            return 0;
        }
        """,
        plugin(CALLBACKS_CDEF, CALLBACKS_INIT, name="callbacks"),
    )
    fails = (
        "Exception ignored from the callback <function fails at 0x...>:\n"
        "Traceback (most recent call last):\n"
        '  File "init.py", line 16, in fails\n'
        "ValueError: dropped\n"
    )
    ran = run(program)
    # Who prints this, and whether with the lines, is test_sources.py's affair.
    ran.stderr = "".join(line for line in ran.stderr.splitlines(keepends=True) if not line.startswith("    "))
    assert ran == Ran(
        "-1\n-2\n9\n-3\n-4 -5\n",
        fails
        + "Exception ignored from the callback <function bad at 0x...> (init.py, line 18), whose result is 'int' in C: it returned 'text' (str):\n"
        "TypeError: an integer is required\n"
        "Exception ignored from the callback <function fails_undropped at 0x...>:\n"
        "Traceback (most recent call last):\n"
        '  File "init.py", line 27, in fails_undropped\n'
        "ValueError: 1\n"
        "Exception ignored during handling of the above exception by 'onerror':\n"
        "TypeError: an integer is required\n" + fails,
    )
