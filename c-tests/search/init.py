import sys

from which import ffi

with open("/proc/self/maps") as maps:
    files = {line.rstrip("\n").split(None, 5)[-1]: None for line in maps if "r-xp" in line}


def mapped(*parts):
    return " ".join(file for file in files if any(part in file for part in parts))


text = ffi.new(
    "char[]",
    "\n".join([sys.prefix, sys.executable, mapped("libpython3"), mapped("keelback_runtime", "keelback-runtime", "keelback/_runtime")]).encode(),
)


@ffi.def_extern()
def found():
    return text
