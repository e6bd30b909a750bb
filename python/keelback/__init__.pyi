from keelback._runtime import FFI as FFI
from keelback._runtime import CData as CData
from keelback._runtime import CDefError as CDefError
from keelback._runtime import CType as CType
from keelback._runtime import FFIError as FFIError
from keelback._runtime import Lib as Lib
from keelback._runtime import PkgConfigError as PkgConfigError
from keelback._runtime import VerificationError as VerificationError
from keelback._runtime import VerificationMissing as VerificationMissing
from keelback._runtime import __version__ as __version__

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

def install_as_cffi() -> None: ...
