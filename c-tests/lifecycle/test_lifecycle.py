"""NAME_start, NAME_last_error, NAME_set_error_handler; what the init code finds of itself."""

import shutil

import pytest
from harness import HERE, Ran

CDEF = "int one(void); int fails(int which); int unattached(void);"
INIT = """
    from lifecycle import ffi

    print("init code", flush=True)

    @ffi.def_extern()
    def one():
        return 1

    @ffi.def_extern(error=-1)
    def fails(which):
        raise ValueError(f"failure {which}")
"""


@pytest.fixture(scope="module")
def lifecycle(plugin):
    return plugin(CDEF, INIT, name="lifecycle")


def test_start(lifecycle, host, run):
    """Runs the init code now, once; more starts do nothing."""
    program = host(
        """
        #include "host.h"
        #include "lifecycle.h"

        int main(void)
        {
            printf("%d ", host_is_mapped("libpython"));
            printf("%s ", lifecycle_last_error() == NULL ? "NULL" : "error");
            printf("%d\\n", host_is_mapped("libpython"));
            fflush(stdout);
            printf("start %d\\n", lifecycle_start());
            printf("start %d, %d\\n", lifecycle_start(), one());
            return 0;
        }
        """,
        lifecycle,
    )
    assert run(program) == Ran("0 NULL 0\ninit code\nstart 0\nstart 0, 1\n")


def test_last_error_is_per_thread(lifecycle, host, run):
    program = host(
        """
        #include <pthread.h>
        #include <stdio.h>
        #include <string.h>
        #include "lifecycle.h"

        static int mentions(const char *text) { return lifecycle_last_error() != NULL && strstr(lifecycle_last_error(), text) != NULL; }

        static void *work(void *unused)
        {
            (void)unused;
            printf("thread has none: %d\\n", lifecycle_last_error() == NULL);
            fails(2);
            printf("thread has its own: %d\\n", mentions("ValueError: failure 2"));
            return NULL;
        }

        static void quiet(const char *function, const char *message, void *data) { (void)function, (void)message, (void)data; }

        int main(void)
        {
            pthread_t thread;
            lifecycle_set_error_handler(quiet, NULL);
            one();
            fails(1);
            if (pthread_create(&thread, NULL, work, NULL) != 0 || pthread_join(thread, NULL) != 0)
                return 2;
            printf("main keeps its own: %d\\n", mentions("ValueError: failure 1"));
            one();
            printf("a good call keeps it: %d\\n", mentions("ValueError: failure 1"));
            fails(3);
            printf("the last one counts: %d\\n", mentions("ValueError: failure 3"));
            printf("traceback: %d, source line: %d\\n", mentions("Traceback (most recent call last):\\n"),
                   mentions("raise ValueError(f\\"failure {which}\\")"));
            return 0;
        }
        """,
        lifecycle,
    )
    assert run(program) == Ran(
        "init code\nthread has none: 1\nthread has its own: 1\nmain keeps its own: 1\na good call keeps it: 1\n"
        "the last one counts: 1\ntraceback: 1, source line: 1\n"
    )


def test_error_handler_is_changed_and_taken_away(lifecycle, host, run):
    program = host(
        """
        #include <stdio.h>
        #include "lifecycle.h"

        static void first(const char *function, const char *message, void *data)
        {
            printf("first %s %s %d\\n", function, (char *)data, message[0] != 0);
            /* A handler may call the plugin. */
            printf("one %d\\n", one());
        }
        static void second(const char *function, const char *message, void *data)
        {
            printf("second %s %d %d\\n", function, data == NULL, message[0] != 0);
        }

        int main(void)
        {
            lifecycle_set_error_handler(first, (void *)"data");
            fails(1);
            lifecycle_set_error_handler(second, NULL);
            fails(2);
            unattached();
            fflush(stdout);
            lifecycle_set_error_handler(NULL, NULL);
            fails(3);
            return 0;
        }
        """,
        lifecycle,
    )
    ran = run(program)
    assert ran.stdout == "init code\nfirst fails data 1\none 1\nsecond fails 1 1\nsecond unattached 1 1\n"
    assert "ValueError: failure 3\n" in ran.stderr and "failure 1" not in ran.stderr and "failure 2" not in ran.stderr
    assert ran.code == 0


# The init code fails with the word that the host has put into MODE, unless that is "ok".
MODES = """
    import ctypes
    from modes import ffi

    getenv = ctypes.CDLL(None).getenv
    getenv.restype = ctypes.c_char_p
    mode = getenv(b"MODE").decode()
    if mode != "ok":
        raise RuntimeError(f"failure {mode}")

    @ffi.def_extern(error=-1)
    def fails(which):
        raise ValueError(f"failure {which}")
"""


@pytest.fixture(scope="module")
def modes(plugin):
    return plugin("int fails(int which);", MODES, name="modes", args=["--error", "fails=-9"])


# To be followed by main. LINE: the first line of a text, for "%.*s".
MODES_HOST = """
    #define _GNU_SOURCE
    #include <pthread.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include "modes.h"

    #define LINE(text) (int)strcspn((text) ? (text) : "none", "\\n"), (text) ? (text) : "none"

    static inline void handler(const char *function, const char *message, void *data)
    {
        (void)data;
        printf("handler got %s: %.*s\\n", function, LINE(message));
        printf("last error %.*s\\n", LINE(modes_last_error()));
    }

    static inline void start(const char *mode)
    {
        setenv("MODE", mode, 1);
        printf("start %s %d\\n", mode, modes_start());
    }

    static void *start_here(void *mode) { start(mode); return NULL; }

    static inline void start_elsewhere(const char *mode)
    {
        pthread_t thread;
        if (pthread_create(&thread, NULL, start_here, (void *)mode) != 0 || pthread_join(thread, NULL) != 0)
            exit(2);
    }
"""


@pytest.mark.parametrize("valgrind", [False, True], ids=["plain", "valgrind"])
def test_last_error_is_kept_over_a_good_start(modes, host, run, valgrind):
    """Its text stays as it is until the thread's next failure. A start that succeeds is none, though there is no error
    any more then."""
    program = host(
        MODES_HOST
        + """
        int main(void)
        {
            const char *text;
            void *blocks[200];
            int i;
            start("one");
            text = modes_last_error();
            start("ok");
            /* Whoever gets the memory, writes there. */
            for (i = 0; i < 200; i++)
                memset(blocks[i] = malloc(16 + 8 * i), 'x', 16 + 8 * i);
            printf("kept %.*s, %d\\n", LINE(text), strstr(text, "RuntimeError: failure one\\n") != NULL);
            printf("last error %.*s\\n", LINE(modes_last_error()));
            modes_set_error_handler(handler, NULL);
            printf("%d\\n", fails(1));
            for (i = 0; i < 200; i++)
                free(blocks[i]);
            return 0;
        }
        """,
        modes,
    )
    command = [program]
    if valgrind:
        if not shutil.which("valgrind"):
            pytest.skip("valgrind is not installed")
        command = ["valgrind", "--quiet", "--error-exitcode=9", "--undef-value-errors=no", f"--suppressions={HERE / 'memory' / 'python.supp'}", program]
    assert run(*command, timeout=240) == Ran(
        "start one -3\nstart ok 0\nkept modes: the init code failed: RuntimeError: failure one, 1\nlast error none\n"
        "handler got fails: ValueError: failure 1\nlast error modes.fails: ValueError: failure 1\n-1\n"
    )


def test_last_error_is_what_the_handler_got(modes, host, run):
    """Also where the failure is that of another thread's start, and this thread remembers an older one."""
    program = host(
        MODES_HOST
        + """
        int main(void)
        {
            modes_set_error_handler(handler, NULL);
            start("one");
            printf("last error %.*s\\n", LINE(modes_last_error()));
            start_elsewhere("two");
            printf("last error %.*s\\n", LINE(modes_last_error()));
            printf("%d\\n", fails(1));
            printf("last error %.*s\\n", LINE(modes_last_error()));
            start_elsewhere("ok");
            printf("%d\\n", fails(2));
            return 0;
        }
        """,
        modes,
    )
    one, two = (f"modes: the init code failed: RuntimeError: failure {word}\n" for word in ("one", "two"))
    assert run(program) == Ran(
        f"start one -3\nlast error {one}"
        f"start two -3\nlast error {one}"
        f"handler got fails: {two}last error {two}-9\nlast error {two}"
        "start ok 0\nhandler got fails: ValueError: failure 2\nlast error modes.fails: ValueError: failure 2\n-1\n"
    )


def test_start_failure_after_the_handler_is_gone(modes, host, run):
    """A handler got the reason; when it is taken away, standard error gets all of it too, once."""
    program = host(
        MODES_HOST
        + """
        int main(void)
        {
            int i;
            setenv("MODE", "one", 1);
            modes_set_error_handler(handler, NULL);
            printf("%d\\n", fails(1));
            modes_set_error_handler(NULL, NULL);
            for (i = 0; i < 3; i++)
                printf("%d\\n", fails(2));
            return 0;
        }
        """,
        modes,
    )
    reason = "modes: the init code failed: RuntimeError: failure one\n"
    assert run(program) == Ran(
        f"handler got fails: {reason}last error {reason}-9\n-9\n-9\n-9\n",
        reason + "Traceback (most recent call last):\n"
        '  File "init.py", line 8, in <module>\n'
        '    raise RuntimeError(f"failure {mode}")\n'
        "RuntimeError: failure one\n"
        "modes: fails was called, but its Python code could not be started\n"
        + 2 * "modes: fails was called, but its Python code could not be started (the reason was told before)\n",
    )


def test_error_handler_whose_calls_fail(lifecycle, host, run):
    """Its own failures go to standard error, not to itself. Other threads' failures meanwhile go to it, and so do later ones."""
    program = host(
        """
        #include <pthread.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include "lifecycle.h"

        static int depth;
        static void line(const char *what, const char *text) { printf("%s: %.*s\\n", what, (int)strcspn(text, "\\n"), text); }
        static void *elsewhere(void *unused) { fails(30); return unused; }

        static void handler(const char *function, const char *message, void *data)
        {
            pthread_t thread;
            (void)data;
            line(function, message);
            if (strstr(message, "failure 30") != NULL)
                return;
            if (depth++ != 0)
                exit(3);
            printf("%d ", fails(10));
            printf("%d\\n", unattached());
            if (pthread_create(&thread, NULL, elsewhere, NULL) != 0 || pthread_join(thread, NULL) != 0)
                exit(2);
            fails(20);
            line("still", message);
            line("last", lifecycle_last_error());
            depth--;
        }

        int main(void)
        {
            lifecycle_set_error_handler(handler, NULL);
            fails(1);
            fails(2);
            return 0;
        }
        """,
        lifecycle,
    )

    def handled(number):
        return (
            f"fails: ValueError: failure {number}\n-1 0\nfails: ValueError: failure 30\n"
            f"still: ValueError: failure {number}\nlast: lifecycle.fails: ValueError: failure 20\n"
        )

    def told(number):
        return (
            "Exception ignored from the plugin's function <function fails at 0x...>:\n"
            "Traceback (most recent call last):\n"
            '  File "init.py", line 11, in fails\n'
            '    raise ValueError(f"failure {which}")\n'
            f"ValueError: failure {number}\n"
        )

    unattached = (
        'extern "Python": function lifecycle.unattached() called, but no code was attached to it yet with '
        "@ffi.def_extern().  Returning 0.\n"
    )
    assert run(program) == Ran("init code\n" + handled(1) + handled(2), 2 * (told(10) + unattached + told(20)))


def test_init_code_knows_itself(plugin, host, run):
    """inspect finds the source, the module is in sys.modules, and annotations resolve."""
    init = """
        import inspect, sys, typing
        import itsown
        from itsown import ffi, lib

        class Kept:
            value: "int" = 1

        @ffi.def_extern()
        def look():
            # a comment that getsource must show
            print(inspect.getsource(look).splitlines()[2].strip())
            print(inspect.getsourcelines(Kept)[1], typing.get_type_hints(Kept))
            print(sys.modules["itsown"] is itsown, itsown.ffi is ffi, itsown.lib is lib, lib is sys.modules["itsown"].lib)
            print(dir(lib))
            print(Kept.__module__, look.__name__)
            return 1
    """
    program = host('#include "itsown.h"\nint main(void) { return look() - 1; }\n', plugin("int look(void);", init, name="itsown"))
    ran = run(program)
    assert ran.stderr == "" and ran.code == 0
    lines = ran.stdout.splitlines()
    assert lines[:4] == ["# a comment that getsource must show", "5 {'value': <class 'int'>}", "True True True True", "['look']"]


def test_paths_with_spaces_and_other_letters(workshop, plugin, host, run, tmp_path):
    """A plugin in a directory with any name works, also from another working directory."""
    import shutil

    place = tmp_path / "ein Verzeichnis – 日本 'x' $y"
    place.mkdir()
    built = plugin("int one(void);", "from spaced import ffi\n@ffi.def_extern()\ndef one():\n    return 1\n", name="spaced")
    library = place / "lib spaced ü.so"
    shutil.copy(built.library, library)
    program = host(
        """
        #include "host.h"

        int main(int argc, char **argv)
        {
            int (*one)(void);
            HOST_SYMBOL(one, host_open(argv[argc - 1], RTLD_NOW), "one");
            printf("%d\\n", one());
            return 0;
        }
        """
    )
    assert run(program, library, cwd="/") == Ran("1\n")


def test_init_code_with_any_bytes(plugin, host, run):
    """Quotes, backslashes, trigraphs, tabs, NUL escapes and letters of all kinds arrive as written."""
    text = "'\"\\ ??/ ??= %s %d \t \u00e4\u20ac\U0001f40d \x7f"
    init = f"from anybytes import ffi\ntext = {text!r}\nliteral = '''{text[4:]}'''\nkept = ffi.new('char[]', (text + '|' + literal).encode())\n"
    init += "# " + "long comment " * 6000 + "\n@ffi.def_extern()\ndef get():\n    return kept\n"
    program = host('#include <stdio.h>\n#include "anybytes.h"\nint main(void) { puts(get()); return 0; }\n', plugin("const char *get(void);", init, name="anybytes"))
    assert run(program) == Ran(f"{text}|{text[4:]}\n")


def test_two_plugins_share_one_interpreter(plugin, host, run):
    """Modules and types are the same; globals of the init codes are not."""
    init = """
        import json
        from {name} import ffi

        value = "{name}"
        json.{name} = ffi

        @ffi.def_extern()
        def {name}_look():
            return (value == "{name}") + 2 * (len({{id(v.typeof("int *")) for k, v in vars(json).items() if k.startswith("sharer")}}) == 1)
    """
    built = [plugin(f"int {name}_look(void);", init.format(name=name), name=name) for name in ("sharer1", "sharer2")]
    source = '#include <stdio.h>\n#include "sharer1.h"\n#include "sharer2.h"\nint main(void) { printf("%d ", sharer1_look()); printf("%d ", sharer2_look()); printf("%d\\n", sharer1_look()); return 0; }\n'
    assert run(host(source, *built)) == Ran("3 3 3\n")
