# sizeof, in all layouts.
import uctypes as u
from collections import OrderedDict

DESCRIPTORS = (
    {},
    {"a": u.UINT8 | 0},
    {"a": u.UINT32 | 0, "b": u.UINT8 | 4},
    {"a": u.UINT8 | 0, "b": u.UINT64 | 8},
    {"a": u.BFUINT16 | 2 | 3 << u.BF_POS | 4 << u.BF_LEN},
    {"a": (0 | u.ARRAY, 5 | u.UINT16)},
    {"a": (0 | u.ARRAY, 3, {"x": u.UINT32 | 0, "y": u.UINT8 | 4})},
    {"a": (0 | u.PTR, u.UINT8), "b": u.UINT8 | 8},
    {"a": (4, {"x": u.FLOAT64 | 0})},
    OrderedDict([("a", u.UINT16 | 0), ("b", u.UINT8 | 2)]),
    (0 | u.ARRAY, 7 | u.UINT32),
    (0 | u.PTR, u.UINT32),
)
for descriptor in DESCRIPTORS:
    print(u.sizeof(descriptor), *[u.sizeof(descriptor, layout) for layout in (u.NATIVE, u.LITTLE_ENDIAN, u.BIG_ENDIAN)])
print(u.sizeof(bytearray(9)))
for bad in (u.UINT8, "x", b"abc", (0, {}, 3), {"a": 1.5}, {"a": "x"}, {"a": (0 | u.PTR, u.UINT8, 3)},
            {"a": (0 | u.ARRAY, 1, {}, 2)}, {"a": (u.PTR | u.ARRAY, 1)}):
    try:
        print(u.sizeof(bad))
    except TypeError as error:
        print("TypeError", error)
try:
    u.sizeof(u.struct(0, {}), u.NATIVE)
except TypeError:
    print("TypeError")
