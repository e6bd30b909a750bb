//! What an in-line FFI was given, kept for what is built from it.

use keelback_codegen::CdefText;
use pyo3::ffi;

use super::FfiObject;
use crate::py::{Ref, Res, none, str_from};

/// Keeps a text for what is built from the FFI, and where it was given.
pub(super) fn record(ffi: &FfiObject, cdef: CdefText, caller: (Ref, i32)) {
    // SAFETY: attached to the interpreter; nothing inside calls Python or drops objects.
    unsafe {
        ffi.recorded.with(|recorded| {
            recorded.cdefs.push(cdef);
            recorded.callers.push(caller);
        });
    }
}

/// Names of the C library that a library built from the FFI may export.
pub(super) fn record_exports(ffi: &FfiObject, names: Vec<String>) {
    // SAFETY: attached to the interpreter; nothing inside calls Python or drops objects.
    unsafe { ffi.recorded.with(|recorded| recorded.exports.extend(names)) };
}

/// Functions that get batches in a library built from the FFI.
pub(super) fn record_batches(ffi: &FfiObject, names: Vec<String>) {
    // SAFETY: attached to the interpreter; nothing inside calls Python or drops objects.
    unsafe { ffi.recorded.with(|recorded| recorded.batches.extend(names)) };
}

/// The functions that get batches.
pub(super) fn batches_of(ffi: &FfiObject) -> Vec<String> {
    // SAFETY: attached to the interpreter; nothing inside calls Python or drops objects.
    unsafe { ffi.recorded.with(|recorded| recorded.batches.clone()) }
}

/// The Python file and line that a method is called from: where the compiler's messages about a cdef point, if its text
/// stands there.
pub(super) fn caller() -> Res<(Ref, i32)> {
    // SAFETY: attached; the frame is borrowed, and alive while its function runs.
    let (code, line): (Ref, i32) = unsafe {
        let frame = ffi::PyEval_GetFrame();
        if frame.is_null() {
            return Ok((none(), 0));
        }
        (
            Ref::steal(ffi::PyFrame_GetCode(frame).cast())?,
            ffi::PyFrame_GetLineNumber(frame),
        )
    };
    Ok((code.live().attribute(c"co_filename")?, line))
}

/// Notes that the FFI has an embedding API.
pub(super) fn make_embedding(ffi: &FfiObject) -> Res<()> {
    // With this attribute compile() makes a library. embedding_init_code() replaces its value by a text.
    let name = c"_embedding";
    // SAFETY: a live object, a C string.
    if unsafe { ffi::PyObject_HasAttrString(ffi.obj(), name.as_ptr()) } == 0 {
        ffi.live().set_attribute(name, str_from("")?.live())?;
    }
    Ok(())
}
