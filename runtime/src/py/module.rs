//! Modules.

use std::ffi::CStr;

use pyo3::ffi;

use super::{Raised, Ref, Res};

/// Sets an attribute of a module.
pub fn add(module: &Ref, name: &CStr, value: &Ref) -> Res<()> {
    // SAFETY: live objects.
    if unsafe { ffi::PyModule_AddObjectRef(module.obj(), name.as_ptr(), value.obj()) } < 0 {
        return Err(Raised::already());
    }
    Ok(())
}
