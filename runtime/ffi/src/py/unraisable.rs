//! Exceptions that have nowhere to go.

use super::{Exception, Live, Obj};

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
    // SAFETY: live or NULL (the caller's contract).
    let object = unsafe { Live::or_null(object) };
    let exception = Exception::fetch_if_set();
    let mut headline = context.to_string();
    if let Some(object) = object {
        match object.repr() {
            Ok(text) => match text.live().text() {
                Ok(text) => headline.push_str(text.unwrap_or("?")),
                Err(raised) => {
                    headline.push('?');
                    raised.clear();
                }
            },
            Err(raised) => raised.clear(),
        }
    }
    let text = std::ffi::CString::new(headline.replace('\0', "\\0")).unwrap_or_default();
    if let Some(exception) = exception {
        let _still_set = exception.restore();
    }
    // SAFETY: a C string; the exception is set again, which is the one that CPython's function writes.
    unsafe {
        #[cfg(not(Py_3_13))]
        _PyErr_WriteUnraisableMsg(text.as_ptr(), std::ptr::null_mut());
        #[cfg(Py_3_13)]
        PyErr_FormatUnraisable(c"Exception ignored %s".as_ptr(), text.as_ptr());
    }
}
