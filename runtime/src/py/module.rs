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

/// Makes a module with these functions.
pub fn new(name: &CStr, doc: &CStr, functions: *mut ffi::PyMethodDef) -> Res<Ref> {
    // SAFETY: C strings and a static table of functions.
    unsafe {
        let module: Ref = Ref::steal(ffi::PyModule_New(name.as_ptr()))?;
        if ffi::PyModule_AddFunctions(module.obj(), functions) < 0
            || ffi::PyModule_SetDocString(module.obj(), doc.as_ptr()) < 0
        {
            return Err(Raised::already());
        }
        Ok(module)
    }
}
