import os

from loading import ffi

runs = int(os.environ.pop("LOADING_INIT_RUNS", "0")) + 1
os.environ["LOADING_INIT_RUNS"] = str(runs)


@ffi.def_extern()
def add(a, b):
    return a + b


told = ffi.new("char[]", extensions().encode())


@ffi.def_extern(name="extensions")
def c_extensions():
    return told


@ffi.def_extern()
def init_runs():
    return runs
