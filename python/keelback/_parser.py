"""`ffi._parser`: the part of CFFI's parser object that published packages use.

pyvex keeps `_declarations` and `_int_constants` of an FFI in a file, and sets them in the next process instead of calling
`cdef()`, as CFFI's parser is slow. Keelback's parser is fast: it gives the texts instead, which are parsed again.
"""

from __future__ import annotations

from typing import Any

_KEY = "keelback: texts given to cdef()"


class Parser:
    """The `_parser` of one FFI. What it gives can be pickled."""

    def __init__(self, ffi: Any) -> None:
        self._ffi = ffi

    @property
    def _declarations(self) -> dict[str, Any]:
        return {_KEY: [(text, packing) for text, packing, *_caller in self._ffi._cdefs()]}

    @_declarations.setter
    def _declarations(self, declarations: Any) -> None:
        if not isinstance(declarations, dict) or list(declarations) != [_KEY]:
            raise ValueError(
                "ffi._parser._declarations takes what Keelback has given for another FFI: a file that keeps what CFFI has given "
                "is to be removed"
            )
        for text, packing in declarations[_KEY]:
            self._ffi.cdef(text, pack=packing)

    @property
    def _int_constants(self) -> dict[str, int]:
        """Empty: Keelback has the constants among the declarations."""
        return {}

    @_int_constants.setter
    def _int_constants(self, constants: Any) -> None:
        pass
