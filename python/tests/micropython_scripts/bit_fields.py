# Bit-fields.
import uctypes as u

memory = bytearray(8)
address = u.addressof(memory)
for layout in (u.NATIVE, u.LITTLE_ENDIAN, u.BIG_ENDIAN):
    for name, width in (("BFUINT8", 8), ("BFUINT16", 16), ("BFUINT32", 32)):
        for position, length in ((0, 1), (1, 3), (width - 5, 5), (0, width if width < 32 else 31)):
            memory[:] = bytes(range(0x48, 0x50))
            view = u.struct(address, {"x": getattr(u, name) | 2 | position << u.BF_POS | length << u.BF_LEN}, layout)
            print(layout, name, position, length, view.x, end=" ")
            view.x = 0x55555555
            print(view.x, bytes(memory), end=" ")
            view.x = 0
            print(view.x, bytes(memory))
view = u.struct(address, {"low": u.BFUINT8 | 0 | 0 << u.BF_POS | 4 << u.BF_LEN, "high": u.BFUINT8 | 0 | 4 << u.BF_POS | 4 << u.BF_LEN})
view.low, view.high = 3, 17
print(memory[0], view.low, view.high)


def put(value):
    view.low = value


for value in (2**70, "x", None, 1.5):
    try:
        put(value)
    except Exception as error:
        print(type(error).__name__, error)
