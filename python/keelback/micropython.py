"""MicroPython's `ffi` and `uctypes` modules, for programs that were written for MicroPython.

    from keelback.micropython import ffi, uctypes

or, to run a program as it is:

    import keelback.micropython
    keelback.micropython.install()
    import ffi, uctypes
"""

import sys

from keelback import _runtime

__all__ = ["ffi", "install", "uctypes"]

ffi = _runtime.micropython_ffi
uctypes = _runtime.micropython_uctypes


def install() -> None:
    """Makes `import ffi` and `import uctypes` find these modules, in this process.

    It may be called again without harm. A module of that name that is already imported is replaced for those who
    import it later.
    """
    sys.modules["ffi"] = ffi
    sys.modules["uctypes"] = uctypes
