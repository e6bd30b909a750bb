# Arrays.
import uctypes as u

memory = bytearray(range(32))
view = u.struct(u.addressof(memory), {
    "bytes": (8 | u.ARRAY, 4 | u.UINT8),
    "shorts": (8 | u.ARRAY, 4 | u.UINT16),
    "signed": (8 | u.ARRAY, 4 | u.INT8),
    "reals": (16 | u.ARRAY, 2 | u.FLOAT32),
    "points": (16 | u.ARRAY, 2, {"x": u.UINT16 | 0, "y": u.UINT16 | 2}),
})
print(view.bytes, type(view.bytes), repr(view.shorts)[:14], view.shorts[0], view.shorts[3], view.signed[3])
view.bytes[0] = 255
view.shorts[3] = 70000
view.signed[1] = -1
view.reals[1] = 1.5
view.points[0].x = 1
print(memory, view.signed[1], view.reals[1], view.points[1].y)


def put_item(array, index, value):
    array[index] = value


def delete_item(array, index):
    del array[index]


for action in (
    lambda: view.shorts[4],
    lambda: view.points[2],
    lambda: put_item(view.shorts, 4, 1),
    lambda: view.shorts.x,
    lambda: put_item(view.points, 0, 1),
    lambda: put_item(view.shorts, 0, "x"),
    lambda: delete_item(view.shorts, 0),
    lambda: len(view.shorts),
):
    try:
        print(action())
    except (IndexError, TypeError) as error:
        print(type(error).__name__, error)
