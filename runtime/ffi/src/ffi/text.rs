//! Where wide C strings end.

use crate::ctype::Code;
use crate::exception;
use crate::object::CData;
use crate::py::{Live, Res};

/// Units of `size` bytes before the first zero, at most `limit`.
///
/// # Safety
/// `size` is 2 or 4; at `data`, every unit up to the first zero, or up to `limit`, can be read.
pub unsafe fn wide_units(data: *const u8, size: usize, limit: Option<usize>) -> usize {
    let mut count = 0;
    while limit.is_none_or(|limit| count < limit) {
        // SAFETY: no unit before this one was zero and `count` is below the limit, so this one can be read (the caller's
        // contract). It need not be aligned.
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
pub fn ssize(object: Live) -> Res<isize> {
    crate::cdata::arith::to_index(object, exception!(OverflowError))
}

/// An index-like argument, or what it is when it was left out.
pub fn ssize_or(object: Option<Live>, otherwise: isize) -> Res<isize> {
    object.map_or(Ok(otherwise), ssize)
}

/// The repr of a cdata, for messages.
pub(super) fn shown(cdata: &CData) -> String {
    let text = cdata.live().repr();
    match text.and_then(|text| Ok(text.live().text()?.map(str::to_owned))) {
        Ok(Some(text)) => text,
        Ok(None) => String::new(),
        Err(raised) => {
            raised.clear();
            format!("<cdata '{}'>", cdata.ctype().name)
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
