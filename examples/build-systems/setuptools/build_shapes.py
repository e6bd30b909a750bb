"""What `import shapes._shapes` is made of: declarations, and the C that they are about."""

import keelback

ffibuilder = keelback.FFI()
ffibuilder.cdef("""
    typedef struct { double x, y; ...; } point_t;
    double distance(const point_t *from, const point_t *to);
""")
ffibuilder.set_source(
    "shapes._shapes",
    """
    #include <math.h>
    typedef struct { int id; double x, y; } point_t;
    static double distance(const point_t *from, const point_t *to)
    {
        return hypot(to->x - from->x, to->y - from->y);
    }
    """,
    libraries=["m"],
)

if __name__ == "__main__":
    ffibuilder.compile(verbose=True)
