# The buffer interface of structs.
import uctypes as u

memory = bytearray(range(16))
view = u.struct(u.addressof(memory), {"a": u.UINT8 | 0, "b": u.UINT16 | 2, "points": (4 | u.ARRAY, 2, {"x": u.UINT16 | 0})})
print(bytes(view), bytes(view.points), bytes(view.points[1]))
window = memoryview(view)
window[0] = 200
print(view.a, memory[0], len(window), bytearray(view))
print(u.addressof(view) == u.addressof(memory), u.bytes_at(u.addressof(view), 2))
print(bytes(u.struct(u.addressof(memory), (0 | u.ARRAY, 3 | u.UINT16))))
try:
    bytes(u.struct(u.addressof(memory), 5))
except TypeError as error:
    print("TypeError", error)
