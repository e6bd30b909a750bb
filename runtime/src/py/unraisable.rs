//! Exceptions that have nowhere to go.

use pyo3::ffi;

use super::{Exception, Obj, Ref, str_text};

#[cfg(not(Py_3_13))]
unsafe extern "C" {
    /// In every CPython from 3.8 to 3.12, without a declaration in the public headers.
    fn _PyErr_WriteUnraisableMsg(message: *const std::ffi::c_char, object: Obj);
}

#[cfg(Py_3_13)]
unsafe extern "C" {
    fn PyErr_FormatUnraisable(format: *const std::ffi::c_char, ...);
}

/// Hands the exception that is set to `sys.unraisablehook`, under the headline `Exception ignored <context><repr of
/// object>`. `object` may be NULL.
///
/// # Safety
/// An exception is set; `object` is live or NULL.
pub unsafe fn write_unraisable(context: &str, object: Obj) {
    // SAFETY: the caller's contract; the exception is put back before it is written.
    unsafe {
        let exception = Exception::fetch_if_set();
        let mut headline = context.to_string();
        if !object.is_null() {
            match Ref::steal(ffi::PyObject_Repr(object)) {
                Ok(text) => headline.push_str(str_text(text.obj()).ok().flatten().unwrap_or("?")),
                Err(raised) => raised.clear(),
            }
            ffi::PyErr_Clear();
        }
        let text = std::ffi::CString::new(headline.replace('\0', "\\0")).unwrap_or_default();
        if let Some(exception) = exception {
            let _still_set = exception.restore();
        }
        #[cfg(not(Py_3_13))]
        _PyErr_WriteUnraisableMsg(text.as_ptr(), std::ptr::null_mut());
        #[cfg(Py_3_13)]
        PyErr_FormatUnraisable(c"Exception ignored %s".as_ptr(), text.as_ptr());
    }
}
