import errno
import threading

import cffi
from c_library import compile_library
from cffi import FFI

ffi = FFI()
ffi.cdef("""
    struct point { int x, y; };
    #define NUMBER 5
    int set_errno(int);
    int get_errno(void);
""")
lib = ffi.dlopen(compile_library("""
    #include <errno.h>
    int set_errno(int n) { errno = n; return n; }
    int get_errno(void) { return errno; }
"""))
calls = []


def once():
    calls.append(1)
    return "value"


# init_once. [163]
ffi.init_once(once, "tag"), ffi.init_once(once, "tag"), ffi.init_once(lambda: "other", "tag"), len(calls)
ffi.init_once(once, "second"), ffi.init_once(func=once, tag=("a", 1)), len(calls)
ffi.init_once(lambda: None, "none"), ffi.init_once(lambda: 5, "none")
ffi.init_once(lambda: 1 // 0, "fails")
ffi.init_once(lambda: 5, "fails")
ffi.init_once(5, "no function")
ffi.init_once(once, [])
ffi.init_once(once)
FFI().init_once(lambda: "own", "tag")


def slowly():
    calls.append("slow")
    started.wait(0.05)
    return len(calls)


started, results = threading.Event(), []
threads = [threading.Thread(target=lambda: results.append(ffi.init_once(slowly, "threads"))) for _ in range(5)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
calls.count("slow"), len(set(results)), len(results)

# errno. [164]
ffi.errno = errno.ENOENT
lib.get_errno(), ffi.errno
lib.set_errno(33), ffi.errno, lib.get_errno()
ffi.errno = 0
seen = []
thread = threading.Thread(target=lambda: (seen.append(ffi.errno), setattr(ffi, "errno", 7), seen.append(lib.get_errno())))
thread.start(), thread.join()
seen, ffi.errno
setting = ffi.callback("int(int)", lambda n: setattr(ffi, "errno", n) or 0)
setting(12), ffi.errno
ffi.errno = "x"
ffi.errno = 2**40
ffi.errno = -1
ffi.errno
delattr(ffi, "errno")

# getwinerror is Windows' own. [165]
hasattr(ffi, "getwinerror")
#! keelback: False
#! why: absent off Windows, as in CFFI's out-of-line ffi; its in-line ffi has a method that fails
ffi.getwinerror()

# The exception classes. [166]
[getattr(cffi, name).__mro__[1].__name__ for name in ("CDefError", "VerificationError", "VerificationMissing", "PkgConfigError")]
#! keelback: ['error', 'error', 'error', 'error']
#! why: `ffi.error` is their base, so that `except ffi.error` works with either kind of ffi; with CFFI it is Exception
[getattr(cffi, name).__bases__[0].__bases__[0] in (Exception, BaseException) for name in ("FFIError", "CDefError")]
issubclass(cffi.FFIError, Exception), issubclass(cffi.CDefError, cffi.FFIError), issubclass(cffi.FFIError, cffi.CDefError)
cffi.FFIError.__name__, cffi.CDefError.__name__, cffi.error.FFIError is cffi.FFIError, cffi.api.CDefError is cffi.CDefError
str(cffi.CDefError("text")), cffi.CDefError("text", 5).args
ffi.cdef("int f(int")
ffi.cdef("nosuch g(void);")
ffi.cdef("struct point { int z; };")

# The constants of dlopen. [167]
ffi.RTLD_LAZY, ffi.RTLD_NOW, ffi.RTLD_GLOBAL, ffi.RTLD_LOCAL, ffi.RTLD_NODELETE, ffi.RTLD_NOLOAD, ffi.RTLD_DEEPBIND
FFI.RTLD_NOW
#! keelback: 2
#! why: a constant of the class; CFFI sets it on each ffi
ffi.RTLD_NOSUCH

# Unknown attributes. [169]
ffi.nosuch
FFI.nosuch
delattr(ffi, "nosuch")

# The documented names of arguments. [170]
ffi.string(cdata=ffi.new("char[]", b"abc"), maxlen=2), ffi.unpack(cdata=ffi.new("char[]", b"abc"), length=2)
bytes(ffi.buffer(cdata=ffi.new("char[]", b"abc"), size=2)), ffi.new(cdecl="int *", init=5)[0]
ffi.cast(cdecl="int", source=5), ffi.typeof(cdecl="int"), ffi.sizeof(cdecl="int"), ffi.alignof(cdecl="int")
ffi.getctype(cdecl="int", replace_with="x"), ffi.callback(cdecl="int(int)", python_callable=abs, error=None, onerror=None)(-1)
ffi.memmove(dest=bytearray(2), src=b"ab", n=2), ffi.gc(cdata=ffi.new("int *", 4), destructor=lambda old: None, size=0)[0]
ffi.from_buffer(b"abc", require_writable=False)[0], ffi.from_buffer("char[]", python_buffer=b"abc")[1]
ffi.new_allocator(alloc=None, free=None, should_clear_after_alloc=True)("int *")[0]
ffi.new_handle(x=5) != ffi.from_handle(x=ffi.new_handle(5))
ffi.init_once(func=lambda: 1, tag=0)
ffi.dlopen(name=None, flags=0) is not None
ffi.cdef(csource="int unused(int);", override=False, packed=False, pack=None)
ffi.set_unicode(enabled_flag=True)
FFI().include(ffi_to_include=ffi)
ffi.dlclose(lib=lib)
ffi.new(nosuch="int *")
ffi.string(ffi.NULL, nosuch=1)
