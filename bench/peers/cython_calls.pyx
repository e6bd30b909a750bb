# cython: language_level=3
# The functions of bench/python_to_c.py for Python, in Cython. The GIL is released, as CFFI does around every call.
cdef extern from "bench.h":
    struct point:
        int x
        int y
    void c_noop "noop"() nogil
    int c_absolute "absolute"(int) nogil
    int c_add "add"(int, int) nogil
    double c_half "half"(double) nogil
    unsigned long c_length "length"(const char *) nogil
    int c_sum_point "sum_point"(point *) nogil
    double c_sum9 "sum9"(int, double, long, double, int, double, long, int, long) nogil


cdef class Point:
    cdef point at

    def __init__(self, int x, int y):
        self.at.x = x
        self.at.y = y


def noop():
    with nogil:
        c_noop()


def absolute(int x):
    cdef int result
    with nogil:
        result = c_absolute(x)
    return result


def add(int a, int b):
    cdef int result
    with nogil:
        result = c_add(a, b)
    return result


def half(double x):
    cdef double result
    with nogil:
        result = c_half(x)
    return result


def length(bytes text):
    cdef unsigned long result
    cdef const char *characters = text
    with nogil:
        result = c_length(characters)
    return result


def sum_point(Point p):
    cdef int result
    with nogil:
        result = c_sum_point(&p.at)
    return result


def sum9(int a, double b, long c, double d, int e, double f, long g, int h, long i):
    cdef double result
    with nogil:
        result = c_sum9(a, b, c, d, e, f, g, h, i)
    return result
