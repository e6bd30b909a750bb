"""The builder's outcomes, side by side with CFFI's: the same script under both, in a directory of its own each. What it
returns or raises (class and text) and which files it leaves must be the same."""
import json
import os
import shutil
import subprocess
import sys
import textwrap

import pytest
from differential import need_cffi

CHILD = """
import io, json, os, re, sys
sys.dont_write_bytecode = True
implementation = sys.argv[1]
if implementation == "cffi":
    import cffi as module
else:
    import keelback as module
FFI = module.FFI
os.environ.pop("CFFI_TMPDIR", None)
script = sys.stdin.read()
try:
    names = {"FFI": FFI, "module": module, "io": io, "os": os}
    exec(compile(script, "script.py", "exec"), names)
    outcome = repr(names["result"])
except Exception as error:
    outcome = f"{type(error).__name__}: {error}"
outcome = outcome.replace(os.getcwd(), "HERE").replace(f"~{os.getpid()}", "~PID").replace("FFI.set_source()", "set_source()")
files = sorted(
    os.path.join(folder, name)
    for folder, _, found in os.walk(".") for name in found if not name.startswith("out")
)
print("\\\\n---\\\\n" + json.dumps([outcome, files]))
"""

SETUP = """
def ffi(cdef="int f(int);"):
    made = FFI()
    made.cdef(cdef)
    return made
SOURCE = "static int f(int x) { return x + 1; }"
"""


def outcome(implementation, script, folder, **changes):
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", CHILD.replace("\\\\n", "\\n"), implementation],
        input=SETUP + textwrap.dedent(script), cwd=folder, capture_output=True, text=True,
        env={**os.environ, **changes},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    printed, _, answer = done.stdout.rpartition("\n---\n")
    value, files = json.loads(answer)
    return value, files, printed.replace(str(folder), "HERE")


# The files are compared too where the compiler runs: C file, object and product.
SAME = {
    "compile before set_source": "ffi().compile()",
    "emit_c_code before set_source": "ffi().emit_c_code('x.c')",
    "emit_python_code before set_source": "ffi().emit_python_code('x.py')",
    "distutils_extension before set_source": "ffi().distutils_extension()",
    "set_source twice": "one = ffi(); one.set_source('_m', SOURCE); one.set_source('_m', SOURCE)",
    "set_source with a path": "ffi().set_source('a/b', SOURCE)",
    "set_source with a number": "ffi().set_source(5, SOURCE)",
    "set_source without a source": "ffi().set_source('_m')",
    "packages not in a list": "ffi().set_source_pkgconfig('_m', 'zlib', '')",
    "emit_c_code in ABI mode": "one = ffi(); one.set_source('_m', None); one.emit_c_code('x.c')",
    "emit_python_code in API mode": "one = ffi(); one.set_source('_m', SOURCE); one.emit_python_code('x.py')",
    "distutils_extension in ABI mode": "one = ffi(); one.set_source('_m', None); one.distutils_extension()",
    "init code twice": "one = FFI(); one.embedding_init_code('x = 1'); one.embedding_init_code('x = 2')",
    "init code after embedding_api": "one = FFI(); one.embedding_api('int f(int);'); result = one.embedding_init_code('')",
    "def_extern in line": "ffi().def_extern()",
    "include itself": "one = ffi(); one.include(one)",
    "include something else": "ffi().include(5)",
    "include what has no name": """
        base = ffi()
        one = FFI()
        one.include(base)
        one.set_source("_m", SOURCE)
        try:
            one.emit_c_code("x.c")
        except module.VerificationError as error:
            result = str(error).split(" includes ")[1].split(">, ")[1]
    """,
    "a C file with a method write": "one = ffi(); one.set_source('_m', SOURCE); result = one.emit_c_code(io.StringIO())",
    "a C file that cannot be written": "one = ffi(); one.set_source('_m', SOURCE); one.emit_c_code('nosuch/x.c')",
    "compile": "one = ffi(); one.set_source('_m', SOURCE); result = one.compile()",
    "compile elsewhere": "one = ffi(); one.set_source('_m', SOURCE); result = one.compile('some/where')",
    "a package": "one = ffi(); one.set_source('a.b._m', SOURCE); result = one.compile(tmpdir='t')",
    "target *": "one = ffi(); one.set_source('_m', SOURCE); result = one.compile(target='*')",
    "target foo.*": "one = ffi(); one.set_source('a._m', SOURCE); result = one.compile(target='foo.*')",
    "target plugin-1.5.*": "one = ffi(); one.set_source('_m', SOURCE); result = one.compile(target='plugin-1.5.*')",
    "target foo.bar": "one = ffi(); one.set_source('_m', SOURCE); result = one.compile(target='foo.bar')",
    "ABI mode": "one = ffi(); one.set_source('a._m', None); result = one.compile()",
    "ABI mode elsewhere": "one = ffi(); one.set_source('_m', None); result = one.compile(tmpdir='x')",
    "C++": "one = ffi(); one.set_source('_m', SOURCE, source_extension='.cpp'); result = one.compile()",
    "distutils_extension": """
        one = ffi()
        one.set_source("a._m", SOURCE, libraries=["m"], sources=["x/../y.c"], define_macros=[("A", None)])
        made = one.distutils_extension(verbose=False)
        result = (type(made).__name__, made.name, made.sources, made.libraries, made.define_macros)
    """,
    "distutils_extension elsewhere": """
        one = ffi()
        one.set_source("_m", SOURCE)
        result = one.distutils_extension(tmpdir="elsewhere", verbose=False).sources
    """,
}


@pytest.mark.parametrize("name", SAME)
def test_same(name, tmp_path):
    need_cffi()
    ours = outcome("keelback", SAME[name], tmp_path / "keelback")
    theirs = outcome("cffi", SAME[name], tmp_path / "cffi")
    # CFFI prints the names of the files that emit_c_code() and its like write; here only verbose does.
    assert ours[:2] == theirs[:2]
    assert ours[2] == ""


@pytest.mark.parametrize("script", [
    "one = ffi(); one.set_source('_m', SOURCE); one.compile(verbose=True); result = 0",
    "one = ffi(); one.set_source('_m', SOURCE); one.compile(tmpdir='t', verbose=1); one.compile(tmpdir='t', verbose=1); result = 0",
    "one = ffi(); one.set_source('_m', None); one.compile(verbose=True); result = 0",
])  # fmt: skip
def test_verbose(script, tmp_path):
    """What is told besides the compiler's command lines."""
    need_cffi()

    def told(implementation):
        printed = outcome(implementation, script, tmp_path / implementation)[2]
        words = ("generating ", "(already", "the current directory", "setting the current")
        return [line for line in printed.splitlines() if line.startswith(words)]

    assert told("keelback") == told("cffi") != []


VERIFY = {
    "a partial struct": (
        "one = ffi('struct s { int a; ...; }; int f(int);');"
        "lib = one.verify('struct s { int q, a; };' + SOURCE, tmpdir='t');"
        "result = (one.sizeof('struct s'), one.offsetof('struct s', 'a'), lib.f(5))"
    ),
    "an exact struct": "ffi('struct s { int a; };').verify('struct s { int a, b; };', tmpdir='t')",
    "an enum": "ffi('enum e { A, B };').verify('enum e { A = 1, B };', tmpdir='t')",
    "a constant": "ffi('#define X 5').verify('#define X -6', tmpdir='t')",
    "modulename and tag": "ffi().verify(SOURCE, modulename='a', tag='b')",
    "a keyword's object": "ffi().verify(SOURCE, libraries=[object])",
    "modulename": "one = ffi(); one.verify(SOURCE, tmpdir='t', modulename='mine');"
    "result = (one.verifier.get_module_name(), one.verifier.modulefilename, one.verifier.sourcefilename)",
    "twice": "one = ffi(); one.verify(SOURCE, tmpdir='t', modulename='mine'); one.verifier.compile_module()",
    "relative_to": """
        os.mkdir("sub")
        open("sub/x.h", "w").write("#define X 7")
        one = ffi("#define X ...")
        lib = one.verify('#include "x.h"', tmpdir="t", modulename="mine", include_dirs=["."], relative_to="sub/file.py")
        result = (lib.X, one.verifier.kwds)
    """,
    "a global, written": """
        one = ffi("extern int v; static char *const S;")
        lib = one.verify('static int v = 4; #define S "text"'.replace("; #", ";\\n#"), tmpdir="t", modulename="mine")
        lib.v += 1
        result = (lib.v, one.string(lib.S))
    """,
    "get_extension": "one = ffi(); one.verify(SOURCE, tmpdir='t', modulename='m');"
    "result = (one.verifier.get_extension().sources, one.distutils_extension().sources)",
    "extern Python": "ffi('extern \"Python\" int g(int);').verify('', tmpdir='t')",
    "again with more": """
        one = ffi("struct s { int a; ...; };")
        one.verify("struct s { int q, a; };", tmpdir="t")
        one.cdef("struct u { short b; ...; };")
        one.verify("struct s { int q, a; }; struct u { int q; short b; };", tmpdir="t")
        result = (one.sizeof("struct s"), one.sizeof("struct u"))
    """,
}


@pytest.mark.parametrize("name", VERIFY)
def test_verify(name, tmp_path):
    need_cffi()
    ours = outcome("keelback", VERIFY[name], tmp_path / "keelback")[0]
    assert ours == outcome("cffi", VERIFY[name], tmp_path / "cffi")[0]


def test_verify_keeps_its_module(tmp_path):
    """A module that is there is not compiled again; another text is another module."""
    script = """
    one = ffi()
    one.verify(SOURCE, tmpdir="t")
    path = one.verifier.modulefilename
    before = os.stat(path).st_mtime_ns
    two = ffi()
    os.environ["CC"] = "nosuch-compiler"
    two.verify(SOURCE, tmpdir="t")
    assert two.verifier.modulefilename == path and os.stat(path).st_mtime_ns == before
    del os.environ["CC"]
    three = ffi()
    three.verify(SOURCE + " ", tmpdir="t", tag="_tagged_")
    assert os.path.basename(three.verifier.modulefilename).startswith("_cffi__tagged_")
    result = len([name for name in os.listdir("t") if name.endswith(".so")])
    """
    assert outcome("keelback", script, tmp_path / "keelback")[0] == "2"


def test_verify_puts_modules_beside_the_caller(tmp_path):
    (tmp_path / "client.py").write_text(
        "import keelback\nffi = keelback.FFI()\nffi.cdef('int f(int);')\n"
        "lib = ffi.verify('static int f(int x) { return x; }')\nprint(lib.f(3))\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "CFFI_TMPDIR"}
    run = [sys.executable, str(tmp_path / "client.py")]
    done = subprocess.run(run, capture_output=True, text=True, env=environment)
    assert done.stdout == "3\n", done.stderr
    assert [path.suffix for path in (tmp_path / "__pycache__").iterdir() if path.suffix == ".so"] == [".so"]
    chosen = tmp_path / "chosen"
    subprocess.run(run, check=True, env={**environment, "CFFI_TMPDIR": str(chosen)})
    assert chosen.is_dir()


PKGCONFIG = {
    "all flags": "-DA -DB=5 -Iinc -pthread|-Llib -lm -Wl,-s",
    "a backslash": "-Ia\\\\ b|-lm",
}


@pytest.mark.parametrize("name", [*PKGCONFIG, "a missing package", "no pkg-config", "merging", "not a list"])
def test_pkgconfig(name, tmp_path):
    """A pkg-config of our own says what is to be said."""
    need_cffi()
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    cflags, _, libs = PKGCONFIG.get(name, "-Iinc|-lm").partition("|")
    tool = bin_ / "pkg-config"
    if name == "a missing package":
        tool.write_text("#!/bin/sh\necho \"Package 'nosuch' was not found\" >&2\nexit 1\n")
    else:
        tool.write_text(f"#!/bin/sh\ncase $2 in --cflags) echo '{cflags}';; --libs) echo '{libs}';; esac\n")
    tool.chmod(0o755)
    path = str(tmp_path / "nothing") if name == "no pkg-config" else f"{bin_}{os.pathsep}{os.environ['PATH']}"
    more = {"merging": ", libraries=['z'], include_dirs=['mine']", "not a list": ", libraries='z'"}.get(name, "")
    script = (
        f"one = ffi(); one.set_source_pkgconfig('_m', ['some'], SOURCE{more});"
        "result = sorted((key, value) for key, value in one._assigned_source[3].items())"
    )
    ours = outcome("keelback", script, tmp_path / "keelback", PATH=path)[0]
    theirs = outcome("cffi", script, tmp_path / "cffi", PATH=path)[0]
    if name == "not a list":
        assert theirs.startswith("TypeError: ")
        assert ours == "TypeError: set_source_pkgconfig(): libraries must be a list, not str"
    else:
        assert ours == theirs


def test_a_real_pkgconfig(tmp_path):
    if not shutil.which("pkg-config"):
        pytest.fail("pkg-config is missing: apt-get install pkg-config")
    (tmp_path / "some.pc").write_text("Name: some\nDescription: x\nVersion: 1\nCflags: -DANSWER=42\nLibs: -lm\n")
    script = """
    one = ffi("#define ANSWER ...\\ndouble cos(double);")
    one.set_source_pkgconfig("_m", ["some"], "#include <math.h>")
    one.compile()
    import sys
    sys.path.insert(0, ".")
    from _m import lib
    result = lib.ANSWER, lib.cos(0.0)
    """
    made = outcome("keelback", script, tmp_path / "keelback", PKG_CONFIG_PATH=str(tmp_path))[0]
    assert made == "(42, 1.0)"
    missing = outcome("keelback", "ffi().set_source_pkgconfig('_m', ['nosuch-package'], '')", tmp_path / "missing")[0]
    assert missing.startswith("PkgConfigError: ") and "nosuch-package" in missing
