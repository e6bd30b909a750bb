# cython: language_level=3
# The functions of ../embedding/api.h in Cython, around Python functions (cython_start.c exports them).
from cpython.bytes cimport PyBytes_FromString
from cpython.ref cimport PyObject

cdef struct point_t:
    double x
    double y


cdef class Point:
    cdef public double x
    cdef public double y


names = {}
exec("""
def add1(a, b): return a + b
def multiply(a, b): return a * b
def noop(): pass
def length(text): return len(text)
def point(p): return p.x * p.x + p.y * p.y
class Number:
    def __init__(self): self.value = 7
kept = Number()
def handle(h): return h.value
def raises(n): raise KeyError(n)
def wrong(n): return "no number"
""", names)
cdef object py_add1 = names["add1"], py_multiply = names["multiply"], py_noop = names["noop"], py_length = names["length"]
cdef object py_point = names["point"], py_handle = names["handle"], py_raises = names["raises"], py_wrong = names["wrong"]
cdef object kept = names["kept"]


cdef public int cy_add1(int a, int b) noexcept with gil:
    return py_add1(a, b)


cdef public double cy_multiply(double a, double b) noexcept with gil:
    return py_multiply(a, b)


cdef public void cy_noop() noexcept with gil:
    py_noop()


cdef public int cy_length(const char *text) noexcept with gil:
    return py_length(PyBytes_FromString(text))


cdef public double cy_point_val(double x, double y) noexcept with gil:
    cdef Point object = Point.__new__(Point)
    object.x = x
    object.y = y
    return py_point(object)


cdef public void *cy_make_handle() noexcept with gil:
    return <PyObject *>kept


cdef public int cy_handle(void *h) noexcept with gil:
    return py_handle(<object>h)


cdef public int cy_raises(int n) noexcept with gil:
    return py_raises(n)


cdef public int cy_wrong(int n) noexcept with gil:
    return py_wrong(n)
