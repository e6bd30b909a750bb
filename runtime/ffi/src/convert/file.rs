//! `FILE *` from a Python file object.

use std::ffi::{CStr, c_void};
use std::ptr::NonNull;

use pyo3::ffi;

use crate::py::{Live, Obj, Raised, Ref, Res, import, intern};
use crate::raise;

/// Name of the attribute that keeps a file object's stream, and what the capsule in it is called.
const ATTRIBUTE: &str = "__cffi_FILE";
const CAPSULE: &CStr = c"FILE";

/// The C stream for a Python file object; `None` for any other object. The file is flushed first, so that what Python
/// wrote comes before what C writes. The stream has a descriptor of its own, is unbuffered, and lives as long as the
/// file object.
pub fn stream(object: Live) -> Res<Option<*mut libc::FILE>> {
    let base = import(c"_io")?.live().attribute(c"_IOBase")?;
    if !object.is_instance(base.live())? {
        return Ok(None);
    }
    object.call_method(c"flush")?;
    let attribute = intern(ATTRIBUTE)?;
    match object.attribute_named(attribute.live()) {
        Ok(capsule) => kept_stream(&capsule).map(Some),
        Err(raised) => {
            raised.clear();
            let descriptor = object.file_descriptor()?;
            let mode = c_mode(object)?;
            let stream = open(descriptor, &mode).ok_or_else(Raised::from_errno)?;
            let capsule = keep_stream(stream)?;
            object.set_attribute_named(attribute.live(), capsule.live())?;
            Ok(Some(stream.as_ptr()))
        }
    }
}

/// The stream that a file object's attribute keeps.
fn kept_stream(capsule: &Ref) -> Res<*mut libc::FILE> {
    // SAFETY: a live object; CPython checks that it is a capsule of this name.
    let stream = unsafe { ffi::PyCapsule_GetPointer(capsule.obj(), CAPSULE.as_ptr()) };
    if stream.is_null() {
        return Err(Raised::already());
    }
    Ok(stream.cast())
}

/// A capsule that closes a stream when it goes.
fn keep_stream(stream: NonNull<libc::FILE>) -> Res<Ref> {
    let pointer = stream.as_ptr();
    // SAFETY: a stream that nobody else closes: the capsule does, or, where there is none, this function.
    unsafe {
        let capsule = ffi::PyCapsule_New(pointer.cast(), CAPSULE.as_ptr(), Some(close));
        Ref::steal(capsule).inspect_err(|_| {
            libc::fclose(pointer);
        })
    }
}

/// fopen's mode for a Python file: `rb+` also for Python's `x` and `w+`, which would truncate.
fn c_mode(object: Live) -> Res<std::ffi::CString> {
    let mode = object.attribute(c"mode")?;
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

/// A stream over a copy of the descriptor; `None` with errno set.
fn open(descriptor: i32, mode: &CStr) -> Option<NonNull<libc::FILE>> {
    // SAFETY: plain C calls; the copy is closed when no stream takes it over.
    unsafe {
        let copy = libc::fcntl(descriptor, libc::F_DUPFD_CLOEXEC, 0);
        if copy < 0 {
            return None;
        }
        let stream = libc::fdopen(copy, mode.as_ptr());
        if stream.is_null() {
            libc::close(copy);
        } else {
            libc::setbuf(stream, std::ptr::null_mut());
        }
        NonNull::new(stream)
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
