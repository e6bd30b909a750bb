//! Python calls C: functions of a module that release the GIL around the C function, as CFFI does around every call.

use std::ffi::{c_char, c_double, c_int, c_long, c_ulong};

use pyo3::prelude::*;

#[repr(C)]
#[derive(Clone, Copy)]
struct RawPoint {
    x: c_int,
    y: c_int,
}

/// The C functions of bench/python_to_c.py, in a shared library: only there, so that nothing is inlined.
mod c {
    use super::*;

    #[link(name = "bench")]
    unsafe extern "C" {
        pub safe fn noop();
        pub safe fn absolute(x: c_int) -> c_int;
        pub safe fn add(a: c_int, b: c_int) -> c_int;
        pub safe fn half(x: c_double) -> c_double;
        pub fn length(text: *const c_char) -> c_ulong;
        pub fn sum_point(point: *mut RawPoint) -> c_int;
        #[allow(clippy::too_many_arguments)]
        pub safe fn sum9(
            a: c_int,
            b: c_double,
            c: c_long,
            d: c_double,
            e: c_int,
            f: c_double,
            g: c_long,
            h: c_int,
            i: c_long,
        ) -> c_double;
    }
}

#[pyclass]
struct Point {
    at: RawPoint,
}

#[pymethods]
impl Point {
    #[new]
    fn new(x: c_int, y: c_int) -> Self {
        Point {
            at: RawPoint { x, y },
        }
    }
}

#[pyfunction]
fn noop(py: Python<'_>) {
    py.detach(|| c::noop());
}

#[pyfunction]
fn absolute(py: Python<'_>, x: c_int) -> c_int {
    py.detach(|| c::absolute(x))
}

#[pyfunction]
fn add(py: Python<'_>, a: c_int, b: c_int) -> c_int {
    py.detach(|| c::add(a, b))
}

#[pyfunction]
fn half(py: Python<'_>, x: c_double) -> c_double {
    py.detach(|| c::half(x))
}

#[pyfunction]
fn length(py: Python<'_>, text: &[u8]) -> c_ulong {
    // SAFETY: the bytes of a bytes object end with a zero, and the argument keeps them alive.
    py.detach(|| unsafe { c::length(text.as_ptr().cast()) })
}

#[pyfunction]
fn sum_point(py: Python<'_>, mut point: PyRefMut<'_, Point>) -> c_int {
    let at = &mut point.at;
    // SAFETY: the point is borrowed for the call.
    py.detach(|| unsafe { c::sum_point(at) })
}

#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn sum9(
    py: Python<'_>,
    a: c_int,
    b: c_double,
    c: c_long,
    d: c_double,
    e: c_int,
    f: c_double,
    g: c_long,
    h: c_int,
    i: c_long,
) -> c_double {
    py.detach(|| c::sum9(a, b, c, d, e, f, g, h, i))
}

#[pymodule]
fn bench_pyo3(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Point>()?;
    module.add_function(wrap_pyfunction!(noop, module)?)?;
    module.add_function(wrap_pyfunction!(absolute, module)?)?;
    module.add_function(wrap_pyfunction!(add, module)?)?;
    module.add_function(wrap_pyfunction!(half, module)?)?;
    module.add_function(wrap_pyfunction!(length, module)?)?;
    module.add_function(wrap_pyfunction!(sum_point, module)?)?;
    module.add_function(wrap_pyfunction!(sum9, module)?)
}
