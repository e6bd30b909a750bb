"""SQL functions in Python: slugify(text), and the aggregate median(number)."""
from __future__ import annotations

import re
import statistics
import unicodedata
from typing import TYPE_CHECKING

from pyfuncs import ffi, lib

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from keelback import CData

    # What SQLite's types are in Python.
    Value: TypeAlias = None | int | float | str | bytes


def slugify(text: Value) -> str | None:
    """'Crème brûlée!' -> 'creme-brulee'"""
    if text is None:
        return None
    plain = unicodedata.normalize("NFKD", str(text)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


class Median:
    """One per group of rows."""

    def __init__(self) -> None:
        self.numbers: list[float] = []

    def step(self, number: Value) -> None:
        if number is not None:
            self.numbers.append(float(number))

    def final(self) -> float | None:
        return statistics.median(self.numbers) if self.numbers else None


# The rest is the same for all functions. SQLite holds Python objects as handles; each is kept alive in here
# until SQLite has done with it.
kept: set[CData] = set()


def keep(value: object) -> CData:
    handle = ffi.new_handle(value)
    kept.add(handle)
    return handle


@ffi.def_extern()
def forget(handle: CData) -> None:
    kept.remove(handle)


@ffi.def_extern(error=lib.SQLITE_ERROR)
def sqlite3_pyfuncs_init(db: CData, error: CData, api: CData) -> int:
    lib.use_sqlite(api)
    null = ffi.NULL
    status: int = lib.create_function(
        db, b"slugify", 1, keep(slugify), lib.call, null, null, lib.forget
    ) or lib.create_function(
        db, b"median", 1, keep(Median), null, lib.step, lib.final, lib.forget
    )
    return status


def arguments(count: int, values: CData) -> Iterator[Value]:
    for value in ffi.unpack(values, count):
        kind = lib.value_type(value)
        if kind == lib.SQLITE_NULL:
            yield None
        elif kind == lib.SQLITE_INTEGER:
            yield lib.value_int(value)
        elif kind == lib.SQLITE_FLOAT:
            yield lib.value_double(value)
        else:
            size = ffi.new("int *")
            data = lib.value_bytes(value, size)
            data = ffi.buffer(data, size[0])[:] if size[0] else b""
            yield data.decode() if kind == lib.SQLITE_TEXT else data


def give(context: CData, value: Value) -> None:
    if value is None:
        lib.result_null(context)
    elif isinstance(value, int):
        lib.result_int(context, value)
    elif isinstance(value, float):
        lib.result_double(context, value)
    else:
        data = str(value).encode()
        lib.result_text(context, data, len(data))


def fail(context: CData, exception: Exception) -> None:
    data = f"{type(exception).__name__}: {exception}".encode()
    lib.result_error(context, data, len(data))


@ffi.def_extern()
def call(context: CData, count: int, values: CData) -> None:
    try:
        function = ffi.from_handle(lib.user_data(context))
        give(context, function(*arguments(count, values)))
    except Exception as exception:
        fail(context, exception)


@ffi.def_extern()
def step(context: CData, count: int, values: CData) -> None:
    try:
        group = lib.group_data(context, True)
        if not group[0]:
            group[0] = keep(ffi.from_handle(lib.user_data(context))())
        ffi.from_handle(group[0]).step(*arguments(count, values))
    except Exception as exception:
        fail(context, exception)


# SQLite calls it once for each group, also after an error or an interrupt: the group's object always goes.
@ffi.def_extern()
def final(context: CData) -> None:
    try:
        group = lib.group_data(context, False)
        if group:
            aggregate = ffi.from_handle(group[0])
            kept.remove(group[0])
        else:
            aggregate = ffi.from_handle(lib.user_data(context))()
        give(context, aggregate.final())
    except Exception as exception:
        fail(context, exception)
