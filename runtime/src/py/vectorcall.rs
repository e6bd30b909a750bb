//! Calls of Python functions.

use pyo3::ffi;

use super::Obj;

/// `PyObject_Vectorcall` without keywords. Functions written in Python, which are what C calls, are entered directly:
/// what that function checks of others holds for them.
///
/// # Safety
/// As for `PyObject_Vectorcall`.
#[inline(always)]
pub unsafe fn vectorcall(callable: Obj, arguments: *const Obj, flags: usize) -> Obj {
    // SAFETY: the caller's contract; a function object has its entry where its type says.
    unsafe {
        let class = ffi::Py_TYPE(callable);
        if class == &raw mut ffi::PyFunction_Type {
            let offset = (*class).tp_vectorcall_offset;
            let entry = callable
                .byte_offset(offset)
                .cast::<Option<ffi::vectorcallfunc>>();
            if let Some(entry) = *entry {
                return entry(callable, arguments, flags, std::ptr::null_mut());
            }
        }
        ffi::PyObject_Vectorcall(callable, arguments, flags, std::ptr::null_mut())
    }
}
