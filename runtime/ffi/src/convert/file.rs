//! `FILE *` from a Python file object.

use std::ffi::{CStr, c_void};

use pyo3::ffi;

use crate::py::{Obj, Raised, Ref, Res, intern};
use crate::raise;

/// Name of the attribute that keeps a file object's stream, and what the capsule in it is called.
const ATTRIBUTE: &str = "__cffi_FILE";
const CAPSULE: &CStr = c"FILE";

/// The C stream for a Python file object; `None` for any other object. The file is flushed first, so that what Python
/// wrote comes before what C writes. The stream has a descriptor of its own, is unbuffered, and lives as long as the
/// file object.
///
/// # Safety
/// `object` is live.
pub unsafe fn stream(object: Obj) -> Res<Option<*mut libc::FILE>> {
    // SAFETY: live objects; each result is checked.
    unsafe {
        let io = crate::py::import(c"_io")?;
        let base = io.live().attribute(c"_IOBase")?;
        match ffi::PyObject_IsInstance(object, base.obj()) {
            1 => {}
            0 => return Ok(None),
            _ => return Err(Raised::already()),
        }
        drop(Ref::steal(ffi::PyObject_CallMethod(
            object,
            c"flush".as_ptr(),
            std::ptr::null(),
        ))?);
        let attribute = intern(ATTRIBUTE)?;
        let found = ffi::PyObject_GetAttr(object, attribute.obj());
        if !found.is_null() {
            let capsule = Ref::steal(found)?;
            let stream = ffi::PyCapsule_GetPointer(capsule.obj(), CAPSULE.as_ptr());
            return if stream.is_null() {
                Err(Raised::already())
            } else {
                Ok(Some(stream.cast()))
            };
        }
        ffi::PyErr_Clear();
        let descriptor = ffi::PyObject_AsFileDescriptor(object);
        if descriptor < 0 {
            return Err(Raised::already());
        }
        let mode = c_mode(object)?;
        let stream = open(descriptor, &mode);
        if stream.is_null() {
            ffi::PyErr_SetFromErrno(ffi::PyExc_OSError);
            return Err(Raised::already());
        }
        let capsule = match Ref::<ffi::PyObject>::steal(ffi::PyCapsule_New(
            stream.cast(),
            CAPSULE.as_ptr(),
            Some(close),
        )) {
            Ok(capsule) => capsule,
            Err(raised) => {
                libc::fclose(stream);
                return Err(raised);
            }
        };
        if ffi::PyObject_SetAttr(object, attribute.obj(), capsule.obj()) < 0 {
            return Err(Raised::already());
        }
        Ok(Some(stream))
    }
}

/// fopen's mode for a Python file: `rb+` also for Python's `x` and `w+`, which would truncate.
///
/// # Safety
/// `object` is live.
unsafe fn c_mode(object: Obj) -> Res<std::ffi::CString> {
    // SAFETY: a live object.
    unsafe {
        let mode = Ref::steal(ffi::PyObject_GetAttrString(object, c"mode".as_ptr()))?;
        let Some(text) = mode.live().text()? else {
            return Err(raise!(TypeError, "the file's mode must be a str"));
        };
        let (update, append, read) = (text.contains('+'), text.contains('a'), text.contains('r'));
        let mode = match (append, read, update) {
            (true, _, true) => c"ab+",
            (true, _, false) => c"ab",
            (false, _, true) => c"rb+",
            (false, true, false) => c"rb",
            (false, false, false) => c"wb",
        };
        Ok(mode.to_owned())
    }
}

/// A stream over a copy of the descriptor; NULL with errno set.
fn open(descriptor: i32, mode: &CStr) -> *mut libc::FILE {
    // SAFETY: plain C calls; the copy is closed when no stream takes it over.
    unsafe {
        let copy = libc::fcntl(descriptor, libc::F_DUPFD_CLOEXEC, 0);
        if copy < 0 {
            return std::ptr::null_mut();
        }
        let stream = libc::fdopen(copy, mode.as_ptr());
        if stream.is_null() {
            libc::close(copy);
        } else {
            libc::setbuf(stream, std::ptr::null_mut());
        }
        stream
    }
}

/// The destructor of a stream's capsule.
///
/// # Safety
/// Called by Python, with a capsule of this kind that goes.
unsafe extern "C" fn close(capsule: Obj) {
    // SAFETY: the capsule holds a stream that nobody else closes.
    unsafe {
        let stream: *mut c_void = ffi::PyCapsule_GetPointer(capsule, CAPSULE.as_ptr());
        if stream.is_null() {
            ffi::PyErr_Clear();
        } else {
            libc::fclose(stream.cast());
        }
    }
}
