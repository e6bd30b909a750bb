"""The modules that programs written for CFFI import, made of Keelback's own objects."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from keelback import _runtime

# The CFFI whose behaviour Keelback follows: what packages compare against.
VERSION = "2.1.1"

_ERRORS = ("FFIError", "CDefError", "VerificationError", "VerificationMissing", "PkgConfigError")


def _module(name: str, contents: dict[str, Any], is_package: bool = False) -> ModuleType:
    module = ModuleType(name, f"Keelback, under the name {name}.")
    module.__spec__ = ModuleSpec(name, None, origin="keelback", is_package=is_package)
    if is_package:
        # A package without files: only what is put into sys.modules can be imported from it.
        module.__path__ = []
    module.__dict__.update(contents)
    return module


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


def install() -> None:
    """What `keelback.install_as_cffi()` does."""
    known = sys.modules.get("cffi")
    if known is not None:
        if known.__dict__.get("FFI") is _runtime.FFI:
            return
        raise RuntimeError(
            "install_as_cffi(): cffi is already imported: call it earlier, before anything imports cffi"
        )
    errors = {name: getattr(_runtime, name) for name in _ERRORS}
    api = _module("cffi.api", {"FFI": _runtime.FFI, "CDefError": _runtime.CDefError})
    error = _module("cffi.error", errors)

    def allocate_lock() -> Any:
        import _thread

        return _thread.allocate_lock()

    def cffi_modules(dist: Any, attribute: str, value: Any) -> None:
        from keelback._setuptools import cffi_modules as body

        body(dist, attribute, value)

    setuptools_ext = _module("cffi.setuptools_ext", {"cffi_modules": cffi_modules})
    lock = _module("cffi.lock", {"allocate_lock": allocate_lock})
    package = _module(
        "cffi",
        {
            "FFI": _runtime.FFI,
            **errors,
            "__version__": VERSION,
            "__version_info__": tuple(int(part) for part in VERSION.split(".")),
            "__all__": ["FFI", "VerificationError", "VerificationMissing", "CDefError", "FFIError"],
            "api": api,
            "error": error,
            "lock": lock,
            "setuptools_ext": setuptools_ext,
        },
        is_package=True,
    )

    classes = {
        "FFI": _runtime.CompiledFFI,
        "_CDataBase": _runtime.CData,
        "CType": _runtime.CType,
        "Lib": _runtime.Lib,
        "buffer": _runtime.buffer,
        "__version__": VERSION,
        "FFI_DEFAULT_ABI": 2,
        "FFI_CDECL": 2,
        "_get_types": lambda: (_runtime.CData, _runtime.CType),
    }
    classes.update((name, value) for name, value in vars(_runtime).items() if name.startswith("RTLD_"))
    backend = _module("_cffi_backend", classes)
    backend.__file__ = _runtime.__file__
    made: dict[str, Any] = {}

    def lazily(name: str) -> Any:
        if not made:
            made.update(_backend_functions())
        try:
            return made[name]
        except KeyError:
            raise AttributeError(f"module '_cffi_backend' has no attribute '{name}'") from None

    backend.__dict__["__getattr__"] = lazily
    for module in (package, api, error, lock, setuptools_ext, backend):
        sys.modules[module.__name__] = module
