"""MicroPython's `ffi` and `uctypes` modules, for programs that were written for MicroPython.

The two modules are objects; they are described here as what they have.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol, SupportsInt, final, type_check_only

from _typeshed import ReadableBuffer

__all__ = ["ffi", "install", "uctypes"]

_Descriptor = dict[str, Any] | tuple[Any, ...]

@final
@type_check_only
class _Function:
    def __call__(self, *args: Any) -> Any: ...

@final
@type_check_only
class _Variable:
    def get(self) -> Any: ...
    def set(self, value: Any, /) -> None: ...

@final
@type_check_only
class _Callback:
    def cfun(self) -> int: ...

@final
@type_check_only
class _Library:
    def func(self, result: str, name: str, params: Iterable[str], /) -> _Function: ...
    def var(self, type: str, name: str, /) -> _Variable: ...
    def addr(self, name: str, /) -> int: ...
    def close(self) -> None: ...

@type_check_only
class _Ffi(Protocol):
    @staticmethod
    def open(name: str | bytes | None, unused: object = ..., /) -> _Library: ...
    @staticmethod
    def func(result: str, address: int, params: Iterable[str], /) -> _Function: ...
    @staticmethod
    def callback(
        result: str, function: Callable[..., Any], params: Iterable[str], /, *, lock: object = False
    ) -> _Callback: ...
    @staticmethod
    def as_bytearray(pointer: int, size: int, /) -> bytearray: ...

@type_check_only
class _Struct:
    def __init__(self, address: int, descriptor: _Descriptor, layout: int = ..., /) -> None: ...
    def __getattr__(self, name: str, /) -> Any: ...
    def __setattr__(self, name: str, value: Any, /) -> None: ...
    def __getitem__(self, index: int, /) -> Any: ...
    def __setitem__(self, index: int, value: Any, /) -> None: ...
    def __int__(self) -> int: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...

@type_check_only
class _Uctypes(Protocol):
    struct: type[_Struct]
    @staticmethod
    def sizeof(struct_or_descriptor: _Struct | _Descriptor | bytearray, layout: int = ..., /) -> int: ...
    @staticmethod
    def addressof(object: ReadableBuffer | str, /) -> int: ...
    @staticmethod
    def bytes_at(address: SupportsInt, size: int, /) -> bytes: ...
    @staticmethod
    def bytearray_at(address: SupportsInt, size: int, /) -> bytearray: ...
    NATIVE: int
    LITTLE_ENDIAN: int
    BIG_ENDIAN: int
    VOID: int
    UINT8: int
    INT8: int
    UINT16: int
    INT16: int
    UINT32: int
    INT32: int
    UINT64: int
    INT64: int
    BFUINT8: int
    BFINT8: int
    BFUINT16: int
    BFINT16: int
    BFUINT32: int
    BFINT32: int
    BF_POS: int
    BF_LEN: int
    FLOAT32: int
    FLOAT64: int
    SHORT: int
    USHORT: int
    INT: int
    UINT: int
    LONG: int
    ULONG: int
    LONGLONG: int
    ULONGLONG: int
    PTR: int
    ARRAY: int

ffi: Final[_Ffi]
uctypes: Final[_Uctypes]

def install() -> None: ...
