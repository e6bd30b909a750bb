# The layouts.
import uctypes as u

memory = bytearray(range(0x40, 0x60))
address = u.addressof(memory)
FIELDS = {"a": u.UINT8 | 0, "b": u.UINT16 | 1, "c": u.UINT32 | 3, "d": u.UINT64 | 7, "e": u.FLOAT32 | 15,
          "f": (19 | u.ARRAY, 2 | u.INT16), "g": (23, {"h": u.INT16 | 0})}
for name in ("LITTLE_ENDIAN", "BIG_ENDIAN"):
    view = u.struct(address, FIELDS, getattr(u, name))
    print(name, getattr(u, name), hex(view.a), hex(view.b), hex(view.c), hex(view.d), view.e, hex(view.f[1]), hex(view.g.h),
          u.sizeof(view), bytes(view))
ALIGNED = {"a": u.UINT8 | 0, "b": u.UINT64 | 8, "c": u.UINT16 | 16}
for layout in (u.NATIVE, u.LITTLE_ENDIAN, u.BIG_ENDIAN):
    print(layout, u.sizeof(ALIGNED, layout), len(bytes(u.struct(address, ALIGNED, layout))))
    view = u.struct(address, ALIGNED, layout)
    view.b = 0x0102030405060708
    view.c = 0x0A0B
    print(bytes(memory[:20]))
