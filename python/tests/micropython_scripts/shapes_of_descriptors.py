# The shapes of descriptors.
import uctypes as u

memory = bytearray(range(64))
view = u.struct(u.addressof(memory), {
    "scalar": u.UINT16 | 2,
    "sub": (4, {"a": u.UINT8 | 0, "b": u.UINT16 | 2, "deeper": (4, {"c": u.INT8 | 1})}),
    "bytes": (8 | u.ARRAY, 4 | u.UINT8),
    "shorts": (8 | u.ARRAY, 4 | u.UINT16),
    "points": (16 | u.ARRAY, 2, {"x": u.UINT16 | 0, "y": u.UINT16 | 2}),
    "pointer": (24 | u.PTR, u.UINT8),
    "to_struct": (24 | u.PTR, {"a": u.UINT16 | 0}),
})
memory[24:32] = u.addressof(memory).to_bytes(8, "little")
print(view.scalar, view.sub.a, view.sub.b, view.sub.deeper.c)
print(view.bytes, view.shorts[1], view.points[1].y, view.pointer[3], view.to_struct[3].a)
view.sub.b = 0xABCD
view.sub.deeper.c = -2
view.points[0].x = 1
print(bytes(memory[4:24]))
print(u.addressof(view.sub) - u.addressof(view), bytes(view.points))
for bad in ({"x": "x"}, {"x": None}, {"x": 1.5}):
    try:
        print(u.struct(u.addressof(memory), bad).x)
    except TypeError as error:
        print("TypeError", error)
