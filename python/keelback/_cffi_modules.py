"""What published packages and their build scripts import from CFFI's modules (`cffi.recompiler`, `cffi.ffiplatform`, ...),
made of Keelback's builder. Each is filled when an attribute of it is first used.

CFFI has no document of these modules; the names here are those that packages use. What would need CFFI's own parser, or
its trees of types, can be imported by name where packages do so, but raises an error that says so when it is called.
"""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from keelback import _builder, _files, _verify
from keelback._runtime import FFI, CDefError, FFIError, PkgConfigError, VerificationError, VerificationMissing

# ---- cffi.recompiler


def make_c_source(ffi: FFI, module_name: str, preamble: str, target_c_file: Any, verbose: bool = False) -> bool:
    """Writes the C text of a module to a path or a file object. Returns whether a file was changed."""
    if preamble is None:
        raise TypeError("make_c_source(): the preamble must be a str; make_py_source() is for modules without C code")
    extension = ".c"
    if not hasattr(target_c_file, "write"):
        extension = os.path.splitext(os.fspath(target_c_file))[1] or extension
    return _write(ffi, _builder.c_source(ffi, module_name, preamble, extension), target_c_file, verbose)


def make_py_source(ffi: FFI, module_name: str, target_py_file: Any, verbose: bool = False) -> bool:
    """Writes an out-of-line module of ABI mode to a path or a file object. Returns whether a file was changed."""
    return _write(ffi, _builder.python_source(ffi, module_name), target_py_file, verbose)


def _write(ffi: FFI, text: str, target: Any, verbose: bool) -> bool:
    if hasattr(target, "write"):
        target.write(text)
        return True
    if verbose:
        print(f"generating {target}")
    _files.check_outputs(ffi, [target])
    changed = _files.write(text, target)
    if verbose and not changed:
        print("(already up-to-date)")
    return changed


def recompile(
    ffi: FFI,
    module_name: str,
    preamble: str | None,
    tmpdir: str = ".",
    call_c_compiler: bool = True,
    c_file: Any = None,
    source_extension: str = ".c",
    extradir: str | None = None,
    compiler_verbose: int = 1,
    target: str | None = None,
    debug: bool | None = None,
    uses_ffiplatform: bool = True,
    **kwds: Any,
) -> Any:
    """The path of the compiled module; without `call_c_compiler`, an Extension (or None) and whether a file was changed."""
    if call_c_compiler:
        if c_file is not None:
            raise NotImplementedError("recompile(): with c_file, call_c_compiler=False is needed")
        assigned = module_name, preamble, source_extension, kwds
        return _builder.compile_assigned(ffi, assigned, tmpdir, compiler_verbose, target, debug)
    parts = module_name.split(".")
    ending = ".py" if preamble is None else source_extension
    if c_file is None:
        c_file = os.path.join(tmpdir, *parts) + ending
        os.makedirs(os.path.dirname(c_file) or ".", exist_ok=True)
        inner = os.path.join(*([extradir] if extradir else []), *parts) + ending
    else:
        inner = c_file
    if preamble is None:
        return None, make_py_source(ffi, module_name, c_file, bool(compiler_verbose))
    extension = get_extension(inner, module_name, **kwds) if uses_ffiplatform else None
    return extension, make_c_source(ffi, module_name, preamble, c_file, bool(compiler_verbose))


class Recompiler:
    """The steps by which scripts for other build systems write a module's text."""

    def __init__(self, ffi: FFI, module_name: str, target_is_python: bool = False) -> None:
        self.ffi = ffi
        self.module_name = module_name
        self.target_is_python = target_is_python

    def collect_type_table(self) -> None:
        """Nothing to do: the declarations are parsed."""

    def collect_step_tables(self) -> None:
        """Nothing to do: the declarations are parsed."""

    def write_source_to_f(self, f: Any, preamble: str | None) -> None:
        """Writes the C text, or the module's Python text when there is no preamble."""
        if preamble is None:
            self.write_py_source_to_f(f)
        else:
            self.write_c_source_to_f(f, preamble)

    def write_c_source_to_f(self, f: Any, preamble: str) -> None:
        """Writes the C text."""
        make_c_source(self.ffi, self.module_name, preamble, f)

    def write_py_source_to_f(self, f: Any) -> None:
        """Writes the module's Python text."""
        make_py_source(self.ffi, self.module_name, f)


# ---- cffi.ffiplatform

LIST_OF_FILE_NAMES = ["sources", "include_dirs", "library_dirs", "extra_objects", "depends"]


def get_extension(srcfilename: str, modname: str, sources: Any = (), **kwds: Any) -> Any:
    """A setuptools Extension of a C file, further sources, and the options of an Extension."""
    return _builder.extension_of(modname, srcfilename, {**kwds, "sources": sources})


def compile_extension(tmpdir: str, ext: Any, compiler_verbose: int = 0, debug: bool | None = None) -> str:
    """Builds a setuptools Extension in a directory, with setuptools. Returns the path of the module."""
    from setuptools import Distribution
    from setuptools.errors import CompileError, LinkError  # type: ignore[attr-defined, unused-ignore]

    distribution = Distribution({"ext_modules": [ext]})
    distribution.parse_config_files()
    distribution.verbose = bool(compiler_verbose)  # type: ignore[assignment, unused-ignore]
    command: Any = distribution.get_command_obj("build_ext")
    command.debug = bool(sys.flags.debug) if debug is None else debug
    command.force = True
    command.build_lib = command.build_temp = tmpdir
    environment = dict(os.environ)
    try:
        distribution.run_command("build_ext")
    except (CompileError, LinkError) as error:
        raise VerificationError(f"{type(error).__name__}: {error}") from error
    finally:
        # setuptools changes the environment.
        os.environ.update({name: value for name, value in environment.items() if os.environ.get(name) != value})
    (output,) = command.get_outputs()
    return os.path.abspath(output)


def maybe_relative_path(path: str) -> str:
    """The path relative to the current directory, if it is inside of that; otherwise the path unchanged."""
    if not os.path.isabs(path):
        return path
    below = os.path.relpath(os.path.realpath(path), os.path.realpath(os.curdir))
    return path if below == os.curdir or below.split(os.sep, 1)[0] == os.pardir else below


# ---- cffi.pkgconfig


def call(libname: str, flag: str, encoding: str | None = None) -> str:
    """What pkg-config prints for a package and a flag. Raises PkgConfigError."""
    return " ".join(_builder._pkg_config(libname, flag))


def merge_flags(cfg1: dict[str, list[Any]], cfg2: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Appends the lists of the second dict to those of the first, and returns that."""
    for key, values in cfg2.items():
        if key not in cfg1:
            cfg1[key] = values
            continue
        for name, one in (("cfg1", cfg1[key]), ("cfg2", values)):
            if not isinstance(one, list):
                raise TypeError(f"{name}[{key!r}] should be a list of strings")
        cfg1[key].extend(values)
    return cfg1


def flags_from_pkgconfig(libs: list[str]) -> dict[str, list[Any]]:
    """The options of an Extension for packages, from pkg-config."""
    return _builder.pkg_config_options(libs)


# ---- cffi.setuptools_ext


def cffi_modules(dist: Any, attr: str, value: Any) -> None:
    """Called by setuptools for the keyword of that name."""
    from keelback._setuptools import cffi_modules as body

    body(dist, attr, value)


def add_cffi_module(dist: Any, mod_spec: str) -> None:
    """Adds one `path/to/build.py:name` to a setuptools Distribution."""
    cffi_modules(dist, "cffi_modules", [mod_spec])


def execfile(filename: str, glob: dict[str, Any]) -> None:
    """Runs a Python file with these globals."""
    with open(filename, "rb") as file:
        code = compile(file.read(), filename, "exec")
    exec(code, glob, glob)


# ---- cffi.commontypes, cffi.cparser, cffi.model, cffi.backend_ctypes


def _predefined() -> dict[str, str]:
    names = "wchar_t char16_t char32_t intptr_t uintptr_t intmax_t uintmax_t ptrdiff_t size_t ssize_t".split()
    names += [f"{sign}int{kind}{bits}_t" for sign in ("", "u") for kind in ("", "_least", "_fast") for bits in (8, 16, 32, 64)]
    complex_names = {f"{real} _Complex": f"_cffi_{real}_complex_t" for real in ("float", "double")}
    names += complex_names.values()
    return {"bool": "_Bool", "FILE": "struct _IO_FILE", **complex_names, **{name: name for name in sorted(names)}}


COMMON_TYPES: dict[str, str] = _predefined()


def _common_type_names(csource: str) -> set[str]:
    """The predefined names that occur in a C text."""
    return set(re.findall(r"\b\w+\b", csource)) & set(COMMON_TYPES)


def _refuses(name: str, why: str) -> Callable[..., NoReturn]:
    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"{name}(): {why}")

    refuse.__name__ = refuse.__qualname__ = name.rpartition(".")[2]
    return refuse


_OWN_PARSER = (
    "Keelback parses C declarations itself, and has no trees of pycparser's or of cffi.model's; "
    "FFI().cdef() parses, and ffi.typeof(), ffi.list_types() and dir(lib) tell what was declared"
)
_OWN_BACKEND = "there is one backend: leave the argument of FFI() away"

# ---- cffi.cffi_opcode

_OPERATIONS = (
    "PRIMITIVE POINTER ARRAY OPEN_ARRAY STRUCT_UNION ENUM FUNCTION FUNCTION_END NOOP BITFIELD TYPENAME CPYTHON_BLTN_V "
    "CPYTHON_BLTN_N CPYTHON_BLTN_O CONSTANT CONSTANT_INT GLOBAL_VAR DLOPEN_FUNC DLOPEN_CONST GLOBAL_VAR_F EXTERN_PYTHON"
)
_PRIMITIVES = (
    "void _Bool char signed_char unsigned_char short unsigned_short int unsigned_int long unsigned_long long_long "
    "unsigned_long_long float double long_double wchar_t int8_t uint8_t int16_t uint16_t int32_t uint32_t int64_t uint64_t "
    "intptr_t uintptr_t ptrdiff_t size_t ssize_t int_least8_t uint_least8_t int_least16_t uint_least16_t int_least32_t "
    "uint_least32_t int_least64_t uint_least64_t int_fast8_t uint_fast8_t int_fast16_t uint_fast16_t int_fast32_t "
    "uint_fast32_t int_fast64_t uint_fast64_t intmax_t uintmax_t _cffi_float_complex_t _cffi_double_complex_t char16_t "
    "char32_t"
)


def format_four_bytes(num: int) -> str:
    """A number as four big-endian bytes, in the spelling of a bytes literal."""
    return "".join(f"\\x{byte:02X}" for byte in (num & 0xFFFFFFFF).to_bytes(4, "big"))


def _opcodes() -> dict[str, Any]:
    names: dict[str, Any] = {f"OP_{name}": 2 * index + 1 for index, name in enumerate(_OPERATIONS.split())}
    class_names = {value: name[3:] for name, value in names.items()}
    types = _PRIMITIVES.split()
    for index, name in enumerate(types):
        short = name.replace("_cffi_", "").replace("signed_char", "schar").replace("unschar", "uchar")
        short = short.replace("unsigned_", "u").replace("long_", "long").removesuffix("_t")
        names[f"PRIM_{short.lstrip('_').replace('_complex', 'complex').upper()}"] = index
    spelt = {name if name.endswith("_t") or name == "_Bool" else name.replace("_", " "): index for index, name in enumerate(types)}
    del spelt["void"]
    names.update(
        _NUM_PRIM=len(types),
        _UNKNOWN_PRIM=-1,
        _UNKNOWN_FLOAT_PRIM=-2,
        _UNKNOWN_LONG_DOUBLE=-3,
        _IO_FILE_STRUCT=-1,
        F_UNION=1,
        F_CHECK_FIELDS=2,
        F_PACKED=4,
        F_EXTERNAL=8,
        F_OPAQUE=16,
        PRIMITIVE_TO_INDEX=spelt,
        CLASS_NAME=class_names,
        format_four_bytes=format_four_bytes,
    )
    names["G_FLAGS"] = {f"_CFFI_{name}": names[name] for name in names if name.startswith("F_")}
    return names


def _allocate_lock() -> Any:
    import _thread

    return _thread.allocate_lock


_ERRORS: dict[str, Any] = {
    "FFIError": FFIError,
    "CDefError": CDefError,
    "VerificationError": VerificationError,
    "VerificationMissing": VerificationMissing,
    "PkgConfigError": PkgConfigError,
}

CONTENTS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "api": lambda: {
        "FFI": FFI,
        "allocate_lock": _allocate_lock(),
        **{name: _ERRORS[name] for name in ("CDefError", "FFIError", "VerificationError", "VerificationMissing")},
    },
    "backend_ctypes": lambda: {"CTypesBackend": _refuses("CTypesBackend", _OWN_BACKEND)},
    "cffi_opcode": lambda: {**_opcodes(), "VerificationError": VerificationError},
    "commontypes": lambda: {
        "COMMON_TYPES": COMMON_TYPES,
        "resolve_common_type": _refuses("resolve_common_type", _OWN_PARSER),
        "win_common_types": _refuses("win_common_types", _OWN_PARSER),
        "FFIError": FFIError,
    },
    "cparser": lambda: {
        "COMMON_TYPES": COMMON_TYPES,
        "Parser": _refuses("Parser", _OWN_PARSER),
        "_common_type_names": _common_type_names,
        **{name: _ERRORS[name] for name in ("CDefError", "FFIError", "VerificationError", "VerificationMissing")},
    },
    "error": lambda: dict(_ERRORS),
    "ffiplatform": lambda: {
        "LIST_OF_FILE_NAMES": LIST_OF_FILE_NAMES,
        "compile": compile_extension,
        "get_extension": get_extension,
        "maybe_relative_path": maybe_relative_path,
        "samefile": os.path.samefile,
        "VerificationError": VerificationError,
        "VerificationMissing": VerificationMissing,
    },
    "lock": lambda: {"allocate_lock": _allocate_lock()},
    "model": lambda: {
        **{name: _ERRORS[name] for name in ("CDefError", "VerificationError", "VerificationMissing")},
        **{
            name: _refuses(name, _OWN_PARSER)
            for name in "ArrayType EnumType FunctionPtrType PointerType PrimitiveType RawFunctionType StructType UnionType "
            "VoidType unknown_type".split()
        },
    },
    "pkgconfig": lambda: {
        "PkgConfigError": PkgConfigError,
        "call": call,
        "flags_from_pkgconfig": flags_from_pkgconfig,
        "merge_flags": merge_flags,
    },
    "recompiler": lambda: {
        "NativeIO": io.StringIO,
        "Recompiler": Recompiler,
        "VerificationError": VerificationError,
        "make_c_source": make_c_source,
        "make_py_source": make_py_source,
        "recompile": recompile,
    },
    "setuptools_ext": lambda: {
        "add_cffi_module": add_cffi_module,
        "cffi_modules": cffi_modules,
        "execfile": execfile,
    },
    "verifier": lambda: {
        "Verifier": _verify.Verifier,
        "VerificationError": VerificationError,
        "cleanup_tmpdir": _verify.cleanup_tmpdir,
        "set_tmpdir": _verify.set_tmpdir,
    },
}


def get_common_types(names: dict[str, str]) -> None:
    """`_cffi_backend._get_common_types`: adds the type names of this platform that are not built into C."""
    names.update(bool="_Bool", FILE="struct _IO_FILE")


__all__ = ["CONTENTS", "get_common_types"]
