"""Python code for a plugin's own modules (`--module`): compiling them, and reading the data files beside them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from types import CodeType
from typing import IO, Any

_ONLY_AST = 0x0400  # ast.PyCF_ONLY_AST; importing ast takes time


def compile_own(source: bytes | str, file: str, module: str, own: str) -> CodeType:
    """Compiles an own module, or the init code, of the plugin `module`, whose own modules are `own`."""
    from keelback._init_errors import walk
    from keelback._own_imports import rewrite

    tree = compile(source, file, "exec", _ONLY_AST, True)
    rewrite(list(walk(tree)), module, set(own.split()))
    return compile(tree, file, "exec", 0, True)


class _Entry:
    """A file or directory inside a library: an `importlib.resources.abc.Traversable`."""

    def __init__(self, path: str, inside: str, contents: dict[str, bytes]) -> None:
        self._path, self._inside, self._contents = path, inside, contents

    @property
    def name(self) -> str:
        return str(self).rpartition("/")[2]

    def __str__(self) -> str:
        return f"{self._path}/{self._inside}" if self._inside else self._path

    def __repr__(self) -> str:
        return f"<{str(self)!r}, inside a library>"

    def _below(self) -> str:
        return self._inside and self._inside + "/"

    def is_file(self) -> bool:
        return self._inside in self._contents

    def is_dir(self) -> bool:
        return not self.is_file() and any(path.startswith(self._below()) for path in self._contents)

    def iterdir(self) -> Iterator[_Entry]:
        below = self._below()
        names = {path[len(below) :].partition("/")[0] for path in self._contents if path.startswith(below)}
        if not names or self.is_file():
            raise NotADirectoryError(str(self))
        return (_Entry(self._path, below + name, self._contents) for name in sorted(names))

    def joinpath(self, *descendants: Any) -> _Entry:
        parts = self._inside.split("/") if self._inside else []
        for part in "/".join(map(str, descendants)).split("/"):
            if part == ".." and parts:
                parts.pop()
            elif part not in ("", ".", ".."):
                parts.append(part)
        return _Entry(self._path, "/".join(parts), self._contents)

    def __truediv__(self, child: Any) -> _Entry:
        return self.joinpath(child)

    def read_bytes(self) -> bytes:
        if self.is_dir():
            raise IsADirectoryError(21, "Is a directory", str(self))
        try:
            return self._contents[self._inside]
        except KeyError:
            raise FileNotFoundError(2, "No such file or directory", str(self)) from None

    def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:
        with self.open("r", encoding=encoding, errors=errors) as file:
            return file.read()

    def open(self, mode: str = "r", buffering: int = -1, **how: Any) -> IO[Any]:
        if mode not in ("r", "rt", "rb"):
            raise ValueError(f"files inside a library can only be read, not opened with mode {mode!r}")
        stream = io.BytesIO(self.read_bytes())
        if mode == "rb":
            return stream
        how["encoding"] = io.text_encoding(how.get("encoding"))
        return io.TextIOWrapper(stream, **how)


class Reader:
    """An `importlib.resources.abc.TraversableResources` of a package inside a library."""

    def __init__(self, directory: str, contents: dict[str, bytes]) -> None:
        self._files = _Entry(directory, "", contents)

    def files(self) -> _Entry:
        return self._files

    def open_resource(self, resource: str) -> IO[bytes]:
        return self._files.joinpath(resource).open("rb")

    def resource_path(self, resource: Any) -> str:
        raise FileNotFoundError(2, "No such file or directory", str(resource))

    def is_resource(self, path: str) -> bool:
        return self._files.joinpath(path).is_file()

    def contents(self) -> Iterator[str]:
        return (entry.name for entry in self._files.iterdir())


def reader_on_disk(directory: str) -> Any:
    """The resource reader of a package in a development library, whose files are still on disk."""
    from importlib.readers import FileReader
    from types import SimpleNamespace

    return FileReader(SimpleNamespace(path=f"{directory}/__init__.py"))  # type: ignore[arg-type]


def read_on_disk(path: str) -> bytes:
    """The bytes of an ordinary file."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except NotADirectoryError:
        # The "directory" is a library that has no such file inside.
        raise FileNotFoundError(2, "No such file or directory", path) from None
