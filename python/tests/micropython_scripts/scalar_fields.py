# Scalar fields.
import uctypes as u

SCALARS = ("UINT8", "INT8", "UINT16", "INT16", "UINT32", "INT32", "UINT64", "INT64", "FLOAT32", "FLOAT64")
for layout in (u.NATIVE, u.LITTLE_ENDIAN, u.BIG_ENDIAN):
    memory = bytearray(range(0x40, 0x60))
    address = u.addressof(memory)
    for name in SCALARS:
        view = u.struct(address, {"x": getattr(u, name) | 8}, layout)
        print(layout, name, view.x, end=" ")
        for value in (1, -1, 0x123456789ABCDEF0):
            view.x = value
            print(view.x, bytes(memory[8:16]), end=" ")
        print()
        memory[8:16] = bytes(range(0x48, 0x50))
view = u.struct(address, {"a": u.UINT8 | 0, "real": u.FLOAT32 | 4})
view.a = 2**70 + 300
print(memory[0], view.a)


def put(name, value):
    setattr(view, name, value)


for name, value in (("a", "x"), ("a", 1.5), ("a", None), ("real", "x"), ("real", None)):
    try:
        put(name, value)
    except TypeError as error:
        print("TypeError", error)
