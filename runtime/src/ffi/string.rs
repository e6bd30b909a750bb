//! `ffi.string`.

use super::text::{is_byte, is_wide, shown, ssize, wide_units};
use crate::ctype::Kind;
use crate::object::{TYPES, as_cdata, released};
use crate::py::{Obj, Ref, Signature, guard, type_name};
use crate::{convert, raise};
use pyo3::ffi;

static STRING: Signature<2> = Signature::new("FFI.string", ["cdata", "maxlen"], 1);

pub unsafe extern "C" fn string(_object: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL method; the arguments are live. The memory is what the cdata says, which is the
        // user's responsibility for pointers, as in C.
        unsafe {
            let [cdata, maxlen] = STRING.parse(args, count, names)?;
            let maxlen = if maxlen.is_null() { -1 } else { ssize(maxlen)? };
            let Some(cdata) = as_cdata(cdata) else {
                return Err(raise!(
                    TypeError,
                    "string() argument 1 must be a cdata, not {}",
                    type_name(cdata)
                ));
            };
            if TYPES.can_be_released(cdata.python_type()) && cdata.shows_released() {
                return Err(released(cdata));
            }
            let ctype = cdata.ctype();
            if ctype.is_pointer_or_array() {
                let item = ctype.item();
                let is_text = is_byte(item.code) || is_wide(item.code);
                if (is_text || item.code.is_integer()) && cdata.data().is_null() {
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
                    return if is_byte(item.code) {
                        let length = byte_length(cdata.data(), limit);
                        Ref::steal(ffi::PyBytes_FromStringAndSize(
                            cdata.data().cast(),
                            length as isize,
                        ))
                    } else {
                        let size = item.size() as usize;
                        convert::character::read_wide_text(
                            item.code,
                            cdata.data(),
                            wide_units(cdata.data(), size, limit),
                        )
                    };
                }
            } else if ctype.kind == Kind::Enum {
                let (number, name) = convert::read_enum_text(ctype, cdata.data())?;
                return match name {
                    Some(name) => crate::py::str_from(&name),
                    None => Ref::steal(ffi::PyObject_Str(number.obj())),
                };
            } else if is_byte(ctype.code) {
                return Ref::steal(ffi::PyBytes_FromStringAndSize(cdata.data().cast(), 1));
            } else if is_wide(ctype.code) {
                return convert::read(ctype, cdata.data());
            }
            Err(raise!(
                TypeError,
                "string(): unexpected cdata '{}' argument",
                ctype.name
            ))
        }
    })
}

/// Bytes before the first NUL, at most `limit`.
///
/// # Safety
/// Readable up to there.
unsafe fn byte_length(data: *const u8, limit: Option<usize>) -> usize {
    // SAFETY: the caller's contract.
    unsafe {
        match limit {
            None => libc::strlen(data.cast()),
            Some(limit) => libc::strnlen(data.cast(), limit),
        }
    }
}
