//! Exceptions that have nowhere to go.

use pyo3::ffi;

use super::{Exception, Obj, Ref, str_text};

#[cfg(not(Py_3_13))]
unsafe extern "C" {
    /// Every CPython from 3.8 to 3.12 exports it, but no public header declares it.
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
/// An exception is set; `object` is live or NULL; the GIL is held.
pub unsafe fn write_unraisable(context: &str, object: Obj) {
    // SAFETY: `object` is live where it is not NULL (the caller's contract), and `text`, its repr, outlives the use of
    // its characters. The exception is set again before CPython's function is called, which writes the one that is set.
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
