/* The functions of ../embedding/api.h as one writes them by hand, with the Python functions of ../embedding/plugin.py.
 * PyGILState_Ensure and PyGILState_Release around each call; with -DKEPT a thread keeps its PyThreadState until it ends. */
#include <Python.h>
#include <pthread.h>
#include <structmember.h>

typedef struct { double x, y; } point_t;
typedef struct { PyObject_HEAD double x, y; } Point;

static PyMemberDef members[] = {
    {"x", T_DOUBLE, offsetof(Point, x), 0, NULL}, {"y", T_DOUBLE, offsetof(Point, y), 0, NULL}, {NULL, 0, 0, 0, NULL}};
static PyTypeObject PointType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "Point", .tp_basicsize = sizeof(Point), .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_members = members};

static const char text[] =
    "def add1(a, b): return a + b\n"
    "def multiply(a, b): return a * b\n"
    "def noop(): pass\n"
    "def length(text): return len(text)\n"
    "def point(p): return p.x * p.x + p.y * p.y\n"
    "class Number:\n"
    "    def __init__(self): self.value = 7\n"
    "kept = Number()\n"
    "def handle(h): return h.value\n"
    "def raises(n): raise KeyError(n)\n"
    "def wrong(n): return 'no number'\n";

static PyObject *py_add1, *py_multiply, *py_noop, *py_length, *py_point, *py_handle, *py_raises, *py_wrong, *kept;
static int started;

static void start(void)
{
    PyObject *globals;
    Py_InitializeEx(0);
    PyType_Ready(&PointType);
    globals = PyModule_GetDict(PyImport_AddModule("__main__"));
    Py_XDECREF(PyRun_String(text, Py_file_input, globals, globals));
#define FIND(name) py_##name = PyDict_GetItemString(globals, #name)
    FIND(add1); FIND(multiply); FIND(noop); FIND(length); FIND(point); FIND(handle); FIND(raises); FIND(wrong);
    kept = PyDict_GetItemString(globals, "kept");
}

#ifdef KEPT
static _Thread_local PyThreadState *mine;
static PyInterpreterState *interpreter;
static pthread_key_t key;

static void forget(void *state)
{
    PyEval_RestoreThread(state);
    PyThreadState_Clear(state);
    PyThreadState_DeleteCurrent();
}

static void first_call_of_thread(void)
{
    if (!started) {
        start();
        interpreter = PyInterpreterState_Get();
        pthread_key_create(&key, forget);
        mine = PyEval_SaveThread(); /* The main thread's state is the interpreter's: nothing forgets it. */
        __atomic_store_n(&started, 1, __ATOMIC_RELEASE);
    } else {
        mine = PyThreadState_New(interpreter);
        pthread_setspecific(key, mine);
    }
}

#if PY_VERSION_HEX >= 0x030D0000
#define CURRENT PyThreadState_GetUnchecked
#else
#define CURRENT _PyThreadState_UncheckedGet
#endif
typedef int held_t;

static held_t enter(void)
{
    if (mine == NULL)
        first_call_of_thread();
    if (CURRENT() == mine) /* A call inside a call. */
        return 0;
    PyEval_RestoreThread(mine);
    return 1;
}

static void leave(held_t held)
{
    if (held)
        PyEval_SaveThread();
}
#else
typedef PyGILState_STATE held_t;

static held_t enter(void)
{
    if (!started) {
        start();
        PyEval_SaveThread();
        started = 1;
    }
    return PyGILState_Ensure();
}

static void leave(held_t held) { PyGILState_Release(held); }
#endif

static long as_long(PyObject *function, PyObject *result)
{
    long value = -1;
    if (result != NULL)
        value = PyLong_AsLong(result);
    if (PyErr_Occurred()) {
        PyErr_WriteUnraisable(function);
        value = -1;
    }
    Py_XDECREF(result);
    return value;
}

static double as_double(PyObject *function, PyObject *result)
{
    double value = -1;
    if (result != NULL)
        value = PyFloat_AsDouble(result);
    if (PyErr_Occurred())
        PyErr_WriteUnraisable(function);
    Py_XDECREF(result);
    return value;
}

static PyObject *call1(PyObject *function, PyObject *argument)
{
    PyObject *arguments[2] = {NULL, argument}, *result = NULL;
    if (argument != NULL)
        result = PyObject_Vectorcall(function, arguments + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    Py_XDECREF(argument);
    return result;
}

static PyObject *call2(PyObject *function, PyObject *a, PyObject *b)
{
    PyObject *arguments[3] = {NULL, a, b}, *result = NULL;
    if (a != NULL && b != NULL)
        result = PyObject_Vectorcall(function, arguments + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    Py_XDECREF(a);
    Py_XDECREF(b);
    return result;
}

int add1(int a, int b)
{
    held_t held = enter();
    long value = as_long(py_add1, call2(py_add1, PyLong_FromLong(a), PyLong_FromLong(b)));
    leave(held);
    return (int)value;
}

double multiply(double a, double b)
{
    held_t held = enter();
    double value = as_double(py_multiply, call2(py_multiply, PyFloat_FromDouble(a), PyFloat_FromDouble(b)));
    leave(held);
    return value;
}

void multiply_n(size_t n, const double *a, const double *b, double *result)
{
    held_t held = enter();
    size_t i;
    for (i = 0; i < n; i++)
        result[i] = as_double(py_multiply, call2(py_multiply, PyFloat_FromDouble(a[i]), PyFloat_FromDouble(b[i])));
    leave(held);
}

void noop(void)
{
    held_t held = enter();
    PyObject *arguments[1] = {NULL};
    PyObject *result = PyObject_Vectorcall(py_noop, arguments + 1, 0 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    if (result == NULL)
        PyErr_WriteUnraisable(py_noop);
    Py_XDECREF(result);
    leave(held);
}

int length(const char *characters)
{
    held_t held = enter();
    long value = as_long(py_length, call1(py_length, PyBytes_FromString(characters)));
    leave(held);
    return (int)value;
}

double point_val(point_t p)
{
    held_t held = enter();
    Point *object = PyObject_New(Point, &PointType);
    double value;
    if (object != NULL) {
        object->x = p.x;
        object->y = p.y;
    }
    value = as_double(py_point, call1(py_point, (PyObject *)object));
    leave(held);
    return value;
}

double point(const point_t *p) { return point_val(*p); }

void *make_handle(void)
{
    leave(enter());
    return kept;
}

static int call_with(PyObject **function, PyObject *argument)
{
    return (int)as_long(*function, call1(*function, argument));
}

int handle(void *h)
{
    held_t held = enter();
    int value = call_with(&py_handle, Py_NewRef((PyObject *)h));
    leave(held);
    return value;
}

int raises(int n)
{
    held_t held = enter();
    int value = call_with(&py_raises, PyLong_FromLong(n));
    leave(held);
    return value;
}

int wrong(int n)
{
    held_t held = enter();
    int value = call_with(&py_wrong, PyLong_FromLong(n));
    leave(held);
    return value;
}
