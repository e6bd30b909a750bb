"""What a plugin says of an exception is what Python's module `traceback` says, the first time and every other."""
from harness import Ran

CDEF = "void told(int n); void kept(int n); const char *expected(void); int count(void);"
INIT = '''
    import decimal
    import sys
    import traceback
    from tracing import ffi

    class Odd(Exception):
        def __str__(self):
            raise RuntimeError("no text")

    class Lines(ValueError):
        def __str__(self):
            return "one\\ntwo \\udc80"

    class Outer:
        class Inner(Exception):
            """Has a dotted name."""

    def plain():
        raise ValueError("plain")

    def nothing():
        raise KeyError

    def nested():
        return [x for x in map(lambda n: n / 0, [1, 2])]

    def of_a_module():
        decimal.Decimal(1) / 0

    def odd():
        raise Odd

    def lines():
        raise Lines

    def inner():
        raise Outer.Inner("in", "side")

    def cause():
        try:
            plain()
        except ValueError as error:
            raise TypeError("caused") from error

    def context():
        try:
            plain()
        except ValueError:
            nothing()

    def suppressed():
        try:
            plain()
        except ValueError:
            raise TypeError("from None") from None

    def chain():
        try:
            cause()
        except TypeError as error:
            try:
                context()
            except KeyError:
                raise OSError(5, "at the end") from error

    def from_itself():
        error = ValueError("its own cause")
        error.__cause__ = error
        raise error

    def in_a_ring():
        first, second = ValueError("first"), ValueError("second")
        first.__cause__, second.__context__ = second, first
        try:
            raise second
        except ValueError:
            raise first

    def from_what_was_never_raised():
        raise TypeError("raised") from ValueError("made")

    def from_noted():
        try:
            noted()
        except ValueError as error:
            raise TypeError("its cause has a note") from error

    def while_misspelt():
        try:
            misspelt()
        except AttributeError:
            plain()

    def while_odd():
        try:
            odd()
        except Odd:
            plain()

    def suppressed_in_the_middle():
        try:
            suppressed()
        except TypeError:
            plain()

    def long_chain(n=150):
        try:
            long_chain(n - 1) if n else plain()
        except ValueError:
            raise ValueError(n)

    def after_the_end():
        try:
            without_end()
        except RecursionError:
            raise TypeError("too deep")

    def misspelt():
        return sys.pathh

    def undefined():
        return plane()

    def syntax():
        compile("a b", "some.py", "exec")

    def missing():
        import decimall

    def missing_name():
        from decimal import Decimall

    def noted():
        error = ValueError("with notes")
        if sys.version_info >= (3, 11):
            error.add_note("a note")
        raise error

    def group():
        if sys.version_info >= (3, 11):
            raise ExceptionGroup("several", [ValueError(1), TypeError(2)])
        plain()

    def down(n):
        if n:
            down(n - 1)
        raise IndexError("at the bottom")

    def down_2():
        down(2)

    def down_3():
        down(3)

    def down_4():
        down(4)

    def down_40():
        down(40)

    def mutual(n):
        return mutual_2(n - 1) if n else plain()

    def mutual_2(n):
        return mutual(n)

    def mutually():
        mutual(5)

    def without_end(n=0):
        return without_end(n + 1)

    def limited():
        sys.tracebacklimit = 1
        plain()

    def again():
        sys.__dict__.pop("tracebacklimit", None)
        plain()

    def leaves():
        sys.exit("leaves")

    def interrupted():
        raise KeyboardInterrupt

    cases = [plain, nothing, nested, of_a_module, odd, lines, inner, cause, context, suppressed, chain, from_itself, in_a_ring,
             from_what_was_never_raised, from_noted, while_misspelt, while_odd, suppressed_in_the_middle, long_chain,
             after_the_end, misspelt, undefined, syntax, missing, missing_name, noted, group, down_2, down_3, down_4, down_40, mutually, without_end, leaves, interrupted,
             limited, again]
    text = None

    def keep(*exception):
        global text
        lines = traceback.format_exception(*exception)
        text = ffi.new("char[]", "".join(lines).encode("utf-8", "backslashreplace"))

    def fail(n):
        cases[n]()

    ffi.def_extern(name="told")(fail)
    ffi.def_extern(name="kept", onerror=keep)(fail)

    @ffi.def_extern()
    def expected():
        return text

    @ffi.def_extern()
    def count():
        return len(cases)
'''
HOST = r"""
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include "tracing.h"

    static char *last;

    static void keep_text(const char *function, const char *message, void *data)
    {
        (void)function, (void)data;
        const char *body = strchr(strchr(message, '\n') + 1, '\n') + 1;
        free(last);
        last = strdup(body);
    }

    int main(void)
    {
        int n, round, wrong = 0, cases = count();
        tracing_set_error_handler(keep_text, NULL);
        for (round = 0; round < 3; round++)
            for (n = 0; n < cases; n++) {
                kept(n);
                told(n);
                if (last == NULL || strcmp(last, expected()) != 0) {
                    printf("%d: expected\n%s\n%d: but it was\n%s\n", n, expected(), n, last == NULL ? "NULL" : last);
                    wrong++;
                }
            }
        printf("%d cases, %d wrong\n", cases, wrong);
        return 0;
    }
"""


def test_tracebacks_are_python_s(plugin, host, run):
    assert run(host(HOST, plugin(CDEF, INIT, name="tracing"))) == Ran("37 cases, 0 wrong\n")


CUTTING = '''
    from cutting import ffi

    error = ValueError("cut")
    kept = []

    class Fills:
        """Takes the memory of what was freed right before."""
        def __del__(self):
            kept.extend(b"A" * 30 + bytes([n % 256]) for n in range(10000))

    class Loader:
        def get_source(self, name):
            error.__traceback__.tb_next = None
            return SOURCE

    SOURCE = "def inner():\\n    raise error\\n\\ndef middle():\\n    fills = Fills()\\n    inner()\\n"
    names = {"__name__": "other", "__loader__": Loader(), "error": error, "Fills": Fills}
    exec(compile(SOURCE, "other.py", "exec"), names)

    @ffi.def_extern()
    def work():
        names["middle"]()
'''
CUTTING_HOST = r"""
    #include <stdio.h>
    #include "cutting.h"

    static void show(const char *function, const char *message, void *data)
    {
        (void)function, (void)data;
        fputs(message, stdout);
    }

    int main(void)
    {
        cutting_set_error_handler(show, NULL);
        work();
        return 0;
    }
"""


def test_traceback_that_is_cut_while_it_is_shown(plugin, host, run):
    """Python code runs while a traceback is put together, and may take it apart."""
    ran = run(host(CUTTING_HOST, plugin("void work(void);", CUTTING, name="cutting")))
    places = [line for line in ran.stdout.splitlines() if line.startswith("  File")]
    assert (ran.code, places) == (0, [
        '  File "init.py", line 22, in work',
        '  File "other.py", line 6, in middle',
        '  File "other.py", line 2, in inner',
    ])


QUICK = """
    import sys, traceback
    from quick import ffi

    sys.setrecursionlimit(30000)

    def down(n):
        return down(n + 1)

    @ffi.def_extern(error=-1)
    def work(n):
        asked = []
        traceback.format_exception = lambda *args: asked.append(args) or ["asked"]
        traceback.format_tb = lambda *args, original=traceback.format_tb: asked.append(args) or original(*args)
        global count_asked
        count_asked = lambda: len(asked)
        try:
            down(0)
        except RecursionError as error:
            raise ValueError("too deep") from error

    @ffi.def_extern()
    def asked_for():
        return count_asked()
"""
QUICK_HOST = r"""
    #include <stdio.h>
    #include <string.h>
    #include "quick.h"

    static void count_lines(const char *function, const char *message, void *data)
    {
        (void)function, (void)data;
        for (; *message; message++)
            *(int *)data += *message == '\n';
    }

    int main(void)
    {
        int lines = 0, result;
        quick_set_error_handler(count_lines, &lines);
        result = work(0);
        printf("%d %d %d\n", result, lines, asked_for());
        return 0;
    }
"""


def test_tens_of_thousands_of_frames_are_told_by_a_few_places(plugin, host, run):
    """The module `traceback`, which looks at every frame for a second, is only asked for the places that are shown."""
    ran = run(host(QUICK_HOST, plugin("int work(int n); int asked_for(void);", QUICK, name="quick")))
    result, lines, asked = map(int, ran.stdout.split())
    # How many lines one place takes depends on the version of Python.
    assert result == -1 and 10 < lines < 50 and 2 < asked < 6, ran
