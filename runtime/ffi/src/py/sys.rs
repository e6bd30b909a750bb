//! What the interpreter has by a name: `sys.NAME`, and the modules that are loaded.

use std::ffi::CStr;

use pyo3::ffi;

pub use super::of_sys as object;
use super::{Live, Ref, Res};
use crate::raise;

/// Whether there is an interpreter. May be asked at any time, on any thread.
pub fn is_initialized() -> bool {
    // SAFETY: valid at any time.
    unsafe { ffi::Py_IsInitialized() != 0 }
}

/// A module of `sys.modules`; `None` if it is not there. What stands there in the place of a module (None) is given too.
pub fn loaded(name: &CStr) -> Option<Ref> {
    // SAFETY: the GIL is held; what the dict has is borrowed, and held by a reference from here on.
    unsafe {
        let modules = ffi::PyImport_GetModuleDict();
        Live::or_null(ffi::PyDict_GetItemString(modules, name.as_ptr()))
    }
    .map(Live::to_ref)
}

/// A new `types.SimpleNamespace`, whose class has no name in C: it is that of `sys.implementation`.
pub fn simple_namespace() -> Res<Ref> {
    let implementation = super::of_sys(c"implementation")
        .ok_or_else(|| raise!(RuntimeError, "lost sys.implementation"))?;
    // SAFETY: the reference keeps the object alive, and it keeps its class.
    unsafe {
        Ref::steal(ffi::PyObject_CallNoArgs(
            implementation.live().class().cast(),
        ))
    }
}
