"""The interpreter in somebody else's process: it changes nothing that is the host's, and nothing steers it."""

import errno
import os
import shutil
import subprocess

import pytest
from harness import Ran, ask, python, version_of, planted_venv

TEXT_HOST = """
    #include <stdio.h>
    #include "{name}.h"

    int main(void)
    {{
        fputs(tell(), stdout);
        return 0;
    }}
"""

# An init code whose one function returns the text that `lines` (an expression) gives.
TEXT_INIT = """
    import os, sys
    from {name} import ffi

    @ffi.def_extern()
    def tell():
        global text
        text = ffi.new("char[]", "".join(f"{{line}}\\n" for line in ({lines})).encode())
        return text
"""


@pytest.fixture(scope="module")
def teller(plugin, host):
    def teller(name, lines, *args):
        lines = " ".join(lines.split())
        built = plugin("const char *tell(void);", TEXT_INIT.format(name=name, lines=lines), name=name, args=args)
        return host(TEXT_HOST.format(name=name), built)

    return teller


PATHS = """
    [sys.prefix, sys.base_prefix, sys.flags.optimize, sys.flags.verbose, sys.flags.ignore_environment, sys.argv,
     *sorted(path for path in sys.path if "junk" in path), os.path.dirname(os.__file__), "startup" in globals(),
     "junk" in sys.modules, sys.flags.utf8_mode, sys.stdout.encoding, sys.getfilesystemencoding()]
"""


def junk(tmp_path):
    """Everything in the environment that moves an ordinary Python."""
    place = tmp_path / "junk"
    place.mkdir()
    (place / "junk.py").write_text("raise SystemExit('junk was imported')\n")
    (place / "sitecustomize.py").write_text("raise SystemExit('junk was imported')\n")
    (place / "math.py").write_text("raise SystemExit('junk was imported')\n")
    for name in ("python3", "python", f"python{version_of(python())}"):
        (place / name).write_text("#!/bin/sh\nexit 1\n")
        (place / name).chmod(0o755)
    return {
        "PATH": place,
        "PYTHONHOME": "/nonexistent",
        "PYTHONPATH": place,
        "PYTHONSTARTUP": place / "junk.py",
        "PYTHONOPTIMIZE": "2",
        "PYTHONVERBOSE": "1",
        "PYTHONINSPECT": "1",
        "PYTHONIOENCODING": "latin-1",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "warn",
        "PYTHONMALLOC": "debug",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPLATLIBDIR": "junk",
        "PYTHONWARNINGS": "error",
        "PYTHONEXECUTABLE": "/nonexistent/python",
        "PYTHONDUMPREFS": "1",
        "__PYVENV_LAUNCHER__": "/nonexistent",
    }


def test_environment_has_no_effect(teller, run, tmp_path):
    program = teller("paths", PATHS)
    plain = run(program)
    prefix = ask(python(), "import sys; print(sys.base_prefix)").strip()
    stdlib = ask(python(), "import os; print(os.path.dirname(os.__file__))").strip()
    assert plain == Ran(f"{prefix}\n{prefix}\n0\n0\n1\n['']\n{stdlib}\nFalse\nFalse\n1\nutf-8\nutf-8\n")
    assert run(program, env=junk(tmp_path)) == plain


PLANTED_HOST = """
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include "planted.h"

    extern char **environ;

    int main(int argc, char **argv)
    {
        char **before = environ, *entries[512], *value = getenv(argv[argc - 1]), *copy = strdup(value);
        int i, count, same = 1;
        for (count = 0; environ[count] != NULL && count < 511; count++)
            entries[count] = environ[count];
        fputs(tell(), stdout);
        for (i = 0; i < count; i++)
            same &= environ[i] == entries[i];
        same &= environ == before && environ[count] == NULL;
        same &= getenv(argv[argc - 1]) == value && strcmp(value, copy) == 0;
        puts(same ? "the same environment" : "another environment");
        free(copy);
        return 0;
    }
"""


@pytest.mark.parametrize("variable", ["PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__"])
def test_variables_that_isolated_pythons_read(plugin, host, run, tmp_path, variable):
    """CPython would run what is in the venv that they lead to. They have no effect, and stay where the host has them."""
    venv = planted_venv(tmp_path)
    lines = "[sys.executable, sys.prefix, 'planted' in str(sys.path)]"
    built = plugin("const char *tell(void);", TEXT_INIT.format(name="planted", lines=lines), name="planted")
    prefix = ask(python(), "import sys; print(sys.base_prefix)").strip()
    assert run(host(PLANTED_HOST, built), variable, env={variable: venv}) == Ran(
        f"{python()}\n{prefix}\nFalse\nthe same environment\n"
    )


@pytest.mark.parametrize("variable", ["PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__"])
def test_they_may_have_one_when_the_environment_counts(plugin, host, run, tmp_path, variable):
    lines = "['told']"
    args = ["--use-environment"]
    built = plugin("const char *tell(void);", TEXT_INIT.format(name="planted", lines=lines), name="planted", args=args)
    ran = run(host(PLANTED_HOST, built), variable, env={variable: planted_venv(tmp_path)})
    # Up to CPython what they do, also to the environment.
    assert (ran.stdout.splitlines()[:1], ran.code) == (["told"], 0)


def test_working_directory_has_no_effect(teller, run, tmp_path):
    """Modules that lie about are not imported: neither the working directory nor the plugin's is on sys.path."""
    (tmp_path / "json.py").write_text("raise SystemExit('a module of the working directory was imported')\n")
    program = teller("cwd", "[__import__('json').dumps([1]), '' in sys.path, os.getcwd() in sys.path]")
    assert run(program, cwd=tmp_path) == Ran("[1]\nFalse\nFalse\n")


def test_use_environment(teller, run, tmp_path):
    (tmp_path / "only_here.py").write_text("VALUE = 'from PYTHONPATH'\n")
    lines = "[__import__('only_here').VALUE, sys.flags.optimize]"
    env = {"PYTHONPATH": tmp_path, "PYTHONOPTIMIZE": "1"}
    assert run(teller("useenv", lines, "--use-environment"), env=env) == Ran("from PYTHONPATH\n1\n")


# What every Python imports from files first. Whether it was frozen, where a Python's own modules are.
FIRST_MODULES = """
    [*(sys.modules[name].__file__ for name in ("encodings", "encodings.aliases", "encodings.utf_8")),
     *sys.modules["encodings"].__path__, "é".encode("cp437"), "ü".encode("idna"),
     __import__("inspect").getsource(sys.modules["encodings.utf_8"]).count("codecs.Codec"),
     __import__("importlib").reload(sys.modules["encodings.aliases"]).aliases["u8"],
     sys.modules["encodings"].__spec__.origin == __import__("os").__spec__.origin]
"""


def test_first_modules(teller, run):
    """`encodings` is taken from its compiled files, without a search; it looks like what was searched for."""
    library = ask(python(), "import sysconfig; print(sysconfig.get_path('stdlib'), end='')")
    files = [f"{library}/encodings/{name}.py" for name in ("__init__", "aliases", "utf_8")]
    shown = [*files, f"{library}/encodings", b"\x82", b"xn--tda", 1, "utf_8"]
    # A release whose bytecode is known; before 3.11 nothing is frozen.
    shown.append(version_of(python()) in ("3.11", "3.12", "3.13", "3.14"))
    for number, args in enumerate([(), ("--no-site",)]):
        result = run(teller(f"first{number}", FIRST_MODULES, *args))
        assert result == Ran("".join(f"{line}\n" for line in shown))


def test_no_site(teller, run):
    assert run(teller("nosite", "['site' in sys.modules, sys.flags.no_site]", "--no-site")) == Ran("False\n1\n")
    assert run(teller("withsite", "['site' in sys.modules, sys.flags.no_site]")) == Ran("True\n0\n")


LOCALE_HOST = """
    #include <locale.h>
    #include <stdio.h>
    #include <string.h>
    #include "localised.h"

    static void tell(const char *when)
    {
        printf("%s: LC_ALL %s, point %s\\n", when, setlocale(LC_ALL, NULL), localeconv()->decimal_point);
        fflush(stdout);
    }

    int main(int argc, char **argv)
    {
        if (argc > 1 && setlocale(LC_ALL, argv[1]) == NULL)
            return 77;
        tell("before");
        print_it();
        tell("after");
        return 0;
    }
"""
LOCALE_INIT = """
    import sys
    from localised import ffi

    @ffi.def_extern()
    def print_it():
        print("grüße – 日本 🐍", sys.flags.utf8_mode, sys.stdout.encoding, float("1.5"))
"""


@pytest.fixture(scope="module")
def german(tmp_path_factory):
    """A directory with a de_DE.UTF-8 locale, whose numbers have a comma: few test machines have one."""
    place = tmp_path_factory.mktemp("locale")
    if not shutil.which("localedef"):
        pytest.skip("this machine has no localedef to make a locale with")
    made = subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", place / "de_DE.UTF-8"], capture_output=True, text=True)
    if not (place / "de_DE.UTF-8" / "LC_NUMERIC").exists():
        pytest.skip(f"this machine's localedef makes no de_DE.UTF-8: {made.stderr}")
    return place


@pytest.mark.parametrize("locale", [None, "C", "C.UTF-8", "de_DE.UTF-8"])
def test_locale(plugin, host, run, request, locale):
    """The host's locale stays, and text is UTF-8 in any locale."""
    program = host(LOCALE_HOST, plugin("void print_it(void);", LOCALE_INIT, name="localised"))
    env = {"LC_ALL": "C", "LANG": "C"}
    if locale == "de_DE.UTF-8":
        env["LOCPATH"] = request.getfixturevalue("german")
    ran = run(program, *([locale] if locale else []), env=env)
    if ran.code == 77:
        pytest.skip(f"this machine has no locale {locale}")
    name, point = locale or "C", "," if locale == "de_DE.UTF-8" else "."
    assert ran == Ran(
        f"before: LC_ALL {name}, point {point}\ngrüße – 日本 🐍 1 utf-8 1.5\nafter: LC_ALL {name}, point {point}\n"
    )


SIGNALS_HOST = """
    #include <signal.h>
    #include <stdio.h>
    #include <string.h>
    #include "signals.h"

    static const char *disposition(int number)
    {
        struct sigaction action;
        /* The C library keeps two signals for itself, and lets nobody ask. */
        if (sigaction(number, NULL, &action) != 0)
            return "the C library's";
        if (action.sa_flags & SA_SIGINFO)
            return "a function";
        return action.sa_handler == SIG_DFL ? "default" : action.sa_handler == SIG_IGN ? "ignored" : "a function";
    }

    int main(int argc, char **argv)
    {
        int number, changed = 0;
        const char *before[65];
        sigset_t mask;
        if (argc > 1 && strcmp(argv[1], "ignore") == 0)
            signal(SIGPIPE, SIG_IGN);
        for (number = 1; number < 65; number++)
            before[number] = disposition(number);
        use_signals();
        for (number = 1; number < 65; number++)
            if (strcmp(before[number], disposition(number)) != 0) {
                printf("signal %d: %s, was %s\\n", number, disposition(number), before[number]);
                changed++;
            }
        sigprocmask(SIG_SETMASK, NULL, &mask);
        printf("%d changed, SIGINT %s, SIGPIPE %s, SIGINT blocked %d\\n", changed, disposition(SIGINT), disposition(SIGPIPE),
               sigismember(&mask, SIGINT));
        fflush(stdout);
        raise(argc > 1 ? SIGPIPE : SIGINT);
        printf("alive\\n");
        return 0;
    }
"""
SIGNALS_INIT = """
    import asyncio, faulthandler, multiprocessing, signal, socket, subprocess, threading
    from signals import ffi

    @ffi.def_extern()
    def use_signals():
        subprocess.run(["true"])
        assert asyncio.run(asyncio.sleep(0, 42)) == 42
"""


def test_signals_stay_default(plugin, host, run):
    """Also after the init code imported signal, subprocess and asyncio, and used them: SIGINT still ends the host."""
    program = host(SIGNALS_HOST, plugin("void use_signals(void);", SIGNALS_INIT, name="signals"))
    assert run(program) == Ran("0 changed, SIGINT default, SIGPIPE default, SIGINT blocked 0\n", code=-2)
    assert run(program, "ignore") == Ran("0 changed, SIGINT default, SIGPIPE ignored, SIGINT blocked 0\nalive\n")


SIGPIPE_INIT = """
    import os, signal, socket, subprocess
    from pipes import ffi

    @ffi.def_extern(error=-1)
    def write():
        told = []
        read, write = os.pipe()
        os.close(read)
        ours, theirs = socket.socketpair()
        theirs.close()
        for attempt in (lambda: os.write(write, b"x"), lambda: ours.send(b"x"),
                        lambda: subprocess.run(["true"], input=b"x" * 1000000)):
            try:
                attempt()
            except BrokenPipeError:
                told.append("BrokenPipeError")
        print(told)
        # Children have it at its default.
        return subprocess.run("kill -PIPE $$; exit 3", shell=True).returncode
"""
SIGPIPE_HOST = """
    #include <signal.h>
    #include <stdio.h>
    #include "pipes.h"

    static int came;
    static void handler(int number) { came += number == SIGPIPE; }

    int main(int argc, char **argv)
    {
        (void)argv;
        if (argc > 1)
            signal(SIGPIPE, handler);
        printf("child %d\\n", write_all());
        printf("came %s\\n", came ? "to the handler" : "nowhere");
        return 0;
    }
"""


def test_ignore_sigpipe(plugin, host, run):
    """`--ignore-sigpipe`: Python code that writes to a closed pipe or socket gets its exception. Without, the host ends,
    as its disposition says. A handler of the host's stays."""
    init = SIGPIPE_INIT.replace("def write()", "def write_all()")
    program = host(SIGPIPE_HOST, plugin("int write_all(void);", init, name="pipes", args=["--ignore-sigpipe"]))
    told = "['BrokenPipeError', 'BrokenPipeError']\n"
    assert run(program) == Ran(f"{told}child -13\ncame nowhere\n")
    assert run(program, "handler") == Ran(f"{told}child -13\ncame to the handler\n")
    assert run(host(SIGPIPE_HOST, plugin("int write_all(void);", init, name="pipes"))) == Ran(code=-13)


HANDLER_HOST = """
    #include <signal.h>
    #include <stdio.h>
    #include <time.h>
    #include "handled.h"

    static volatile sig_atomic_t got;
    static void handler(int number) { got = number; }

    int main(void)
    {
        struct sigaction action = {.sa_handler = handler};
        sigaction(SIGINT, &action, NULL);
        printf("%d\\n", wait_for_signal());
        printf("handler got %d, last error %s\\n", (int)got, handled_last_error() ? handled_last_error() : "none");
        return 0;
    }
"""
HANDLER_INIT = """
    import os, signal, time
    from handled import ffi

    @ffi.def_extern()
    def wait_for_signal():
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
        return 5
"""


def test_host_s_own_sigint_handler(plugin, host, run):
    """A signal that comes while Python code runs goes to the host's handler; Python raises nothing."""
    program = host(HANDLER_HOST, plugin("int wait_for_signal(void);", HANDLER_INIT, name="handled"))
    assert run(program) == Ran("5\nhandler got 2, last error none\n")


ARGV_HOST = """
    #include <stdio.h>
    #include <string.h>
    #include "arguments.h"

    int main(int argc, char **argv)
    {
        int i;
        fputs(tell(), stdout);
        for (i = 1; i < argc; i++)
            printf("%s\\n", argv[i]);
        return 0;
    }
"""


def test_argv_is_untouched(plugin, host, run):
    """Options of an ordinary Python in the host's command line are the host's."""
    built = plugin("const char *tell(void);", TEXT_INIT.format(name="arguments", lines="[sys.argv, sys.flags.interactive]"), name="arguments")
    ran = run(host(ARGV_HOST, built), "-c", "print('python took it')", "-i", "--help", "-E")
    assert ran == Ran("['']\n0\n-c\nprint('python took it')\n-i\n--help\n-E\n")


ERRNO_HOST = """
    #include <errno.h>
    #include <stdio.h>
    #include "errnos.h"

    int main(void)
    {
        errno = ENOTTY;
        touch();
        printf("first call: %s\\n", errno == ENOTTY ? "kept" : "changed");
        errno = EXDEV;
        touch();
        printf("second call: %s\\n", errno == EXDEV ? "kept" : "changed");
        errno = EDOM;
        printf("python sees %d, ", seen());
        printf("kept %d\\n", errno == EDOM);
        set(ERANGE);
        printf("python set %d\\n", errno == ERANGE);
        errno = EPERM;
        errnos_start();
        printf("start: %s\\n", errno == EPERM ? "kept" : "changed");
        return 0;
    }
"""
ERRNO_INIT = """
    import os
    from errnos import ffi

    @ffi.def_extern()
    def touch():
        try:
            open("/nonexistent/file")
        except FileNotFoundError:
            pass
        print(end="")

    @ffi.def_extern()
    def seen():
        return ffi.errno

    @ffi.def_extern()
    def set(value):
        ffi.errno = value
"""


def test_errno_is_kept(plugin, host, run):
    """Across the start, calls, and what Python does to errno; ffi.errno is the host's and goes back to it."""
    built = plugin("void touch(void); int seen(void); void set(int value);", ERRNO_INIT, name="errnos")
    assert run(host(ERRNO_HOST, built)) == Ran(
        f"first call: kept\nsecond call: kept\npython sees {errno.EDOM}, kept 1\npython set 1\nstart: kept\n"
    )


STATE_HOST = """
    #include <fenv.h>
    #include <stdio.h>
    #include <sys/stat.h>
    #include <unistd.h>
    #include "state.h"

    int main(void)
    {
        char before[4096], after[4096];
        mode_t mask = umask(027);
        (void)mask;
        fesetround(FE_UPWARD);
        if (getcwd(before, sizeof before) == NULL)
            return 2;
        work();
        if (getcwd(after, sizeof after) == NULL)
            return 2;
        mask = umask(0);
        printf("umask %o, rounding %s, fds %s\\n", (unsigned)mask, fegetround() == FE_UPWARD ? "kept" : "changed",
               dup(0) == 3 ? "none left open" : "left open");
        return 0;
    }
"""


def test_process_state_is_kept(plugin, host, run):
    init = "from state import ffi\n@ffi.def_extern()\ndef work():\n    import json\n"
    assert run(host(STATE_HOST, plugin("void work(void);", init, name="state"))) == Ran(
        "umask 27, rounding kept, fds none left open\n"
    )
