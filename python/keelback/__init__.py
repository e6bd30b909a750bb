"""Keelback: Python in C, and C in Python.

`FFI` is the object that CFFI users know; `keelback build` (and `python -m keelback`) make C libraries out of C
declarations and Python code.
"""

# In a plugin, `keelback._runtime` is in `sys.modules` before this package is imported. Importing it then does not set
# the attribute of the package, hence `as`.
import keelback._runtime as _runtime
from keelback._runtime import (
    FFI,
    CData,
    CDefError,
    CType,
    FFIError,
    Lib,
    PkgConfigError,
    VerificationError,
    VerificationMissing,
    __version__,
)

__all__ = [
    "FFI",
    "CData",
    "CDefError",
    "CType",
    "FFIError",
    "Lib",
    "PkgConfigError",
    "VerificationError",
    "VerificationMissing",
    "install_as_cffi",
]


def install_as_cffi() -> None:
    """Makes `import cffi` and `import _cffi_backend` find Keelback, in this process.

    Call it before anything imports cffi. It may be called again without harm.
    """
    from keelback._cffi import install

    install()
