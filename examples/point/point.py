from __future__ import annotations

import math
from typing import TYPE_CHECKING

from point import ffi

if TYPE_CHECKING:
    from keelback import CData

# A struct result is given as a struct, or as what would initialise one.
Point = dict[str, float]


@ffi.def_extern()
def point_distance(a: CData, b: CData) -> float:
    return math.hypot(a.x - b.x, a.y - b.y)


@ffi.def_extern()
def point_middle(a: CData, b: CData) -> Point:
    return {"x": (a.x + b.x) / 2, "y": (a.y + b.y) / 2}


@ffi.def_extern()
def point_rotate(point: CData, degrees: float) -> None:
    angle = math.radians(degrees)
    sin, cos = math.sin(angle), math.cos(angle)
    point.x, point.y = point.x * cos - point.y * sin, point.x * sin + point.y * cos


# An exception is reported, and the caller gets -1.
@ffi.def_extern(error=-1)
def point_parse(text: CData, point: CData) -> int:
    x, y = ffi.string(text).decode().split(",")
    point[0] = (float(x), float(y))
    return 0


@ffi.def_extern()
def point_walk(start: CData, end: CData, steps: int, visit: CData, data: CData) -> int:
    for step in range(steps + 1):
        part = step / steps
        point = (start.x + part * (end.x - start.x), start.y + part * (end.y - start.y))
        if visit(point, data):
            return step + 1
    return steps + 1
