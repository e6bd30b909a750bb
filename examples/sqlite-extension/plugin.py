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


# SQLite's functions: an extension gets them in a table.
sqlite: CData
# "Copy the text": SQLITE_TRANSIENT.
transient = ffi.cast("void(*)(void *)", -1)


@ffi.def_extern(error=lib.ERROR)
def sqlite3_pyfuncs_init(db: CData, error: CData, api: CData) -> int:
    global sqlite
    sqlite = api
    null = ffi.NULL
    create = sqlite.create_function_v2
    status: int = create(
        db, b"slugify", 1, lib.FLAGS, keep(slugify), lib.call, null, null, lib.forget
    ) or create(
        db, b"median", 1, lib.FLAGS, keep(Median), null, lib.step, lib.final, lib.forget
    )
    return status


def arguments(count: int, values: CData) -> Iterator[Value]:
    for value in ffi.unpack(values, count):
        kind = sqlite.value_type(value)
        if kind == lib.SQL_NULL:
            yield None
        elif kind == lib.INTEGER:
            yield sqlite.value_int64(value)
        elif kind == lib.FLOAT:
            yield sqlite.value_double(value)
        else:
            is_blob = kind == lib.BLOB
            text = sqlite.value_blob(value) if is_blob else sqlite.value_text(value)
            # The bytes are there until the function returns.
            size = sqlite.value_bytes(value)
            data = ffi.buffer(text, size)[:] if size else b""
            yield data if is_blob else data.decode()


def give(context: CData, value: Value) -> None:
    if value is None:
        sqlite.result_null(context)
    elif isinstance(value, int):
        sqlite.result_int64(context, value)
    elif isinstance(value, float):
        sqlite.result_double(context, value)
    else:
        data = str(value).encode()
        sqlite.result_text(context, data, len(data), transient)


def fail(context: CData, exception: Exception) -> None:
    data = f"{type(exception).__name__}: {exception}".encode()
    sqlite.result_error(context, data, len(data))


@ffi.def_extern()
def call(context: CData, count: int, values: CData) -> None:
    try:
        function = ffi.from_handle(sqlite.user_data(context))
        give(context, function(*arguments(count, values)))
    except Exception as exception:
        fail(context, exception)


def group_data(context: CData, create: bool) -> CData:
    """The group's own memory, zero at first; NULL without `create` when the group has had no row."""
    size = ffi.sizeof("void *") if create else 0
    return ffi.cast("void **", sqlite.aggregate_context(context, size))


@ffi.def_extern()
def step(context: CData, count: int, values: CData) -> None:
    try:
        group = group_data(context, True)
        if not group[0]:
            group[0] = keep(ffi.from_handle(sqlite.user_data(context))())
        ffi.from_handle(group[0]).step(*arguments(count, values))
    except Exception as exception:
        fail(context, exception)


# SQLite calls it once for each group, also after an error or an interrupt: the group's object always goes.
@ffi.def_extern()
def final(context: CData) -> None:
    try:
        group = group_data(context, False)
        if group:
            aggregate = ffi.from_handle(group[0])
            kept.remove(group[0])
        else:
            aggregate = ffi.from_handle(sqlite.user_data(context))()
        give(context, aggregate.final())
    except Exception as exception:
        fail(context, exception)
