"""The modules that programs written for CFFI import, made of Keelback's own objects."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from keelback import _runtime

# The CFFI whose behaviour Keelback follows: what packages compare against.
VERSION = "2.1.1"

# CFFI's inner modules.
_MODULES = (
    "api",
    "backend_ctypes",
    "cffi_opcode",
    "commontypes",
    "cparser",
    "error",
    "ffiplatform",
    "lock",
    "model",
    "pkgconfig",
    "recompiler",
    "setuptools_ext",
    "verifier",
)
_ERRORS = ("FFIError", "CDefError", "VerificationError", "VerificationMissing", "PkgConfigError")


def _module(
    name: str, contents: dict[str, Any], is_package: bool = False, kind: type[ModuleType] = ModuleType
) -> ModuleType:
    module = kind(name, f"Keelback, under the name {name}.")
    module.__spec__ = ModuleSpec(name, None, origin="keelback", is_package=is_package)
    # What every import of a module that is there already asks for: an attribute that is missing costs an exception.
    module.__spec__._initializing = False  # type: ignore[attr-defined]
    if is_package:
        # A package without files: it has only the submodules that are put into sys.modules.
        module.__path__ = []
    module.__dict__.update(contents)
    return module


def _lazy_module(name: str) -> ModuleType:
    """The module `cffi.name`, filled when an attribute is first used, because its imports are slow."""
    module = _module(f"cffi.{name}", {})
    names = module.__dict__
    is_filled = False

    def fill() -> None:
        nonlocal is_filled
        if not is_filled:
            from keelback._cffi_modules import CONTENTS

            is_filled = True
            # Attributes that were set from outside are kept.
            names.update({key: value for key, value in CONTENTS[name]().items() if key not in names})

    def get(attribute: str) -> Any:
        # `import *` reads __all__. Other special names are read by tools that go through all modules, which must not
        # fill it.
        if attribute == "__all__" or not attribute.startswith("__"):
            fill()
            if attribute in names:
                return names[attribute]
        raise AttributeError(
            f"module 'cffi.{name}' has no attribute '{attribute}' (this is Keelback, which has of CFFI's inner modules what "
            "published packages use)"
        )

    def directory() -> list[str]:
        fill()
        return sorted(names)

    names.update(__getattr__=get, __dir__=directory)
    return module


def _get_common_types(names: dict[str, str]) -> None:
    from keelback._cffi_modules import get_common_types

    get_common_types(names)


def _backend_functions() -> dict[str, Any]:
    """The functions of CFFI's backend that packages use directly. They take ctypes, never strings."""
    ffi = _runtime.FFI()

    def typeof(cdata: Any) -> Any:
        if isinstance(cdata, str):
            raise TypeError("expected a 'cdata' object")
        return ffi.typeof(cdata)

    def newp_handle(ctype: Any, x: Any) -> Any:
        return ffi.cast(ctype, ffi.new_handle(x)) if ctype is not ffi.typeof("void *") else ffi.new_handle(x)

    def set_errno(value: int) -> None:
        ffi.errno = value

    return {
        "alignof": ffi.alignof,
        "callback": ffi.callback,
        "cast": ffi.cast,
        "from_buffer": ffi.from_buffer,
        "from_handle": ffi.from_handle,
        "gcp": ffi.gc,
        "get_errno": lambda: ffi.errno,
        "getcname": ffi.getctype,
        "memmove": ffi.memmove,
        "newp": ffi.new,
        "newp_handle": newp_handle,
        "release": ffi.release,
        "set_errno": set_errno,
        "sizeof": ffi.sizeof,
        "string": ffi.string,
        "typeof": typeof,
        "unpack": ffi.unpack,
    }


class _Backend(ModuleType):
    """The type of `_cffi_backend`. It has no `__getattr__`, which every import of a compiled module would call."""

    @property
    def _C_API(self) -> Any:
        """What modules compiled by CFFI's verify() ask for."""
        raise ImportError(
            "a module that verify() of CFFI compiled cannot be loaded by Keelback: remove it, and build it again with "
            "Keelback's verify() or set_source()"
        )


_BOTH = (
    "cffi and keelback-cffi are both installed here, and have the same modules: pip uninstall cffi keelback-cffi, then "
    "install the one that is wanted"
)


def provide(name: str) -> None:
    """Replaces the modules `cffi` and `_cffi_backend` of the pip package keelback-cffi when they are imported."""
    known = sys.modules.pop(name, None)
    try:
        # Look for the real CFFI beside the modules of keelback-cffi: an extension module is found before a Python file.
        backend = PathFinder.find_spec("_cffi_backend")
        if backend is not None and not str(backend.origin).endswith(".py"):
            raise ImportError(_BOTH, name=name)
        install()
    except BaseException:
        if known is not None:
            sys.modules[name] = known
        raise


def install() -> None:
    """The implementation of `keelback.install_as_cffi()`."""
    known = sys.modules.get("cffi")
    if known is not None:
        if known.__dict__.get("FFI") is _runtime.FFI:
            return
        raise RuntimeError(
            "install_as_cffi(): cffi is already imported: call it earlier, before anything imports cffi"
        )
    _runtime._name_types_as_cffi()
    errors = {name: getattr(_runtime, name) for name in _ERRORS}
    modules = {name: _lazy_module(name) for name in _MODULES}
    package = _module(
        "cffi",
        {
            "FFI": _runtime.FFI,
            **errors,
            "__version__": VERSION,
            "__version_info__": tuple(int(part) for part in VERSION.split(".")),
            "__all__": ["FFI", "VerificationError", "VerificationMissing", "CDefError", "FFIError"],
            **modules,
        },
        is_package=True,
    )

    classes = {
        "FFI": _runtime.CompiledFFI,
        "_CDataBase": _runtime.CData,
        "CData": _runtime.CData,
        "CField": _runtime.CField,
        "CType": _runtime.CType,
        "Lib": _runtime.Lib,
        "buffer": _runtime.buffer,
        "__version__": VERSION,
        "FFI_DEFAULT_ABI": 2,
        "FFI_CDECL": 2,
        "_get_types": lambda: (_runtime.CData, _runtime.CType),
        "_get_common_types": _get_common_types,
        "_init_cffi_1_0_external_module": _runtime._load_compiled,
    }
    classes.update((name, value) for name, value in vars(_runtime).items() if name.startswith("RTLD_"))
    backend = _module("_cffi_backend", {**_backend_functions(), **classes}, kind=_Backend)
    backend.__file__ = _runtime.__file__
    for module in (package, *modules.values(), backend):
        sys.modules[module.__name__] = module
