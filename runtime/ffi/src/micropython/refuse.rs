//! What is raised for a library that is closed, and for what the system refuses.

use pyo3::ffi;

use crate::library::Handle;
use crate::py::{Raised, Ref, Res, str_from};
use crate::raise;

/// OSError(errno, text).
#[cold]
pub(super) fn os_error(errno: i32, text: &str) -> Raised {
    let arguments = str_from(text).and_then(|text| {
        // SAFETY: plain constructors; the tuple takes references of its own.
        unsafe {
            let number: Ref = Ref::steal(ffi::PyLong_FromLong(errno.into()))?;
            Ref::<ffi::PyObject>::steal(ffi::PyTuple_Pack(2, number.obj(), text.obj()))
        }
    });
    match arguments {
        Ok(arguments) => {
            // SAFETY: the class, and its arguments.
            unsafe { ffi::PyErr_SetObject(ffi::PyExc_OSError, arguments.obj()) };
            Raised::already()
        }
        Err(raised) => raised,
    }
}

/// Raises for a library that was closed.
#[inline(always)]
pub(super) fn check_open(library: &Handle) -> Res<()> {
    if library.is_closed() {
        return Err(raise!(ValueError, "the library is closed"));
    }
    Ok(())
}
