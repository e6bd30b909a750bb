"""CFFI's inner modules, of which published packages and their build scripts use parts: each script runs on CFFI and on
Keelback, and must print the same."""
import subprocess
import sys
import textwrap

import pytest

from differential import need_cffi

ON_KEELBACK = "import keelback; keelback.install_as_cffi()\n"


def outcome(script, directory, start=""):
    directory.mkdir()
    child = subprocess.run(
        [sys.executable, "-c", start + "import sys; sys.path.insert(0, '')\n" + textwrap.dedent(script)],
        cwd=directory, capture_output=True, text=True, timeout=300,
    )
    assert child.returncode == 0, child.stderr
    return child.stdout


SCRIPTS = {
    "make_py_source, as maturin": """
        from cffi import FFI, recompiler
        ffi = FFI()
        ffi.cdef("int abs(int); static const int FIVE = 5;")
        print(recompiler.make_py_source(ffi, "made", "made.py"), recompiler.make_py_source(ffi, "made", "made.py"))
        from made import ffi
        print(ffi.dlopen(None).abs(-3), ffi.dlopen(None).FIVE)
    """,
    "make_c_source and get_extension": """
        from cffi import FFI
        from cffi.recompiler import make_c_source
        from cffi import ffiplatform
        ffi = FFI()
        ffi.cdef("int twice(int);")
        prelude = "static int twice(int x) { return 2 * x; }"
        print(make_c_source(ffi, "_made", prelude, "_made.c"), make_c_source(ffi, "_made", prelude, "_made.c"))
        extension = ffiplatform.get_extension("_made.c", "_made", sources=["a/../b.c"], include_dirs=["inc"],
                                              define_macros=[("N", "3")])
        print(extension.name, extension.sources, extension.include_dirs, extension.define_macros)
        extension.sources.pop()
        path = ffiplatform.compile(".", extension, compiler_verbose=0)
        import os
        print(os.path.isabs(path), os.path.basename(path).split(".")[0])
        import _made
        print(_made.lib.twice(21))
    """,
    "Recompiler, as scripts for meson": """
        import io
        from cffi.api import FFI
        from cffi.recompiler import Recompiler, NativeIO
        ffi = FFI()
        ffi.cdef("int twice(int);")
        ffi.set_source("_made", "static int twice(int x) { return 2 * x; }")
        module_name, source, extension, options = ffi._assigned_source
        generator = Recompiler(ffi, module_name)
        generator.collect_type_table()
        generator.collect_step_tables()
        text = NativeIO()
        generator.write_source_to_f(text, source)
        print("twice(int x)" in text.getvalue(), "_made" in text.getvalue())
        python = FFI()
        python.cdef("int abs(int);")
        generator = Recompiler(python, "made", target_is_python=True)
        generator.collect_type_table()
        generator.collect_step_tables()
        text = io.StringIO()
        generator.write_py_source_to_f(text)
        with open("made.py", "w") as file:
            file.write(text.getvalue())
        from made import ffi
        print(ffi.dlopen(None).abs(-4))
    """,
    "recompile": """
        import os
        from cffi import FFI
        from cffi.recompiler import recompile
        ffi = FFI()
        ffi.cdef("int twice(int);")
        prelude = "static int twice(int x) { return 2 * x; }"
        extension, changed = recompile(ffi, "in_a.made", prelude, tmpdir="build", call_c_compiler=False, extradir="build",
                                       compiler_verbose=0)
        print(extension.name, extension.sources, changed)
        path = recompile(ffi, "_made", prelude, compiler_verbose=0)
        print(os.path.basename(path).split(".")[0])
        import _made
        print(_made.lib.twice(4))
        python = FFI()
        python.cdef("int abs(int);")
        print(recompile(python, "made", None, compiler_verbose=0))
        print(recompile(python, "made", None, call_c_compiler=False, compiler_verbose=0))
    """,
    "Verifier.get_extension": """
        import os
        from cffi import FFI
        from cffi.verifier import Verifier, set_tmpdir, cleanup_tmpdir
        ffi = FFI()
        ffi.cdef("int twice(int);")
        verifier = Verifier(ffi, "static int twice(int x) { return 2 * x; }", tmpdir=".", modulename="_made", include_dirs=["."])
        extension = verifier.get_extension()
        print(extension.name, list(map(os.path.normpath, extension.sources)), extension.include_dirs, verifier.get_module_name())
        print(verifier.load_library().twice(8))
    """,
    "pkg-config": """
        from cffi import PkgConfigError, pkgconfig
        from cffi.pkgconfig import call, merge_flags
        print(merge_flags({"ham": [1], "spam": ["a"]}, {"spam": ["b"], "eggs": [2]}))
        for act in lambda: merge_flags({"ham": (1,)}, {"ham": [2]}), lambda: merge_flags({"ham": [1]}, {"ham": (2,)}):
            try:
                act()
            except TypeError as error:
                print(error)
        for act in lambda: call("no_such_package", "--libs"), lambda: pkgconfig.flags_from_pkgconfig(["no_such_package"]):
            try:
                act()
            except PkgConfigError as error:
                print(type(error).__name__, "no_such_package" in str(error) or "pkg-config" in str(error))
    """,
    "errors and locks": """
        import cffi, cffi.api, cffi.error, cffi.lock
        from cffi.error import *
        print(cffi.api.FFI is cffi.FFI, cffi.error.VerificationError is cffi.VerificationError, PkgConfigError is cffi.PkgConfigError)
        print([name for name in ("FFIError", "CDefError", "VerificationError", "VerificationMissing", "PkgConfigError")
               if getattr(cffi.error, name) is getattr(cffi, name)])
        with cffi.lock.allocate_lock():
            print("locked")
    """,
    "opcodes": """
        from cffi import cffi_opcode
        names = [name for name in dir(cffi_opcode) if name.startswith(("OP_", "PRIM_", "F_")) or name[:4] in ("_UNK", "_NUM", "_IO_")]
        print(sorted((name, getattr(cffi_opcode, name)) for name in names if name != "PRIMITIVE_TO_INDEX"))
        print(sorted(cffi_opcode.PRIMITIVE_TO_INDEX.items()))
        print(sorted(cffi_opcode.CLASS_NAME.items()), cffi_opcode.G_FLAGS)
        print(cffi_opcode.format_four_bytes(0x1234abcd), cffi_opcode.format_four_bytes(-1))
    """,
    "common types": """
        import _cffi_backend
        from cffi.commontypes import COMMON_TYPES
        print(sorted(name for name in COMMON_TYPES))
        print(sorted((name, text) for name, text in COMMON_TYPES.items() if name != "FILE"))
        names = {}
        _cffi_backend._get_common_types(names)
        print(sorted(names.items()))
    """,
    "setuptools_ext": """
        import os
        from cffi.setuptools_ext import cffi_modules, add_cffi_module, execfile
        with open("build.py", "w") as file:
            file.write("import cffi\\nffi = cffi.FFI()\\nffi.cdef('int abs(int);')\\nffi.set_source('made', '#include <stdlib.h>')\\n")
        names = {"__name__": "x"}
        execfile("build.py", names)
        print(names["ffi"]._assigned_source[0])
        from setuptools import Distribution
        distribution = Distribution()
        add_cffi_module(distribution, "build.py:ffi")
        print([extension.name for extension in distribution.ext_modules])
    """,
    "execfile's place for paths": """
        from cffi import ffiplatform
        import os
        print(ffiplatform.maybe_relative_path("a/b"), ffiplatform.maybe_relative_path(os.path.abspath("c/d")),
              ffiplatform.maybe_relative_path("/"), ffiplatform.maybe_relative_path("/usr/include"))
        print(ffiplatform.LIST_OF_FILE_NAMES)
    """,
    "set_unicode reaches what is built": """
        import contextlib
        from cffi import FFI
        for flag in True, False:
            ffi = FFI()
            ffi.set_unicode(flag)
            ffi.cdef("int count(LPCTSTR text); TCHAR first(const TCHAR *); struct s { PTSTR text; TBYTE one; };")
            print(ffi.typeof("TCHAR"), ffi.typeof("LPCTSTR"), ffi.typeof("PTBYTE"), ffi.list_types())
            name = f"made_{flag}".lower()
            ffi.set_source(name, None)
            with contextlib.redirect_stdout(None):
                ffi.emit_python_code(name + ".py")
            module = __import__(name)
            print(module.ffi.typeof("TCHAR"), module.ffi.typeof("struct s").fields[0][1].type, module.ffi.typeof("PCTSTR"))
            ffi = FFI()
            ffi.set_unicode(flag)
            ffi.cdef("int count(LPCTSTR text); static const int IS_UNICODE; TCHAR first(const TCHAR *);")
            ffi.set_source("_" + name, '''
                #include <wchar.h>
                #ifdef _UNICODE
                typedef wchar_t one_t;
                #define IS_UNICODE UNICODE
                #else
                typedef char one_t;
                #define IS_UNICODE 0
                #endif
                static int count(const one_t *text) { int n = 0; while (*text++) n++; return n; }
                static one_t first(const one_t *text) { return *text; }
            ''')
            ffi.compile(verbose=0)
            lib = __import__("_" + name).lib
            text = "text" if flag else b"text"
            print(lib.IS_UNICODE, lib.count(text), lib.first(text))
            try:
                ffi.set_unicode(flag)
            except ValueError as error:
                print(error)
    """,
}


@pytest.mark.parametrize("name", list(SCRIPTS))
def test_as_with_cffi(name, tmp_path):
    need_cffi()
    expected = outcome(SCRIPTS[name], tmp_path / "cffi")
    assert expected and outcome(SCRIPTS[name], tmp_path / "keelback", ON_KEELBACK) == expected


def test_what_cannot_be_says_so(tmp_path):
    """Imports succeed, as many programs import what they never call."""
    script = """
        import cffi.cparser, cffi.model, cffi.commontypes, cffi.backend_ctypes, cffi.recompiler
        from cffi import model
        for act in (lambda: cffi.cparser.Parser(), lambda: model.PointerType(1), lambda: cffi.commontypes.resolve_common_type(1, 2),
                    lambda: cffi.backend_ctypes.CTypesBackend(), lambda: cffi.recompiler.nosuch):
            try:
                act()
            except (NotImplementedError, AttributeError) as error:
                print(type(error).__name__, str(error).split(" and has")[0])
    """
    assert outcome(script, tmp_path / "keelback", ON_KEELBACK).splitlines() == [
        "NotImplementedError Parser(): Keelback parses C declarations itself,",
        "NotImplementedError PointerType(): Keelback parses C declarations itself,",
        "NotImplementedError resolve_common_type(): Keelback parses C declarations itself,",
        "NotImplementedError CTypesBackend(): there is one backend: leave the argument of FFI() away",
        "AttributeError module 'cffi.recompiler' has no attribute 'nosuch' (this is Keelback, which has of CFFI's inner "
        "modules what published packages use)",
    ]


PARSER = """
import pickle, sys
if sys.argv[1] == "keelback":
    import keelback
    keelback.install_as_cffi()
import cffi
first = cffi.FFI()
first.cdef("#define LIMIT 5\\nstruct s { char c; int n[LIMIT]; };", packed=True)
first.cdef("int abs(int);")
kept = pickle.dumps((first._parser._declarations, first._parser._int_constants))
second = cffi.FFI()
second._parser._declarations, second._parser._int_constants = pickle.loads(kept)
print(second.sizeof("struct s"), second.dlopen(None).abs(-3), second.sizeof("int[LIMIT]"))
try:
    second._parser._declarations = 5
except ValueError as error:
    print(error)
"""


@pytest.mark.parametrize("which", ["cffi", "keelback"])
def test_declarations_kept_in_a_file(which):
    """What pyvex does."""
    need_cffi()
    done = subprocess.run([sys.executable, "-c", PARSER, which], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "21 3 20"
    assert ("what CFFI has given" in done.stdout) == (which == "keelback")
