//! C calls Python: `extern "C"` functions that attach, call a Python function, and convert its result.

use std::ffi::{CStr, c_char, c_int, c_void};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict};

const CODE: &CStr = c"
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
def wrong(n): return 'no number'
";

struct Functions {
    add1: Py<PyAny>,
    multiply: Py<PyAny>,
    noop: Py<PyAny>,
    length: Py<PyAny>,
    point: Py<PyAny>,
    handle: Py<PyAny>,
    raises: Py<PyAny>,
    wrong: Py<PyAny>,
    kept: Py<PyAny>,
}

static FUNCTIONS: PyOnceLock<Functions> = PyOnceLock::new();

fn functions(py: Python<'_>) -> &'static Functions {
    FUNCTIONS.get_or_init(py, || {
        let names = PyDict::new(py);
        py.run(CODE, Some(&names), None).expect("the code runs");
        let get = |name| {
            names
                .get_item(name)
                .expect("a dict")
                .expect("defined above")
                .unbind()
        };
        Functions {
            add1: get("add1"),
            multiply: get("multiply"),
            noop: get("noop"),
            length: get("length"),
            point: get("point"),
            handle: get("handle"),
            raises: get("raises"),
            wrong: get("wrong"),
            kept: get("kept"),
        }
    })
}

/// The struct of api.h.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawPoint {
    x: f64,
    y: f64,
}

#[pyclass]
struct Point {
    #[pyo3(get)]
    x: f64,
    #[pyo3(get)]
    y: f64,
}

fn or<T>(py: Python<'_>, result: PyResult<T>, function: &Py<PyAny>, otherwise: T) -> T {
    result.unwrap_or_else(|error| {
        error.write_unraisable(py, Some(function.bind(py)));
        otherwise
    })
}

fn int_of(py: Python<'_>, function: &Py<PyAny>, n: c_int) -> c_int {
    let result = function.call1(py, (n,)).and_then(|value| value.extract(py));
    or(py, result, function, -1)
}

#[unsafe(no_mangle)]
extern "C" fn add1(a: c_int, b: c_int) -> c_int {
    Python::attach(|py| {
        let function = &functions(py).add1;
        let result = function
            .call1(py, (a, b))
            .and_then(|value| value.extract(py));
        or(py, result, function, -1)
    })
}

#[unsafe(no_mangle)]
extern "C" fn multiply(a: f64, b: f64) -> f64 {
    Python::attach(|py| {
        let function = &functions(py).multiply;
        let result = function
            .call1(py, (a, b))
            .and_then(|value| value.extract(py));
        or(py, result, function, -1.0)
    })
}

#[unsafe(no_mangle)]
extern "C" fn noop() {
    Python::attach(|py| {
        let function = &functions(py).noop;
        or(py, function.call0(py).map(drop), function, ());
    });
}

/// # Safety
/// `text` is a C string.
#[unsafe(no_mangle)]
unsafe extern "C" fn length(text: *const c_char) -> c_int {
    // SAFETY: the caller promises a C string.
    let bytes = unsafe { CStr::from_ptr(text) }.to_bytes();
    Python::attach(|py| {
        let function = &functions(py).length;
        let result = function
            .call1(py, (PyBytes::new(py, bytes),))
            .and_then(|value| value.extract(py));
        or(py, result, function, -1)
    })
}

#[unsafe(no_mangle)]
extern "C" fn point_val(point: RawPoint) -> f64 {
    Python::attach(|py| {
        let function = &functions(py).point;
        let result = Py::new(
            py,
            Point {
                x: point.x,
                y: point.y,
            },
        )
        .and_then(|object| function.call1(py, (object,)))
        .and_then(|value| value.extract(py));
        or(py, result, function, -1.0)
    })
}

/// # Safety
/// `point` points to a point.
#[unsafe(no_mangle)]
unsafe extern "C" fn point(point: *const RawPoint) -> f64 {
    // SAFETY: the caller promises that.
    point_val(unsafe { *point })
}

#[unsafe(no_mangle)]
extern "C" fn make_handle() -> *mut c_void {
    Python::attach(|py| functions(py).kept.as_ptr().cast())
}

/// # Safety
/// `handle` is what `make_handle` returned.
#[unsafe(no_mangle)]
unsafe extern "C" fn handle(handle: *mut c_void) -> c_int {
    Python::attach(|py| {
        // SAFETY: the object lives as long as FUNCTIONS.
        let object = unsafe { Bound::from_borrowed_ptr(py, handle.cast()) };
        let function = &functions(py).handle;
        let result = function
            .call1(py, (object,))
            .and_then(|value| value.extract(py));
        or(py, result, function, -1)
    })
}

#[unsafe(no_mangle)]
extern "C" fn raises(n: c_int) -> c_int {
    Python::attach(|py| int_of(py, &functions(py).raises, n))
}

#[unsafe(no_mangle)]
extern "C" fn wrong(n: c_int) -> c_int {
    Python::attach(|py| int_of(py, &functions(py).wrong, n))
}
