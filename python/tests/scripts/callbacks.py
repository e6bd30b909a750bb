import gc
import sys
import threading
import weakref

from c_library import compile_library
from cffi import FFI

ffi = FFI()
ffi.cdef("""
    struct point { int x, y; };
    typedef int (*callback_t)(int);
    int call(callback_t, int);
    int call_in_thread(callback_t, int);
    void keep(callback_t);
    int call_kept(int);
""")
lib = ffi.dlopen(compile_library("""
    #include <pthread.h>
    typedef int (*callback_t)(int);
    struct job { callback_t f; int n; };
    int call(callback_t f, int n) { return f(n); }
    static void *run(void *data) { struct job *job = data; job->n = job->f(job->n); return 0; }
    int call_in_thread(callback_t f, int n) {
        struct job job = {f, n}; pthread_t thread;
        if (pthread_create(&thread, 0, run, &job)) return -1;
        pthread_join(thread, 0);
        return job.n;
    }
    static callback_t kept;
    void keep(callback_t f) { kept = f; }
    int call_kept(int n) { return kept(n); }
""", "-pthread"))


def fails(*args):
    raise ZeroDivisionError("in Python")


def reporting(value):
    def onerror(kind, exception, traceback):
        print("onerror", kind.__name__, exception, traceback is not None)
        return value

    return onerror


# Making callbacks. [159]
ffi.callback("int(int)", lambda n: n + 1)(4), ffi.callback("int(*)(int)")(lambda n: n * 2)(4), ffi.callback("callback_t", abs)(-4)
ffi.callback(ffi.typeof("callback_t"), python_callable=abs)(-4), ffi.callback(cdecl="int(int)", error=3)(abs)(-4)
ffi.callback("int(int)", abs), ffi.typeof(ffi.callback("int(int)", abs))
ffi.callback("int name(int)", abs)(-3)
ffi.callback("int", abs)
ffi.callback("int *", abs)
ffi.callback("struct point", abs)
ffi.callback("int(**)(int)", abs)
ffi.callback("int(int)", 5)
ffi.callback("int(int)")(5)
ffi.callback("int(int)", abs, "x")
ffi.callback("int(int)", abs, onerror=5)
ffi.callback("int(int, ...)", abs)
ffi.callback("nosuch(int)", abs)
ffi.callback(5, abs)
ffi.callback()

# As long as the cdata, from any thread. [160]
lib.call(ffi.callback("callback_t", lambda n: n + 1), 4), lib.call_in_thread(ffi.callback("callback_t", lambda n: n * 2), 4)
kept = ffi.callback("callback_t", lambda n: n - threading.active_count() + threading.active_count())
lib.keep(kept)
lib.call_kept(7)
class Callable:
    def __call__(self, n):
        return n


callable_ = Callable()
reference = weakref.ref(callable_)
kept = ffi.callback("callback_t", callable_)
del callable_
reference() is not None
del kept
collected = gc.collect()
reference() is None
results = []
threads = [threading.Thread(target=lambda n=n: results.append(lib.call(ffi.callback("callback_t", lambda m: m * 10), n))) for n in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
sorted(results)

# error= is converted at once. [161]
lib.call(ffi.callback("callback_t", fails, error=42), 1)
lib.call(ffi.callback("callback_t", fails), 1)
ffi.callback("short(int)", fails, error=-2)(1)
ffi.callback("double(int)", fails, error=2.5)(1)
ffi.callback("void *(int)", fails)(1)
ffi.callback("struct point(int)", fails, error=[1, 2])(1).y
ffi.callback("void(int)", fails)(1)
ffi.callback("callback_t", abs, error="x")
ffi.callback("callback_t", abs, error=2**40)
ffi.callback("void(int)", abs, error=5)
ffi.callback("char(int)", abs, error=65)
ffi.callback("struct point(int)", fails, error={"z": 1})
ffi.callback("callback_t", lambda n: "text", error=9)(1)
ffi.callback("callback_t", lambda n: 2**40, error=9)(1)
ffi.callback("callback_t", lambda n: None, error=9)(1)
ffi.callback("callback_t", lambda: 1)(1)
ffi.callback("void(int)", lambda n: n)(1)

# onerror=. [162]
lib.call(ffi.callback("callback_t", fails, error=42, onerror=reporting(None)), 1)
lib.call(ffi.callback("callback_t", fails, error=42, onerror=reporting(77)), 1)
lib.call(ffi.callback("callback_t", lambda n: "text", error=42, onerror=reporting(None)), 1)
lib.call(ffi.callback("callback_t", fails, 42, reporting(5)), 1)
lib.call_in_thread(ffi.callback("callback_t", fails, error=42, onerror=reporting(3)), 1)
lib.call(ffi.callback("callback_t", fails, onerror=reporting(None)), 1)
ffi.callback("void(int)", fails, onerror=reporting(None))(1)
ffi.callback("callback_t", abs, onerror="x")
lib.call(ffi.callback("callback_t", lambda n: sys.exit(3), error=5, onerror=lambda *args: print(args[0].__name__)), 1)
