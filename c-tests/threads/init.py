import sys
import threading
import time

from threads import ffi

runs = getattr(sys, "threads_runs", 0) + 1
sys.threads_runs = runs
init_thread = threading.get_ident()
local = threading.local()
# Long enough for every racing thread to arrive while the init code still runs.
time.sleep(0.1)


@ffi.def_extern()
def add(a, b):
    return a + b


@ffi.def_extern()
def init_runs():
    return runs


@ffi.def_extern()
def is_init_thread():
    return threading.get_ident() == init_thread


@ffi.def_extern()
def thread_states():
    return len(sys._current_frames())


@ffi.def_extern()
def asked_here():
    local.asked = getattr(local, "asked", 0) + 1
    return local.asked
