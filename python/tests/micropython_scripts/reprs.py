# What things look like.
import ffi, sys

lib = ffi.open(sys.argv[1])
function = lib.func("i", "same_i", "i")
callback = ffi.callback("i", function, "i")
variable = lib.var("i", "var_i")


def shape(thing):
    """The repr with its hexadecimal numbers as N."""
    text, shown, number = repr(thing), "", False
    for word in text[:-1].split(" "):
        prefix = "@" if word[:1] == "@" else "0x" if word[:2] == "0x" else ""
        colon = ":" if word[-1:] == ":" else ""
        digits = word[len(prefix):].rstrip(":")
        if digits and all(letter in "0123456789abcdef" for letter in digits):
            word = prefix + "N" + colon
        shown += ("" if not shown else " ") + word
    return shown + text[-1]


for thing in (lib, function, callback, variable):
    print(shape(thing))
variable.set(0xABCD)
print(repr(variable)[-9:])
variable.set(-1)
print(repr(variable).split(" ")[-1])
