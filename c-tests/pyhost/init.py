import sys

import pyhost
from pyhost import ffi, lib

runs = getattr(sys, "pyhost_runs", 0) + 1
sys.pyhost_runs = runs
answer = 42


@ffi.def_extern()
def add(a, b):
    return a + b


@ffi.def_extern()
def module_id():
    return id(sys.modules["pyhost"])


@ffi.def_extern()
def lib_id():
    return id(lib)


@ffi.def_extern()
def init_runs():
    return runs


ffi_of_init = ffi
