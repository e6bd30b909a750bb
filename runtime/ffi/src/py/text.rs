//! Strings.

use std::ffi::CStr;

use pyo3::ffi;

use super::capi::{self, made};
use super::{Live, Obj, Raised, Ref, Res};

/// A new Python str.
pub fn str_from(text: &str) -> Res<Ref> {
    // SAFETY: valid UTF-8 with its length.
    unsafe {
        Ref::steal(ffi::PyUnicode_FromStringAndSize(
            text.as_ptr().cast(),
            text.len() as ffi::Py_ssize_t,
        ))
    }
}

/// A new Python str of a C string. Bytes that are no UTF-8 are replaced.
pub fn str_from_c(text: &CStr) -> Res<Ref> {
    let bytes = text.to_bytes();
    if !bytes.is_ascii() {
        return str_from(&text.to_string_lossy());
    }
    // SAFETY: a fresh str of as many characters of one byte, which nobody else has seen.
    unsafe {
        let made: Ref = Ref::steal(ffi::PyUnicode_New(bytes.len() as ffi::Py_ssize_t, 0x7f))?;
        let place = ffi::PyUnicode_DATA(made.obj());
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), place.cast::<u8>(), bytes.len());
        Ok(made)
    }
}

/// A C string; `None` for NULL.
///
/// # Safety
/// `text` is NULL, or a C string that stays for `'a`.
pub unsafe fn c_text<'a>(text: *const std::ffi::c_char) -> Option<&'a CStr> {
    // SAFETY: not NULL, and so a C string that stays (the caller's contract).
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })
}

/// A new interned Python str: equal interned strings are the same object, so field names compare by address.
pub fn intern(text: &str) -> Res<Ref> {
    let mut object = str_from(text)?.into_ptr();
    // SAFETY: an owned reference goes in and one comes out.
    unsafe {
        ffi::PyUnicode_InternInPlace(&mut object);
        Ref::steal(object)
    }
}

/// The text of a Python str, valid as long as the object. `None` with no exception when it is no str; raises
/// for lone surrogates.
///
/// # Safety
/// `object` is live, and outlives the use of the text.
pub unsafe fn str_text<'a>(object: Obj) -> Res<Option<&'a str>> {
    // SAFETY: live, and longer than the text is used (the caller's contract).
    unsafe { Live::new(object) }.text()
}

/// The text of a str; what UTF-8 cannot say (lone surrogates, as in file names) with backslashes.
///
/// # Safety
/// A live object; the GIL is held.
pub unsafe fn any_text(object: Obj) -> Res<String> {
    // SAFETY: live (the caller's contract).
    let object = unsafe { Live::new(object) };
    let bytes = made(capi::PyUnicode_AsEncodedString(
        object,
        c"utf-8".into(),
        c"backslashreplace".into(),
    ))?;
    let bytes = bytes.live().bytes().unwrap_or_default();
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

/// The name of a file as the system takes it, of a str or bytes.
pub fn file_name(path: Live) -> Res<Vec<u8>> {
    if let Some(bytes) = path.bytes() {
        return Ok(bytes.to_vec());
    }
    let bytes = made(capi::PyUnicode_EncodeFSDefault(path))?;
    Ok(bytes.live().bytes().unwrap_or_default().to_vec())
}

/// Sets the exception `class(message)`. Prefer the [`raise!`](crate::raise) macro.
#[cold]
#[inline(never)]
pub fn raise_text(class: Live, message: std::fmt::Arguments<'_>) -> Raised {
    match str_from(&message.to_string()) {
        Ok(text) => Raised::with(class, text.live()),
        Err(raised) => raised,
    }
}
