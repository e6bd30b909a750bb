//! Warnings.

use super::{Raised, Res, capi};

/// Shows a `UserWarning`; raises it where the warnings filter says so.
pub fn warn(text: &str) -> Res<()> {
    // What a program gave may have NULs in it.
    let text = std::ffi::CString::new(text.replace('\0', "\\x00")).unwrap_or_default();
    // Without the module, C code shows a line of whatever file has the name of a plugin's init code.
    super::import(c"warnings").map_or_else(Raised::clear, drop);
    let category = crate::exception!(UserWarning);
    Raised::if_negative(capi::PyErr_WarnEx(category, text.as_c_str().into(), 1))
}
