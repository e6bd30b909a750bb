//! What a builder's functions are given, as Rust has it.

use pyo3::ffi;

use crate::py::{Live, Ref, Res, given};
use crate::raise;

/// A str argument, or None.
pub(super) fn text(object: Option<Live>) -> Res<Option<String>> {
    let Some(object) = given(object) else {
        return Ok(None);
    };
    match object.text()? {
        Some(text) => Ok(Some(text.to_owned())),
        None => Err(raise!(
            TypeError,
            "expected a str, not {}",
            object.type_name()
        )),
    }
}

/// A sequence of str; none of None.
pub(super) fn texts(object: Option<Live>) -> Res<Vec<String>> {
    let list = tuple(object)?;
    list.iter()
        .map(|item| {
            text(Some(item.live()))?.ok_or_else(|| raise!(TypeError, "expected a str, not None"))
        })
        .collect()
}

/// A bytes object, or None.
pub(super) fn bytes(object: Option<Live>) -> Res<Option<Vec<u8>>> {
    let Some(object) = given(object) else {
        return Ok(None);
    };
    match object.bytes() {
        Some(bytes) => Ok(Some(bytes.to_vec())),
        None => Err(raise!(
            TypeError,
            "expected bytes, {} found",
            object.type_name()
        )),
    }
}

/// The items of a sequence; none of None.
pub(super) fn tuple(object: Option<Live>) -> Res<Vec<Ref>> {
    let Some(object) = given(object) else {
        return Ok(Vec::new());
    };
    // SAFETY: a live object.
    let list: Ref = unsafe { Ref::steal(ffi::PySequence_Tuple(object.ptr())) }?;
    Ok(list.live().tuple_items().map(Live::to_ref).collect())
}
