import os
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType, TracebackType
from typing import Any

__all__ = ["Plugin", "load"]

_Path = str | os.PathLike[str]

def load(
    cdef: _Path | Iterable[_Path],
    init: _Path,
    name: str | None = None,
    *,
    extra_cdef: _Path | Iterable[_Path] = (),
    include_dirs: Iterable[_Path] = (),
    define: str | Iterable[str] | Mapping[str, Any] = (),
    only: str | Iterable[str] = (),
    modules: Iterable[_Path] = (),
    top_level_modules: Iterable[_Path] = (),
    libraries: Iterable[_Path] = (),
    lib: Mapping[str, Any] | None = None,
    batch: str | Iterable[str] = (),
) -> Plugin: ...

class Plugin:
    ffi: Any
    lib: Any
    module: ModuleType
    def __init__(self, name: str, ffi: Any, libraries: Iterable[Any], given: Mapping[str, Any]) -> None: ...
    def close(self) -> None: ...
    def __enter__(self) -> Plugin: ...
    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None: ...
    def __getitem__(self, name: str) -> Any: ...
    def __getattr__(self, name: str) -> Any: ...
    def __dir__(self) -> Iterator[str]: ...
