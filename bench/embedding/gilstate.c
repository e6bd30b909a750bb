/* The functions of api.h as one writes them by hand: PyGILState_Ensure and PyGILState_Release around each call. */
#include <Python.h>

static PyObject *py_add1, *py_noop;

static void start(void)
{
    PyObject *globals;
    if (Py_IsInitialized())
        return;
    Py_InitializeEx(0);
    globals = PyModule_GetDict(PyImport_AddModule("__main__"));
    Py_XDECREF(PyRun_String("def add1(a, b): return a + b\ndef noop(): pass\n", Py_file_input, globals, globals));
    py_add1 = PyDict_GetItemString(globals, "add1");
    py_noop = PyDict_GetItemString(globals, "noop");
    PyEval_SaveThread();
}

int add1(int a, int b)
{
    PyGILState_STATE state;
    PyObject *result, *arguments[3];
    long value = 0;
    start();
    state = PyGILState_Ensure();
    arguments[0] = NULL;
    arguments[1] = PyLong_FromLong(a);
    arguments[2] = PyLong_FromLong(b);
    result = PyObject_Vectorcall(py_add1, arguments + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    if (result == NULL)
        PyErr_WriteUnraisable(py_add1);
    else
        value = PyLong_AsLong(result);
    Py_XDECREF(result);
    Py_DECREF(arguments[1]);
    Py_DECREF(arguments[2]);
    PyGILState_Release(state);
    return (int)value;
}

void noop(void)
{
    PyGILState_STATE state;
    PyObject *arguments[1] = {NULL}, *result;
    start();
    state = PyGILState_Ensure();
    result = PyObject_Vectorcall(py_noop, arguments + 1, 0 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    if (result == NULL)
        PyErr_WriteUnraisable(py_noop);
    Py_XDECREF(result);
    PyGILState_Release(state);
}
