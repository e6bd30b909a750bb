//! Pointer arithmetic.

use crate::ctype::{CType, Kind, pointer_to};
use crate::object::{CData, new_plain};
use crate::py::{Live, Ref, Res, make, not_implemented};
use crate::{exception, raise};

/// Bytes of a step of a pointer to this item: one for `void *`. `None`: not known.
pub fn step(item: &CType) -> Option<isize> {
    match item.kind {
        Kind::Void => Some(1),
        Kind::Function => None,
        _ => Some(item.size()).filter(|&size| size >= 0),
    }
}

/// What an index or an offset is: an int, or an object with `__index__`. `overflow`: the exception class for one that is
/// too large.
#[inline]
pub fn to_index(value: Live, overflow: Live) -> Res<isize> {
    if let Some(small) = value.small_int() {
        return Ok(small as isize);
    }
    value.to_isize(overflow)
}

/// `pointer + offset * sign`
fn offset(cdata: &CData, offset: Live, sign: isize) -> Res<Ref> {
    let count = to_index(offset, exception!(OverflowError))?.wrapping_mul(sign);
    let ctype = cdata.ctype();
    if !ctype.is_pointer_or_array() || ctype.is_function_pointer() {
        return Err(raise!(
            TypeError,
            "cannot add a cdata '{}' and a number",
            ctype.name
        ));
    }
    let Some(step) = step(ctype.item()) else {
        return Err(raise!(
            TypeError,
            "ctype '{}' points to items of unknown size{}",
            ctype.name,
            ctype.why_opaque()
        ));
    };
    let data = cdata.data().wrapping_offset(count.wrapping_mul(step));
    if ctype.kind == Kind::Pointer {
        return Ok(new_plain(ctype, data, -1)?.into_obj());
    }
    let pointer = pointer_to(ctype.item())?;
    Ok(new_plain(&pointer, data, -1)?.into_obj())
}

/// `left + right`, one of which is a cdata.
pub(super) fn add(left: Live, right: Live) -> Res<Ref> {
    match (CData::of(left), CData::of(right)) {
        (Some(cdata), _) => offset(cdata, right, 1),
        (None, Some(cdata)) => offset(cdata, left, 1),
        (None, None) => Ok(not_implemented()),
    }
}

/// `left - right`, one of which is a cdata.
pub(super) fn subtract(left: Live, right: Live) -> Res<Ref> {
    match (CData::of(left), CData::of(right)) {
        (Some(left), Some(right)) => distance(left, right),
        (Some(cdata), None) => offset(cdata, right, -1),
        (None, _) => Ok(not_implemented()),
    }
}

/// Items between two pointers of the same type; arrays count as pointers.
fn distance(left: &CData, right: &CData) -> Res<Ref> {
    let (to, from) = (left.ctype(), right.ctype());
    let size = if to.is_pointer_or_array()
        && from.is_pointer_or_array()
        && std::ptr::eq(to.item(), from.item())
    {
        step(to.item()).filter(|&size| size > 0)
    } else {
        None
    };
    let Some(size) = size else {
        let other = if from.kind == Kind::Array {
            pointer_to(from.item())?.name.clone()
        } else {
            from.name.clone()
        };
        return Err(raise!(
            TypeError,
            "cannot subtract cdata '{}' and cdata '{other}'",
            to.name
        ));
    };
    let bytes = (left.data() as isize).wrapping_sub(right.data() as isize);
    if size > 1 && bytes % size != 0 {
        return Err(raise!(
            ValueError,
            "pointer subtraction: the distance between the two pointers is not a multiple of the item size"
        ));
    }
    make::int(bytes / size)
}
