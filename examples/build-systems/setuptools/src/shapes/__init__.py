"""Distances, computed in C."""

from shapes._shapes import ffi, lib


def distance(start, end):
    """The distance of two points, each a pair of numbers."""
    a, b = (ffi.new("point_t *", {"x": x, "y": y}) for x, y in (start, end))
    return lib.distance(a, b)
