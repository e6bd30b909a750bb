//! Warnings.

use pyo3::ffi;

use super::{Raised, Res};

/// Shows a `UserWarning`; raises it where the warnings filter says so.
pub fn warn(text: &str) -> Res<()> {
    // What a program gave may have NULs in it.
    let text = std::ffi::CString::new(text.replace('\0', "\\x00")).unwrap_or_default();
    // Without the module, C code shows a line of whatever file has the name of a plugin's init code.
    super::import(c"warnings").map_or_else(Raised::clear, drop);
    // SAFETY: a C string; the category is a static of libpython.
    if unsafe { ffi::PyErr_WarnEx(ffi::PyExc_UserWarning, text.as_ptr(), 1) } < 0 {
        return Err(Raised::already());
    }
    Ok(())
}
