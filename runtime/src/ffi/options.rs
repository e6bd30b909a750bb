//! What a builder's functions are given, as Rust has it.

use pyo3::ffi;

use super::object::given;
use crate::py::{Obj, Raised, Ref, Res, str_text};
use crate::raise;

/// A str argument, or None.
///
/// # Safety
/// NULL, or a live object.
pub(super) unsafe fn text(object: Obj) -> Res<Option<String>> {
    let Some(object) = given(object) else {
        return Ok(None);
    };
    // SAFETY: live.
    match unsafe { str_text(object)? } {
        Some(text) => Ok(Some(text.to_owned())),
        // SAFETY: live.
        None => Err(raise!(TypeError, "expected a str, not {}", unsafe {
            crate::py::type_name(object)
        })),
    }
}

/// A sequence of str.
///
/// # Safety
/// NULL, or a live object.
pub(super) unsafe fn texts(object: Obj) -> Res<Vec<String>> {
    let Some(object) = given(object) else {
        return Ok(Vec::new());
    };
    // SAFETY: live objects.
    unsafe {
        let list = Ref::<ffi::PyObject>::steal(ffi::PySequence_Tuple(object))?;
        (0..ffi::PyTuple_GET_SIZE(list.obj()))
            .map(|index| {
                text(ffi::PyTuple_GET_ITEM(list.obj(), index))?
                    .ok_or_else(|| raise!(TypeError, "expected a str, not None"))
            })
            .collect()
    }
}

/// Whether an object is true; NULL is not.
///
/// # Safety
/// NULL, or a live object.
pub(super) unsafe fn truth(object: Obj) -> Res<bool> {
    if object.is_null() {
        return Ok(false);
    }
    // SAFETY: live.
    match unsafe { ffi::PyObject_IsTrue(object) } {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Raised::already()),
    }
}

/// A bytes object, or None.
///
/// # Safety
/// NULL, or a live object.
pub(super) unsafe fn bytes(object: Obj) -> Res<Option<Vec<u8>>> {
    let Some(object) = given(object) else {
        return Ok(None);
    };
    // SAFETY: the caller's contract; the bytes are copied while the object is alive.
    unsafe {
        let start = ffi::PyBytes_AsString(object);
        if start.is_null() {
            return Err(Raised::already());
        }
        let length = ffi::PyBytes_Size(object) as usize;
        Ok(Some(
            std::slice::from_raw_parts(start.cast::<u8>(), length).to_vec(),
        ))
    }
}
