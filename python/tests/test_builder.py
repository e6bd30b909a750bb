"""set_source() and its family: what is built, what it does, and how it fails. Rows 45-53 and 212-249 of the feature list.

Where CFFI has the behaviour, the same test runs against both.
"""
import concurrent.futures
import importlib
import io
import os
import re
import subprocess
import sys
import sysconfig

import keelback
import pytest
from implementations import both


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty directory that modules are built in and imported from."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("_built"):
            del sys.modules[name]


_count = iter(range(1000))


def build(FFI, cdef, source, **keywords):
    """A module of a name of its own, imported."""
    name = f"_built_{FFI.__module__.split('.')[0]}_{next(_count)}"
    ffi = FFI()
    ffi.cdef(cdef)
    ffi.set_source(name, source, **keywords)
    ffi.compile()
    importlib.invalidate_caches()
    return importlib.import_module(name)


@both
def test_functions_constants_globals(FFI, place):
    module = build(
        FFI,
        """
        typedef struct { int a; ...; } part_t;
        int add(int, int);
        int sum(part_t *);
        part_t make(int);
        int total(int count, ...);
        #define SIZE ...
        static const int NEGATIVE;
        static char *const NAME;
        extern int counter;
        extern int table[...];
        enum kind { FIRST, SECOND = ..., ... };
        typedef int... number_t;
        """,
        """
        typedef struct { long before; int a; long after; } part_t;
        static int add(int a, int b) { return a + b; }
        static int sum(part_t *p) { return p->a; }
        static part_t make(int a) { part_t p = { 1, 0, 2 }; p.a = a; return p; }
        static int total(int count, ...)
        {
            int sum = 0;
            va_list list;
            va_start(list, count);
            while (count-- > 0)
                sum += va_arg(list, int);
            va_end(list);
            return sum;
        }
        #define SIZE 42
        #define NEGATIVE (-7)
        #define NAME ((char *)"a name")
        static int counter = 5;
        static int table[3] = { 1, 2, 3 };
        enum kind { FIRST = 10, SECOND = 20 };
        typedef short number_t;
        """,
    )
    ffi, lib = module.ffi, module.lib
    assert lib.add(2, 3) == 5
    assert ffi.sizeof("part_t") == 24 and ffi.offsetof("part_t", "a") == 8
    assert lib.sum(ffi.new("part_t *", {"a": 9})) == 9
    assert lib.make(6).a == 6
    assert lib.total(2, ffi.cast("int", 3), ffi.cast("int", 4)) == 7
    assert (lib.SIZE, lib.NEGATIVE) == (42, -7)
    assert ffi.string(lib.NAME) == b"a name"
    lib.counter += 1
    assert lib.counter == 6 and ffi.addressof(lib, "counter")[0] == 6
    assert list(lib.table) == [1, 2, 3]
    assert (lib.FIRST, lib.SECOND) == (10, 20)
    assert ffi.typeof("number_t") is ffi.typeof("int16_t")
    with pytest.raises(AttributeError):
        lib.nosuch
    with pytest.raises(TypeError):
        lib.add(1)


@both
def test_extern_python(FFI, place, capfd):
    module = build(
        FFI,
        'extern "Python" int twice(int); int call_twice(int); extern "Python+C" int linkable(int);',
        "static int twice(int); static int call_twice(int x) { return twice(x); }",
    )
    ffi, lib = module.ffi, module.lib
    assert lib.call_twice(4) == 0
    assert f'{module.__name__}.twice() called, but no code was attached' in capfd.readouterr().err

    @ffi.def_extern()
    def twice(x):
        return 2 * x

    assert lib.call_twice(4) == 8
    ffi.def_extern("twice")(lambda x: -x)
    assert lib.call_twice(4) == -4
    ffi.def_extern("twice", error=77)(lambda x: 1 // 0)
    assert lib.call_twice(4) == 77
    with pytest.raises(ffi.error):
        ffi.def_extern("nosuch")(lambda: None)


@both
def test_include(FFI, place):
    base = FFI()
    base.cdef("struct pair { int a, b; }; int first(struct pair *); enum { THREE = 3 };")
    name = f"_built_base_{next(_count)}"
    base.set_source(name, "struct pair { int a, b; }; static int first(struct pair *p) { return p->a; } enum { THREE = 3 };")
    base.compile()
    ffi = FFI()
    ffi.include(base)
    ffi.cdef("int second(struct pair *);")
    ffi.set_source(name + "_more", "struct pair { int a, b; }; static int second(struct pair *p) { return p->b; }")
    ffi.compile()
    importlib.invalidate_caches()
    more = importlib.import_module(name + "_more")
    theirs = importlib.import_module(name)
    pair = theirs.ffi.new("struct pair *", [4, 5])
    assert more.lib.second(pair) == 5 and more.lib.first(pair) == 4 and more.lib.THREE == 3
    assert more.ffi.typeof("struct pair") is theirs.ffi.typeof("struct pair")
    assert more.lib.first is theirs.lib.first


@both
def test_an_exact_struct_that_does_not_match(FFI, place):
    module = build(FFI, "struct s { int a; }; struct good { int a; };", "struct s { int a, b; }; struct good { int a; };")
    assert module.ffi.new("struct good *").a == 0
    with pytest.raises(module.ffi.error) as caught:
        module.ffi.new("struct s *").a
    assert str(caught.value).startswith("struct s: wrong total size (cdef says 4, but C compiler says 8)")


@both
def test_a_constant_that_does_not_match(FFI, place):
    module = build(FFI, "#define A 5\n#define B 6", "#define A 5\n#define B 7\n")
    assert module.lib.A == 5
    with pytest.raises(module.ffi.error) as caught:
        module.lib.B
    assert str(caught.value) == "the C compiler says 'B' is equal to 7 (0x7), but the cdef disagrees"


@both
def test_cpp(FFI, place):
    module = build(
        FFI,
        "int length(const char *);",
        "#include <string>\nstatic int length(const char *s) { return (int)std::string(s).size(); }",
        source_extension=".cpp",
    )
    assert module.lib.length(b"four") == 4


@both
def test_options_of_the_compiler(FFI, place):
    (place / "headers").mkdir()
    (place / "headers" / "mine.h").write_text("#define FROM_HEADER 11\n")
    (place / "more.c").write_text("int from_more(void) { return 12; }\n")
    module = build(
        FFI,
        "#define FROM_HEADER ...\n#define DEFINED ...\nint from_more(void); double cos(double);",
        '#include "mine.h"\n#include <math.h>\nint from_more(void);',
        include_dirs=["headers"],
        define_macros=[("DEFINED", "13")],
        sources=["more.c"],
        libraries=["m"],
    )
    assert (module.lib.FROM_HEADER, module.lib.DEFINED, module.lib.from_more()) == (11, 13, 12)
    assert module.lib.cos(0.0) == 1.0


@both
def test_names_of_the_products(FFI, place):
    suffix = sysconfig.get_config_var("EXT_SUFFIX")

    def made(name, source="", embedding=False, **keywords):
        ffi = FFI()
        if embedding:
            ffi.embedding_api("int f(void);")
            ffi.embedding_init_code("pass")
        ffi.set_source(name, source)
        return os.path.relpath(ffi.compile(**keywords), place)

    assert made("_built.sub") == f"_built/sub{suffix}"
    assert made("_built2", tmpdir="out") == f"out/_built2{suffix}"
    assert made("_built3", target="other-1.5.*") == "other-1.5.so"
    assert made("built4", embedding=True) == "built4.so"
    assert made("built5", embedding=True, target="plugin-1.5.*") == "plugin-1.5.so"
    assert made("_built6", source=None) == "_built6.py"


@both
def test_order_and_types(FFI, place):
    ffi = FFI()
    for method in (ffi.compile, ffi.distutils_extension, lambda: ffi.emit_c_code("x"), lambda: ffi.emit_python_code("x")):
        with pytest.raises(ValueError, match=r"set_source\(\) must be called before"):
            method()
    with pytest.raises(TypeError):
        ffi.set_source(5, "")
    with pytest.raises(ValueError):
        ffi.set_source("a/b", "")
    ffi.set_source("_built7", "")
    with pytest.raises(ValueError, match=r"set_source\(\) cannot be called several times"):
        ffi.set_source("_built7", "")
    with pytest.raises(TypeError):
        ffi.emit_python_code("x.py")
    with pytest.raises(TypeError):
        ffi.embedding_init_code(5)
    with pytest.raises(SyntaxError):
        ffi.embedding_init_code("x = (")
    ffi.embedding_init_code("  x = 5\n  y = 6")
    with pytest.raises(ValueError, match="only be called once"):
        ffi.embedding_init_code("x")
    other = FFI()
    other.set_source("_built8", None)
    with pytest.raises(TypeError):
        other.emit_c_code("x.c")
    with pytest.raises(TypeError):
        FFI().set_source_pkgconfig("_built9", "zlib", "")


@both
def test_files_that_did_not_change_keep_their_time(FFI, place):
    ffi = FFI()
    ffi.cdef("int f(void);")
    ffi.set_source("_built10", "static int f(void) { return 1; }")
    ffi.emit_c_code("kept.c")
    os.utime("kept.c", (1000, 1000))
    ffi.emit_c_code("kept.c")
    assert os.stat("kept.c").st_mtime == 1000
    text = io.StringIO()
    ffi.emit_c_code(text)
    with open("kept.c") as file:
        assert file.read() == text.getvalue()


@both
def test_abi_module(FFI, place):
    ffi = FFI()
    ffi.cdef('size_t strlen(const char *); typedef struct { int x; } t;\n#define TEXT_IS_KEPT 5 // "quoted"\n')
    ffi.set_source("_built11", None)
    assert ffi.compile() == os.path.join(".", "_built11.py")
    importlib.invalidate_caches()
    module = importlib.import_module("_built11")
    assert module.ffi.dlopen(None).strlen(b"abc") == 3
    assert module.ffi.new("t *", [4]).x == 4
    assert module.ffi.integer_const("TEXT_IS_KEPT") == 5


def test_abi_modules_have_nothing_that_needs_a_compiler(place):
    ffi = keelback.FFI()
    ffi.cdef("struct s { int a; ...; };")
    ffi.set_source("_built12", None)
    with pytest.raises(keelback.VerificationMissing, match="struct s"):
        ffi.compile()
    ffi = keelback.FFI()
    ffi.cdef('extern "Python" int f(void);')
    ffi.set_source("_built13", None)
    with pytest.raises(keelback.VerificationError, match="'f'"):
        ffi.compile()


def test_a_compiler_error_has_the_line_of_the_source_that_was_given(place):
    ffi = keelback.FFI()
    ffi.cdef("int f(int);")
    ffi.set_source("_built14", "\n\nstatic int f(int x) { return y; }\n")
    with pytest.raises(keelback.VerificationError, match=r"<source of _built14>.c:3:\d+: error: .*y"):
        ffi.compile()
    assert not [name for name in os.listdir() if name.endswith(".so") or "~" in name]


def test_no_compiler(place, monkeypatch):
    ffi = keelback.FFI()
    ffi.set_source("_built15", "")
    monkeypatch.setenv("CC", "nosuch-compiler")
    with pytest.raises(keelback.VerificationError, match="there is no C compiler: nosuch-compiler is not there"):
        ffi.compile()


@both
def test_embedding_as_the_documentation_shows_it(FFI, place):
    if sysconfig.get_config_var("Py_ENABLE_SHARED") != 1:
        pytest.skip("needs a shared libpython")
    (place / "build.py").write_text(
        f"""
import {FFI.__module__.split('.')[0]} as cffi
ffibuilder = cffi.FFI()

ffibuilder.embedding_api(\"\"\"
    int do_stuff(int, int);
\"\"\")

ffibuilder.set_source("my_plugin", "")

ffibuilder.embedding_init_code(\"\"\"
    from my_plugin import ffi

    @ffi.def_extern()
    def do_stuff(x, y):
        print("adding %d and %d" % (x, y))
        return x + y
\"\"\")

ffibuilder.compile(target="plugin-1.5.*", verbose=True)
"""
    )
    (place / "host.c").write_text(
        "#include <stdio.h>\nint do_stuff(int, int);\n"
        'int main(void) { int sum = do_stuff(3, 4); printf("%d\\n", sum); return 0; }\n'
    )
    subprocess.run([sys.executable, "build.py"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cc", "host.c", "plugin-1.5.so", "-o", "host", "-Wl,-rpath," + str(place)], check=True)
    environment = {**os.environ, "LD_LIBRARY_PATH": sysconfig.get_config_var("LIBDIR")}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    environment.pop("PYTHONUNBUFFERED", None)
    if FFI is not keelback.FFI:
        # Nobody ends the interpreter that CFFI started: what it has not written then is lost.
        environment["PYTHONUNBUFFERED"] = "1"
    run = subprocess.run(["./host"], capture_output=True, text=True, env=environment)
    assert (run.returncode, sorted(run.stdout.split("\n"))) == (0, ["", "7", "adding 3 and 4"]), run.stderr


def test_out_of_line_declarations_are_read_when_asked(place):
    ffi = keelback.FFI()
    ffi.cdef("struct pair { int x, y; }; double cos(double);")
    ffi.set_source("_built_late", None)
    ffi.emit_python_code("_built_late.py")
    importlib.invalidate_caches()
    module = importlib.import_module("_built_late")
    # From several threads at once: one of them parses, all see the result.
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        types = list(pool.map(module.ffi.typeof, ["struct pair *"] * 8))
    assert all(one is types[0] for one in types) and [name for name, _ in types[0].item.fields] == ["x", "y"]
    assert module.ffi.dlopen(None).cos(0.0) == 1.0
    # A text that was changed by hand is parsed at once: the import tells what is wrong in it.
    text = (place / "_built_late.py").read_text()
    (place / "_built_other.py").write_text(text.replace("int x, y;", "int x, z;"))
    (place / "_built_wrong.py").write_text(text.replace("int x, y;", "int x y;"))
    importlib.invalidate_caches()
    other = importlib.import_module("_built_other")
    assert [name for name, _ in other.ffi.typeof("struct pair").fields] == ["x", "z"]
    with pytest.raises(keelback.CDefError, match="<cdef 1 of _built_late>"):
        importlib.import_module("_built_wrong")


def test_a_module_of_another_version_is_refused(place):
    """Both versions are named, and nothing crashes."""
    ffi = keelback.FFI()
    ffi.cdef("int f(void);")
    ffi.set_source("_built_old", "static int f(void) { return 1; }")
    text = io.StringIO()
    ffi.emit_c_code(text)
    source = text.getvalue()
    (line,) = [line for line in source.splitlines() if line.startswith("#define KEELBACK_ABI_VERSION ")]
    (place / "old.c").write_text(source.replace(line, "#define KEELBACK_ABI_VERSION 9999", 1))
    subprocess.run(["cc", "-shared", "-fPIC", "old.c", "-o", "_built_old.so"], check=True)
    importlib.invalidate_caches()
    with pytest.raises(ImportError) as caught:
        importlib.import_module("_built_old")
    number = line.split()[-1]
    assert f"its interface to plugins is version {number} (keelback {keelback.__version__})" in str(caught.value)
    assert f"this plugin has version 9999 (keelback {keelback.__version__})" in str(caught.value)


def test_emit_into_a_pipe_or_device(tmp_path):
    """It is written to, and not replaced by a file, which is what CFFI does (to /dev/null too, when run by root)."""
    ffi = keelback.FFI()
    ffi.cdef("int abs(int);")
    ffi.set_source("_emitted", None)
    pipe, file = tmp_path / "pipe", tmp_path / "file.py"
    os.mkfifo(pipe)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        read = pool.submit(pipe.read_text)
        ffi.emit_python_code(str(pipe))
        text = read.result()
    ffi.emit_python_code(str(file))
    assert pipe.is_fifo()
    assert text == file.read_text()


HOST = """#include <stdio.h>
int triple(int);
int main(void) { printf("%d\\n", triple(7)); return 0; }
"""


def embedded(place, name, init, **options):
    """Runs a host of a library that was emitted as C and compiled by the user."""
    ffi = keelback.FFI()
    ffi.embedding_api("int triple(int);")
    ffi.set_source(name, "")
    ffi.embedding_init_code(f"from {name} import ffi\n{init}", **options)
    ffi.emit_c_code("emitted.c")
    (place / "host.c").write_text(HOST)
    subprocess.run(["cc", "host.c", "emitted.c", "-ldl", "-lpthread", "-o", "host"], check=True)

    def run(**environment):
        ran = subprocess.run(["./host"], capture_output=True, text=True, env=environment)
        return ran.stdout, ran.stderr

    return run


TRIPLE = "FAILED = -4\n@ffi.def_extern(error=FAILED)\ndef triple(x): return 3 * x\n"


@pytest.mark.parametrize("name", ["triple_emitted", "pk._inner"])
def test_emitted_library_finds_its_python(place, name):
    run = embedded(place, name, TRIPLE)
    assert run() == ("21\n", "")
    # The constant of the init code counts before the init code has run.
    for python in ["/nonexistent/libpython3.so", "/etc/passwd"]:
        stdout, stderr = run(KEELBACK_PYTHON=python)
        assert stdout == "-4\n"
    assert "  KEELBACK_PYTHON: /etc/passwd is neither a libpython nor a python executable\n" in stderr


def test_environment_and_errors_of_an_embedding_builder(place):
    (place / "only_here.py").write_text("factor = 3\n")
    init = "import only_here\n@ffi.def_extern(error=-4)\ndef triple(x): return only_here.factor * x\n"
    stdout, stderr = embedded(place, "env_not", init, errors={"triple": -9})(PYTHONPATH=str(place))
    assert stdout == "-9\n"
    assert "PYTHONPATH is set, but has no effect here: it counts in a plugin that is built with --use-environment" in stderr
    assert "PYTHONPATH" not in embedded(place, "env_not", init)()[1]
    assert embedded(place, "env_used", init, use_environment=True)(PYTHONPATH=str(place)) == ("21\n", "")
    with pytest.warns(UserWarning, match="the error value of 'triple' .* is none that the build can read"):
        embedded(place, "env_warns", "@ffi.def_extern(error=int('7'))\ndef triple(x): return 3 * x\n")
    # A value for the type covers what the build cannot read.
    run = embedded(place, "env_typed", "@ffi.def_extern(error=int('7'))\ndef triple(x): return 3 * x\n", error_types={"int": -7})
    assert run(KEELBACK_PYTHON="/nonexistent/libpython3.so")[0] == "-7\n"
    with pytest.raises(TypeError, match="^error_types: types and values of C, as text or numbers$"):
        embedded(place, "env_wrong", "", error_types={"int": None})


CLOSED_PIPE = """
import os
import re
@ffi.def_extern(error=-4)
def triple(x):
    read, write = os.pipe()
    os.close(read)
    try:
        os.write(write, b"x")
    except BrokenPipeError:
        return 3 * x
"""


def test_sigpipe_of_an_embedding_builder(place):
    assert embedded(place, "pipe_ends", CLOSED_PIPE)() == ("", "")
    assert embedded(place, "pipe_not", CLOSED_PIPE, ignore_sigpipe=False)() == ("", "")
    assert embedded(place, "pipe_raises", CLOSED_PIPE, ignore_sigpipe=True)() == ("21\n", "")


def test_sonames_and_hardening(place):
    """Programs may be linked to an embedding library, nobody to an extension module. Both are hardened."""

    def dynamic(path):
        return subprocess.run(["readelf", "-dlW", path], capture_output=True, text=True, check=True).stdout

    ffi = keelback.FFI()
    ffi.embedding_api("int triple(int);")
    ffi.set_source("linked", "")
    ffi.embedding_init_code("")
    for target, soname in (("liblinked.so.2.1", "liblinked.so.2"), ("liblinked.*", "liblinked.so"), ("linked.so", None)):
        said = dynamic(ffi.compile(tmpdir=str(place), target=target))
        assert re.findall(r"Library soname: \[(.*)\]", said) == ([soname] if soname else [])
        assert "BIND_NOW" in said and "GNU_RELRO" in said
    ffi = keelback.FFI()
    ffi.cdef("int one(void);")
    ffi.set_source("libmodule", "static int one(void) { return 1; }", extra_link_args=["-Wl,-z,lazy"])
    said = dynamic(ffi.compile(tmpdir=str(place)))
    assert "soname" not in said and "GNU_RELRO" in said and "BIND_NOW" not in said


def test_own_modules_of_an_embedding_builder(place):
    (place / "rules").mkdir()
    (place / "rules/__init__.py").write_text("from . import factor\n")
    (place / "rules/factor.py").write_text("import helper\nVALUE = helper.THREE\n")
    (place / "helper.py").write_text("THREE = 3\n")
    init = "import rules\n@ffi.def_extern(error=-4)\ndef triple(x): return rules.factor.VALUE * x\n"
    paths = [place / "rules", str(place / "helper.py")]
    for options in ({"modules": paths}, {"modules": [], "top_level_modules": paths}):
        run = embedded(place, "own_modules", init, **options)
        for path in paths:
            os.rename(path, str(path) + ".away")
        assert run() == ("21\n", "")
        for path in paths:
            os.rename(str(path) + ".away", path)

    def refused(**modules):
        ffi = keelback.FFI()
        ffi.embedding_api("int triple(int);")
        ffi.set_source("own_refused", "")
        ffi.embedding_init_code("from own_refused import ffi", **modules)
        return ffi.emit_c_code

    with pytest.raises(OSError, match=r"^cannot read the module none\.py: No such file or directory$"):
        refused(modules=["none.py"])("x.c")
    with pytest.raises(ValueError, match=r"is no module: .* \(data files go along with"):
        refused(top_level_modules=["/dev/null"])("x.c")
    with pytest.raises(ValueError, match=r"rules/__init__\.py would be overwritten: it is read as well"):
        refused(modules=paths)("rules/__init__.py")
    (place / "own_refused.py").write_text("")
    with pytest.raises(ValueError, match=r"has the name 'own_refused', which means something else in a plugin"):
        refused(modules=["own_refused.py"])("x.c")
    with pytest.raises(TypeError, match=r"^modules: a list of paths, not 'helper\.py'$"):
        refused(modules="helper.py")
    (place / "wrong.py").write_text("retrun 1\n")
    with pytest.raises(SyntaxError) as caught:
        refused(modules=["wrong.py"])("x.c")
    assert (caught.value.filename, caught.value.lineno) == ("wrong.py", 1)
