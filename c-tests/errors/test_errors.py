"""Exceptions, missing functions and failing init code, as the host sees them. The process lives through all of it."""

import sys

import pytest
from harness import Ran

LIVES = "lives: 1\n"
# In CFFI's words.
UNATTACHED = (
    "extern \"Python\": function {}() called, but no code was attached to it yet with @ffi.def_extern().  Returning 0."
)


def line_of(here, text):
    """The number of the init code's line that has `text`."""
    for number, line in enumerate((here / "init.py").read_text().splitlines(), 1):
        if text in line:
            return number
    raise LookupError(text)


@pytest.fixture(scope="module")
def errors(plugin, here):
    return plugin(here / "api.h", here / "init.py", name="errors")


@pytest.fixture(scope="module")
def program(errors, host, here):
    return host(here / "host.c", errors, flags=["-D_GNU_SOURCE"])


KINDS = {
    0: ('raise HostError("from the init code")', "errors.HostError: from the init code"),
    1: ("sys.exit(3)", "SystemExit: 3"),
    2: ("exit()", "SystemExit: None"),
    3: ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    4: ("return undefined_name", "NameError: name 'undefined_name' is not defined"),
    5: ('raise SystemExit("bye")', "SystemExit: bye"),
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: KINDS[kind][1].split(":")[0])
def test_exception(program, run, here, kind):
    """The traceback with the init code's lines goes to stderr, the caller gets zero or the error value; nothing exits."""
    source, error = KINDS[kind]
    for function, call, value in (("fail", "return deeper(kind)", 0), ("fail_with_value", "return 0 + deeper(kind)", -1)):
        ran = run(program, function, kind)
        assert ran.stdout == f"{value}\nlast error: errors.{function}: {error}\n{LIVES}"
        assert ran.code == 0
        assert_told(ran.stderr, here, function, [(function, call), ("deeper", source)], error)


def assert_told(stderr, here, function, places, error):
    head, *frames = stderr.splitlines()
    assert head == f"Exception ignored from the plugin's function <function {function} at 0x...>:"
    assert frames[0] == "Traceback (most recent call last):"
    # Carets under parts of a line, of Pythons that draw them, are not what this is about.
    frames = [line for line in frames[1:] if line.strip(" ^~")]
    expected = []
    for name, source in places:
        expected += [f'  File "init.py", line {line_of(here, source)}, in {name}', f"    {source}"]
    expected.append(error)
    if "SystemExit: None" in error:
        # exit() is site's, with a frame of its own.
        frames = [line for line in frames if "_sitebuiltins" not in line and "raise SystemExit(code)" not in line]
    assert frames == expected


@pytest.mark.parametrize(
    "function, result, source, error",
    [
        ("fail_double", "2.5", 'raise HostError("no double")', "errors.HostError: no double"),
        ("fail_pointer", "the error value", 'raise HostError("no pointer")', "errors.HostError: no pointer"),
        ("fail_struct", "7 8", 'raise HostError("no struct")', "errors.HostError: no struct"),
    ],
)
def test_error_values_of_every_type(program, run, here, function, result, source, error):
    ran = run(program, function)
    assert ran.stdout == f"{result}\nlast error: errors.{function}: {error}\n{LIVES}"
    assert_told(ran.stderr, here, function, [(function, source)], error)


@pytest.mark.parametrize(
    "function, line, came, error",
    [
        ("bad_result", 55, "'text' (str)", "TypeError: an integer is required"),
        ("too_big", 60, "1099511627776 (int)", "OverflowError: integer 1099511627776 does not fit 'int'"),
        ("returns_none", 65, "None (NoneType)", "TypeError: an integer is required"),
    ],
)
def test_results_that_do_not_convert(program, run, function, line, came, error):
    ran = run(program, function)
    assert ran == Ran(
        f"-1\nlast error: errors.{function}: {error}\n{LIVES}",
        f"Exception ignored from the plugin's function <function {function} at 0x...> (init.py, line {line}), whose result is 'int' in C: "
        f"it returned {came}:\n{error}\n",
    )


def test_void_function_that_returns_a_value(program, run):
    ran = run(program, "void_returns")
    error = "TypeError: callback with the return type 'void' must return None"
    assert ran == Ran(
        f"void\nlast error: errors.void_returns: {error}\n{LIVES}",
        "Exception ignored from the plugin's function <function void_returns at 0x...> (init.py, line 70), whose result is 'void' in C: "
        "it returned 5 (int):\n"
        f"{error}\n",
    )


def test_onerror_gives_the_result(program, run):
    assert run(program, "with_onerror", 1) == Ran(f"onerror got HostError 1 True\n77\nlast error: none\n{LIVES}")


def test_onerror_gives_none(program, run):
    assert run(program, "with_onerror", 0) == Ran(f"onerror got HostError 0 True\n-5\nlast error: none\n{LIVES}")


def test_onerror_that_fails(program, run):
    """Both exceptions are told, and the error value goes to the caller."""
    ran = run(program, "with_onerror", 2)
    assert ran.stdout == f"onerror got HostError 2 True\n-5\nlast error: errors.with_onerror: errors.HostError: onerror fails too\n{LIVES}"
    assert "errors.HostError: 2\n" in ran.stderr
    assert "errors.HostError: onerror fails too\n" in ran.stderr
    assert ran.code == 0


def test_never_attached(program, run):
    message = UNATTACHED.format("errors.never_attached")
    ran = run(program, "never_attached", 1)
    assert ran == Ran(f"0\nlast error: {message}\n{LIVES}", message + "\n")


def test_error_handler_gets_exceptions(program, run, here):
    """Function, message (one line, then the traceback) and the data; standard error gets nothing."""
    ran = run(program, "fail", 0, "handler")
    assert ran.stderr == "" and ran.code == 0
    first, second, *rest = ran.stdout.splitlines()
    assert first == "handler: function fail, data 123"
    assert second == "errors.HostError: from the init code"
    assert rest[-3:] == ["0", "last error: errors.fail: errors.HostError: from the init code", "lives: 1"]
    assert f'  File "init.py", line {line_of(here, "return deeper(kind)")}, in fail' in rest


def test_error_handler_gets_unattached_functions(program, run):
    ran = run(program, "never_attached", 0, "handler")
    message = UNATTACHED.format("errors.never_attached")
    assert ran == Ran(f"handler: function never_attached, data 123\n{message}\n0\nlast error: {message}\n{LIVES}")


# -- messages of any text --

# The message, the line that last_error begins with (after "messages.fail: "), what the traceback ends with.
MESSAGES = {
    "lone surrogate": ("'\\udcff odd'", "ValueError: \\udcff odd", "ValueError: \\udcff odd"),
    "surrogates of a file name": ("os.fsdecode(b'\\xff/\\xfe')", "ValueError: \\udcff/\\udcfe", "ValueError: \\udcff/\\udcfe"),
    "other letters": ("'\u00e4\u20ac\U0001f40d'", "ValueError: \u00e4\u20ac\U0001f40d", "ValueError: \u00e4\u20ac\U0001f40d"),
    "several lines": ("'first\\nsecond'", "ValueError: first", "ValueError: first\nsecond"),
    "newline first": ("'\\nsecond'", "ValueError", "ValueError: \nsecond"),
    "newlines only": ("'\\n\\n'", "ValueError", "ValueError: \n\n"),
    "nothing": ("''", "ValueError", "ValueError"),
    "NUL": ("'a\\0b'", "ValueError: a\\0b", "ValueError: a\0b"),
    "percent": ("'%s %n'", "ValueError: %s %n", "ValueError: %s %n"),
    "colon last": ("'key: '", "ValueError: key: ", "ValueError: key: "),
}


@pytest.mark.parametrize("message", MESSAGES)
def test_messages(plugin, host, run, message):
    """The first line of last_error, and of what a handler gets, is the exception's first line; standard error gets all."""
    value, line, last = MESSAGES[message]
    init = f"""
        import os
        from messages import ffi

        @ffi.def_extern(error=-1)
        def fail():
            raise ValueError(eval({value!r}))
    """
    program = host(
        """
        #include <stdio.h>
        #include <string.h>
        #include "messages.h"

        static void line(const char *text) { printf("%.*s\\n", (int)strcspn(text, "\\n"), text); }
        static void handler(const char *function, const char *message, void *data) { (void)function, (void)data, line(message); }

        int main(void)
        {
            printf("%d\\n", fail());
            line(messages_last_error());
            messages_set_error_handler(handler, NULL);
            fail();
            line(messages_last_error());
            return 0;
        }
        """,
        plugin("int fail(void);", init, name="messages"),
    )
    assert run(program) == Ran(
        f"-1\nmessages.fail: {line}\n{line}\nmessages.fail: {line}\n",
        "Exception ignored from the plugin's function <function fail at 0x...>:\n"
        "Traceback (most recent call last):\n"
        '  File "init.py", line 6, in fail\n'
        f"    raise ValueError(eval({value!r}))\n{last}\n",
    )


# A class, and how a traceback names it.
CLASSES = {
    "of the init code": ("Plain", "classes.Plain: told"),
    "in a class": ("Outer.Inner", "classes.Outer.Inner: told"),
    "of a module": ("queue.Full", "queue.Full: told"),
    "of a module, not in Python": ("queue.Empty", "_queue.Empty: told"),
    "with a note": ("noted", "ValueError: told"),
    "an attribute of the class that is called so": ("WithNotes", "classes.WithNotes: told"),
}


@pytest.mark.parametrize("which", CLASSES)
def test_names_of_classes(plugin, host, run, which):
    """last_error and the traceback name the exception's class as Python does."""
    made, line = CLASSES[which]
    init = f"""
        import queue
        from classes import ffi

        class Plain(Exception):
            pass

        class Outer:
            class Inner(Exception):
                pass

        class WithNotes(Exception):
            __notes__ = ["noted"]

        def noted(text):
            error = ValueError(text)
            error.__notes__ = ["noted"]
            return error

        @ffi.def_extern(error=-1)
        def fail():
            raise {made}("told")
    """
    program = host(
        """
        #include <stdio.h>
        #include <string.h>
        #include "classes.h"

        int main(void)
        {
            fail();
            printf("%.*s\\n", (int)strcspn(classes_last_error(), "\\n"), classes_last_error());
            return 0;
        }
        """,
        plugin("int fail(void);", init, name="classes"),
    )
    ran = run(program)
    note = "noted\n" if "Notes" in made or made == "noted" else ""
    if sys.version_info < (3, 11):
        note = ""
    assert ran.stdout == f"classes.fail: {line}\n"
    assert ran.stderr.endswith(f'    raise {made}("told")\n{line}\n{note}')


# -- init code that fails --

FAILING = {
    "raises": ('raise ValueError("the init code says no")', "ValueError: the init code says no"),
    "missing import": ("import no_such_module_anywhere", "ModuleNotFoundError: No module named 'no_such_module_anywhere'"),
    "sys.exit": ("import sys; sys.exit(4)", "SystemExit: 4"),
    "exit()": ("exit()", "SystemExit: None"),
    "KeyboardInterrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "unknown function": ('ffi.def_extern(name="nothing")(print)', "keelback.error: "),
    "recursion": ("def f(): f()\nf()", "RecursionError: maximum recursion depth exceeded"),
}


@pytest.fixture(params=FAILING)
def init_fails(request, plugin, host, here):
    source, error = FAILING[request.param]
    init = f"from initfails import ffi\n{source}\n"
    built = plugin("int count(void); int status(void);", init, name="initfails", args=["--error", "status=-3"])
    return host(here / "init_fails.c", built, flags=["-D_GNU_SOURCE"]), source, error


def test_init_code_fails(init_fails, run):
    """Told once in full with the init code's line, then one line per call; zeros, and --error's value."""
    program, source, error = init_fails
    ran = run(program)
    assert ran.code == 0
    head, told = ran.stdout.split("last error:\n")
    assert head == "0 -3\n0 -3\nstart negative\n"
    assert ran.stderr.count("Traceback (most recent call last):\n") == 1
    assert ran.stderr.count(source.splitlines()[-1]) >= 1
    last_line = [line for line in ran.stderr.splitlines() if line.startswith(error)]
    assert len(last_line) == 1 or "recursion" in error
    assert ran.stderr.endswith(
        "initfails: count was called, but its Python code could not be started\n"
        + "".join(f"initfails: {name} was called, but its Python code could not be started (the reason was told before)\n" for name in ("status", "count", "status"))
    )
    assert '  File "init.py", line 2, in <module>\n' in told or "recursion" in error
    assert error in told


def test_init_code_fails_with_a_handler(init_fails, run):
    program, _, error = init_fails
    ran = run(program, "handler")
    assert ran.stderr == "" and ran.code == 0
    lines = ran.stdout.split("last error:\n")[0].splitlines()
    assert [line.split(": ")[:2] for line in lines[:2]] == [["handler here", "count"], ["handler here", "status"]]


RETRY = """
    #include <stdio.h>
    #include <stdlib.h>
    #include "retried.h"

    int main(void)
    {
        printf("%d\\n", ready());
        setenv("RETRIED_OK", "1", 1);
        printf("%d\\n", ready());
        printf("start %d\\n", retried_start());
        printf("%d\\n", ready());
        printf("%s\\n", retried_last_error() == NULL ? "no error" : "error");
        return 0;
    }
"""
RETRIED = """
    import ctypes
    from retried import ffi

    ctypes.CDLL(None).getenv.restype = ctypes.c_char_p
    getenv = ctypes.CDLL(None).getenv
    getenv.restype = ctypes.c_char_p
    if not getenv(b"RETRIED_OK"):
        raise RuntimeError("not yet")

    @ffi.def_extern()
    def ready():
        return 1
"""


def test_start_again_after_the_init_code_failed(plugin, host, run):
    """A call does not try again, NAME_start does."""
    program = host(RETRY, plugin("int ready(void);", RETRIED, name="retried"), flags=["-D_GNU_SOURCE"])
    ran = run(program)
    assert ran.stdout == "0\n0\nstart 0\n1\nno error\n"
    assert ran.stderr.startswith("retried: the init code failed: RuntimeError: not yet\nTraceback (most recent call last):\n")
    assert ran.stderr.endswith(
        "RuntimeError: not yet\n"
        "retried: ready was called, but its Python code could not be started\n"
        "retried: ready was called, but its Python code could not be started (the reason was told before)\n"
    )
    assert ran.code == 0


# -- error values for "could not be started" --

VALUES_CDEF = """
    typedef enum { GOOD, BAD = 7 } verdict;
    struct point { double x; double y; };
    int an_int(void);
    unsigned char a_byte(void);
    long long a_long(void);
    double a_double(void);
    float a_float(void);
    const char *a_pointer(void);
    void *another_pointer(void);
    verdict an_enum(void);
    _Bool a_bool(void);
    char a_char(void);
    struct point a_struct(void);
    void nothing(void);
"""
VALUES_HOST = """
    #include <stdio.h>
    #include "values0.h"

    int main(void)
    {
        struct point point = a_struct();
        printf("%d %d %lld %g %g %s %d %d %d %c %g %g\\n", an_int(), a_byte(), a_long(), a_double(), (double)a_float(),
               a_pointer() == NULL ? "NULL" : "not NULL", another_pointer() == (void *)-1, (int)an_enum(), a_bool(), a_char(), point.x, point.y);
        nothing();
        return 0;
    }
"""
VALUES = ["an_int=-1", "a_byte=255", "a_long=-5000000000", "a_double=2.5", "a_float=-0.5", "a_pointer=NULL", "another_pointer=(void *)-1",
          "an_enum=BAD", "a_bool=true", "a_char='x'", "a_struct={1.5, -2.5}"]


def test_error_values_when_nothing_starts(plugin, host, run):
    init = "raise ValueError('no')\n"
    args = [part for value in VALUES if not value.startswith("a_bool") for part in ("--error", value)] + ["--error", "a_bool=1"]
    ran = run(host(VALUES_HOST, plugin(VALUES_CDEF, init, name="values0", args=args)))
    assert ran.stdout == "-1 255 -5000000000 2.5 -0.5 NULL 1 7 1 x 1.5 -2.5\n"
    assert ran.code == 0
