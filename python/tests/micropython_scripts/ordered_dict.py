# OrderedDict, and what structs look like.
import uctypes as u
from collections import OrderedDict

memory = bytearray(range(16))
address = u.addressof(memory)
view = u.struct(address, OrderedDict([("a", u.UINT16 | 0), ("sub", (2, OrderedDict([("b", u.UINT8 | 0)]))),
                                      ("array", (4 | u.ARRAY, 2 | u.UINT16)), ("pointer", (8 | u.PTR, u.UINT8))]))
print(view.a, view.sub.b, u.sizeof(view))
for thing, kind in ((view, "STRUCT"), (view.sub, "STRUCT"), (view.array, "ARRAY"), (view.pointer, "PTR")):
    text = repr(thing)
    print(text.split(" ")[:2], text[-1], text == "<struct {} {:x}>".format(kind, u.addressof(thing)))
print(u.struct(0, {}), u.struct(0, 5), u.struct(0, (0, {})), u.struct(255, {}))
print(u.struct(address, {"x": u.UINT8 | 0}) == u.struct(address, {"x": u.UINT8 | 0}))
try:
    hash(view)
except TypeError as error:
    print("TypeError", error)
