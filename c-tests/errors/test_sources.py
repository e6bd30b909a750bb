"""The lines of source that tracebacks, warnings and inspect show: the init code's own, whatever characters are in it and
whatever lies in the working directory."""

import re

import pytest
from harness import Ran, python, version_of

CDEF = "int work(int x);"
HOST = """
    #include <stdio.h>
    #include "sources.h"

    int main(void)
    {
        setbuf(stdout, NULL);
        printf("%d\\n", work(0));
        return 0;
    }
"""
# The first Python that marks the part of a line that failed.
HAS_CARETS = tuple(map(int, version_of(python()).rstrip("t").split("."))) >= (3, 11)


@pytest.fixture(scope="module")
def sources(plugin, host, run):
    """sources(init, *arguments of the build, cwd=None): builds and runs the host."""

    def build_and_run(init, *args, **options):
        return run(host(HOST, plugin(CDEF, init, name="sources", args=args)), **options)

    return build_and_run


def told(line, source, error, carets="", function="work"):
    """What is on stderr when the function has failed in that line."""
    return (
        f"Exception ignored from the plugin's function <function {function} at 0x...>:\n"
        "Traceback (most recent call last):\n"
        f'  File "init.py", line {line}, in {function}\n'
        f"    {source}\n" + (f"    {carets}\n" if carets and HAS_CARETS else "") + f"{error}\n"
    )


# -- where lines end --

# str.splitlines() ends lines there; Python's parser does not.
ODD = {
    "form feed": "\f", "vertical tab": "\v", "file separator": "\x1c", "group separator": "\x1d", "record separator": "\x1e",
    "next line": "\x85", "line separator": "\u2028", "paragraph separator": "\u2029",
}  # fmt: skip


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_characters_that_do_not_end_lines(sources, odd):
    """In comments and strings; for tracebacks, warnings and inspect alike."""
    init = (
        f"from sources import ffi  # here {odd} and here\n"
        f"text = '''{odd}\n{odd}{odd}'''\n"
        "import inspect, warnings\n"
        "@ffi.def_extern(error=-1)\n"
        "def work(x):\n"
        f"    '''{odd}'''\n"
        "    print(len(inspect.getsource(work).split('\\n')), inspect.getsourcelines(work)[1], flush=True)\n"
        "    warnings.warn('shown')\n"
        "    raise ValueError(x)\n"
    )
    warned = "init.py:9: UserWarning: shown\n  warnings.warn('shown')\n"
    assert sources(init) == Ran("7 5\n-1\n", warned + told(10, "raise ValueError(x)", "ValueError: 0"))


def test_form_feed_between_functions(sources):
    """As it stands in a line of its own in old sources, and before code."""
    init = (
        "from sources import ffi\n\f\n\f@ffi.def_extern(error=-1)\ndef work(x):\n    \f\n    if x == 0:\n"
        "        raise ValueError(x)\n"
    )
    assert sources(init) == Ran("-1\n", told(7, "raise ValueError(x)", "ValueError: 0"))


def test_warnings_of_the_parser(sources):
    """Told with their line, and the module `warnings` is imported for them alone."""
    init = "from sources import ffi\nimport sys\n{}\n@ffi.def_extern()\ndef work(x):\n    return 'warnings' in sys.modules\n"
    said = "init.py:3: SyntaxWarning: assertion is always true, perhaps remove parentheses?\n  assert (sys, 'always')\n"
    assert sources(init.format("assert (sys, 'always')"), "--no-site") == Ran("1\n", said)
    assert sources(init.format("assert sys, 'always'"), "--no-site") == Ran("0\n")


LINES = [
    "from sources import ffi",
    "@ffi.def_extern(error=-1)",
    "def work(x):",
    "    y = 2",
    "    return 1 + y / x",
]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("last", [True, False], ids=["", "no final newline"])
def test_line_ends(sources, end, last):
    """The carets are under the part that failed."""
    init = end.join(LINES) + (end if last else "")
    error = "ZeroDivisionError: division by zero"
    assert sources(init) == Ran("-1\n", told(5, "return 1 + y / x", error, "           ~~^~~"))


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_carets_after_wide_characters(sources, end):
    """A line with other letters, and a string over several lines before it."""
    lines = ["from sources import ffi", "text = '''one", "\ttwo \u00e4", "'''", *LINES[1:4], "    return len('\u20ac\u00e4') / x"]
    error = "ZeroDivisionError: division by zero"
    assert sources(end.join(lines) + end) == Ran("-1\n", told(8, "return len('\u20ac\u00e4') / x", error, "       ~~~~~~~~~~^~~"))


# -- exceptions that end a thread --

THREAD = """
    import threading
    from sources import ffi

    def fail(x):
        return 1 / x

    @ffi.def_extern()
    def work(x):
        thread = threading.Thread(target=fail, args=(x,), name="worker")
        thread.start()
        thread.join()
        return 1
"""


def own(stderr):
    """Without the frames of Python's own modules."""
    return re.sub(r'  File "/.*/threading\.py", line .*\n(?:    .*\n)*', "", stderr)


def in_a_thread(name="worker", function="fail", line=5, source="return 1 / x", carets="       ~~^~~"):
    return (
        f"Exception in thread {name}:\nTraceback (most recent call last):\n"
        f'  File "init.py", line {line}, in {function}\n    {source}\n'
        + (f"    {carets}\n" if carets and HAS_CARETS else "")
        + "ZeroDivisionError: division by zero\n"
    )


def test_exception_in_a_thread(sources, tmp_path):
    """Python prints it, with the line of the init code."""
    ran = sources(THREAD, cwd=tmp_path)
    assert Ran(ran.stdout, own(ran.stderr), ran.code) == Ran("1\n", in_a_thread())


@pytest.mark.parametrize("early", ["", "import linecache, traceback", "import concurrent.futures, logging"], ids=["first", "linecache", "others"])
def test_hooks_for_threads(sources, tmp_path, early):
    """A program's own hook is called, and threading.__excepthook__ is what prints by default. SystemExit is silent."""
    init = f"""
        import sys, threading
        {early}
        from sources import ffi

        def hook(args):
            print("hook", args.exc_type.__name__, args.thread.name, flush=True)
            threading.__excepthook__(args)

        def run(target, *args):
            thread = threading.Thread(target=target, args=args, name="worker")
            thread.start()
            thread.join()

        @ffi.def_extern()
        def work(x):
            run(sys.exit)
            run(lambda: 1 / x)
            threading.excepthook = hook
            run(lambda: 1 / x)
            threading.excepthook = threading.__excepthook__
            run(lambda: 1 / x)
            return 1
    """
    ran = sources(init, cwd=tmp_path)
    expected = "".join(
        in_a_thread(function="<lambda>", line=line, source="run(lambda: 1 / x)", carets="            ~~^~~") for line in (17, 19, 21)
    )
    assert Ran(ran.stdout, own(ran.stderr), ran.code) == Ran("hook ZeroDivisionError worker\n1\n", expected)


# -- a file of the init code's name that is another --


@pytest.fixture
def elsewhere(tmp_path):
    """A working directory with an init.py, which is not the plugin's."""
    (tmp_path / "init.py").write_text("".join(f"a line {number} of another file\n" for number in range(1, 200)))
    return tmp_path


# Used by the ways to show lines below. The first imports come first in the init code, or in the function that uses them.
SHOW = """
    from sources import ffi
    %s

    def fail():
        raise ValueError("shown")

    def show():
        import inspect, traceback, warnings, linecache
        try:
            fail()
        except ValueError:
            traceback.print_exc()
        warnings.warn("warned")
        print(inspect.getsource(fail), end="")
        print(linecache.getline("init.py", 5), end="", flush=True)

    %s
"""
SHOWN = (
    'def fail():\n    raise ValueError("shown")\n    raise ValueError("shown")\n',
    "Traceback (most recent call last):\n"
    '  File "init.py", line 10, in show\n'
    "    fail()\n"
    '  File "init.py", line 5, in fail\n'
    '    raise ValueError("shown")\n'
    "ValueError: shown\n"
    "init.py:13: UserWarning: warned\n"
    '  warnings.warn("warned")\n',
)
WHERE = {
    "init code": "show()\nffi.def_extern(name='work')(lambda x: x)",
    "function": "ffi.def_extern(name='work')(lambda x: show() or x)",
    "callback": "ffi.def_extern(name='work')(lambda x: ffi.callback('int(int)', lambda x: show() or x)(x))",
    "thread": "import threading\n@ffi.def_extern()\ndef work(x):\n    t = threading.Thread(target=show)\n    t.start()\n    t.join()\n    return x",
    "deferred call": "ffi.def_extern(name='work')(lambda x: x)\nimport atexit\natexit.register(show)",
}
EARLY = {
    "traceback first": "import traceback", "warnings first": "import warnings", "linecache first": "import linecache",
    "inspect first": "import inspect", "checked": "import linecache; linecache.checkcache()",
}  # fmt: skip


def init_code(early, where):
    from textwrap import dedent

    return dedent(SHOW) % (early, WHERE[where])


@pytest.mark.parametrize("where", WHERE)
def test_other_file_of_that_name(sources, elsewhere, where):
    """Never shown: not by traceback, warnings, inspect or linecache, in the init code, its functions and threads."""
    ran = sources(init_code("", where), cwd=elsewhere)
    stdout = f"0\n{SHOWN[0]}" if where == "deferred call" else f"{SHOWN[0]}0\n"
    assert Ran(ran.stdout, without_carets(ran.stderr), ran.code) == Ran(stdout, SHOWN[1])


@pytest.mark.parametrize("early", EARLY)
def test_other_file_of_that_name_and_early_imports(sources, elsewhere, early):
    """Nor does it matter what the init code imports before that."""
    for where in ("init code", "function"):
        ran = sources(init_code(EARLY[early], where), cwd=elsewhere)
        assert Ran(ran.stdout, without_carets(ran.stderr), ran.code) == Ran(f"{SHOWN[0]}0\n", SHOWN[1])


def without_carets(text):
    return "".join(line for line in text.splitlines(keepends=True) if line.strip(" ^~\n"))


def test_other_file_of_that_name_and_a_failing_thread(sources, elsewhere):
    ran = sources(THREAD, cwd=elsewhere)
    assert Ran(ran.stdout, own(ran.stderr), ran.code) == Ran("1\n", in_a_thread())


def test_other_file_of_that_name_and_a_failing_function(sources, elsewhere):
    init = "\n".join(LINES) + "\n"
    error = "ZeroDivisionError: division by zero"
    assert sources(init, cwd=elsewhere) == Ran("-1\n", told(5, "return 1 + y / x", error, "           ~~^~~"))


# What prints these is Python's own sys.unraisablehook and sys.excepthook, which are C up to 3.12.
HOOKS = {
    "ffi.callback": "return ffi.callback('int(int)', fail, error=1)(x)",
    "__del__": "type('Class', (), {'__del__': fail})(); return 1",
    "sys.unraisablehook": "import weakref; o = type('Class', (), {})(); w = weakref.ref(o, fail); del o; return 1",
    "sys.excepthook": "import sys\n    try: fail(x)\n    except ValueError: sys.excepthook(*sys.exc_info())\n    return 1",
}


@pytest.mark.parametrize("hook", HOOKS)
def test_other_file_of_that_name_and_hooks(sources, elsewhere, hook):
    init = (
        "from sources import ffi\n\ndef fail(x):\n    raise ValueError('shown')\n\n"
        f"@ffi.def_extern(error=-1)\ndef work(x):\n    {HOOKS[hook]}\n"
    )
    ran = sources(init, cwd=elsewhere)
    assert "another file" not in ran.stderr
    assert '  File "init.py", line 4, in fail\n' in ran.stderr and ran.stderr.endswith("\nValueError: shown\n")
    assert (ran.stdout, ran.code) == ("1\n", 0)


def test_other_file_of_that_name_and_failing_init_code(sources, elsewhere):
    ran = sources('from sources import ffi\nraise ValueError("half-way")\n', cwd=elsewhere)
    assert ran == Ran(
        "0\n",
        "sources: the init code failed: ValueError: half-way\n"
        "Traceback (most recent call last):\n"
        '  File "init.py", line 2, in <module>\n'
        '    raise ValueError("half-way")\n'
        "ValueError: half-way\n"
        "sources: work was called, but its Python code could not be started\n",
    )


def test_other_file_of_that_name_and_the_parser(sources, elsewhere):
    """A warning of the parser about the init code shows its line too."""
    ran = sources("from sources import ffi\nx = 1 is 1\nffi.def_extern(name='work')(lambda x: x)\n", cwd=elsewhere)
    assert ran.stdout == "0\n" and "another file" not in ran.stderr and ran.code == 0


# -- where Python's own modules cannot do their work --

# What the init code does to linecache before it goes on.
USELESS_LINECACHE = {
    "None": "sys.modules['linecache'] = None",
    "without a cache": "sys.modules['linecache'] = types.ModuleType('linecache')",
    "no module": "sys.modules['linecache'] = 5",
    "cache is None": "import linecache; linecache.cache = None",
    "cache refuses": "import linecache; linecache.cache = types.MappingProxyType({})",
    "cache raises": "import linecache; linecache.cache = type('Cache', (dict,), {'__setitem__': lambda *args: 1 / 0})()",
}
# An error with nothing but the places it passed.
PLACES = (
    "Exception ignored from the plugin's function <function work at 0x...>:\n"
    "Traceback (most recent call last):\n"
    '  File "init.py", line {}, in work\n'
    '  File "init.py", line {}, in fail\n'
    "{}\n"
)


@pytest.mark.parametrize("useless", USELESS_LINECACHE.values(), ids=USELESS_LINECACHE)
def test_useless_linecache(sources, useless):
    """The init code starts all the same; of a failure at least file, line and function are told, and what it is."""
    init = f"""
        import sys, types
        {useless}
        from sources import ffi

        def fail(x):
            raise ValueError(x)

        @ffi.def_extern(error=-1)
        def work(x):
            fail(x)
    """
    ran = sources(init)
    # With the lines of source or not.
    ran.stderr = "".join(line for line in ran.stderr.splitlines(keepends=True) if not line.startswith("    "))
    assert ran == Ran("-1\n", PLACES.format(10, 6, "ValueError: 0"))


@pytest.mark.parametrize("useless", USELESS_LINECACHE.values(), ids=USELESS_LINECACHE)
def test_useless_linecache_and_no_failure(sources, useless):
    init = f"""
        import sys, types
        {useless}
        from sources import ffi

        ffi.def_extern(name="work")(lambda x: x + 1)
    """
    assert sources(init) == Ran("1\n")


# What keeps the module traceback from its work, done in the function before it fails.
NO_TRACEBACK = {
    "None": "sys.modules['traceback'] = None",
    "empty": "sys.modules['traceback'] = types.ModuleType('traceback')",
    "raises": "traceback.format_exception = traceback.format_tb = lambda *args: 1 / 0",
    "returns None": "traceback.format_exception = traceback.format_tb = lambda *args: None",
    "returns numbers": "traceback.format_exception = traceback.format_tb = lambda *args: [1, 2]",
    "exits": "traceback.format_exception = traceback.format_tb = lambda *args: sys.exit(3)",
    "bad limit": "sys.tracebacklimit = 'x'",
}


@pytest.mark.parametrize("breaks", NO_TRACEBACK.values(), ids=NO_TRACEBACK)
def test_traceback_that_does_not_work(sources, breaks):
    """File, line and function are told all the same."""
    init = f"""
        import sys, traceback, types
        from sources import ffi

        def fail(x):
            raise ValueError(x)

        @ffi.def_extern(error=-1)
        def work(x):
            {breaks}
            fail(x)
    """
    assert sources(init) == Ran("-1\n", PLACES.format(10, 5, "ValueError: 0"))


def test_replaced_format_exception(sources):
    """It is not asked for a plain exception."""
    init = """
        import traceback
        from sources import ffi

        def fail(x):
            raise ValueError(x)

        @ffi.def_extern(error=-1)
        def work(x):
            traceback.format_exception = lambda *args: ["replaced"]
            fail(x)
    """
    with_lines = PLACES.format(10, 5, "ValueError: 0").splitlines(keepends=True)
    with_lines.insert(3, "    fail(x)\n")
    with_lines.insert(5, "    raise ValueError(x)\n")
    assert sources(init) == Ran("-1\n", "".join(with_lines))


# Exceptions that traceback.format_exception stumbles over.
ODD_CLASSES = {
    "metaclass without module": (
        "class Meta(type): __module__ = property(lambda c: 1 / 0)\nclass Odd(Exception, metaclass=Meta): pass",
        "Odd: 0",
    ),
    "metaclass without attributes": (
        "class Meta(type):\n    def __getattribute__(c, name): 1 / 0\nclass Odd(Exception, metaclass=Meta): pass",
        "Odd: 0",
    ),
    "cause that raises": (
        "class Odd(Exception):\n    __cause__ = property(lambda e: 1 / 0)",
        "sources.Odd: 0",
    ),
}


@pytest.mark.parametrize("odd", ODD_CLASSES)
def test_exception_of_an_odd_class(sources, odd):
    classes, error = ODD_CLASSES[odd]
    lines = classes.count("\n") + 1
    init = (
        f"{classes}\nfrom sources import ffi\ndef fail(x): raise Odd(x)\n@ffi.def_extern(error=-1)\ndef work(x):\n"
        "    return fail(x)\n"
    )
    ran = sources(init)
    if odd == "cause that raises":
        # A property of that name is nobody's cause: the lines of source are told as well.
        assert "    def fail(x): raise Odd(x)\n" in ran.stderr
        ran.stderr = "".join(line for line in ran.stderr.splitlines(keepends=True) if not line.startswith("    "))
    assert ran == Ran("-1\n", PLACES.format(lines + 5, lines + 2, error))


def test_init_code_that_breaks_traceback_and_fails(sources):
    """Its failure is told too."""
    ran = sources("import sys\nsys.modules['traceback'] = None\ndef fail(x):\n    raise ValueError(x)\nfail('half-way')\n")
    assert ran == Ran(
        "0\n",
        "sources: the init code failed: ValueError: half-way\n"
        "Traceback (most recent call last):\n"
        '  File "init.py", line 5, in <module>\n'
        '  File "init.py", line 4, in fail\n'
        "ValueError: half-way\n"
        "sources: work was called, but its Python code could not be started\n",
    )
