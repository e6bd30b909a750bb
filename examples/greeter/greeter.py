from __future__ import annotations

from typing import TYPE_CHECKING

from greeter import ffi

if TYPE_CHECKING:
    from keelback import CData

count = 0


@ffi.def_extern()
def greet(name: CData) -> int:
    global count
    count += 1
    print(f"Hello, {ffi.string(name).decode()}!")
    return count
