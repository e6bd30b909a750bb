# mod.var.
import ffi, sys

lib = ffi.open(sys.argv[1])
for code, value in (("b", -3), ("B", 250), ("h", -300), ("H", 60000), ("i", -70000), ("I", 2**32 - 1), ("l", -(2**40)),
                    ("L", 2**63 + 5), ("q", -(2**62)), ("Q", 2**64 - 1), ("f", 1.5), ("d", -2.25)):
    variable = lib.var(code, "var_" + code)
    before = variable.get()
    print(code, before, variable.set(value), variable.get())
variable = lib.var("i", "var_i")
variable.set(0x1234)
print(repr(variable)[:9], repr(variable).split(" ")[-1])
variable.set(2**40 + 7)
print(variable.get())
print(lib.var("P", "null").get())
for value in ("x", None, 1.5):
    try:
        variable.set(value)
    except TypeError as error:
        print("TypeError", error)
try:
    lib.var("d", "var_d").set("a")
except TypeError as error:
    print("TypeError", error)
for call in (lambda: lib.var("i"), lambda: lib.var("i", 1), lambda: variable.get(1), lambda: variable.set()):
    try:
        call()
    except TypeError as error:
        print("TypeError", error)
try:
    lib.var("i", "keelback_has_no_such_name")
except OSError as error:
    print("OSError", error.args[0])
