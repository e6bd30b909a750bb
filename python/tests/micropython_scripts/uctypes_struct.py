# uctypes.struct.
import uctypes as u

memory = bytearray(range(16))
address = u.addressof(memory)
print(u.struct(address, {"x": u.UINT16 | 2}).x, u.struct(address, {"x": u.UINT16 | 2}, u.BIG_ENDIAN).x)
print(u.struct(address + 1, {"x": u.UINT8 | 2}).x, type(u.struct(address, {})), isinstance(u.struct(0, {}), u.struct))
for call in (
    lambda: u.struct(),
    lambda: u.struct(address),
    lambda: u.struct(address, {}, 2, 3),
    lambda: u.struct("x", {}),
    lambda: u.struct(memory, {}),
    lambda: u.struct(None, {}),
    lambda: u.struct(1.5, {}),
    lambda: u.struct(address, {}, "x"),
    lambda: u.struct(addr=address, desc={}),
):
    try:
        call()
    except TypeError as error:
        print("TypeError", error)
