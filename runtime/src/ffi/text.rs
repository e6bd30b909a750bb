//! Where wide C strings end.

use crate::ctype::Code;
use crate::object::CData;
use crate::py::{Obj, Raised, Ref, Res};
use pyo3::ffi;
/// Units of `size` bytes before the first zero, at most `limit`.
///
/// # Safety
/// Readable up to there.
pub unsafe fn wide_units(data: *const u8, size: usize, limit: Option<usize>) -> usize {
    let mut count = 0;
    while limit.is_none_or(|limit| count < limit) {
        // SAFETY: the caller's contract: every unit up to the zero can be read.
        let unit = unsafe {
            match size {
                2 => u32::from(data.cast::<u16>().add(count).read_unaligned()),
                _ => data.cast::<u32>().add(count).read_unaligned(),
            }
        };
        if unit == 0 {
            break;
        }
        count += 1;
    }
    count
}

/// An index-like argument.
///
/// # Safety
/// `object` is live.
pub unsafe fn ssize(object: Obj) -> Res<isize> {
    // SAFETY: the caller's contract.
    unsafe {
        if let Some(small) = crate::py::small_long_value(object) {
            return Ok(small as isize);
        }
        let value = ffi::PyNumber_AsSsize_t(object, ffi::PyExc_OverflowError);
        if value == -1 && !ffi::PyErr_Occurred().is_null() {
            return Err(Raised::already());
        }
        Ok(value)
    }
}

/// The repr of a cdata, for messages.
pub(super) fn shown(cdata: &CData) -> String {
    // SAFETY: a live object; the exception of a failing repr is dropped.
    unsafe {
        let text = Ref::<ffi::PyObject>::steal(ffi::PyObject_Repr(cdata.obj()));
        match text.and_then(|text| Ok(crate::py::str_text(text.obj())?.map(str::to_owned))) {
            Ok(Some(text)) => text,
            Ok(None) => String::new(),
            Err(raised) => {
                raised.clear();
                format!("<cdata '{}'>", cdata.ctype().name)
            }
        }
    }
}

/// A type of one byte whose arrays are strings: char, and the plain integers of that size; not bool.
pub(super) fn is_byte(code: Code) -> bool {
    matches!(code, Code::Char | Code::I8 | Code::U8)
}

pub(super) fn is_wide(code: Code) -> bool {
    matches!(code, Code::Char16 | Code::Char32)
}
