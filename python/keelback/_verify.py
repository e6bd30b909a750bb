"""`ffi.verify()`: compiles the declarations of an FFI together with C source, and returns the `lib`.

CFFI's oldest way to API mode, kept for programs that use it. The C text, the compiler and the module are those of
`set_source()`; the names of the files are chosen here, with a hash of the contents, so that nothing is compiled twice.
"""

from __future__ import annotations

import hashlib
import os
import sys
import sysconfig
from typing import Any

import keelback
from keelback import _builder, _files, _runtime
from keelback._runtime import FFI, VerificationError

# Keywords of an Extension that name files, for `relative_to`.
_FILE_NAMES = ("sources", "include_dirs", "library_dirs", "extra_objects", "depends")

_tmpdir: str | None = None


def verify(ffi: FFI, source: str = "", tmpdir: str | None = None, **kwargs: Any) -> Any:
    """See `FFI.verify`."""
    verifier = Verifier(ffi, source, tmpdir or caller_directory(1), **kwargs)
    verifier._place = _builder._caller(1)
    ffi.verifier = verifier  # type: ignore[attr-defined]
    return verifier.load_library()


def caller_directory(depth: int) -> str:
    """The default directory of modules: `__pycache__` beside the calling code's file."""
    chosen = _tmpdir or os.environ.get("CFFI_TMPDIR")
    if chosen:
        return chosen
    file = sys._getframe(depth + 1).f_code.co_filename
    return os.path.abspath(os.path.join(os.path.dirname(file), "__pycache__"))


def set_tmpdir(dirname: str | None) -> None:
    """Sets the directory in which all later `verify()` keep their modules; None: the default."""
    global _tmpdir
    _tmpdir = dirname


def cleanup_tmpdir(tmpdir: str | None = None, keep_so: bool = False) -> None:
    """Removes what `verify()` has left in a directory: C files, objects and, unless `keep_so`, the modules."""
    directory = tmpdir or caller_directory(1)
    endings = (".c", ".o") if keep_so else (".c", ".o", _suffix().lower())
    try:
        names = os.listdir(directory)
    except OSError:
        return
    for name in names:
        if name.lower().startswith("_cffi_") and name.lower().endswith(endings):
            try:
                os.unlink(os.path.join(directory, name))
            except OSError:
                pass


def _suffix() -> str:
    suffix: str = sysconfig.get_config_var("EXT_SUFFIX")
    return suffix


class Verifier:
    """One `verify()`: where its files are, and the steps to its lib.

    `sourcefilename` and `modulefilename` may be changed before the first step. `force_generic_engine` is ignored: there
    is only one kind of module.
    """

    def __init__(
        self,
        ffi: FFI,
        preamble: str,
        tmpdir: str | None = None,
        modulename: str | None = None,
        ext_package: str | None = None,
        tag: str = "",
        force_generic_engine: bool = False,
        source_extension: str = ".c",
        flags: int | None = None,
        relative_to: str | None = None,
        **kwds: Any,
    ) -> None:
        if not isinstance(preamble, str):
            raise TypeError(f"verify(): the source must be a str, not {type(preamble).__name__}")
        self.ffi = ffi
        self.preamble = preamble
        content = None if modulename else [preamble, source_extension, _plain(kwds)]
        self.flags = flags
        self.kwds = _relative_to(kwds, relative_to)
        if modulename:
            if tag:
                raise TypeError("can't specify both 'modulename' and 'tag'")
        else:
            key = [keelback.__version__, _runtime._ABI_VERSION, content, [[text, packing] for text, packing, _, _ in ffi._cdefs()]]
            modulename = f"_cffi_{tag}_kb{hashlib.sha256(repr(key).encode(errors='surrogatepass')).hexdigest()[:16]}"
        self.tmpdir = tmpdir or caller_directory(1)
        self.sourcefilename = os.path.join(self.tmpdir, modulename + source_extension)
        self.modulefilename = os.path.join(self.tmpdir, modulename + _suffix())
        self.ext_package = ext_package
        self._extension = source_extension
        self._has_source = False
        self._has_module = False
        self._place: tuple[str, int] = ("", 0)

    def write_source(self, file: Any = None) -> None:
        """Writes the C text to `sourcefilename`, once, or to a file object."""
        if file is not None:
            file.write(self._source(None))
            return
        if self._has_source:
            raise VerificationError("source code already written")
        self._write()

    def compile_module(self) -> None:
        """Compiles to `modulefilename`, once."""
        if self._has_module:
            raise VerificationError("module already compiled")
        self._compile()

    def load_library(self) -> Any:
        """The lib. Compiles first, unless the module is there."""
        if not self._has_module and not self._locate():
            self._compile()
        flags = sys.getdlopenflags() if self.flags is None else self.flags
        return _runtime._load_verified(self.ffi, self.modulefilename, self.get_module_name(), flags)

    def get_module_name(self) -> str:
        """The module's name, without directories and endings."""
        return os.path.basename(self.modulefilename).split(".", 1)[0]

    def get_extension(self) -> Any:
        """A setuptools Extension that makes the module."""
        if not self._has_source:
            self._write()
        path = os.path.relpath(self.sourcefilename)
        if path.startswith(os.pardir):
            path = self.sourcefilename
        return _builder.extension_of(self.get_module_name(), path, self.kwds)

    def generates_python_module(self) -> bool:
        """Whether Python can import the module."""
        return True

    def _source(self, compiled_in: str | None) -> str:
        name = self.get_module_name()
        return _builder.c_source(self.ffi, name, self.preamble, self._extension, compiled_in, self._place)

    def _write(self) -> None:
        os.makedirs(os.path.dirname(self.sourcefilename) or ".", exist_ok=True)
        written = [self.sourcefilename, _builder.object_of(self.sourcefilename), self.modulefilename]
        _files.check_outputs(self.ffi, written, self.kwds, prelude=self.preamble, c_file=self.sourcefilename)
        # The compiler runs in the current directory, where the keywords' paths begin.
        _files.write(self._source("."), self.sourcefilename)
        self._has_source = True

    def _compile(self) -> None:
        if not self._has_source:
            self._write()
        os.makedirs(os.path.dirname(self.modulefilename) or ".", exist_ok=True)
        _builder.compile_c(
            self.ffi,
            self.get_module_name(),
            self.sourcefilename,
            os.path.abspath(self.modulefilename),
            ".",
            self.kwds,
            self._extension,
            bool(self.preamble.strip()),
        )
        self._has_module = True

    def _locate(self) -> bool:
        """Whether the module exists: in `tmpdir`, or with `ext_package` among that package's files."""
        if not os.path.isfile(self.modulefilename):
            if self.ext_package:
                from importlib import import_module

                try:
                    path = list(import_module(self.ext_package).__path__)
                except ImportError:
                    # Before the package is installed, it may have another name.
                    return False
            else:
                path = sys.path
            names = [self.get_module_name() + suffix for suffix in dict.fromkeys((_suffix(), ".abi3.so", ".so"))]
            places = [os.path.join(directory, name) for directory in path for name in names]
            found = next((place for place in places if os.path.isfile(place)), None)
            if found is None:
                return False
            self.modulefilename = found
        self._has_module = True
        return True


def _plain(value: Any) -> Any:
    """The value of a keyword as it goes into the name of a module."""
    if isinstance(value, dict):
        return sorted((key, _plain(one)) for key, one in value.items())
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, (str, int)):
        return value
    raise TypeError(f"the keywords to verify() contains unsupported object {value!r}")


def _relative_to(keywords: dict[str, Any], file: str | None) -> dict[str, Any]:
    """The keywords, with relative paths made relative to the directory of `file`."""
    directory = os.path.dirname(file) if file else ""
    if not directory:
        return keywords
    changed = dict(keywords)
    for key in _FILE_NAMES:
        if key in changed:
            if not isinstance(changed[key], (list, tuple)):
                raise TypeError(f"keyword '{key}' should be a list or tuple")
            changed[key] = [os.path.join(directory, path) for path in changed[key]]
    return changed
