/* What the host calls: starts Python at the first call, then calls what Cython made of cython_embedded.pyx. */
#include <Python.h>
#include "cython_embedded.h"

typedef struct { double x, y; } point_t;
static int started;

static void start(void)
{
    if (started)
        return;
    PyImport_AppendInittab("cython_embedded", PyInit_cython_embedded);
    Py_InitializeEx(0);
    Py_XDECREF(PyImport_ImportModule("cython_embedded"));
    PyEval_SaveThread();
    started = 1;
}

int add1(int a, int b) { start(); return cy_add1(a, b); }
double multiply(double a, double b) { start(); return cy_multiply(a, b); }
void noop(void) { start(); cy_noop(); }
int length(const char *text) { start(); return cy_length(text); }
double point(const point_t *p) { start(); return cy_point_val(p->x, p->y); }
double point_val(point_t p) { start(); return cy_point_val(p.x, p.y); }
void *make_handle(void) { start(); return cy_make_handle(); }
int handle(void *h) { start(); return cy_handle(h); }
int raises(int n) { start(); return cy_raises(n); }
int wrong(int n) { start(); return cy_wrong(n); }
