"""Development libraries (`keelback build --dev`), and that a release library has none of their doors."""

import os

import pytest
from harness import Plugin, Ran, Workshop, keelback, python

CDEF = "int answer(int x); const char *where(void);"
INIT = """
from devel import ffi

@ffi.def_extern(error=-1)
def answer(x):
    return x + 1

text = ffi.new("char[]", __name__.encode() + b" " + __file__.encode())

@ffi.def_extern()
def where():
    return text
"""
# Reads commands from standard input: calls, and waits for the test to change the file.
HOST = """
    #include <stdio.h>
    #include <string.h>
    #include <unistd.h>
    #include "devel.h"

    int main(int argc, char **argv)
    {
        int (*pointer)(int) = answer;
        int i;
        setbuf(stdin, NULL);
        setbuf(stdout, NULL);
        for (i = 1; i < argc; i++) {
            if (strcmp(argv[i], "call") == 0)
                printf("%d\\n", pointer(20));
            else if (strcmp(argv[i], "where") == 0)
                printf("%s\\n", where());
            else if (strcmp(argv[i], "start") == 0)
                printf("start %d\\n", devel_start());
            else if (strcmp(argv[i], "error") == 0)
                printf("%.*s\\n", devel_last_error() ? (int)strcspn(devel_last_error(), "\\n") : 4,
                       devel_last_error() ? devel_last_error() : "none");
            else if (rename(argv[i], argv[i + 1]) == 0)
                i++;
            else
                return 9;
        }
        return 0;
    }
"""


@pytest.fixture
def dev(workshop, tmp_path, host, run):
    """dev(*arguments): runs the host on a library that was built with --dev. dev.write(name, text): a file beside it."""
    (tmp_path / "api.h").write_text(CDEF)
    init = tmp_path / "init.py"
    init.write_text(INIT)
    ran = run(keelback(), "build", "api.h", "--init", "init.py", "--name", "devel", "--python", python(), "--dev", cwd=tmp_path)
    assert ran == Ran()

    def build(source):
        # Each test has a library of its own: its init code's path is in it.
        return host(source + f"/* {tmp_path} */", Plugin("devel", tmp_path, tmp_path / "libdevel.so", ""))

    class Dev:
        path = init

        def write(self, name, text):
            (tmp_path / name).write_text(text)
            return tmp_path / name

        def __call__(self, *arguments, source=HOST, **options):
            options.setdefault("cwd", "/")
            ran = run(build(source), *arguments, normalise=False, **options)
            return Ran(ran.stdout.replace(str(tmp_path), "<dev>"), ran.stderr.replace(str(tmp_path), "<dev>"), ran.code)

    return Dev()


def test_runs_the_file(dev):
    """From its path, whatever the working directory; edits count without a build."""
    assert dev("call", "where") == Ran("21\ndevel <dev>/init.py\n")
    dev.path.write_text(INIT.replace("x + 1", "x + 2"))
    assert dev("call") == Ran("22\n")


def test_runs_it_again_when_it_has_changed(dev):
    """Edit, call again: the C pointers are the same, the code is new."""
    new = dev.write("new.py", INIT.replace("x + 1", "x * 2"))
    assert dev("call", new, dev.path, "call", "call") == Ran("21\n40\n40\n")


def test_names_stay_when_it_runs_again(dev):
    """As with importlib.reload: what the new text does not define is there still, the module is the same object, and what
    it keeps for itself can be kept over the change."""
    first = """
import sys
from devel import ffi

module = sys.modules["devel"]
assert module.__dict__ is globals()
counter = globals().get("counter", 0) + 1
only_in_the_first = 100

@ffi.def_extern(error=-1)
def answer(x):
    return x + counter
"""
    dev.path.write_text(first)
    second = first.replace("only_in_the_first = 100", "assert module.only_in_the_first == 100").replace(
        "return x + counter", "return x * counter + only_in_the_first"
    )
    assert dev("call", dev.write("second.py", second), dev.path, "call", "call") == Ran("21\n140\n140\n")


def test_batches_run_the_new_code(workshop, host, run, tmp_path):
    """Whether what is attached takes an element or the arrays: the last one counts for what it takes."""
    first = """
from batched import ffi

@ffi.def_extern()
def answer(x):
    return x + 1

@ffi.def_extern(batch=True)
def other(x, result):
    result[0] = x[0] + 10
"""
    second = """
from batched import ffi

@ffi.def_extern(batch=True)
def answer(x, result):
    result[0] = x[0] * 3

@ffi.def_extern()
def other(x):
    return x + 20
"""
    (tmp_path / "api.h").write_text("int answer(int x); /* keelback: batch */\nint other(int x); /* keelback: batch */\n")
    init = tmp_path / "init.py"
    init.write_text(first)
    built = run(keelback(), "build", "api.h", "--init", "init.py", "--name", "batched", "--python", python(), "--dev", cwd=tmp_path)
    assert built == Ran()
    (tmp_path / "second.py").write_text(second)
    source = """
#include <stdio.h>
#include "batched.h"
static void show(void)
{
    int x = 5, a = 0, b = 0;
    answer_n(1, &x, &a);
    other_n(1, &x, &b);
    printf("%d %d %d %d\\n", answer(x), a, other(x), b);
}
int main(int argc, char **argv)
{
    show();
    if (argc != 3 || rename(argv[1], argv[2]) != 0)
        return 1;
    show();
    return 0;
}
"""
    program = host(source + f"/* {tmp_path} */", Plugin("batched", tmp_path, tmp_path / "libbatched.so", ""))
    ran = run(program, tmp_path / "second.py", init)
    # The single function's element function stays; that of `other` for arrays does, too.
    assert ran == Ran("6 6 15 15\n6 15 25 15\n")


def test_change_that_fails(dev):
    """Told with its traceback; the old functions stay; the next change counts."""
    broken = dev.write("broken.py", "from devel import ffi\nraise ValueError('half-way')\n")
    syntax = dev.write("syntax.py", "def answer(:\n")
    mended = dev.write("mended.py", INIT.replace("x + 1", "x + 3"))
    ran = dev("call", broken, dev.path, "call", "call", "error", syntax, dev.path, "call", mended, dev.path, "call")
    assert ran.stdout == (
        "21\n21\n21\n"
        "devel: the changed init code failed, functions that it did not reach stay as they were: ValueError: half-way\n"
        "21\n23\n"
    )
    head, *traceback = ran.stderr.splitlines()
    assert head == "devel: the changed init code failed, functions that it did not reach stay as they were: ValueError: half-way"
    assert traceback[:4] == [
        "Traceback (most recent call last):",
        '  File "<dev>/init.py", line 2, in <module>',
        "    raise ValueError('half-way')",
        "ValueError: half-way",
    ]
    assert any("SyntaxError" in line for line in traceback) and ran.code == 0


# A thread is in a call, which waits on standard input, while the file is replaced and its new code is called.
DURING_A_CALL = """
    #include <pthread.h>
    #include <stdio.h>
    #include <sys/socket.h>
    #include <unistd.h>
    #include "devel.h"

    static void *work(void *result) { *(int *)result = answer(1); return NULL; }

    int main(int argc, char **argv)
    {
        pthread_t thread;
        int ends[2], result = 0;
        char byte;
        setbuf(stdout, NULL);
        if (argc != 3 || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || dup2(ends[1], 0) != 0)
            return 2;
        printf("start %d\\n", devel_start());
        if (pthread_create(&thread, NULL, work, &result) != 0 || read(ends[0], &byte, 1) != 1)
            return 3;
        if (rename(argv[1], argv[2]) != 0)
            return 4;
        printf("new %d\\n", answer(20));
        if (write(ends[0], "x", 1) != 1 || pthread_join(thread, NULL) != 0)
            return 5;
        printf("old %d\\nnew %d\\n", result, answer(20));
        return 0;
    }
"""
WAITS = """
import os
from devel import ffi

@ffi.def_extern(error=-1)
def answer(x):
    os.write(0, b"x")
    os.read(0, 1)
    END
"""


@pytest.mark.parametrize(
    "end, result, error",
    [
        ("raise ValueError('old code')", -1, "ValueError: old code\n"),
        ("return 'text'", -1, "TypeError: an integer is required\n"),
        ("return x + 2", 3, ""),
    ],
)
def test_change_during_a_call(dev, end, result, error):
    """The call ends in the old code, with its error value if it fails; calls that begin after the change run the new code."""
    dev.path.write_text(WAITS.replace("END", end))
    ran = dev(dev.write("new.py", INIT), dev.path, source=DURING_A_CALL)
    assert (ran.stdout, ran.code) == (f"start 0\nnew 21\nold {result}\nnew 21\n", 0)
    assert ran.stderr.endswith(error) and bool(ran.stderr) == bool(error)


def test_file_that_is_gone(dev):
    """At the start an error; later the code that runs goes on."""
    elsewhere = dev.path.with_name("elsewhere.py")
    ran = dev("start", "call", dev.path, elsewhere, "call", elsewhere, dev.path, "call")
    assert ran == Ran("start 0\n21\n21\n21\n")
    os.rename(dev.path, elsewhere)
    ran = dev("start", "error", "call", elsewhere, dev.path, "start", "call")
    assert ran.stdout == (
        "start -3\n"
        "devel: the init code failed: OSError: cannot read the init code '<dev>/init.py': No such file or directory\n"
        "-1\nstart 0\n21\n"
    )


def test_errors_show_the_file_s_lines(dev):
    dev.path.write_text(INIT.replace("return x + 1", "return x / 0"))
    ran = dev("call")
    assert ran.stdout == "-1\n" and '  File "<dev>/init.py", line 6, in answer\n    return x / 0\n' in ran.stderr


def test_pdb(dev):
    """KEELBACK_DEBUG=pdb stops at the first line of the init code; breakpoints hold in later calls."""
    ran = dev("call", "call", env={"KEELBACK_DEBUG": "pdb"}, stdin="b 6\nc\np x\nc\np x * 100\nc\n")
    assert ran.stderr == "" and ran.code == 0
    lines = [line.removeprefix("(Pdb) ") for line in ran.stdout.splitlines()]
    assert lines == [
        "> <dev>/init.py(2)<module>()",
        "-> from devel import ffi",
        "Breakpoint 1 at <dev>/init.py:6",
        "> <dev>/init.py(6)answer()",
        "-> return x + 1",
        "20",
        "21",
        "> <dev>/init.py(6)answer()",
        "-> return x + 1",
        "2000",
        "21",
    ]


FAKE_DEBUGPY = """
def listen(address):
    print("listen", address, flush=True)

def wait_for_client():
    print("client", flush=True)
"""


def test_debugpy(dev, tmp_path):
    """KEELBACK_DEBUG=[HOST:]PORT: debugpy is listening, and its client there, before the init code runs."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "debugpy.py").write_text(FAKE_DEBUGPY)
    dev.path.write_text(f"print('init code', flush=True)\n{INIT}")
    ran = dev("call", env={"KEELBACK_DEBUG": "5678"})
    assert ran.stdout == "-1\n" and "ModuleNotFoundError: No module named 'debugpy'" in ran.stderr
    # Its packages come from the environment here; in real use from the virtual environment that --python names.
    workshop = Workshop(tmp_path)
    built = workshop.run(keelback(), "build", "api.h", "--init", "init.py", "--name", "devel", "--python", python(), "--dev",
                         "--use-environment", cwd=tmp_path)
    assert built == Ran()
    for value, address in (("5678", "('127.0.0.1', 5678)"), ("0.0.0.0:99", "('0.0.0.0', 99)")):
        ran = dev("call", env={"KEELBACK_DEBUG": value, "PYTHONPATH": site})
        where = value if ":" in value else f"127.0.0.1:{value}"
        assert ran == Ran(f"listen {address}\nclient\ninit code\n21\n", f"keelback: debugpy waits at {where}\n")


@pytest.mark.parametrize("value", ["vim", "host:", ":", "99999999"])
def test_debugger_that_is_none(dev, value):
    ran = dev("call", "error", env={"KEELBACK_DEBUG": value})
    error = f"ValueError: KEELBACK_DEBUG is '{value}': it must be pdb, or [HOST:]PORT for debugpy"
    assert ran.stdout == f"-1\ndevel: the init code failed: {error}\n" and ran.code == 0


def test_release_library_has_no_door(plugin, host, run, tmp_path):
    """No variable makes it run other code, or a debugger; the init file may lie beside it, changed."""
    built = plugin(CDEF, INIT.replace(' + b" " + __file__.encode()', ""), name="devel")
    (built.directory / "init.py").write_text("raise SystemExit('the file was run')\n")
    (tmp_path / "init.py").write_text("raise SystemExit('the file was run')\n")
    names = ("DEBUG", "DEV", "INIT", "INIT_CODE", "INIT_FILE", "RELOAD", "PLUGIN", "PATH")
    env = {f"KEELBACK_{name}": "pdb" if name == "DEBUG" else tmp_path / "init.py" for name in names}
    for directory in (tmp_path, built.directory):
        assert run(host(HOST, built), "call", "where", cwd=directory, env=env, stdin="q\n") == Ran("21\ndevel\n")


def test_dev_needs_a_file(run, tmp_path):
    (tmp_path / "api.h").write_text(CDEF)
    ran = run(keelback(), "build", "api.h", "--init", "-", "--name", "devel", "--python", python(), "--dev", cwd=tmp_path, stdin=INIT)
    assert ran.code == 2 and ran.stderr.startswith("error: --dev needs the init code in a file, not on standard input\n")
