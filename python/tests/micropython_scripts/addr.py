# mod.addr.
import ffi, sys, uctypes

lib = ffi.open(sys.argv[1])
print(isinstance(lib.addr("var_i"), int), lib.addr("var_i") == lib.addr("var_i"))
lib.var("i", "var_i").set(0x01020304)
print(uctypes.bytes_at(lib.addr("var_i"), 4))
try:
    lib.addr("keelback_has_no_such_name")
except OSError as error:
    print("OSError", error.args[0])
for call in (lambda: lib.addr(), lambda: lib.addr(1), lambda: lib.addr("var_i", 1)):
    try:
        call()
    except TypeError as error:
        print("TypeError", error)
