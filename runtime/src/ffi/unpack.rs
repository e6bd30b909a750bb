//! `ffi.unpack`.

use super::text::{is_wide, shown, ssize};
use crate::ctype::Code;
use crate::object::{TYPES, as_cdata, released};
use crate::py::{Obj, Ref, Signature, guard, type_name};
use crate::{convert, raise};
use pyo3::ffi;

static UNPACK: Signature<2> = Signature::new("FFI.unpack", ["cdata", "length"], 2);

pub unsafe extern "C" fn unpack(_object: Obj, args: *const Obj, count: isize, names: Obj) -> Obj {
    guard(|| {
        // SAFETY: as in `string`.
        unsafe {
            let [cdata, length] = UNPACK.parse(args, count, names)?;
            let Some(cdata) = as_cdata(cdata) else {
                return Err(raise!(
                    TypeError,
                    "unpack() argument 1 must be a cdata, not {}",
                    type_name(cdata)
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
                    "'{}' points to items of unknown size",
                    ctype.name
                ));
            }
            if item.code == Code::Char {
                return Ref::steal(ffi::PyBytes_FromStringAndSize(cdata.data().cast(), length));
            }
            if is_wide(item.code) {
                return convert::character::read_wide_text(
                    item.code,
                    cdata.data(),
                    length as usize,
                );
            }
            convert::read_list(item, cdata.data(), length as usize)
        }
    })
}
