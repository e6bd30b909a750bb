"""One compiled module for every Python: `any_python.py build DIR` with one, `any_python.py use DIR` with all others.

Run by tools/test-other-pythons: each Python has its own runtime, and the module is one file.
"""
import sys


def build(folder):
    import keelback

    ffi = keelback.FFI()
    ffi.cdef(
        """
        typedef struct { double x; ...; } part_t;
        part_t twice(part_t part);
        int call(int x);
        extern "Python" int back(int);
        #define TEXT_SIZE ...
        extern int counter;
        """
    )
    ffi.set_source(
        "_anypython",
        """
        typedef struct { int hidden; double x; } part_t;
        static part_t twice(part_t part) { part.x *= 2; return part; }
        static int back(int);
        static int call(int x) { return back(x) + 1; }
        #define TEXT_SIZE 12
        static int counter = 3;
        """,
    )
    ffi.compile(tmpdir=folder, target="_anypython.abi3.so")


def use(folder):
    sys.path.insert(0, folder)
    from _anypython import ffi, lib

    @ffi.def_extern()
    def back(x):
        return 10 * x

    part = ffi.new("part_t *", {"x": 1.5})
    lib.counter += 1
    result = (lib.twice(part[0]).x, lib.call(4), lib.TEXT_SIZE, lib.counter, ffi.sizeof("part_t"))
    assert result == (3.0, 41, 12, 4, 16), result
    print(f"one module for every Python: {sys.version.split()[0]} imports it")


if __name__ == "__main__":
    {"build": build, "use": use}[sys.argv[1]](sys.argv[2])
