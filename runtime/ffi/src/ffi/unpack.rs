//! `ffi.unpack`.

use super::FfiObject;
use super::text::{is_wide, shown, ssize};
use crate::convert::Lvalue;
use crate::ctype::Code;
use crate::object::{CData, TYPES, released};
use crate::py::{Live, Ref, Res, make, method};
use crate::{convert, raise};

method!(pub unpack = "FFI.unpack", items_of, (_ffi: &FfiObject, cdata: Live, length: Live));

fn items_of(_ffi: &FfiObject, cdata: Live, length: Live) -> Res<Ref> {
    let Some(cdata) = CData::of(cdata) else {
        return Err(raise!(
            TypeError,
            "unpack() argument 1 must be a cdata, not {}",
            cdata.type_name()
        ));
    };
    let length = ssize(length)?;
    if TYPES.can_be_released(cdata.python_type()) && cdata.shows_released() {
        return Err(released(cdata));
    }
    let ctype = cdata.ctype();
    if !ctype.is_pointer_or_array() || ctype.is_function_pointer() {
        return Err(raise!(
            TypeError,
            "expected a pointer or array, got '{}'",
            ctype.name
        ));
    }
    if length < 0 {
        return Err(raise!(ValueError, "'length' cannot be negative"));
    }
    if cdata.data().is_null() {
        return Err(raise!(
            RuntimeError,
            "cannot use unpack() on {}",
            shown(cdata)
        ));
    }
    let item = ctype.item();
    if item.size() < 0 {
        return Err(raise!(
            ValueError,
            "'{}' points to items of unknown size{}",
            ctype.name,
            ctype.why_opaque()
        ));
    }
    // SAFETY: that so many items are at the address is the user's responsibility, as in C.
    let first = unsafe { Lvalue::new(item, cdata.data()) };
    let length = length as usize;
    if item.code == Code::Char {
        // SAFETY: as above.
        return make::bytes(unsafe { std::slice::from_raw_parts(first.data(), length) });
    }
    if is_wide(item.code) {
        return convert::character::read_wide_text(first, length);
    }
    convert::read_list(first, length)
}
