//! How objects of static types begin, without a call where CPython does nothing besides.

use pyo3::ffi;

use super::Obj;

#[cfg(not(any(
    Py_3_12,
    py_sys_config = "Py_REF_DEBUG",
    py_sys_config = "Py_TRACE_REFS"
)))]
mod inline {
    use std::ffi::c_int;

    use super::{Obj, ffi};

    /// Whether an object's end is its type's `tp_dealloc`, and nothing else.
    pub const ENDS_WITHOUT_A_TRACE: bool = true;

    /// The start of CPython's own struct, the same in both versions.
    #[repr(C)]
    struct TraceMalloc {
        _initialized: c_int,
        tracing: c_int,
    }

    unsafe extern "C" {
        static _Py_tracemalloc_config: TraceMalloc;
    }

    /// See [`super::init`].
    ///
    /// # Safety
    /// That of [`super::init`].
    #[inline(always)]
    pub unsafe fn init(memory: Obj, class: *mut ffi::PyTypeObject) {
        // SAFETY: the contract of `super::init`; the GIL protects CPython's variable. While tracemalloc runs, it notes who
        // uses memory again that had been another object's.
        unsafe {
            if _Py_tracemalloc_config.tracing != 0 {
                ffi::PyObject_Init(memory, class);
                return;
            }
            (&raw mut (*memory).ob_refcnt).write(1);
            (&raw mut (*memory).ob_type).write(class);
        }
    }
}

#[cfg(any(
    Py_3_12,
    py_sys_config = "Py_REF_DEBUG",
    py_sys_config = "Py_TRACE_REFS"
))]
mod inline {
    use super::{Obj, ffi};

    /// Whether an object's end is its type's `tp_dealloc`, and nothing else.
    pub const ENDS_WITHOUT_A_TRACE: bool = false;

    /// See [`super::init`].
    ///
    /// # Safety
    /// That of [`super::init`].
    #[inline(always)]
    pub unsafe fn init(memory: Obj, class: *mut ffi::PyTypeObject) {
        // SAFETY: the contract of `super::init`.
        unsafe { ffi::PyObject_Init(memory, class) };
    }
}

pub use inline::ENDS_WITHOUT_A_TRACE;

/// What `PyObject_Init` does for a static type, in which objects do not count: memory becomes an object with one
/// reference.
///
/// # Safety
/// `memory` has room for an object of `class`, which is static and ready, and nobody else uses it. Attached to the
/// interpreter.
#[inline(always)]
pub(super) unsafe fn init(memory: Obj, class: *mut ffi::PyTypeObject) {
    // SAFETY: the same contract.
    unsafe { inline::init(memory, class) }
}
