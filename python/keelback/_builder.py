"""Builds modules and libraries from an FFI: the Python half of `set_source()` and its family.

Imported when one of them is first used. The C text comes from the runtime (`_runtime._generate`), and so does the
compiler's driver (`_runtime._compile`); the command line has the same two. This module handles the arguments, files and
names.
"""

from __future__ import annotations

import os
import re
import sys
import sysconfig
from collections.abc import Callable, Iterable
from typing import Any

from keelback import _files, _runtime
from keelback._runtime import FFI, PkgConfigError, VerificationError

# Options of a setuptools Extension that do not matter when the compiler is called directly.
_IDLE_OPTIONS = frozenset(("depends", "export_symbols", "optional", "py_limited_api", "swig_opts"))
_OPTIONS = frozenset(
    (
        "define_macros",
        "extra_compile_args",
        "extra_link_args",
        "extra_objects",
        "include_dirs",
        "language",
        "libraries",
        "library_dirs",
        "runtime_library_dirs",
        "sources",
        "undef_macros",
    )
)
_CPP_EXTENSIONS = frozenset((".C", ".c++", ".cc", ".cpp", ".cxx"))


# ---- what is built


def set_source(
    ffi: FFI, module_name: str, source: str | None, source_extension: str = ".c", **kwds: Any
) -> None:
    if hasattr(ffi, "_assigned_source"):
        raise ValueError("set_source() cannot be called several times per ffi object")
    if not isinstance(module_name, str):
        raise TypeError("'module_name' must be a string")
    if os.sep in module_name or (os.altsep and os.altsep in module_name):
        raise ValueError(
            f"'module_name' must not contain '{os.sep}': use a dotted name to make a 'package.module' location"
        )
    ffi._assigned_source = (str(module_name), source, source_extension, kwds)  # type: ignore[attr-defined]
    ffi._source_place = _caller(1)  # type: ignore[attr-defined]


def _caller(depth: int) -> tuple[str, int]:
    """File and line of the Python code that called a method."""
    frame = sys._getframe(depth + 1)
    return frame.f_code.co_filename, frame.f_lineno


def set_source_pkgconfig(
    ffi: FFI, module_name: str, pkgconfig_libs: list[str], source: str, source_extension: str = ".c", **kwds: Any
) -> None:
    if not isinstance(pkgconfig_libs, list):
        raise TypeError("the pkgconfig_libs argument must be a list of package names")
    flags = pkg_config_options(pkgconfig_libs)
    for key, values in flags.items():
        given = kwds.get(key, [])
        if not isinstance(given, list):
            raise TypeError(f"set_source_pkgconfig(): {key} must be a list, not {type(given).__name__}")
        kwds[key] = given + values
    set_source(ffi, module_name, source, source_extension, **kwds)
    ffi._source_place = _caller(1)  # type: ignore[attr-defined]


def pkg_config_options(libraries: list[str]) -> dict[str, list[Any]]:
    """The options of an Extension for packages, from pkg-config."""
    flags: dict[str, list[Any]] = {
        "include_dirs": [],
        "library_dirs": [],
        "libraries": [],
        "define_macros": [],
        "extra_compile_args": [],
        "extra_link_args": [],
    }
    for library in libraries:
        for word in _pkg_config(library, "--cflags"):
            if word.startswith("-I"):
                flags["include_dirs"].append(word[2:])
            elif word.startswith("-D"):
                name, equals, value = word[2:].partition("=")
                flags["define_macros"].append((name, value if equals else None))
            else:
                flags["extra_compile_args"].append(word)
        for word in _pkg_config(library, "--libs"):
            if word.startswith("-L"):
                flags["library_dirs"].append(word[2:])
            elif word.startswith("-l"):
                flags["libraries"].append(word[2:])
            else:
                flags["extra_link_args"].append(word)
    return flags


def _pkg_config(library: str, flag: str) -> list[str]:
    """The words that pkg-config prints."""
    import subprocess

    command = ["pkg-config", "--print-errors", flag, library]
    try:
        run = subprocess.run(command, capture_output=True, check=False)
    except OSError as error:
        raise PkgConfigError(f"cannot run pkg-config: {error}") from None
    if run.returncode != 0:
        raise PkgConfigError(run.stderr.decode(errors="replace").strip() or f"pkg-config failed for {library!r}")
    try:
        text = run.stdout.decode(sys.getfilesystemencoding())
    except UnicodeDecodeError as error:
        raise PkgConfigError(
            f"pkg-config {flag} {library} returned bytes that cannot be decoded with encoding "
            f"{sys.getfilesystemencoding()!r}:\n{run.stdout!r}"
        ) from error
    if os.altsep != "\\" and "\\" in text:
        raise PkgConfigError(f"pkg-config {flag} {library} returned an unsupported backslash-escaped output:\n{text!r}")
    return text.split()


def embedding_init_code(
    ffi: FFI,
    pysource: str,
    *,
    use_environment: bool = False,
    ignore_sigpipe: bool = False,
    errors: dict[str, str | int | float] | None = None,
    error_types: dict[str, str | int | float] | None = None,
    modules: Iterable[Any] = (),
    top_level_modules: Iterable[Any] = (),
) -> None:
    """`use_environment`: PYTHONPATH and the other PYTHON* variables of the host's environment count. `ignore_sigpipe`:
    SIGPIPE is ignored from the start on, where the host left it at its default. `errors`: what a function returns when
    Python cannot be started, as C text. `error_types`: the same for all functions that return a type. `modules`: paths of Python files and packages that go into the library, as the
    command line's `--module` (`top_level_modules`: its `--top-level-module`)."""
    if getattr(ffi, "_embedding", None):
        raise ValueError("embedding_init_code() can only be called once")
    if not isinstance(pysource, str):
        raise TypeError(f"embedding_init_code() expects a str, not {type(pysource).__name__}")
    text = _dedent(pysource)
    compile(text, "cffi_init", "exec")
    for what, values in ("errors", errors), ("error_types", error_types):
        for name, value in (values or {}).items():
            if not isinstance(name, str) or not isinstance(value, (str, int, float)):
                names = "names of functions" if what == "errors" else "types"
                raise TypeError(f"{what}: {names} and values of C, as text or numbers")
    for paths in (modules, top_level_modules):
        if isinstance(paths, (str, bytes)):
            raise TypeError(f"modules: a list of paths, not {paths!r}")
    ffi._own_modules = (  # type: ignore[attr-defined]
        [os.fsdecode(path) for path in modules],
        [os.fsdecode(path) for path in top_level_modules],
    )
    ffi._embedding = text  # type: ignore[attr-defined]
    ffi._use_environment = bool(use_environment)  # type: ignore[attr-defined]
    ffi._ignore_sigpipe = bool(ignore_sigpipe)  # type: ignore[attr-defined]
    ffi._start_errors, ffi._type_errors = (  # type: ignore[attr-defined]
        {name: str(int(value)) if isinstance(value, bool) else str(value) for name, value in (values or {}).items()}
        for values in (errors, error_types)
    )


def _common_prefix(texts: list[str]) -> str:
    """The longest common prefix of the texts."""
    first, last = min(texts), max(texts)
    same = (index for index, character in enumerate(first) if last[index] != character)
    return first[: next(same, len(first))]


def _dedent(text: str) -> str:
    """The text without leading blank lines, and without the indentation that all its lines share."""
    lines = re.sub(r"\A(?:[^\S\n]*\n)+", "", text).splitlines() or [""]
    written = [line for line in lines if line.strip()] or [""]
    margin = _common_prefix([line[: len(line) - len(line.lstrip())] for line in written])
    return "\n".join(line[len(margin) :] if line.strip() else "" for line in lines) + "\n"


# ---- text


def _assigned(ffi: FFI, caller: str) -> tuple[str, str | None, str, dict[str, Any]]:
    try:
        assigned: tuple[str, str | None, str, dict[str, Any]] = ffi._assigned_source  # type: ignore[attr-defined]
    except AttributeError:
        raise ValueError(f"set_source() must be called before {caller}()") from None
    if getattr(ffi, "_windows_unicode", False):
        name, source, extension, options = assigned
        macros = options.get("define_macros") or ()
        if not isinstance(macros, (list, tuple)):
            raise TypeError("'define_macros' must be a list or tuple")
        macros = [*macros, ("UNICODE", "1"), ("_UNICODE", "1")]
        assigned = name, source, extension, {**options, "define_macros": macros}
    return assigned


def c_code(ffi: FFI) -> str:
    """The C text of emit_c_code(), which may be compiled on another machine. A module's text contains no paths of this
    machine. A library's records this Python, as with compile(); if it does not exist there, the library uses
    another."""
    name, source, extension, _ = _assigned(ffi, "emit_c_code")
    if source is None:
        raise TypeError("emit_c_code() is only for C extension modules, not for dlopen()-style pure Python modules")
    return c_source(ffi, name, source, extension)


def c_source(
    ffi: FFI,
    name: str,
    prelude: str,
    extension: str,
    compiled_in: str | None = None,
    place: tuple[str, int] | None = None,
) -> str:
    """The C text of a module or library; a library's records this Python. The prelude was given by the Python code at
    `place`. `compiled_in` is the directory in which the compiler will run, if that is now and here: the text then
    records where the user's texts are from there."""
    if not isinstance(prelude, str):
        raise TypeError(f"set_source(): the source must be a str or None, not {type(prelude).__name__}")
    init_code = getattr(ffi, "_embedding", None)
    options: dict[str, Any] = {}
    if init_code is not None:
        options.update(
            version="%d.%d" % sys.version_info[:2] + ("t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""),
            init_code=init_code,
            init_file=f"<init code for '{name}'>",
            use_environment=getattr(ffi, "_use_environment", False),
            ignore_sigpipe=getattr(ffi, "_ignore_sigpipe", False),
            errors=list(getattr(ffi, "_start_errors", {}).items()),
            type_errors=list(getattr(ffi, "_type_errors", {}).items()),
            init_errors=_errors_of_init_code(init_code, name),
            **_own_files(ffi, name, init_code),
            **_this_python(),
        )
    if init_code is None or prelude.strip():
        places = _Places(compiled_in)
        # Makes the compiler's messages name the lines of the given text.
        options.update(prelude=prelude, prelude_file=f"<source of {name}>{extension}")
        found = places.find(prelude, *(place or getattr(ffi, "_source_place", ("", 0))))
        if found is not None:
            options["prelude_line"], options["prelude_file"] = found
        found_cdefs = [places.find(text, file, line) for text, _, file, line in ffi._cdefs()]
        options["cdef_lines"] = [f'#line {found[0]} "{found[1]}"\n' if found else "" for found in found_cdefs]
    return _runtime._generate(ffi, name, **options)


def _own_files(ffi: FFI, name: str, init_code: str) -> dict[str, Any]:
    """The options of _generate() for the plugin's own modules."""
    inside, top_level = getattr(ffi, "_own_modules", ((), ()))
    if not inside and not top_level:
        return {}
    import importlib.util
    import marshal

    from keelback._own_modules import compile_own

    found = _runtime._own_files(name, inside, top_level)
    own = " ".join({re.split("[/.]", path, maxsplit=1)[0] for path, is_top_level, *_ in found if not is_top_level})

    def compiled(source: bytes | str, path: str) -> bytes:
        return marshal.dumps(compile_own(source, path, name, own))

    return {
        "files": [
            (path, is_top_level, data, compiled(data, path) if path.endswith(".py") else None)
            for path, is_top_level, data, _ in found
        ],
        "init_compiled": compiled(init_code, f"<init code for '{name}'>"),
        "code_magic": int.from_bytes(importlib.util.MAGIC_NUMBER, "little"),
    }


def _shown_cdefs(ffi: FFI, name: str, directory: str) -> list[tuple[str, str]]:
    """Names and texts of the cdefs, as the compiler's messages name them. A cdef that stands in a Python file has the
    line numbers of that file: the lines in front of it are empty."""
    places = _Places(directory or ".")
    shown = []
    for number, (text, _, file, line) in enumerate(ffi._cdefs(), 1):
        found = places.find(text, file, line)
        if found is None:
            shown.append((f"<cdef {number} of {name}>", text))
            continue
        first = found[0] - 1
        lines = places.lines(file)[first : first + text.count("\n") + 1]
        shown.append((found[1], "\n" * first + "".join(lines)))
    return shown


def _errors_of_init_code(init_code: str, name: str) -> list[tuple[str, str, str]]:
    """Function, value as C text ("": it cannot be read) and line of each `error=`, found as the command line does."""
    if "error" not in init_code:
        return []
    import ast

    from keelback._init_errors import read_errors

    return [(function, value or "", str(line)) for function, value, line in read_errors(ast.parse(init_code), name)]


class _Places:
    """Finds the string literals that texts come from in the Python files that passed them."""

    def __init__(self, compiled_in: str | None) -> None:
        self._compiled_in = compiled_in
        self._files: dict[str, str] = {}

    def find(self, text: str, file: str | None, line: int) -> tuple[int, str] | None:
        """Line and path of a text that was given by the code at `line` of a file; None if it does not stand there
        letter by letter. The path is how the compiler finds the file; it is relative, and stays below the current
        directory if the C source may go elsewhere."""
        if not text.strip() or not file or not isinstance(file, str):
            return None
        source = self._files.get(file)
        if source is None:
            import linecache

            source = self._files[file] = "".join(linecache.getlines(file))
        # The text must stand between two quotes. Of several places, the first one behind the call counts.
        quoted = [
            match.start() for match in re.finditer(f"(?<=[\"'])(?={re.escape(text)}[\"'])", source)
        ] if text in source else []
        if not quoted:
            return None
        numbers = [source.count("\n", 0, start) + 1 for start in quoted]
        number = numbers[0] if len(numbers) == 1 else next((one for one in numbers if one >= line), None)
        path = self._path(file)
        if number is None or path is None:
            return None
        return number, path

    def lines(self, file: str) -> list[str]:
        """The lines of a file in which a text was found."""
        return self._files[file].splitlines(keepends=True)

    def _path(self, file: str) -> str | None:
        if file.startswith("<") or set(file) & set('"\\\n\r'):
            return None
        try:
            path = os.path.relpath(file, self._compiled_in or ".")
        except ValueError:
            # The file is on another drive.
            return None
        return path if self._compiled_in is not None or not path.startswith(os.pardir) else os.path.basename(path)


def _this_python() -> dict[str, Any]:
    """What a library records of this Python, where it looks first."""
    get = sysconfig.get_config_var
    names = [name for name in (get("INSTSONAME"), get("LDLIBRARY")) if name and not name.endswith(".a")]
    libdir = get("LIBDIR") or os.path.join(sys.base_prefix, "lib")
    directories = [libdir, os.path.join(libdir, get("MULTIARCH") or "")]
    paths = [os.path.join(directory, name) for directory in directories for name in names]
    return {
        "libpython": next((path for path in paths if os.path.isfile(path)), None),
        "home": sys.base_prefix,
        "executable": os.path.abspath(sys.executable) if sys.executable else None,
        "runtime": os.path.abspath(_runtime.__file__),
    }


def emit_c_code(ffi: FFI, filename: Any) -> None:
    text = c_code(ffi)
    check_emitted(ffi, filename)
    _files.write(text, filename)


def check_emitted(ffi: FFI, filename: Any) -> None:
    """Checks that the output of emit_c_code() is no file that is read. Paths of set_source() begin in the current directory."""
    _, source, _, options = _assigned(ffi, "emit_c_code")
    c_file = None if hasattr(filename, "write") else os.fsdecode(filename)
    _files.check_outputs(ffi, [filename], options, prelude=source, c_file=c_file)


def emit_python_code(ffi: FFI, filename: Any) -> None:
    name, source, _, _ = _assigned(ffi, "emit_c_code")
    if source is not None:
        raise TypeError(
            "emit_python_code() is only for dlopen()-style pure Python modules, not for C extension modules"
        )
    text = python_source(ffi, name)
    check_emitted(ffi, filename)
    _files.write(text, filename)


def python_source(ffi: FFI, name: str) -> str:
    """The text of an out-of-line module of ABI mode."""
    return _runtime._generate_python(ffi, name)


# ---- files


def compile_module(
    ffi: FFI,
    tmpdir: str = ".",
    verbose: int = 0,
    target: str | None = None,
    debug: bool | None = None,
    *,
    stubs: bool = False,
) -> str:
    assigned = _assigned(ffi, "compile")
    if stubs:
        name, source = assigned[:2]
        path = os.path.join(os.fspath(tmpdir), *name.split(".")) + ".pyi"
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        _generate(path, verbose, lambda: _runtime._generate_stubs(ffi, name, source is None))
    return compile_assigned(ffi, assigned, tmpdir, verbose, target, debug)


def compile_assigned(
    ffi: FFI,
    assigned: tuple[str, str | None, str, dict[str, Any]],
    tmpdir: str,
    verbose: int,
    target: str | None,
    debug: bool | None,
) -> str:
    """Does what compile() does, for a name, C source, ending and options."""
    name, source, extension, options = assigned
    tmpdir = os.fspath(tmpdir)
    parts = name.split(".")
    if source is None:
        path = os.path.join(tmpdir, *parts) + ".py"
        _files.check_outputs(ffi, [path])
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        _generate(path, verbose, lambda: python_source(ffi, name))
        return path
    c_file, output = _products(ffi, assigned, tmpdir, target)
    for path in (os.path.join(tmpdir, c_file), output):
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    _generate(
        os.path.join(tmpdir, c_file), verbose, lambda: c_source(ffi, name, source, extension, compiled_in=tmpdir or ".")
    )
    if verbose:
        what = "the current directory is" if tmpdir == "." else "setting the current directory to"
        print(f"{what} {os.path.abspath(tmpdir)!r}")
    compile_c(ffi, name, c_file, output, tmpdir, options, extension, bool(source.strip()), debug, verbose)
    return output


def _products(
    ffi: FFI, assigned: tuple[str, str | None, str, dict[str, Any]], tmpdir: str, target: str | None
) -> tuple[str, str]:
    """The paths of the C file (from `tmpdir` on) and of the compiled file, after checking that both may be written."""
    name, source, extension, options = assigned
    parts = name.split(".")
    is_library = getattr(ffi, "_embedding", None) is not None
    if target is None:
        target = f"{name}.*" if is_library else "*"
    elif not isinstance(target, str):
        raise TypeError(f"compile(): target must be a str, not {type(target).__name__}")
    if target == "*":
        product = os.path.join(*parts) + sysconfig.get_config_var("EXT_SUFFIX")
    else:
        if target.endswith(".*"):
            target = target[:-1] + {"win32": "dll", "darwin": "dylib"}.get(sys.platform, "so")
        product = os.path.join(*parts[:-1], target)
    c_file = os.path.join(*parts) + extension
    output = os.path.abspath(os.path.join(tmpdir, product))
    written = [os.path.join(tmpdir, c_file), os.path.join(tmpdir, object_of(c_file)), output]
    _files.check_outputs(ffi, written, options, tmpdir or ".", source, c_file)
    return c_file, output


def object_of(c_file: str) -> str:
    """The path of the object file. As in CFFI it stays beside the C file, and can be linked into a program."""
    return os.path.splitext(c_file)[0] + ".o"


def _generate(path: str, verbose: int, text: Callable[[], str]) -> bool:
    """Writes a generated file. Returns whether it was written."""
    if verbose:
        print(f"generating {path}")
    was_written = _files.write(text(), path)
    if verbose and not was_written:
        print("(already up-to-date)")
    return was_written


def compile_c(
    ffi: FFI,
    name: str,
    c_file: str,
    output: str,
    directory: str,
    options: dict[str, Any],
    extension: str,
    has_prelude: bool,
    debug: bool | None = None,
    verbose: int = 0,
) -> None:
    """Runs the compiler in `directory`, where relative paths in the options begin, and puts `output` in place when all
    went well. `options` are those of a setuptools Extension. Raises VerificationError with all that the compiler said.
    """
    unknown = sorted(set(options) - _OPTIONS - _IDLE_OPTIONS)
    if unknown:
        import warnings

        warnings.warn(f"Unknown Extension options: {', '.join(map(repr, unknown))}", stacklevel=3)
    if debug is None:
        debug = bool(sys.flags.debug) or hasattr(sys, "gettotalrefcount")

    def listed(key: str) -> list[Any]:
        values = options.get(key) or ()
        if isinstance(values, (str, bytes)):
            raise TypeError(f"set_source(): {key} must be a list, not {values!r}")
        return [*values]

    include_dirs = listed("include_dirs")
    # The prelude may use Python's own headers.
    include_dirs.append(sysconfig.get_path("include"))
    defines = [macro if value is None else f"{macro}={value}" for macro, value in map(_macro, listed("define_macros"))]
    # The prelude's symbols are exported to hosts and other modules, unless the prelude hides them.
    visibility = ["-fvisibility=default"]
    link_arguments = [f"-Wl,-rpath,{path}" for path in listed("runtime_library_dirs")] + listed("extra_link_args")
    settings: dict[str, Any] = {
        "include_dirs": [os.fspath(path) for path in include_dirs],
        "defines": defines,
        "undefines": listed("undef_macros"),
        "compile_arguments": visibility + listed("extra_compile_args"),
        "is_cpp": extension in _CPP_EXTENSIONS or options.get("language") == "c++",
        "has_prelude": has_prelude,
        "debug": bool(debug),
        "directory": directory,
        "cdefs": _shown_cdefs(ffi, name, directory),
    }
    # As setuptools: `missing/../file.c` is file.c.
    others = [os.path.normpath(path) for path in listed("sources") + listed("extra_objects")]
    temporary, target = _files.temporary_for(output)

    def run(files: list[str], product: str, **more: Any) -> None:
        is_success, line, status, said = _runtime._compile(files, product, **settings, **more)
        # Messages name the output, not the temporary file, which no longer exists when they are read.
        line, said = line.replace(temporary, output), said.replace(temporary, output)
        if verbose:
            print(line)
        if not is_success:
            kind = "CompileError" if more.get("is_object") else "LinkError"
            raise VerificationError(f"{kind}: the C compiler failed for {name!r} ({status}): {line}\n{said}")
        if said.strip():
            sys.stderr.write(said)

    object_file = object_of(c_file)
    with _files.passing(temporary):
        run([c_file], object_file, is_object=True)
        run(
            [object_file, *others],
            temporary,
            library_dirs=[os.fspath(path) for path in listed("library_dirs")],
            libraries=listed("libraries"),
            link_arguments=link_arguments,
            # Programs never link to an extension module, so it gets no SONAME whatever its name is.
            library=output if getattr(ffi, "_embedding", None) is not None else None,
        )
        if getattr(ffi, "_embedding", None) is not None:
            _warn_of_other_machine(temporary, output)
        os.replace(temporary, target)


def _warn_of_other_machine(compiled: str, output: str) -> None:
    """Warns if a cross compiler made the library: this Python, which the library records, is for another machine."""
    machine, here = _files.machine_of(compiled), _files.machine_of(_runtime.__file__)
    if machine is None or machine == here:
        return
    import warnings

    warnings.warn(
        f"{output} is for {machine}, and the Python and the runtime that it records are for {here}: it looks for both "
        "where it is started (KEELBACK_PYTHON, KEELBACK_RUNTIME)",
        stacklevel=5,
    )


def _macro(macro: Any) -> tuple[str, str | None]:
    """One of define_macros: a name, or a pair of name and value (None: defined as 1)."""
    if isinstance(macro, str):
        return macro, None
    name, *value = macro
    return name, value[0] if value else None


def distutils_extension(ffi: FFI, tmpdir: str = "build", verbose: bool = True) -> Any:
    if not hasattr(ffi, "_assigned_source") and hasattr(ffi, "verifier"):
        return ffi.verifier.get_extension()
    name, source, extension, options = _assigned(ffi, "distutils_extension")
    if source is None:
        raise TypeError(
            "distutils_extension() is only for C extension modules, not for dlopen()-style pure Python modules"
        )
    path = os.path.join(os.fspath(tmpdir), *name.split(".")) + extension
    made = extension_of(name, path, options)
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    check_emitted(ffi, path)
    was_written = _files.write(c_source(ffi, name, source, extension), path)
    if verbose:
        sys.stderr.write(f"{'regenerated' if was_written else 'not modified'}: {path!r}\n")
    return made


def extension_of(name: str, c_file: str, options: dict[str, Any]) -> Any:
    """The setuptools Extension of a C file and the options of set_source()."""
    try:
        from setuptools import Extension
    except ImportError:
        raise ImportError("this needs the package setuptools: pip install setuptools") from None
    others = [os.path.normpath(path) for path in options.get("sources") or ()]
    return Extension(name, **{**options, "sources": [c_file, *others]})
