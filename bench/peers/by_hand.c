/* Python calls C, and data of C in Python, as one writes them by hand for one type: the module bench_c.
 * The calls release the GIL and keep errno, as CFFI does; with -DHELD (the module bench_c_held) they do not. */
#include <Python.h>
#include <errno.h>
#include <structmember.h>
#include "bench.h"

#ifdef HELD
#define NOGIL(call) { call; }
#define MODULE "bench_c_held"
#define INIT PyInit_bench_c_held
#else
static int saved;
#define MODULE "bench_c"
#define INIT PyInit_bench_c
#define NOGIL(call) { PyThreadState *state = PyEval_SaveThread(); errno = saved; call; saved = errno; PyEval_RestoreThread(state); }
#endif

typedef struct { PyObject_HEAD struct point at; } Point;

static PyObject *Point_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    Point *self = (Point *)type->tp_alloc(type, 0);
    if (self != NULL && !PyArg_ParseTuple(arguments, "|ii", &self->at.x, &self->at.y))
        Py_CLEAR(self);
    return (PyObject *)self;
}

static PyMemberDef point_members[] = {
    {"x", T_INT, offsetof(Point, at.x), 0, NULL}, {"y", T_INT, offsetof(Point, at.y), 0, NULL}, {NULL, 0, 0, 0, NULL}};
static PyTypeObject PointType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "bench_c.Point", .tp_basicsize = sizeof(Point),
    .tp_flags = Py_TPFLAGS_DEFAULT, .tp_new = Point_new, .tp_members = point_members};

/* int[]: storage inside the object, small ones from a free list. */
typedef struct { PyObject_VAR_HEAD int items[1]; } Ints;
static PyTypeObject IntsType;
static Ints *freed[16];
static int freed_count;

static Ints *new_ints(Py_ssize_t count)
{
    Ints *self;
    if (count == 1 && freed_count > 0) {
        self = freed[--freed_count];
        PyObject_InitVar((PyVarObject *)self, &IntsType, count);
    } else {
        size_t size = sizeof(Ints) + (size_t)count * sizeof(int);
        self = size > 512 ? PyObject_Calloc(1, size) : PyObject_Malloc(size);
        if (self == NULL)
            return (Ints *)PyErr_NoMemory();
        PyObject_InitVar((PyVarObject *)self, &IntsType, count);
    }
    if (count <= 1)
        self->items[0] = 0;
    return self;
}

static void Ints_dealloc(PyObject *self)
{
    if (Py_SIZE(self) == 1 && freed_count < 16)
        freed[freed_count++] = (Ints *)self;
    else
        PyObject_Free(self);
}

static Py_ssize_t Ints_length(PyObject *self) { return Py_SIZE(self); }

static PyObject *Ints_item(PyObject *self, Py_ssize_t i)
{
    if (i < 0 || i >= Py_SIZE(self)) {
        PyErr_SetString(PyExc_IndexError, "index out of range");
        return NULL;
    }
    return PyLong_FromLong(((Ints *)self)->items[i]);
}

static int as_int(PyObject *value, int *at)
{
    int overflow = 0;
    long number = PyLong_AsLongAndOverflow(value, &overflow);
    if (number == -1 && PyErr_Occurred())
        return -1;
    if (overflow || number != (int)number) {
        PyErr_SetString(PyExc_OverflowError, "does not fit in an int");
        return -1;
    }
    *at = (int)number;
    return 0;
}

static int Ints_set_item(PyObject *self, Py_ssize_t i, PyObject *value)
{
    if (i < 0 || i >= Py_SIZE(self) || value == NULL) {
        PyErr_SetString(PyExc_IndexError, "index out of range");
        return -1;
    }
    return as_int(value, &((Ints *)self)->items[i]);
}

static PyObject *Ints_tolist(PyObject *self, PyObject *nothing)
{
    PyObject *list = PyList_New(Py_SIZE(self));
    for (Py_ssize_t i = 0; list != NULL && i < Py_SIZE(self); i++) {
        PyObject *number = PyLong_FromLong(((Ints *)self)->items[i]);
        if (number == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, number);
    }
    return list;
}

static PyObject *Ints_set(PyObject *self, PyObject *list)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list) && i < Py_SIZE(self); i++)
        if (as_int(PyList_GET_ITEM(list, i), &((Ints *)self)->items[i]) < 0)
            return NULL;
    Py_RETURN_NONE;
}

static PySequenceMethods ints_sequence = {
    .sq_length = Ints_length, .sq_item = Ints_item, .sq_ass_item = Ints_set_item};
static PyMethodDef ints_methods[] = {
    {"tolist", Ints_tolist, METH_NOARGS, NULL}, {"set", Ints_set, METH_O, NULL}, {NULL, NULL, 0, NULL}};
static PyTypeObject IntsType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "bench_c.Ints", .tp_basicsize = sizeof(Ints), .tp_itemsize = sizeof(int),
    .tp_flags = Py_TPFLAGS_DEFAULT, .tp_dealloc = Ints_dealloc, .tp_as_sequence = &ints_sequence,
    .tp_methods = ints_methods};

static PyObject *ints(PyObject *module, PyObject *size_or_list)
{
    if (PyList_Check(size_or_list)) {
        Ints *self = new_ints(PyList_GET_SIZE(size_or_list));
        PyObject *done = self == NULL ? NULL : Ints_set((PyObject *)self, size_or_list);
        if (done == NULL)
            Py_CLEAR(self);
        Py_XDECREF(done);
        return (PyObject *)self;
    }
    Py_ssize_t count = PyLong_AsSsize_t(size_or_list);
    if (count == -1 && PyErr_Occurred())
        return NULL;
    return (PyObject *)new_ints(count);
}

static PyObject *py_noop(PyObject *module, PyObject *nothing)
{
    NOGIL(noop());
    Py_RETURN_NONE;
}

static PyObject *py_absolute(PyObject *module, PyObject *argument)
{
    int x, result;
    if (as_int(argument, &x) < 0)
        return NULL;
    NOGIL(result = absolute(x));
    return PyLong_FromLong(result);
}

static int count_is(Py_ssize_t count, Py_ssize_t wanted)
{
    if (count != wanted)
        PyErr_Format(PyExc_TypeError, "takes %zd arguments (%zd given)", wanted, count);
    return count == wanted;
}

static PyObject *py_add(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    int a, b, result;
    if (!count_is(count, 2) || as_int(arguments[0], &a) < 0 || as_int(arguments[1], &b) < 0)
        return NULL;
    NOGIL(result = add(a, b));
    return PyLong_FromLong(result);
}

static PyObject *py_half(PyObject *module, PyObject *argument)
{
    double x = PyFloat_AsDouble(argument), result;
    if (x == -1 && PyErr_Occurred())
        return NULL;
    NOGIL(result = half(x));
    return PyFloat_FromDouble(result);
}

static PyObject *py_length(PyObject *module, PyObject *argument)
{
    char *text = PyBytes_AsString(argument);
    unsigned long result;
    if (text == NULL)
        return NULL;
    NOGIL(result = length(text));
    return PyLong_FromUnsignedLong(result);
}

static PyObject *py_sum_point(PyObject *module, PyObject *argument)
{
    int result;
    if (!PyObject_TypeCheck(argument, &PointType)) {
        PyErr_SetString(PyExc_TypeError, "not a Point");
        return NULL;
    }
    NOGIL(result = sum_point(&((Point *)argument)->at));
    return PyLong_FromLong(result);
}

static PyObject *py_sum9(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    int a, e, h;
    double b, d, f, result;
    long c, g, i;
    if (!count_is(count, 9) || as_int(args[0], &a) < 0 || as_int(args[4], &e) < 0 || as_int(args[7], &h) < 0)
        return NULL;
    b = PyFloat_AsDouble(args[1]), d = PyFloat_AsDouble(args[3]), f = PyFloat_AsDouble(args[5]);
    c = PyLong_AsLong(args[2]), g = PyLong_AsLong(args[6]), i = PyLong_AsLong(args[8]);
    if (PyErr_Occurred())
        return NULL;
    NOGIL(result = sum9(a, b, c, d, e, f, g, h, i));
    return PyFloat_FromDouble(result);
}

static PyMethodDef methods[] = {
    {"noop", py_noop, METH_NOARGS, NULL}, {"absolute", py_absolute, METH_O, NULL},
    {"add", (PyCFunction)(void (*)(void))py_add, METH_FASTCALL, NULL}, {"half", py_half, METH_O, NULL},
    {"length", py_length, METH_O, NULL}, {"sum_point", py_sum_point, METH_O, NULL},
    {"sum9", (PyCFunction)(void (*)(void))py_sum9, METH_FASTCALL, NULL}, {"ints", ints, METH_O, NULL},
    {NULL, NULL, 0, NULL}};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, MODULE, NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC INIT(void)
{
    PyObject *module;
    if (PyType_Ready(&PointType) < 0 || PyType_Ready(&IntsType) < 0)
        return NULL;
    module = PyModule_Create(&definition);
    if (module != NULL && PyModule_AddObjectRef(module, "Point", (PyObject *)&PointType) < 0)
        Py_CLEAR(module);
    return module;
}
