import math

from point import ffi


@ffi.def_extern()
def point_distance(a, b):
    return math.hypot(a.x - b.x, a.y - b.y)


@ffi.def_extern()
def point_middle(a, b):
    # A struct result is given as a struct, or as what would initialise one.
    return {"x": (a.x + b.x) / 2, "y": (a.y + b.y) / 2}


@ffi.def_extern()
def point_rotate(point, degrees):
    angle = math.radians(degrees)
    sin, cos = math.sin(angle), math.cos(angle)
    point.x, point.y = point.x * cos - point.y * sin, point.x * sin + point.y * cos


# An exception is reported, and the caller gets -1.
@ffi.def_extern(error=-1)
def point_parse(text, point):
    x, y = ffi.string(text).decode().split(",")
    point[0] = (float(x), float(y))
    return 0


@ffi.def_extern()
def point_walk(start, end, steps, visit, data):
    for step in range(steps + 1):
        part = step / steps
        point = (start.x + part * (end.x - start.x), start.y + part * (end.y - start.y))
        if visit(point, data):
            return step + 1
    return steps + 1
