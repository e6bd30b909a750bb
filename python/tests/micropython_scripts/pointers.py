# Pointers.
import uctypes as u

memory = bytearray(range(32))
address = u.addressof(memory)
memory[0:8] = (address + 8).to_bytes(8, "little")
view = u.struct(address, {
    "bytes": (0 | u.PTR, u.UINT8),
    "shorts": (0 | u.PTR, u.INT16),
    "structs": (0 | u.PTR, {"a": u.UINT8 | 0, "b": u.UINT16 | 2}),
})
print(repr(view.bytes)[:12], int(view.bytes) == address + 8, int(view.structs) == address + 8)
print(view.bytes[0], view.bytes[5], view.shorts[1], view.structs[0].b, view.structs[1].a)
view.structs[1].b = 0xABCD
print(bytes(memory[8:16]))
for action in (lambda: view.bytes.x, lambda: len(view.bytes)):
    try:
        print(action())
    except TypeError:
        print("TypeError")
