"""The setup() keywords `keelback_modules` and `cffi_modules`: build scripts whose FFI becomes an extension module.

    setup(..., setup_requires=["keelback"], keelback_modules=["package/build.py:ffibuilder"])

The same without a setup.py, in pyproject.toml:

    [tool.keelback]
    modules = ["package/build.py:ffibuilder"]
"""

from __future__ import annotations

import os
import re
import sys
import sysconfig
from importlib.machinery import EXTENSION_SUFFIXES
from typing import Any


def keelback_modules(dist: Any, attribute: str, value: Any) -> None:
    """Called by setuptools for the keyword."""
    from distutils.errors import DistutilsSetupError

    specs = [value] if isinstance(value, str) else value
    for spec in specs:
        if not isinstance(spec, str):
            raise DistutilsSetupError(
                f"argument to '{attribute}=...' must be a str or a list of str, not {type(spec).__name__!r}"
            )
        # Packages written for CFFI know which files their build makes.
        _add(dist, spec, stubs=attribute != "cffi_modules")


# The name that packages written for CFFI use.
cffi_modules = keelback_modules


def finalize(dist: Any) -> None:
    """What setuptools calls for each distribution: its pyproject.toml may have a table [tool.keelback]."""
    from distutils.errors import DistutilsSetupError

    try:
        with open("pyproject.toml", "rb") as file:
            text = file.read()
    except OSError:
        return
    if b"keelback" not in text:
        return
    try:
        import tomllib as toml
    except ImportError:
        # Python 3.10: setuptools brings its own.
        from setuptools._vendor import tomli as toml  # type: ignore[no-redef, attr-defined]
    table = toml.loads(text.decode("utf-8")).get("tool", {}).get("keelback")
    if table is None:
        return
    unknown = sorted(set(table) - {"modules"})
    if unknown:
        raise DistutilsSetupError(f"pyproject.toml: [tool.keelback] has no '{unknown[0]}': it has modules")
    keelback_modules(dist, "tool.keelback.modules", table.get("modules", []))


def _add(dist: Any, spec: str, stubs: bool) -> None:
    """Adds the module of one `path/to/build.py:name`, with type stubs beside it."""
    from distutils.errors import DistutilsSetupError

    from keelback import FFI

    path, colon, variable = spec.partition(":")
    if not colon or ":" in variable:
        raise DistutilsSetupError(f"{spec!r} must be of the form 'path/build.py:ffi_variable'")
    if not os.path.exists(path):
        rewritten = path.replace(".", "/") + ".py"
        hint = f" (rewrite cffi_modules to [{rewritten + ':' + variable!r}])" if os.path.exists(rewritten) else ""
        raise DistutilsSetupError(f"{path!r} does not name an existing file{hint}")
    # As in CFFI, the script's directory is not on sys.path, and `__name__` is not `__main__`.
    names: dict[str, Any] = {"__name__": "__cffi__", "__file__": path}
    with open(path, encoding="utf-8") as file:
        exec(compile(file.read(), path, "exec"), names)
    try:
        ffi = names[variable]
    except KeyError:
        raise DistutilsSetupError(f"{spec!r}: object {variable!r} not found in module") from None
    if not isinstance(ffi, FFI):
        ffi = ffi()
    if not isinstance(ffi, FFI):
        raise DistutilsSetupError(f"{spec!r} is not an FFI instance (got {type(ffi).__name__!r})")
    assigned = getattr(ffi, "_assigned_source", None)
    if assigned is None:
        raise DistutilsSetupError(f"{spec!r}: the set_source() method was not called")
    name, source, extension, options = assigned
    if source is None:
        _add_python_module(dist, ffi, name, stubs)
    else:
        _add_extension(dist, ffi, name, extension, options, stubs)


def _add_extension(
    dist: Any, ffi: Any, name: str, source_extension: str, options: dict[str, Any], stubs: bool
) -> None:
    from distutils.dir_util import mkpath

    from setuptools import Extension
    from setuptools.command.build_ext import build_ext

    from keelback import _builder, _files

    # build_ext writes the C file, because only then its place is known.
    options = dict(options)
    # The C source has no Python header, so its module is for every version (abi3). A free-threaded Python imports such
    # a module from 3.15 on (abi3t); a debug build never does.
    if not hasattr(sys, "gettotalrefcount"):
        options.setdefault("py_limited_api", True)
    if sysconfig.get_config_var("Py_GIL_DISABLED") and not any(".abi3t" in suffix for suffix in EXTENSION_SUFFIXES):
        options["py_limited_api"] = False
    extension = Extension(name, **{**options, "sources": ["$PLACEHOLDER", *(options.get("sources") or ())]})
    if dist.ext_modules is None:
        dist.ext_modules = []
    dist.ext_modules.append(extension)
    base = dist.cmdclass.get("build_ext", build_ext)

    class BuildExt(base):  # type: ignore[misc, valid-type]
        def run(self) -> None:
            if extension.sources[0] == "$PLACEHOLDER":
                mkpath(self.build_temp)
                if hasattr(self, "pre_run"):
                    self.pre_run(extension, ffi)
                c_file = os.path.join(self.build_temp, name + source_extension)
                _builder.check_emitted(ffi, c_file)
                _files.write(_builder.c_code(ffi), c_file)
                extension.sources[0] = c_file
            super().run()
            if stubs and extension in (self.extensions or ()):
                directory = os.path.dirname(self.get_ext_fullpath(name))
                _write_stubs(ffi, name, directory, is_python=False)

        def get_ext_filename(self, fullname: str) -> str:
            filename: str = super().get_ext_filename(fullname)
            # The command of distutils, unlike setuptools', has no `ext_map` and gives no such ending.
            if getattr(self, "ext_map", {}).get(fullname) is extension:
                # In 3.15 the ending contains the platform's name, with which older versions do not find the module:
                # remove it.
                filename = re.sub(r"\.(abi3t?)-[^/]*\.so$", r".\1.so", filename)
            return filename

    dist.cmdclass["build_ext"] = BuildExt
    _tag_wheel(dist)


def _write_stubs(ffi: Any, name: str, directory: str, is_python: bool) -> None:
    """The module's type stubs, beside it."""
    from keelback import _files, _runtime

    path = os.path.join(directory, name.rpartition(".")[2] + ".pyi")
    _files.write(_runtime._generate_stubs(ffi, name, is_python), path)


def _tag_wheel(dist: Any) -> None:
    """A wheel whose extension modules are all for every version of Python says so: `cp310-abi3`, as Keelback needs 3.10. The
    modules of a free-threaded Python are found from 3.15 on, by its name for them (abi3t)."""
    from distutils.errors import DistutilsError

    try:
        base = dist.get_command_class("bdist_wheel")
    except DistutilsError:
        # An old setuptools without the package wheel: it makes none.
        return
    if getattr(base, "is_keelbacks", False):
        return

    class BdistWheel(base):  # type: ignore[misc, valid-type]
        is_keelbacks = True

        def finalize_options(self) -> None:
            extensions = self.distribution.ext_modules or ()
            if not self.py_limited_api and extensions:
                if all(getattr(extension, "py_limited_api", False) for extension in extensions):
                    self.py_limited_api = "cp315" if sysconfig.get_config_var("Py_GIL_DISABLED") else "cp310"
            super().finalize_options()

    dist.cmdclass["bdist_wheel"] = BdistWheel


def _add_python_module(dist: Any, ffi: Any, name: str, stubs: bool) -> None:
    from distutils.dir_util import mkpath

    from setuptools.command.build_ext import build_ext
    from setuptools.command.build_py import build_py

    from keelback import _builder

    def generate(directory: str) -> None:
        path = os.path.join(directory, *name.split(".")) + ".py"
        mkpath(os.path.dirname(path))
        _builder.emit_python_code(ffi, path)
        if stubs:
            _write_stubs(ffi, name, os.path.dirname(path), is_python=True)

    base_py = dist.cmdclass.get("build_py", build_py)

    class BuildPy(base_py):  # type: ignore[misc, valid-type]
        def run(self) -> None:
            super().run()
            if not getattr(self, "editable_mode", False):
                generate(self.build_lib)

    dist.cmdclass["build_py"] = BuildPy
    # `build_ext -i` and editable installs write the module beside the sources.
    if dist.ext_modules is None:
        dist.ext_modules = []
    base_ext = dist.cmdclass.get("build_ext", build_ext)

    class BuildExt(base_ext):  # type: ignore[misc, valid-type]
        def run(self) -> None:
            if self.inplace:
                package, _, last = name.rpartition(".")
                build = self.get_finalized_command("build_py")
                path = os.path.join(build.get_package_dir(package), f"{last}.py")
                _builder.emit_python_code(ffi, path)
                if stubs:
                    _write_stubs(ffi, name, os.path.dirname(path), is_python=True)
            super().run()

    dist.cmdclass["build_ext"] = BuildExt
