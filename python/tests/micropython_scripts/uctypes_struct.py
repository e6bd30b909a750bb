# Structs: scalars, bit-fields, sub-structs, arrays, pointers, in all layouts.
import uctypes as u

for name in ("VOID UINT8 INT8 UINT16 INT16 UINT32 INT32 UINT64 INT64 BFUINT8 BFINT8 BFUINT16 BFINT16 BFUINT32 BFINT32 "
             "BF_POS BF_LEN FLOAT32 FLOAT64 SHORT USHORT INT UINT LONG ULONG LONGLONG ULONGLONG PTR ARRAY NATIVE "
             "LITTLE_ENDIAN BIG_ENDIAN").split():
    print(name, getattr(u, name))

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
    for name in ("BFUINT8", "BFUINT16", "BFUINT32"):
        view = u.struct(address, {"x": getattr(u, name) | 8 | 2 << u.BF_POS | 5 << u.BF_LEN}, layout)
        print(layout, name, view.x, end=" ")
        view.x = 0x55
        print(view.x, bytes(memory[8:12]))

memory = bytearray(range(64))
view = u.struct(u.addressof(memory), {
    "sub": (4, {"a": u.UINT8 | 0, "b": u.UINT16 | 2}),
    "bytes": (8 | u.ARRAY, 4 | u.UINT8),
    "shorts": (8 | u.ARRAY, 4 | u.UINT16),
    "signed": (8 | u.ARRAY, 4 | u.INT8),
    "points": (16 | u.ARRAY, 2, {"x": u.UINT16 | 0, "y": u.UINT16 | 2}),
    "pointer": (24 | u.PTR, u.UINT8),
    "to_struct": (24 | u.PTR, {"a": u.UINT16 | 0}),
})
print(repr(view)[:15], repr(view.sub)[:15], repr(view.shorts)[:14], repr(view.pointer)[:12], type(view))
print(view.sub.a, view.sub.b, view.bytes, view.shorts[1], view.signed[3], view.points[1].y)
view.sub.b = 0xABCD
view.bytes[0] = 255
view.shorts[3] = 70000
view.points[0].x = 1
print(bytes(view)[:20])
memory[24:32] = u.addressof(memory).to_bytes(8, "little")
print(int(view.pointer) == u.addressof(memory), view.pointer[0], view.pointer[6], view.to_struct[3].a)
print(u.sizeof(view), u.sizeof(view.points), u.sizeof(view.sub), u.addressof(view.sub) - u.addressof(view))
print(bytes(view.points))
