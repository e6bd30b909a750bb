"""The prelude (`--source`), calls in every direction between hosts, plugins and Python."""

import subprocess

import pytest
from harness import Ran

# -- globals and functions that the prelude exports --

GLOBALS_CDEF = """
    extern int counter;
    extern const char *const greeting;
    extern double table[3];
    struct state { int calls; char last[16]; };
    extern struct state state;
    int bump(int by);
"""
GLOBALS_EXTRA = """
    int helper(int);
"""
GLOBALS_SOURCE = """
    #include <string.h>

    struct state {{ int calls; char last[16]; }};

    {export} int counter = 40;
    {export} const char *const greeting = "hello";
    {export} double table[3] = {{1.0, 2.0, 3.0}};
    {export} struct state state;
    {export} int helper(int a) {{ return a * 2; }}
    static int not_exported = 1;
    int hidden __attribute__((visibility("hidden"))) = 1;
    static int not_seen(void) {{ return not_exported * hidden; }}
    {export} int hand_written(void) {{ return not_seen() + 1; }}
"""
GLOBALS_INIT = """
    from globals0 import ffi, lib

    @ffi.def_extern()
    def bump(by):
        lib.counter += by
        lib.table[1] = lib.helper(by)
        lib.state.calls += 1
        lib.state.last = ffi.string(lib.greeting)
        return lib.counter
"""
GLOBALS_HOST = """
    #include <stdio.h>
    #include "globals0.h"

    int hand_written(void);

    int main(void)
    {
        int result;
        counter += 1;
        result = bump(1);
        printf("%d %d %g %d %s %s\\n", result, counter, table[1], state.calls, state.last, greeting);
        printf("%d\\n", hand_written());
        return 0;
    }
"""


@pytest.mark.parametrize("export", ["", "CFFI_DLLEXPORT", "KEELBACK_EXPORT"])
def test_globals(plugin, host, run, export, tmp_path):
    extra = tmp_path / "extra.cdef"
    extra.write_text(GLOBALS_EXTRA)
    built = plugin(GLOBALS_CDEF, GLOBALS_INIT, name="globals0", source=GLOBALS_SOURCE.format(export=export), args=["--cdef", extra])
    assert run(host(GLOBALS_HOST, built)) == Ran("42 42 2 1 hello hello\n2\n")
    exported = subprocess.run(["nm", "-D", "--defined-only", built.library], capture_output=True, text=True, check=True).stdout
    names = {line.split()[-1] for line in exported.splitlines()}
    assert names == {
        "PyInit_globals0", "globals0_start", "globals0_last_error", "globals0_set_error_handler",
        "globals0_enter", "globals0_leave",
        "bump", "counter", "greeting", "table", "state", "helper", "hand_written",
    }  # fmt: skip


# Flags, tables and entry points that hosts look for, as the hosts' own headers define them.
DEFAULT_SOURCE = """
    typedef struct { int size; const char *name; } module;
    #define HOST_MODULE(name) module name##_module = { sizeof(module), #name }; int name##_version(void) { return 3; }

    int plugin_is_GPL_compatible;
    HOST_MODULE(defaults)
    int answer(void);
    int entry(void) { return answer() + plugin_is_GPL_compatible; }
    static int own(void) { return 1; }
    int (*const table[])(void) = { own, entry };
"""
DEFAULT_NAMES = {"answer", "plugin_is_GPL_compatible", "defaults_module", "defaults_version", "entry", "table"}
LIFECYCLE = {"PyInit_defaults"} | {f"defaults_{name}" for name in ["start", "last_error", "set_error_handler", "enter", "leave"]}


def defined(file, *options):
    """The external symbols that a file defines."""
    listed = subprocess.run(["nm", "--defined-only", *options, file], capture_output=True, text=True, check=True).stdout
    return {line.split()[-1] for line in listed.splitlines()} - {"_init", "_fini"}


@pytest.mark.parametrize("args", [(), ("--standalone",)], ids=["plain", "standalone"])
def test_what_the_prelude_defines_is_exported(plugin, run, host, args):
    init = "from defaults import ffi\n@ffi.def_extern()\ndef answer():\n    return 35\n"
    built = plugin("int answer(void);", init, name="defaults", source=DEFAULT_SOURCE, args=args)
    assert defined(built.library, "-D") == DEFAULT_NAMES | LIFECYCLE
    program = """
        #include <dlfcn.h>
        #include <stdio.h>

        int main(int argc, char **argv)
        {
            void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
            int (*(*table)[2])(void) = library ? dlsym(library, "table") : NULL;
            *(int *)dlsym(library, "plugin_is_GPL_compatible") = 7;
            printf("%s %d %d\\n", *(char **)((char *)dlsym(library, "defaults_module") + 8), (*table)[0](), (*table)[1]());
            return 0;
        }
    """
    assert run(host(program, link=False), built.library) == Ran("defaults 1 42\n")


@pytest.mark.parametrize("compiler", ["gcc", "clang", "g++"])
def test_symbols_of_the_users_own_build(plugin, compiler, tmp_path):
    """`--emit c`, compiled without any option: only what the prelude defines and the plugin's own interface is to be seen,
    so that several link into one program."""
    built = plugin("int answer(void);", "", name="defaults", source=DEFAULT_SOURCE.replace("int answer(void);", "") + "\n", emit=True)
    # In C++ constants have no linkage.
    names = {name for name in DEFAULT_NAMES | LIFECYCLE if compiler != "g++" or name != "table"}
    subprocess.run([compiler, "-c", "-fPIC", built.library, "-o", tmp_path / "x.o"], check=True)
    mangled = {"_Z5entryv": "entry", "_Z16defaults_versionv": "defaults_version"}
    assert {mangled.get(name, name) for name in defined(tmp_path / "x.o", "-g")} == names


UNTAGGED_CDEF = "typedef struct magic magic; const magic *magic_get(void); int magic_use(magic m);"
UNTAGGED_EXTRA = "struct magic { int len; int version; char text[...]; ...; };"
UNTAGGED_INIT = """
    from mag import ffi

    block = ffi.new("magic *", dict(len=ffi.sizeof("magic"), version=7, text=b"x"))

    @ffi.def_extern()
    def magic_get():
        return block

    @ffi.def_extern()
    def magic_use(m):
        return m.version + len(m.text)
"""
UNTAGGED_HOST = """
    #include <stdio.h>

    typedef struct { long pad; int len, version; char text[4]; } magic;
    const magic *magic_get(void);
    int magic_use(magic m);

    int main(void)
    {
        const magic *m = magic_get();
        printf("%d %d %s %d\\n", m->len, m->version, m->text, magic_use(*m));
        return 0;
    }
"""


def test_a_header_without_tags(plugin, host, run, tmp_path):
    """The prelude has `typedef struct {...} magic;`, the cdef a tag of that name: C that is generated uses the typedef."""
    (tmp_path / "extra.cdef").write_text(UNTAGGED_EXTRA)
    source = "typedef struct { long pad; int len; int version; char text[4]; } magic;\n"
    built = plugin(UNTAGGED_CDEF, UNTAGGED_INIT, name="mag", source=source, args=["--cdef", tmp_path / "extra.cdef"])
    assert run(host(UNTAGGED_HOST, built)) == Ran("24 7 x 11\n")


# -- what the prelude's own code can do --

START_SOURCE = """
    #include <stdio.h>

    /* Promised by CFFI: starts Python and runs the init code, 0 or -1. */
    static int cffi_start_python(void);

    CFFI_DLLEXPORT int begin(void) { return cffi_start_python(); }
"""


@pytest.mark.parametrize("fails", [False, True])
def test_cffi_start_python(plugin, host, run, fails):
    init = "from starts import ffi\nprint('init code', flush=True)\n" + ("1/0\n" if fails else "@ffi.def_extern()\ndef one():\n    return 1\n")
    built = plugin("int one(void);", init, name="starts", source=START_SOURCE)
    program = host(
        '#include <stdio.h>\n#include "starts.h"\nint begin(void);\n'
        'int main(void) { printf("%d\\n", begin()); printf("%d\\n", begin()); printf("%d\\n", one()); return 0; }\n',
        built,
    )
    ran = run(program, env={"LC_ALL": "C"})
    if fails:
        # Printed by Python before C's own buffer is written at the end.
        assert ran.stdout == "init code\n" * 2 + "-1\n-1\n0\n"
        assert ran.stderr.count("ZeroDivisionError") >= 1
    else:
        assert ran == Ran("init code\n0\n0\n1\n")


# -- functions of the host --

CALLBACK_CDEF = "int ask_host(int a);"
CALLBACK_EXTRA = "int host_function(int); extern int host_variable;"
CALLBACK_SOURCE = """
    /* Defined by the host program, not by any library. */
    extern int host_function(int);
    extern int host_variable;
"""
CALLBACK_INIT = """
    from callbacks import ffi, lib

    @ffi.def_extern()
    def ask_host(a):
        lib.host_variable += 1
        return lib.host_function(a) + 1
"""
CALLBACK_HOST = """
    #include "host.h"

    int host_variable = 5;
    int host_function(int a) { return a * 10; }

    int main(int argc, char **argv)
    {
        int (*ask_host)(int);
        void *plugin = host_open(argv[argc - 1], RTLD_LAZY);
        HOST_SYMBOL(ask_host, plugin, "ask_host");
        printf("%d ", ask_host(4));
        printf("%d\\n", host_variable);
        return 0;
    }
"""


def test_undefined_symbols_of_the_host(plugin, host, run, tmp_path):
    extra = tmp_path / "extra.cdef"
    extra.write_text(CALLBACK_EXTRA)
    built = plugin(CALLBACK_CDEF, CALLBACK_INIT, name="callbacks", source=CALLBACK_SOURCE, args=["--cdef", extra])
    assert run(host(CALLBACK_HOST, built, link=False, flags=["-rdynamic"]), built.library) == Ran("41 6\n")


# -- extern "Python" beside the API --

EXTERN_CDEF = "int sum_up(int n);"
EXTERN_EXTRA = """
    extern "Python" int visit(int, void *);
    extern "Python+C" int visible(int);
    int walk(int n, int (*visitor)(int, void *), void *data);
"""
EXTERN_SOURCE = """
    static int visit(int, void *);
    static int walk(int n, int (*visitor)(int, void *), void *data)
    {
        int i, sum = 0;
        for (i = 0; i < n; i++)
            sum += visitor(i, data);
        return sum;
    }
    CFFI_DLLEXPORT int from_prelude(int n) { return walk(n, visit, NULL); }
"""
EXTERN_INIT = """
    from externs import ffi, lib

    @ffi.def_extern()
    def visit(i, data):
        return i if data == ffi.NULL else ffi.from_handle(data)[i]

    @ffi.def_extern()
    def visible(i):
        return -i

    @ffi.def_extern()
    def sum_up(n):
        squares = [i * i for i in range(n)]
        handle = ffi.new_handle(squares)
        return lib.walk(n, lib.visit, handle)
"""


def test_extern_python(plugin, host, run, tmp_path):
    extra = tmp_path / "extra.cdef"
    extra.write_text(EXTERN_EXTRA)
    built = plugin(EXTERN_CDEF, EXTERN_INIT, name="externs", source="#include <stddef.h>\n" + EXTERN_SOURCE.replace("\n    ", "\n"), args=["--cdef", extra])
    program = host(
        '#include <stdio.h>\n#include "externs.h"\nint from_prelude(int);\n'
        'int main(void) { printf("%d\\n", from_prelude(5)); printf("%d\\n", sum_up(5)); return 0; }\n',
        built,
    )
    assert run(program) == Ran("10\n30\n")


# -- calls inside --

SELF_CDEF = "int outer(int a); int inner(int a); int at_init(void);"
SELF_INIT = """
    import ctypes
    from itself import ffi, lib

    @ffi.def_extern()
    def inner(a):
        return a + 1

    # The init code calls its own plugin while it runs: through lib, and through C's own symbol.
    called = lib.inner(1)

    @ffi.def_extern()
    def outer(a):
        return lib.inner(a) * 10 + ctypes.CDLL(LIBRARY).inner(a)

    @ffi.def_extern()
    def at_init():
        return called
"""
SELF_HOST = """
    #include <stdio.h>
    #include "itself.h"

    int main(void)
    {
        printf("%d ", at_init());
        printf("%d\\n", outer(4));
        return 0;
    }
"""


def test_init_code_calls_its_own_functions(plugin, host, run):
    built = plugin(SELF_CDEF, SELF_INIT.replace("LIBRARY", '"libitself.so"'), name="itself")
    assert run(host(SELF_HOST, built), env={"LD_LIBRARY_PATH": built.directory}) == Ran("2 55\n")


def test_init_code_calls_what_it_has_not_attached_yet(plugin, host, run):
    init = """
        from early import ffi, lib

        print("early gives", lib.one(), flush=True)

        @ffi.def_extern()
        def one():
            return 1

        print("late gives", lib.one(), flush=True)
    """
    program = host('#include <stdio.h>\n#include "early.h"\nint main(void) { printf("%d\\n", one()); return 0; }\n', plugin("int one(void);", init, name="early"))
    message = 'extern "Python": function early.one() called, but no code was attached to it yet with @ffi.def_extern().  Returning 0.\n'
    assert run(program) == Ran("early gives 0\nlate gives 1\n1\n", message)


TWO_INIT = """
    from {this} import ffi

    import ctypes
    {other} = ctypes.CDLL("lib{other}.so").{other}

    @ffi.def_extern()
    def {this}(n):
        return 0 if n == 0 else 1 + {other}(n - 1)
"""


def test_two_plugins_call_each_other(plugin, host, run):
    ping = plugin("int ping(int n);", TWO_INIT.format(this="ping", other="pong"), name="ping")
    pong = plugin("int pong(int n);", TWO_INIT.format(this="pong", other="ping"), name="pong")
    program = host('#include <stdio.h>\n#include "ping.h"\n#include "pong.h"\nint main(void) { printf("%d %d\\n", ping(50), pong(33)); return 0; }\n', ping, pong)
    assert run(program, env={"LD_LIBRARY_PATH": f"{ping.directory}:{pong.directory}"}) == Ran("50 33\n")


RECURSION_CDEF = "typedef int (*step)(int n); int python_step(int n, step next);"
RECURSION_INIT = """
    from recursion import ffi

    @ffi.def_extern(error=-1)
    def python_step(n, next):
        return 0 if n == 0 else 1 + next(n - 1)
"""
RECURSION_HOST = """
    #include <stdio.h>
    #include "recursion.h"

    static int c_step(int n) { return n == 0 ? 0 : 1 + python_step(n - 1, c_step); }

    int main(void)
    {
        printf("%d %d\\n", c_step(100), python_step(101, c_step));
        printf("%d\\n", recursion_last_error() == NULL);
        return 0;
    }
"""


def test_recursion_through_c_and_python(plugin, host, run):
    assert run(host(RECURSION_HOST, plugin(RECURSION_CDEF, RECURSION_INIT, name="recursion"))) == Ran("100 101\n1\n")


def test_endless_recursion_ends(plugin, host, run):
    """Python's own limit ends it, with an error and not with a crash."""
    source = RECURSION_HOST.replace("n == 0 ? 0 : 1 + python_step(n - 1, c_step)", "python_step(n, c_step)").replace("c_step(100), python_step(101, c_step)", "0, 0").replace(
        "int main(void)\n    {", "int main(void)\n    {\n        c_step(1);"
    )
    init = RECURSION_INIT.replace("0 if n == 0 else 1 + next(n - 1)", "next(n)")
    ran = run(host(source, plugin(RECURSION_CDEF, init, name="recursion")))
    assert ran.stdout == "0 0\n0\n" and ran.code == 0
    # At the limit Python cannot even make the exception's text.
    assert ran.stderr.endswith("\n") and "RecursionError: " in ran.stderr


# -- several declarations --

def test_several_cdef_files(plugin, host, run, tmp_path):
    second = tmp_path / "second.h"
    second.write_text("struct shared { int a; };\nint second(struct shared *s);\n")
    init = """
        from several import ffi

        @ffi.def_extern()
        def first(a):
            return a + 1

        @ffi.def_extern()
        def second(s):
            return s.a + 2
    """
    built = plugin("int first(int a);", init, name="several", args=[second])
    program = host('#include <stdio.h>\n#include "several.h"\nint main(void) { struct shared s = {40}; printf("%d %d\\n", first(1), second(&s)); return 0; }\n', built)
    assert run(program) == Ran("2 42\n")


def test_def_extern_again_replaces(plugin, host, run):
    init = """
        from again import ffi

        def use(value):
            @ffi.def_extern()
            def one():
                return value

        use(1)

        @ffi.def_extern()
        def other(value):
            use(value)
    """
    built = plugin("int one(void); void other(int value);", init, name="again")
    program = host('#include <stdio.h>\n#include "again.h"\nint main(void) { printf("%d ", one()); other(7); printf("%d\\n", one()); return 0; }\n', built)
    assert run(program) == Ran("1 7\n")


def test_def_extern_refuses(plugin, host, run):
    """Rows 198 and 199: what def_extern returns, and what it refuses at once."""
    init = """
        from refuses import ffi

        def tell(what, *args, **kwargs):
            try:
                decorate = ffi.def_extern(*args, **kwargs)
                decorate(what)
            except Exception as error:
                print(f"{type(error).__module__}.{type(error).__name__}: {error}", flush=True)

        def one():
            return 1

        tell(one, name="nothing")
        tell(5, name="one")
        tell(one, error="text")
        tell(one, onerror=5)
        print(ffi.def_extern()(one) is one, flush=True)
    """
    program = host('#include <stdio.h>\n#include "refuses.h"\nint main(void) { printf("%d\\n", one()); return 0; }\n', plugin("int one(void);", init, name="refuses"))
    assert run(program) == Ran(
        "keelback.error: ffi.def_extern('nothing'): no 'extern \"Python\"' function with this name\n"
        "builtins.TypeError: expected a callable object, not int\n"
        "builtins.TypeError: an integer is required\n"
        "builtins.TypeError: expected a callable object for 'onerror', not int\n"
        "True\n1\n"
    )
