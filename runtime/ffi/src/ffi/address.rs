//! addressof, in all its forms.

use super::types::{first_and_rest, step};
use crate::ctype::{Code, Kind, pointer_to};
use crate::library::{self, Lib};
use crate::object::{CData, TYPES, function_object, new_plain};
use crate::py::{Live, Obj, Ref, Res, guard};
use crate::raise;

/// `ffi.addressof(cdata, *fields_or_indexes)`, `ffi.addressof(lib, name)`
///
/// # Safety
/// Called by Python, as a method of an FFI object.
pub unsafe extern "C" fn addressof(
    _object: Obj,
    args: *const Obj,
    count: isize,
    names: Obj,
) -> Obj {
    guard(|| {
        // SAFETY: what Python passes to a method of these flags.
        let (target, selectors) =
            unsafe { first_and_rest("FFI.addressof", "cdata", args, count, names)? };
        address_of(target, selectors)
    })
}

fn address_of(target: Live, selectors: &[Live]) -> Res<Ref> {
    if let Some(cdata) = CData::of(target) {
        return Ok(address_inside(cdata, selectors)?.into_obj());
    }
    if let Some(lib) = Lib::of(target) {
        let [name] = selectors else {
            return Err(raise!(
                TypeError,
                "addressof(lib, name) takes the name of one function or global variable"
            ));
        };
        return library::address_of(lib, *name);
    }
    if let Some((ctype, address)) = function_object(target)?
        && selectors.is_empty()
    {
        return Ok(new_plain(&ctype, address, -1)?.into_obj());
    }
    Err(raise!(
        TypeError,
        "expected a cdata object, got '{}'",
        target.type_name()
    ))
}

/// A pointer to a cdata, or to a part of it.
///
/// Where the memory's extent is known (an array's length, an owner's single item), an index outside raises; one past
/// the end is allowed, as in C.
fn address_inside(cdata: &CData, selectors: &[Live]) -> Res<Ref<CData>> {
    let ctype = cdata.ctype();
    let has_address = matches!(ctype.code, Code::Record | Code::Array);
    let is_pointer = ctype.kind == Kind::Pointer;
    if selectors.is_empty() {
        if is_pointer && !ctype.is_function_pointer() {
            return Err(raise!(TypeError, "addressof(pointer)"));
        }
        if !has_address {
            return Err(raise!(
                TypeError,
                "expected a cdata struct/union/array object"
            ));
        }
        cdata.check_live()?;
        return new_plain(&*pointer_to(ctype)?, cdata.data(), -1);
    }
    let mut part = ctype.to_ref();
    let mut offset = 0isize;
    let mut pointer = None;
    for (position, &selector) in selectors.iter().enumerate() {
        let is_last = position + 1 == selectors.len();
        let next = step(&part, selector, position == 0, is_last)?;
        if let Some(index) = next.index {
            let length = if position == 0 {
                cdata.extent()
            } else {
                part.length
            };
            if length >= 0 && (index < 0 || index > length) {
                return Err(raise!(
                    IndexError,
                    "index {index} is outside of '{}' ({length} item{})",
                    part.name,
                    if length == 1 { "" } else { "s" }
                ));
            }
        }
        let Some(sum) = offset.checked_add(next.offset) else {
            return Err(raise!(
                OverflowError,
                "array offset would overflow a Py_ssize_t"
            ));
        };
        offset = sum;
        part = next.ctype;
        pointer = next.pointer;
    }
    if !has_address && !is_pointer {
        return Err(raise!(
            TypeError,
            "expected a cdata struct/union/array/pointer object"
        ));
    }
    cdata.check_live()?;
    if cdata.data().is_null() {
        return Err(raise!(
            RuntimeError,
            "cannot take the address of a part of a NULL pointer's target"
        ));
    }
    let pointer = match pointer {
        Some(pointer) => pointer,
        None => pointer_to(&part)?,
    };
    new_plain(&pointer, cdata.data().wrapping_offset(offset), -1)
}

impl CData {
    /// How many items the memory behind an array or owning pointer has; -1 when it is not known.
    fn extent(&self) -> isize {
        match self.ctype().code {
            Code::Array => self.array_length(),
            Code::Pointer if self.python_type() == TYPES.owning.ptr() => 1,
            _ => -1,
        }
    }
}
