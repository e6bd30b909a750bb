//! `ffi.string`.

use super::FfiObject;
use super::text::{is_byte, is_wide, shown, ssize_or, wide_units};
use crate::convert::Lvalue;
use crate::ctype::{CType, Kind};
use crate::object::{CData, TYPES, released};
use crate::py::{Live, Ref, Res, make, method};
use crate::{convert, raise};

method!(pub string = "FFI.string", text_of, (_ffi: &FfiObject, cdata: Live, maxlen: Option<Live>));

fn text_of(_ffi: &FfiObject, cdata: Live, maxlen: Option<Live>) -> Res<Ref> {
    let maxlen = ssize_or(maxlen, -1)?;
    let Some(cdata) = CData::of(cdata) else {
        return Err(raise!(
            TypeError,
            "string() argument 1 must be a cdata, not {}",
            cdata.type_name()
        ));
    };
    if TYPES.can_be_released(cdata.python_type()) && cdata.shows_released() {
        return Err(released(cdata));
    }
    let ctype = cdata.ctype();
    if ctype.is_pointer_or_array() {
        let item = ctype.item();
        let is_bytes = is_byte(item.code);
        let is_text = is_bytes || is_wide(item.code);
        if cdata.data().is_null() && (is_text || item.code.is_integer()) {
            return Err(raise!(
                RuntimeError,
                "cannot use string() on {}",
                shown(cdata)
            ));
        }
        if is_text && item.kind != Kind::Enum {
            let limit = match (maxlen, ctype.kind) {
                (0.., _) => Some(maxlen as usize),
                (_, Kind::Array) => usize::try_from(cdata.array_length()).ok(),
                _ => None,
            };
            // SAFETY: the memory up to the limit or the zero is there, which for pointers is the user's responsibility,
            // as in C.
            return unsafe { text_at(item, cdata.data(), limit) };
        }
    } else if ctype.kind == Kind::Enum {
        let (number, name) = convert::read_enum_text(Lvalue::in_cdata(cdata))?;
        return match name {
            Some(name) => crate::py::str_from(&name),
            None => number.live().str(),
        };
    } else if is_byte(ctype.code) {
        return make::bytes(&[Lvalue::in_cdata(cdata).get()]);
    } else if is_wide(ctype.code) {
        return convert::read(Lvalue::in_cdata(cdata));
    }
    Err(raise!(
        TypeError,
        "string(): unexpected cdata '{}' argument",
        ctype.name
    ))
}

/// The bytes or the str at an address.
///
/// # Safety
/// At `data`, items of the type can be read up to the first zero, or up to `limit`.
unsafe fn text_at(item: &CType, data: *const u8, limit: Option<usize>) -> Res<Ref> {
    // SAFETY: items can be read up to the first zero or the limit (the caller's contract), and `length` and `units` are
    // found by reading no further.
    unsafe {
        if is_byte(item.code) {
            let length = byte_length(data, limit);
            return make::bytes(std::slice::from_raw_parts(data, length));
        }
        let units = wide_units(data, item.size() as usize, limit);
        convert::character::read_wide_text(Lvalue::new(item, data.cast_mut()), units)
    }
}

/// Bytes before the first NUL, at most `limit`.
///
/// # Safety
/// At `data`, bytes can be read up to the first NUL, or up to `limit`.
unsafe fn byte_length(data: *const u8, limit: Option<usize>) -> usize {
    // SAFETY: bytes can be read up to the first NUL or the limit (the caller's contract), and neither function goes on
    // behind it.
    unsafe {
        match limit {
            None => libc::strlen(data.cast()),
            Some(limit) => libc::strnlen(data.cast(), limit),
        }
    }
}
