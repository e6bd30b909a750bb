# A field that is not in the descriptor.
import uctypes as u

memory = bytearray(16)
view = u.struct(u.addressof(memory), {"a": u.UINT8 | 0, "sub": (4, {"b": u.UINT8 | 0})})


def put(struct, name):
    setattr(struct, name, 1)


for action in (
    lambda: view.nothing,
    lambda: view.sub.a,
    lambda: put(view, "nothing"),
    lambda: put(view.sub, "a"),
    lambda: u.struct(u.addressof(memory), {}).a,
):
    try:
        print(action())
    except KeyError as error:
        print("KeyError", error.args)
print(memory == bytearray(16))
