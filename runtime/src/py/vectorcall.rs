//! Calls of Python functions.

use pyo3::ffi;

use super::Obj;

/// `PyObject_Vectorcall` without keywords. Functions written in Python, which are what C calls most, are entered
/// directly: `PyObject_Vectorcall` checks that a callable has an entry and that its result fits the exception state, and
/// both hold for every Python function.
///
/// # Safety
/// `callable` is a live object, and `arguments` points to as many live objects as `flags` says. Where `flags` has
/// `PY_VECTORCALL_ARGUMENTS_OFFSET`, the place before the first of them may be written during the call.
#[inline(always)]
pub unsafe fn vectorcall(callable: Obj, arguments: *const Obj, flags: usize) -> Obj {
    // SAFETY: `callable` is live and `arguments` and `flags` describe live arguments (the caller's contract), which is
    // what the entry and PyObject_Vectorcall ask for. An object whose type is exactly that of functions has its entry,
    // or NULL, at its type's tp_vectorcall_offset.
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
