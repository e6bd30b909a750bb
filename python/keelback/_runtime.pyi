"""The native runtime. Import its names from `keelback`."""

import os
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType, TracebackType
from typing import Any, ClassVar, Final, SupportsIndex, TypeVar, final, overload

from _typeshed import ReadableBuffer as Buffer
from typing_extensions import disjoint_base

from keelback.micropython import _Ffi, _Uctypes

_T = TypeVar("_T")
_Function = TypeVar("_Function", bound=Callable[..., Any])
_OnError = Callable[[type[BaseException], BaseException, TracebackType | None], Any]

__version__: Final[str]

def _generate(
    ffi: FFI,
    module_name: str,
    prelude: str | None = None,
    prelude_file: str | None = None,
    init_code: str | None = None,
    init_file: str | None = None,
    libpython: str | None = None,
    home: str | None = None,
    executable: str | None = None,
    runtime: str | None = None,
    version: str | None = None,
    cdef_lines: list[str] | None = None,
    prelude_line: int | None = None,
) -> str: ...
def _generate_python(ffi: FFI, module_name: str) -> str: ...
def _generate_stubs(ffi: FFI, module_name: str, is_python: bool) -> str: ...
def _load_compiled(address: int, /) -> ModuleType: ...
def _load_verified(ffi: FFI, path: str, name: str, flags: int) -> Lib: ...
def _declare(
    module_name: str,
    version: int,
    cdefs: tuple[tuple[str, bool, bool, int], ...],
    included: tuple[tuple[str, int], ...] = (),
    digest: int | None = None,
    index: bytes | None = None,
) -> CompiledFFI: ...
def _batches(ffi: FFI) -> tuple[str, list[str]]: ...
def _declared(ffi: FFI) -> list[tuple[str, CType, str]]: ...
def _own_files(
    name: str, modules: list[str], top_level_modules: list[str]
) -> list[tuple[str, bool, bytes, str]]: ...
_ABI_VERSION: int

def _name_types_as_cffi() -> None: ...
def _check_files(written: list[str], read: list[str]) -> None: ...
def _passing(path: str) -> None: ...
def _settled(path: str) -> None: ...
def _compile(
    sources: list[str],
    output: str,
    include_dirs: list[str] | None = None,
    defines: list[str] | None = None,
    undefines: list[str] | None = None,
    library_dirs: list[str] | None = None,
    libraries: list[str] | None = None,
    compile_arguments: list[str] | None = None,
    link_arguments: list[str] | None = None,
    is_cpp: bool = False,
    has_prelude: bool = False,
    debug: bool = False,
    directory: str | None = None,
    is_object: bool = False,
    cdefs: list[tuple[str, str]] | None = None,
    library: str | None = None,
) -> tuple[bool, str, str, str]: ...

micropython_ffi: Final[_Ffi]
micropython_uctypes: Final[_Uctypes]
RTLD_LAZY: Final[int]
RTLD_NOW: Final[int]
RTLD_GLOBAL: Final[int]
RTLD_LOCAL: Final[int]
RTLD_NODELETE: Final[int]
RTLD_NOLOAD: Final[int]
RTLD_DEEPBIND: Final[int]

class error(Exception):
    """Base class of the exceptions of ffi objects."""

class FFIError(error):
    """Declarations that do not fit together."""

class CDefError(error):
    """A C declaration that cannot be understood."""

class VerificationError(error):
    """The C compiler does not agree with the declarations."""

class VerificationMissing(error):
    """Only a C compiler knows this, and none was asked."""

class PkgConfigError(error):
    """pkg-config failed."""

@final
class CField:
    """A field of a struct or union."""

    @property
    def type(self) -> CType: ...
    @property
    def offset(self) -> int: ...
    @property
    def bitshift(self) -> int: ...
    @property
    def bitsize(self) -> int: ...
    @property
    def flags(self) -> int: ...

@final
class CType:
    """A C type. Equal types are the same object."""

    @property
    def kind(self) -> str: ...
    @property
    def cname(self) -> str: ...
    @property
    def item(self) -> CType: ...
    @property
    def length(self) -> int | None: ...
    @property
    def fields(self) -> list[tuple[str, CField]] | None: ...
    @property
    def args(self) -> tuple[CType, ...]: ...
    @property
    def result(self) -> CType: ...
    @property
    def ellipsis(self) -> bool: ...
    @property
    def abi(self) -> int: ...
    @property
    def elements(self) -> dict[int, str]: ...
    @property
    def relements(self) -> dict[str, int]: ...

@final
class CData:
    """A C value, or a pointer to C memory.

    What it can do depends on its type: fields are attributes, items are indexed, function pointers are called.
    """
    __name__: str

    def __getattr__(self, name: str, /) -> Any: ...
    def __setattr__(self, name: str, value: Any, /) -> None: ...
    def __getitem__(self, index: Any, /) -> Any: ...
    def __setitem__(self, index: Any, value: Any, /) -> None: ...
    def __call__(self, *args: Any) -> Any: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __bool__(self) -> bool: ...
    def __int__(self) -> int: ...
    def __float__(self) -> float: ...
    def __complex__(self) -> complex: ...
    def __add__(self, items: SupportsIndex, /) -> CData: ...
    def __radd__(self, items: SupportsIndex, /) -> CData: ...
    @overload
    def __sub__(self, other: CData, /) -> int: ...
    @overload
    def __sub__(self, other: SupportsIndex, /) -> CData: ...
    def __rsub__(self, other: CData, /) -> int: ...
    def __lt__(self, other: CData, /) -> bool: ...
    def __le__(self, other: CData, /) -> bool: ...
    def __gt__(self, other: CData, /) -> bool: ...
    def __ge__(self, other: CData, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __enter__(self) -> CData: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

@final
class buffer:
    """The C memory that a pointer or array cdata shows, as a writable buffer."""

    def __new__(cls, cdata: CData, size: int = -1) -> buffer: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[bytes]: ...
    @overload
    def __getitem__(self, index: SupportsIndex, /) -> bytes: ...
    @overload
    def __getitem__(self, index: slice, /) -> bytes: ...
    @overload
    def __setitem__(self, index: SupportsIndex, value: bytes, /) -> None: ...
    @overload
    def __setitem__(self, index: slice, value: Buffer, /) -> None: ...
    def __lt__(self, other: Buffer, /) -> bool: ...
    def __le__(self, other: Buffer, /) -> bool: ...
    def __gt__(self, other: Buffer, /) -> bool: ...
    def __ge__(self, other: Buffer, /) -> bool: ...

@final
class Lib:
    """A C library: its functions, constants and global variables are attributes."""

    def __getattr__(self, name: str, /) -> Any: ...
    def __setattr__(self, name: str, value: Any, /) -> None: ...

class _Common:
    NULL: ClassVar[CData]
    CData: ClassVar[type[CData]]
    CType: ClassVar[type[CType]]
    buffer: ClassVar[type[buffer]]
    error: ClassVar[type[error]]
    RTLD_LAZY: ClassVar[int]
    RTLD_NOW: ClassVar[int]
    RTLD_GLOBAL: ClassVar[int]
    RTLD_LOCAL: ClassVar[int]
    RTLD_NODELETE: ClassVar[int]
    RTLD_NOLOAD: ClassVar[int]
    RTLD_DEEPBIND: ClassVar[int]

    @property
    def errno(self) -> int: ...
    @errno.setter
    def errno(self, value: int) -> None: ...

    def typeof(self, cdecl: str | _CData | _CType) -> _CType: ...
    def sizeof(self, cdecl: str | _CData | _CType) -> int: ...
    def alignof(self, cdecl: str | _CData | _CType) -> int: ...
    def offsetof(self, cdecl: str | _CType, /, *fields_or_indexes: str | int) -> int: ...
    def getctype(self, cdecl: str | _CType, replace_with: str = "") -> str: ...
    def list_types(self) -> tuple[list[str], list[str], list[str]]: ...

    def malloc(self, cdecl: str | _CType, init: Any = None) -> _CData: ...
    def new(self, cdecl: str | _CType, init: Any = None) -> _CData: ...
    def new_allocator(
        self,
        alloc: Callable[[int], Any] | _CData | None = None,
        free: Callable[[Any], Any] | _CData | None = None,
        should_clear_after_alloc: bool = True,
    ) -> Callable[..., _CData]: ...
    def cast(self, cdecl: str | _CType, source: Any) -> _CData: ...
    def addressof(self, cdata: _CData | Lib, /, *fields_or_indexes: str | int) -> _CData: ...
    @overload
    def keep_gil(self, lib: Lib, /, *names: str) -> Lib: ...
    @overload
    def keep_gil(self, function: Callable[..., Any], /) -> _CData: ...

    def string(self, cdata: _CData, maxlen: int = -1) -> Any: ...
    def unpack(self, cdata: _CData, length: int) -> Any: ...
    @overload
    def from_buffer(self, cdecl: Buffer, /, *, require_writable: bool = False) -> _CData: ...
    @overload
    def from_buffer(
        self, cdecl: str | _CType, python_buffer: Buffer, require_writable: bool = False
    ) -> _CData: ...
    def memmove(self, dest: _CData | Buffer, src: _CData | Buffer, n: int) -> None: ...

    @overload
    def gc(self, cdata: _CData, destructor: Callable[[_CData], Any] | _CData, size: int = 0) -> _CData: ...
    @overload
    def gc(self, cdata: _CData, destructor: None, size: int = 0) -> None: ...
    def release(self, cdata: _CData) -> None: ...
    def new_handle(self, x: Any) -> _CData: ...
    def from_handle(self, x: _CData) -> Any: ...

    @overload
    def callback(
        self,
        cdecl: str | _CType,
        python_callable: None = None,
        error: Any = None,
        onerror: _OnError | None = None,
    ) -> Callable[[Callable[..., Any]], _CData]: ...
    @overload
    def callback(
        self,
        cdecl: str | _CType,
        python_callable: Callable[..., Any],
        error: Any = None,
        onerror: _OnError | None = None,
    ) -> _CData: ...
    def def_extern(
        self,
        name: str | None = None,
        error: Any = None,
        onerror: _OnError | None = None,
        *,
        batch: bool = False,
    ) -> Callable[[_Function], _Function]: ...

    def dlopen(self, name: str | bytes | os.PathLike[str] | None | _CData, flags: int = 0) -> Lib: ...
    def dlclose(self, lib: Lib) -> None: ...
    def init_once(self, func: Callable[[], _T], tag: Any) -> _T: ...

@disjoint_base
class FFI(_Common):
    """C declarations, and the C types and libraries behind them."""

    BVoidP: ClassVar[CType]
    BCharA: ClassVar[CType]
    def __init__(self, backend: None = None) -> None: ...
    def cdef(
        self,
        csource: str,
        override: bool = False,
        packed: bool = False,
        pack: int | None = None,
        preprocess: bool = False,
    ) -> None: ...
    def header(
        self,
        name: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        only: str | Iterable[str] = (),
        include_dirs: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] = (),
        define: str | Iterable[str] | dict[str, Any] = (),
        undef: str | Iterable[str] = (),
        all: bool | None = None,
        embedding_api: bool = False,
        export: str | Iterable[str] = (),
    ) -> None: ...
    def embedding_api(
        self,
        csource: str,
        packed: bool = False,
        pack: int | None = None,
        preprocess: bool = False,
        export: str | Iterable[str] = (),
        batch: str | Iterable[str] = (),
    ) -> None: ...
    def include(self, ffi_to_include: FFI) -> None: ...
    def set_unicode(self, enabled_flag: bool) -> None: ...
    def verify(self, source: str = "", tmpdir: str | os.PathLike[str] | None = None, **kwargs: Any) -> Lib: ...
    def set_source(
        self, module_name: str, source: str | None, source_extension: str = ".c", **kwds: Any
    ) -> None: ...
    def set_source_pkgconfig(
        self,
        module_name: str,
        pkgconfig_libs: list[str],
        source: str,
        source_extension: str = ".c",
        **kwds: Any,
    ) -> None: ...
    def embedding_init_code(
        self,
        pysource: str,
        *,
        use_environment: bool = False,
        ignore_sigpipe: bool = False,
        errors: dict[str, str | int | float] | None = None,
        error_types: dict[str, str | int | float] | None = None,
        modules: Iterable[str | os.PathLike[str]] = (),
        top_level_modules: Iterable[str | os.PathLike[str]] = (),
    ) -> None: ...
    def compile(
        self,
        tmpdir: str | os.PathLike[str] = ".",
        verbose: int = 0,
        target: str | None = None,
        debug: bool | None = None,
        *,
        stubs: bool = False,
    ) -> str: ...
    def emit_c_code(self, filename: Any) -> None: ...
    def emit_python_code(self, filename: Any) -> None: ...
    def distutils_extension(self, tmpdir: str | os.PathLike[str] = "build", verbose: bool = True) -> Any: ...
    def _cdefs(self) -> list[tuple[str, int | None, str | None, int]]: ...

@final
class CompiledFFI(_Common):
    """The ffi of a plugin or an out-of-line module: what `from my_plugin import ffi` gives."""

    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    def integer_const(self, name: str) -> int: ...
    @property
    def library_path(self) -> str | None: ...

# Inside the classes above, these names are attributes.
_CData = CData
_CType = CType
