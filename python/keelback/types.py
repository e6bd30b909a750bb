"""Types for annotations: what the stubs of built modules (`keelback stubs`, `compile(stubs=True)`) are made of.

A type checker sees the `ffi` and `lib` of a module through them. At run time every cdata is a `CData`, and nothing is an
instance of these classes. Where a ctype is given as a string that no stub knows, the result is `Any`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, SupportsIndex, TypeVar, overload

_P = ParamSpec("_P")
_R_co = TypeVar("_R_co", covariant=True)
_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)
_Function = TypeVar("_Function", bound=Callable[..., Any])

if TYPE_CHECKING:
    from typing_extensions import Buffer, Self

    from keelback._runtime import CData, CType, Lib, buffer, error
else:
    CData = object


class AnyCData:
    """A cdata of any type."""

    def __bool__(self) -> bool:
        raise NotImplementedError

    def __enter__(self) -> Self:
        raise NotImplementedError

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        raise NotImplementedError


class Pointer(AnyCData, Generic[_T_co]):
    """A pointer: `T` is what its items are in Python."""

    @overload
    def __getitem__(self, index: SupportsIndex, /) -> _T_co: ...
    @overload
    def __getitem__(self, index: slice, /) -> Array[_T_co]: ...
    def __getitem__(self, index: Any, /) -> Any:
        raise NotImplementedError

    def __setitem__(self, index: Any, value: Any, /) -> None:
        raise NotImplementedError

    def __add__(self, items: SupportsIndex, /) -> Self:
        raise NotImplementedError

    @overload
    def __sub__(self, other: AnyCData | CData, /) -> int: ...
    @overload
    def __sub__(self, other: SupportsIndex, /) -> Self: ...
    def __sub__(self, other: Any, /) -> Any:
        raise NotImplementedError

    def __lt__(self, other: AnyCData | CData, /) -> bool:
        raise NotImplementedError

    def __le__(self, other: AnyCData | CData, /) -> bool:
        raise NotImplementedError

    def __gt__(self, other: AnyCData | CData, /) -> bool:
        raise NotImplementedError

    def __ge__(self, other: AnyCData | CData, /) -> bool:
        raise NotImplementedError


class Array(Pointer[_T_co]):
    """An array."""

    def __len__(self) -> int:
        raise NotImplementedError

    def __iter__(self) -> Iterator[_T_co]:
        raise NotImplementedError


class FunctionPointer(AnyCData, Generic[_P, _R_co]):
    """A pointer to a function."""

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R_co:
        raise NotImplementedError


class HandedPointer(Pointer[_T_co], CData):  # type: ignore[misc]
    """A pointer that C hands to a Python function, where a type checker looks at it. Annotate it as `Pointer[T]` or as
    `keelback.CData`."""


class HandedArray(Array[_T_co], CData):  # type: ignore[misc]
    """An array of a batch, as C hands it to a Python function. Annotate it as `Array[T]` or as `keelback.CData`."""


class HandedFunctionPointer(FunctionPointer[_P, _R_co], CData):  # type: ignore[misc]
    """A pointer to a function that C hands to a Python function. Annotate it as `FunctionPointer[...]` or as
    `keelback.CData`."""


OnError = Callable[[type[BaseException], BaseException, TracebackType | None], _T]


class FFI:
    """The `ffi` of a built module. A stub adds what the module's own ctypes give."""

    NULL: Any
    CData: type[Any]
    CType: type[Any]
    buffer: type[buffer]
    error: type[error]
    errno: int
    RTLD_LAZY: int
    RTLD_NOW: int
    RTLD_GLOBAL: int
    RTLD_LOCAL: int

    if TYPE_CHECKING:

        def typeof(self, cdecl: Any) -> _CType: ...
        def sizeof(self, cdecl: str | AnyCData | _CType) -> int: ...
        def alignof(self, cdecl: str | AnyCData | _CType) -> int: ...
        def offsetof(self, cdecl: str | _CType, /, *fields_or_indexes: str | int) -> int: ...
        def getctype(self, cdecl: str | _CType, replace_with: str = "") -> str: ...
        def list_types(self) -> tuple[list[str], list[str], list[str]]: ...
        def integer_const(self, name: str) -> int: ...
        def new(self, cdecl: str | _CType, init: Any = None) -> Any: ...
        def cast(self, cdecl: str | _CType, source: Any) -> Any: ...
        def new_allocator(
            self, alloc: Any = None, free: Any = None, should_clear_after_alloc: bool = True
        ) -> Callable[..., Any]: ...
        def addressof(self, cdata: Any, /, *fields_or_indexes: str | int) -> Any: ...
        def string(self, cdata: AnyCData, maxlen: int = -1) -> Any: ...
        def unpack(self, cdata: AnyCData, length: int) -> Any: ...
        def from_buffer(self, *args: Any, require_writable: bool = False) -> Any: ...
        def memmove(self, dest: AnyCData | Buffer, src: AnyCData | Buffer, n: int) -> None: ...
        def gc(self, cdata: _T, destructor: Callable[[_T], Any] | AnyCData | None, size: int = 0) -> _T: ...
        def release(self, cdata: AnyCData) -> None: ...
        def new_handle(self, x: Any) -> Pointer[Any]: ...
        def from_handle(self, x: AnyCData) -> Any: ...
        def callback(
            self, cdecl: str | _CType, python_callable: Any = None, error: Any = None, onerror: Any = None
        ) -> Any: ...
        def def_extern(
            self, name: str | None = None, error: Any = None, onerror: Any = None, batch: bool = False
        ) -> Callable[[_Function], _Function]: ...
        def dlopen(self, name: str | bytes | os.PathLike[str] | AnyCData | None, flags: int = 0) -> Lib: ...
        def dlclose(self, lib: Any) -> None: ...
        def init_once(self, func: Callable[[], _T], tag: Any) -> _T: ...


if TYPE_CHECKING:
    # Inside the class above, this name is an attribute.
    _CType = CType
