# Errors.
import uctypes as u

memory = bytearray(32)
address = u.addressof(memory)
view = u.struct(address, {
    "a": u.UINT8 | 0,
    "bits": u.BFUINT8 | 0 | 4 << u.BF_POS | 4 << u.BF_LEN,
    "real": u.FLOAT32 | 4,
    "sub": (8, {"x": u.UINT8 | 0}),
    "bytes": (8 | u.ARRAY, 4 | u.UINT8),
    "shorts": (8 | u.ARRAY, 4 | u.UINT16),
    "points": (8 | u.ARRAY, 2, {"x": u.UINT8 | 0}),
    "bad": "x",
    "none": None,
})


def put(name, value):
    setattr(view, name, value)


def put_item(array, index, value):
    array[index] = value


def delete_item(array, index):
    del array[index]


for number, action in enumerate((
    lambda: view.nothing,
    lambda: put("nothing", 1),
    lambda: view.bad,
    lambda: view.none,
    lambda: put("a", "x"),
    lambda: put("a", 1.5),
    lambda: put("a", None),
    lambda: put("bits", 2**70),
    lambda: put("bits", "x"),
    lambda: put("real", "x"),
    lambda: put("sub", 1),
    lambda: put("bytes", b"1234"),
    lambda: view[0],
    lambda: put_item(view, 0, 1),
    lambda: view.shorts.x,
    lambda: view.shorts[4],
    lambda: view.points[2],
    lambda: put_item(view.points, 0, 1),
    lambda: delete_item(view.shorts, 0),
    lambda: len(view),
    lambda: u.struct(),
    lambda: u.struct(address),
    lambda: u.struct(address, {}, 2, 3),
    lambda: u.struct("x", {}),
    lambda: u.struct(1.5, {}),
    lambda: u.struct(address, {}, "x"),
    lambda: u.struct(address, 5).x,
    lambda: bytes(u.struct(address, 5)),
    lambda: u.struct(addr=address, desc={}),
    lambda: u.addressof(5),
    lambda: u.addressof(),
    lambda: u.bytes_at(address),
    lambda: hash(view),
)):
    try:
        print(number, action())
    except KeyError as error:
        print(number, "KeyError", error.args)
    except Exception as error:
        print(number, type(error).__name__, error)
put("a", 2**70 + 300)
put("bits", 17)
print(memory[0], view.a, view.bits)
print(u.struct(0, {}), u.struct(0, 5), u.struct(0, (0, {})))
print(u.struct(address, {"x": u.UINT8 | 0}) == u.struct(address, {"x": u.UINT8 | 0}))
