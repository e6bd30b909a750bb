//! Strings.

use std::ffi::CStr;

use pyo3::ffi;

use super::{Obj, Raised, Ref, Res};

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
    // SAFETY: `object` is live (the caller's contract) and was checked to be a str. PyUnicode_AsUTF8AndSize returns
    // `length` bytes of valid UTF-8 that belong to the object and are freed with it, which is after 'a (the caller's
    // contract).
    unsafe {
        if ffi::PyUnicode_Check(object) == 0 {
            return Ok(None);
        }
        let mut length = 0;
        let data = ffi::PyUnicode_AsUTF8AndSize(object, &mut length);
        if data.is_null() {
            return Err(Raised::already());
        }
        let bytes = std::slice::from_raw_parts(data.cast(), length as usize);
        Ok(Some(std::str::from_utf8_unchecked(bytes)))
    }
}

/// The text of a str; what UTF-8 cannot say (lone surrogates, as in file names) with backslashes.
///
/// # Safety
/// A live object; the GIL is held.
pub unsafe fn any_text(object: Obj) -> Res<String> {
    // SAFETY: `object` is live (the caller's contract); PyUnicode_AsEncodedString raises where it is no str, and returns
    // bytes otherwise. `bytes` owns the `length` bytes at `data` and lives until the end of the block.
    unsafe {
        let bytes: Ref = Ref::steal(ffi::PyUnicode_AsEncodedString(
            object,
            c"utf-8".as_ptr(),
            c"backslashreplace".as_ptr(),
        ))?;
        let data = ffi::PyBytes_AsString(bytes.obj()).cast::<u8>();
        let length = ffi::PyBytes_Size(bytes.obj()) as usize;
        Ok(String::from_utf8_lossy(std::slice::from_raw_parts(data, length)).into_owned())
    }
}
