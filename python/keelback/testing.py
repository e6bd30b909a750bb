"""A plugin's Python code in an ordinary Python: for tests, coverage and debuggers, without a build or a C compiler.

    from keelback.testing import load

    def test_greet():
        with load("greeter_api.h", "greeter.py") as greeter:
            assert greeter.greet(b"world") == 1

Arguments and results go through the conversions that they go through when C calls, both ways. What the Python function
raises is raised where the test calls it; `greeter.lib.greet(...)` is what C sees of it.
"""

from __future__ import annotations

import ast
import importlib.machinery
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import CodeType, ModuleType, TracebackType
from typing import Any

import keelback
from keelback import _runtime
from keelback._runtime import CType

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
    libraries: Iterable[Any] = (),
    lib: Mapping[str, Any] | None = None,
    batch: str | Iterable[str] = (),
) -> Plugin:
    """Runs the init code `init` for the declarations in the files `cdef`, as `keelback build` would build them into a
    library called `name`: without it, the module from which the init code imports `ffi` or `lib`.

    `extra_cdef`, `include_dirs`, `define`, `only`, `modules`, `top_level_modules` and `batch` are the command line's --cdef,
    -I, -D, --only, --module, --top-level-module and --batch. What C would provide of `lib` (its prelude's functions and
    variables) comes from `lib`, a dict of Python functions and values by name, else from `libraries`, which are opened, else
    from the process. A variable that none of them has starts as zeros.
    """
    init = os.path.abspath(os.fspath(init))
    ffi = _TestFFI()
    options: dict[str, Any] = {"include_dirs": list(include_dirs), "define": define}
    ffi.header(_paths(cdef), embedding_api=True, only=only, **options)
    if more := _paths(extra_cdef):
        ffi.header(more, **options)
    ffi.embedding_api("", batch=batch)
    declared, batches = _runtime._batches(ffi)
    ffi.embedding_api(declared)
    with open(init, encoding="utf-8-sig") as file:
        text = file.read()
    if name is None:
        name = _module_of(text, init)
    own = _runtime._own_files(name, *[[os.fspath(path) for path in paths] for paths in (modules, top_level_modules)])
    plugin = Plugin(name, ffi, libraries, lib or {})
    for single in batches:
        _Batch.make(plugin, single)
    plugin._run(_Finder(name, init, own))
    return plugin


def _paths(given: Any) -> list[str]:
    one = isinstance(given, (str, bytes, os.PathLike))
    return [os.path.abspath(os.fsdecode(path)) for path in ([given] if one else given)]


def _module_of(text: str, path: str) -> str:
    """The module from which init code imports `ffi` and `lib`; if that is not clear, the name of the code's file."""
    found = {
        node.module
        for node in ast.walk(ast.parse(text, path))
        if isinstance(node, ast.ImportFrom) and node.module and not node.level
        if any(alias.name in ("ffi", "lib") for alias in node.names)
    }
    return found.pop() if len(found) == 1 else os.path.splitext(os.path.basename(path))[0]


class Plugin:
    """A plugin that `load()` has started. Its attributes are its functions (`plugin["name"]` too): a call converts the
    arguments to C and back, runs the Python function, and gives its result as C has it. What it raises is raised.

    `ffi` and `lib` are those of the init code, `module` is its module. `lib.name(...)` is a call as C makes it: what the
    function raises is printed or goes to its `onerror`, and the result is its `error` value. `with` and `close()` take the
    plugin's modules out of `sys.modules`.
    """

    ffi: Any
    lib: Any
    module: ModuleType

    def __init__(self, name: str, ffi: _TestFFI, libraries: Iterable[Any], given: Mapping[str, Any]) -> None:
        self._name = name
        self._functions: dict[str, _Function] = {}
        self._before: dict[str, ModuleType] = {}
        self._finder: _Finder | None = None
        self.ffi, self.lib = ffi, _Lib(ffi, libraries, given, self._functions)
        ffi._functions, ffi._lib = self._functions, self.lib

    def _run(self, finder: _Finder) -> None:
        spec = finder.find_spec(self._name)
        assert spec is not None and spec.loader is not None
        self.module = importlib.util.module_from_spec(spec)
        self.module.ffi, self.module.lib = self.ffi, self.lib  # type: ignore[attr-defined]
        self._before = {one: sys.modules.pop(one) for one in list(sys.modules) if finder.is_own(one)}
        self._finder = finder
        sys.meta_path.insert(0, finder)
        sys.modules[self._name] = self.module
        try:
            spec.loader.exec_module(self.module)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Takes the plugin's modules out of `sys.modules`, and puts back what was there before."""
        finder, self._finder = self._finder, None
        if finder is not None:
            sys.meta_path.remove(finder)
            for one in [one for one in sys.modules if finder.is_own(one)]:
                del sys.modules[one]
            sys.modules.update(self._before)

    def __enter__(self) -> Plugin:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __getitem__(self, name: str) -> Any:
        return self._functions[name]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_functions"][name]
        except KeyError:
            raise AttributeError(f"the plugin has no function '{name}'") from None

    def __dir__(self) -> Iterator[str]:
        yield from super().__dir__()
        yield from self._functions

    def __repr__(self) -> str:
        return f"<plugin {self._name!r} from {self.module.__file__}>"


class _Function:
    """A C function that is implemented in Python."""

    def __init__(self, ffi: keelback.FFI, name: str, ctype: CType) -> None:
        self.__name__ = name
        self._ffi, self._ctype = ffi, ctype
        self._attached: tuple[Any, Any] | None = None
        self._called: Any = None
        # C's pointer must stay the same whatever is attached, and functions that were attached before may still be
        # running.
        self._all: list[Any] = []
        self.pointer = ffi.callback(ctype, self._call_as_c)
        self.batch: _Batch | None = None

    _onerror: Any = None

    def attach(self, function: Callable[..., Any], error: Any, onerror: Any) -> None:
        self._onerror = onerror
        self._called = self._ffi.callback(self._ctype, function, error=error, onerror=onerror)
        self._all.append(self._called)
        self._attached = function, error

    def _call_as_c(self, *arguments: Any) -> Any:
        if self._attached is not None:
            return self._called(*arguments)
        if self.batch is not None and self.batch._attached is not None:
            return self.batch.one(arguments, self.batch._call_as_c)
        sys.stderr.write(self._unattached() + "  Returning 0.\n")
        result = self._ctype.result
        return None if result.kind == "void" else self._ffi.new(self._ffi.getctype(result, "*"))[0]

    def _unattached(self) -> str:
        return (
            f'extern "Python": function {self.__name__}() called, but no code was attached to it yet with @ffi.def_extern().'
        )

    def __call__(self, *arguments: Any) -> Any:
        if self._attached is None:
            if self.batch is not None and self.batch._attached is not None:
                return self.batch.one(arguments, self.batch)
            raise RuntimeError(self._unattached())
        function, error = self._attached
        raised: list[BaseException] = []

        def keep(kind: type[BaseException], value: BaseException, traceback: TracebackType | None) -> None:
            raised.append(value)

        # One callback for each call, because calls that run at the same time each have their own exceptions.
        result = self._ffi.callback(self._ctype, function, error=error, onerror=keep)(*arguments)
        if raised:
            raise raised[0]
        return result

    def __repr__(self) -> str:
        return f"<function {self._ffi.getctype(self._ctype, self.__name__)} of a plugin>"


class _Batch(_Function):
    """The batch of a function. What is attached to it takes the arrays."""

    @staticmethod
    def make(plugin: Plugin, name: str) -> None:
        functions, of = plugin._functions, f"{name}_n"
        batch = _Batch(plugin.ffi, of, functions[of]._ctype)
        batch._single, functions[name].batch, functions[of] = functions[name], batch, batch
        plugin.lib._pointers[of] = batch.pointer

    _single: _Function

    def attach(self, function: Callable[..., Any], error: Any, onerror: Any) -> None:
        if error is not None and self._has_result():
            self._ffi.new(self._ffi.getctype(self._single._ctype.result, "*"), error)
        self._attached, self._onerror = (function, error), onerror

    def _has_result(self) -> bool:
        return self._single._ctype.result.kind != "void"

    def _array(self, count: int, pointer: Any) -> Any:
        """An array as cdata with its length, in the caller's memory."""
        item = self._ffi.typeof(pointer).item
        memory = self._ffi.buffer(pointer, count * self._ffi.sizeof(item))
        return self._ffi.from_buffer(self._ffi.getctype(item, "[]"), memory)

    def __call__(self, *arguments: Any) -> None:
        """The first exception is raised, after the other elements."""
        raised: list[tuple[int, BaseException]] = []
        self._run(arguments, raised)
        if raised:
            raise raised[0][1]

    def _call_as_c(self, *arguments: Any) -> None:
        raised: list[tuple[int, BaseException]] = []
        try:
            self._run(arguments, raised)
        except RuntimeError as error:
            sys.stderr.write(f"{error}  Returning 0.\n")
        if not raised:
            return
        (index, first), count = raised[0], arguments[0]
        function = (self._attached or self._single._attached or (None,))[0]
        which = "" if self._attached else f", for element {index} of {count}"
        more = f"; {len(raised)} of them failed" if len(raised) > 1 else ""
        sys.stderr.write(f"Exception ignored from the plugin's function {function!r}{which}{more}:\n")
        traceback.print_exception(type(first), first, first.__traceback__)

    def one(self, arguments: tuple[Any, ...], call: Callable[..., None]) -> Any:
        """A single call, where only a function that takes arrays is attached."""
        ffi, of = self._ffi, self._single._ctype
        taken: list[Any] = []
        ffi.callback(of, lambda *given: taken.extend(given), onerror=lambda *_: None)(*arguments)
        arrays = [
            value if kind == array else ffi.new(ffi.getctype(kind, "[1]"), [value])
            for value, kind, array in zip(taken, of.args, self._ctype.args[1:])
        ]
        if self._has_result():
            arrays.append(ffi.new(ffi.getctype(of.result, "[1]")))
        call(1, *arrays)
        return arrays[-1][0] if self._has_result() else None

    def _run(self, arguments: tuple[Any, ...], raised: list[tuple[int, BaseException]]) -> None:
        """Converts the arguments, and calls with them. What elements raise goes into the list."""
        wrong: list[BaseException] = []

        def inside(count: int, *pointers: Any) -> None:
            if count > 0:
                (self._run_each if self._attached is None else self._run_arrays)(count, pointers, raised)

        self._ffi.callback(self._ctype, inside, onerror=lambda kind, value, traceback: wrong.append(value))(*arguments)
        if wrong:
            raise wrong[0]

    def _run_arrays(self, count: int, pointers: Sequence[Any], raised: list[tuple[int, BaseException]]) -> None:
        assert self._attached is not None
        function, error = self._attached
        try:
            if function(*(self._array(count, pointer) for pointer in pointers)) is not None:
                raise TypeError(
                    "a function under def_extern(batch=True) writes its results into the last array, and returns None"
                )
        except BaseException as exception:
            if self._onerror is not None:
                answer = self._onerror(type(exception), exception, exception.__traceback__)
                error = error if answer is None else answer
            else:
                raised.append((0, exception))
            self._fill(count, pointers, error)

    def _fill(self, count: int, pointers: Sequence[Any], error: Any) -> None:
        if self._has_result():
            zero = self._ffi.new(self._ffi.getctype(self._single._ctype.result, "*"))
            for index in range(count):
                pointers[-1][index] = zero[0] if error is None else error

    def _run_each(self, count: int, pointers: Sequence[Any], raised: list[tuple[int, BaseException]]) -> None:
        if self._single._attached is None:
            self._fill(count, pointers, None)
            raise RuntimeError(self._unattached())
        function, error = self._single._attached
        index = 0

        def keep(kind: type[BaseException], value: BaseException, traceback: TracebackType | None) -> None:
            raised.append((index, value))

        call = self._single._called
        if self._single._onerror is None:
            call = self._ffi.callback(self._single._ctype, function, error=error, onerror=keep)
        is_record = [one == array for one, array in zip(self._single._ctype.args, self._ctype.args[1:])]
        value: Any = None
        for index in range(count):
            # What is no error of one element ends the batch.
            if not raised or isinstance(raised[-1][1], Exception):
                value = call(*(p + index if record else p[index] for p, record in zip(pointers, is_record)))
            if self._has_result():
                pointers[-1][index] = value


class _TestFFI(keelback.FFI):
    """The `ffi` of the init code."""

    _functions: dict[str, _Function]
    _lib: _Lib

    def def_extern(
        self, name: str | None = None, error: Any = None, onerror: Any = None, batch: bool = False
    ) -> Callable[[Any], Any]:
        def attach(function: Any) -> Any:
            of = function.__name__ if name is None else name
            if not isinstance(of, str):
                raise TypeError(f"the name of the function must be a str or None, not {type(of).__name__}")
            if of not in self._functions:
                raise keelback.FFIError(f"ffi.def_extern('{of}'): no 'extern \"Python\"' function with this name")
            if isinstance(self._functions[of], _Batch):
                single = of[: -len("_n")]
                raise keelback.FFIError(
                    f"ffi.def_extern('{of}'): it is the batch of '{single}'; attach to '{single}', with batch=True for a "
                    "function that takes the arrays"
                )
            to: _Function | None = self._functions[of].batch if batch else self._functions[of]
            if to is None:
                raise keelback.FFIError(
                    f"ffi.def_extern('{of}', batch=True): the library has no batch of it; build it with --batch {of}, or with "
                    "the comment /* keelback: batch */ at its declaration"
                )
            to.attach(function, error, onerror)
            return function

        return attach

    @property
    def library_path(self) -> None:
        """None: there is no library."""
        return None

    def integer_const(self, name: str) -> int:
        value = getattr(self._lib, name)
        if isinstance(value, int):
            return value
        raise AttributeError(f"'{name}' is not an integer constant")

    def addressof(self, cdata: Any, *fields_or_indexes: Any) -> Any:
        if isinstance(cdata, _Lib):
            return cdata._address(*fields_or_indexes)
        return super().addressof(cdata, *fields_or_indexes)


class _Lib:
    """The `lib` of the init code."""

    def __init__(
        self, ffi: _TestFFI, libraries: Iterable[Any], given: Mapping[str, Any], functions: dict[str, _Function]
    ) -> None:
        pointers: dict[str, Any] = {}
        variables: dict[str, Any] = {}
        opened = [ffi.dlopen(None if one is None else os.fspath(one)) for one in [*libraries, None]]
        unknown = dict(given)
        declared = {}
        for name, ctype, what in _runtime._declared(ffi):
            declared[name] = ctype
            if what == "python":
                functions[name] = _Function(ffi, name, ctype)
                pointers[name] = functions[name].pointer
            elif what == "function":
                pointers[name] = _provided(ffi, name, ctype, unknown.pop(name), given) if name in given else None
            else:
                variables[name] = _memory(ffi, name, ctype, opened)
        self.__dict__.update(_ffi=ffi, _opened=opened, _pointers=pointers, _variables=variables)
        for name, value in unknown.items():
            if name in variables and variables[name] is None:
                # The array has no declared length: take that of the value.
                variables[name] = ffi.new(declared[name], value)
            else:
                setattr(self, name, value)

    def __getattr__(self, name: str) -> Any:
        pointer = self._pointers.get(name)
        if pointer is not None:
            return pointer
        memory = self._variables.get(name)
        if memory is not None:
            return memory[0] if self._ffi.typeof(memory).kind == "pointer" else memory
        for library in self._opened[:-1]:
            try:
                return getattr(library, name)
            except AttributeError:
                pass
        try:
            return getattr(self._opened[-1], name)
        except AttributeError as error:
            if name in self._pointers or name in self._variables:
                raise AttributeError(
                    f"'{name}' is C's: give load() what stands for it, as in lib={{{name!r}: ...}}, or its library"
                ) from None
            raise error

    def __setattr__(self, name: str, value: Any) -> None:
        memory = self._variables.get(name)
        if memory is not None and self._ffi.typeof(memory).kind == "pointer":
            memory[0] = value
        else:
            # Raises the same error as the real lib: there is no such variable, or it is a constant.
            setattr(self._opened[-1], name, value)

    def __dir__(self) -> list[str]:
        return dir(self._opened[-1])

    def __reduce_ex__(self, protocol: Any) -> Any:
        # As the real lib: it is neither copied nor pickled.
        raise TypeError("cannot pickle '_cffi_backend.Lib' object")

    def _address(self, name: str, *fields_or_indexes: Any) -> Any:
        memory = self._variables.get(name)
        if memory is not None:
            at = (0,) if self._ffi.typeof(memory).kind == "pointer" else ()
            return self._ffi.addressof(memory, *at, *fields_or_indexes)
        return getattr(self, name)


def _provided(ffi: keelback.FFI, name: str, ctype: CType, function: Any, given: Mapping[str, Any]) -> Any:
    """The stand-in for a C function."""
    if isinstance(function, keelback.CData):
        return function
    stand_in = _Function(ffi, name, ctype)
    stand_in.attach(function, None, None)
    return stand_in


def _memory(ffi: keelback.FFI, name: str, ctype: CType, opened: list[Any]) -> Any:
    """A pointer to a library's variable, or to new memory. For an array without a length: a library's array."""
    has_size = ctype.kind != "array" or ctype.length is not None
    for library in opened:
        try:
            return ffi.addressof(library, name) if has_size else getattr(library, name)
        except AttributeError:
            pass
    return ffi.new(ffi.getctype(ctype, "*")) if has_size else None


class _Finder:
    """Finds the init code and the plugin's own modules in their files."""

    def __init__(self, name: str, init: str, own: list[tuple[str, bool, bytes, str]]) -> None:
        self._name, self._init = name, init
        # For each module: its file, and whether it is a package.
        self._files: dict[str, tuple[str, bool]] = {}
        self._own = set()
        for path, is_top_level, _, place in own:
            if not path.endswith(".py"):
                continue
            parts = path[: -len(".py")].split("/")
            is_package = parts[-1] == "__init__"
            module = ".".join(parts[:-1] if is_package else parts)
            if not is_top_level:
                self._own.add(parts[0])
            self._files[module if is_top_level else f"{name}.{module}"] = os.path.abspath(place), is_package
        # Directories without an __init__.py are packages too.
        for module in list(self._files):
            while "." in module:
                module = module.rpartition(".")[0]
                if module != name:
                    self._files.setdefault(module, ("", True))

    def is_own(self, module: str) -> bool:
        return module == self._name or module in self._files

    def find_spec(
        self, fullname: str, path: Any = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname == self._name:
            place, is_package = self._init, bool(self._own)
        elif fullname in self._files:
            place, is_package = self._files[fullname]
        else:
            return None
        if not place:
            spec = importlib.machinery.ModuleSpec(fullname, None, is_package=True)
        else:
            loader = _Loader(fullname, place, self._name, " ".join(sorted(self._own)))
            # An empty path, so that only this finder finds modules of the package.
            inside: list[str] | None = [] if is_package else None
            spec_or_none = importlib.util.spec_from_file_location(
                fullname, place, loader=loader, submodule_search_locations=inside
            )
            assert spec_or_none is not None
            spec = spec_or_none
            spec.cached = None
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    """Compiles as the build does, so that `import rules` in the plugin's code imports its own `rules`."""

    def __init__(self, fullname: str, path: str, plugin: str, own: str) -> None:
        super().__init__(fullname, path)
        self._plugin, self._own = plugin, own

    def get_code(self, fullname: str) -> CodeType:
        from keelback._own_modules import compile_own

        # The text is UTF-8, whatever a coding comment says.
        text = self.get_data(self.path).decode("utf-8-sig")
        return compile_own(text, self.path, self._plugin, self._own)
