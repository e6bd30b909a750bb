//! `p[i]`, `p[i] = value`, slices and their assignment, `len()`.

use pyo3::ffi;

use super::arith::{step, to_index};
use crate::convert::{Lvalue, Room, many, read, write_in};
use crate::ctype::{CType, Code, Kind, array_of};
use crate::object::{
    CData, Resource, TYPES, new_inner, new_view, new_view_of_owning, null_dereference, released,
};
use crate::py::{Live, Raised, Ref, Res, Sequence};
use crate::{exception, raise};

/// The body of mp_subscript.
#[inline]
pub(super) fn get_item(cdata: &CData, key: Live) -> Res<Ref> {
    if let Some(index) = key.small_int()
        && cdata.python_type() == TYPES.owning.ptr()
    {
        let ctype = cdata.ctype();
        let (index, data) = (index as isize, cdata.data());
        if ctype.code == Code::Array {
            if index >= 0 && index < cdata.array_length() {
                let item = ctype.item();
                let place = Lvalue::in_cdata(cdata).first().nth(index);
                if item.is_aggregate() {
                    return Ok(new_inner(item, place.data(), -1, cdata)?.into_obj());
                }
                return read(place);
            }
        } else if index == 0 && ctype.code == Code::Pointer {
            let item = ctype.item();
            if item.code == Code::Record {
                let view = new_view_of_owning(item, data, cdata.length.get(), cdata)?;
                return Ok(view.into_obj());
            }
            if !item.is_aggregate() {
                return read(Lvalue::owned_by(cdata));
            }
        }
    }
    get_any_item(cdata, key)
}

/// Items of what does not own its memory, slices, and all that raises.
#[inline(never)]
fn get_any_item(cdata: &CData, key: Live) -> Res<Ref> {
    if key.is_slice() {
        let (start, length) = slice_bounds(cdata, key)?;
        return slice(cdata, start, length);
    }
    let index = to_index(key, exception!(IndexError))?;
    let place = item_at(cdata, index)?;
    let (item, data) = (place.ctype(), place.data());
    if item.is_aggregate() {
        if item.code == Code::Record
            && cdata.ctype().kind == Kind::Pointer
            && cdata.owns_one_value()
        {
            let owner = cdata.live().to_ref();
            return Ok(new_view(item, data, cdata.length.get(), owner)?.into_obj());
        }
        return Ok(new_inner(item, data, -1, cdata)?.into_obj());
    }
    read(place)
}

/// The body of mp_ass_subscript; without a value it is a deletion.
#[inline]
pub(super) fn set_item(cdata: &CData, key: Live, value: Option<Live>) -> Res<()> {
    let Some(value) = value else {
        return Err(cannot_delete(cdata, key));
    };
    if let Some(index) = key.small_int()
        && cdata.python_type() == TYPES.owning.ptr()
        && cdata.ctype().code == Code::Array
    {
        let index = index as isize;
        if index >= 0 && index < cdata.array_length() {
            let place = Lvalue::in_cdata(cdata).first().nth(index);
            return write_in(place, value, Room::UNKNOWN);
        }
    }
    set_any_item(cdata, key, value)
}

/// Items of what does not own its memory, slices, and all that raises.
#[inline]
fn set_any_item(cdata: &CData, key: Live, value: Live) -> Res<()> {
    if key.is_slice() {
        let (start, length) = slice_bounds(cdata, key)?;
        return assign_slice(cdata, start, length, value);
    }
    let index = to_index(key, exception!(IndexError))?;
    let place = item_at(cdata, index)?;
    // A flexible array at the end of the item reaches as far as the owner's memory does.
    let room = if cdata.length.get() >= 0 && cdata.ctype().kind == Kind::Pointer {
        Room::until(place.after(cdata.length.get()))
    } else {
        Room::UNKNOWN
    };
    write_in(place, value, room)
}

/// `del cdata[key]`: nothing can be deleted, but the error for a key that is not there comes first.
#[cold]
#[inline(never)]
fn cannot_delete(cdata: &CData, key: Live) -> Raised {
    let place = if key.is_slice() {
        slice_bounds(cdata, key).map(|_| ())
    } else {
        to_index(key, exception!(IndexError)).and_then(|index| item_at(cdata, index).map(|_| ()))
    };
    match place {
        Ok(()) => raise!(TypeError, "'del x[n]' not supported for cdata objects"),
        Err(raised) => raised,
    }
}

/// An item, with the checks that the type and the owner allow.
#[inline]
fn item_at(cdata: &CData, index: isize) -> Res<Lvalue<'_>> {
    let (item, data) = address_at(cdata, index)?;
    // SAFETY: an item is there as far as the cdata knows: C's own rule for pointers.
    Ok(unsafe { Lvalue::new(item, data) })
}

/// Type and address of an item.
#[inline]
fn address_at(cdata: &CData, index: isize) -> Res<(&CType, *mut u8)> {
    let ctype = cdata.ctype();
    let data = cdata.data();
    match ctype.kind {
        Kind::Array => {
            if index < 0 {
                return Err(raise!(IndexError, "negative index"));
            }
            let length = cdata.array_length();
            if index >= length {
                return Err(outside(cdata, index, length));
            }
            if data.is_null() {
                return Err(null_dereference(cdata));
            }
            cdata.check_live()?;
            let item = ctype.item();
            Ok((item, data.wrapping_offset(index.wrapping_mul(item.size()))))
        }
        Kind::Pointer => {
            let item = ctype.item();
            if cdata.python_type() == TYPES.owning.ptr() {
                if index != 0 {
                    return Err(only_zero(cdata));
                }
                return Ok((item, data));
            }
            item_of_pointer(cdata, item, index)
        }
        _ => Err(no_items(cdata)),
    }
}

#[inline]
fn item_of_pointer<'a>(
    cdata: &'a CData,
    item: &'a CType,
    index: isize,
) -> Res<(&'a CType, *mut u8)> {
    let data = cdata.data();
    if item.kind == Kind::Function {
        return Err(no_items(cdata));
    }
    if data.is_null() {
        return Err(null_dereference(cdata));
    }
    if let Some(resource) = cdata.resource() {
        if matches!(resource, Resource::Released { .. }) {
            return Err(released(cdata));
        }
        if index != 0 && cdata.owns_one_value() {
            return Err(only_zero(cdata));
        }
    }
    match step(item) {
        _ if item.kind == Kind::Void => Err(raise!(TypeError, "cdata '{}' is opaque", item.name)),
        Some(step) => Ok((item, data.wrapping_offset(index.wrapping_mul(step)))),
        None if index == 0 => Ok((item, data)),
        None => Err(raise!(
            TypeError,
            "ctype '{}' points to items of unknown size{}",
            cdata.ctype().name,
            item.why_opaque()
        )),
    }
}

#[cold]
#[inline(never)]
fn outside(cdata: &CData, index: isize, length: isize) -> Raised {
    if let Some(Resource::Released { .. }) = cdata.resource() {
        return released(cdata);
    }
    raise!(
        IndexError,
        "index too large for cdata '{}' (expected {index} < {length})",
        cdata.ctype().name
    )
}

#[cold]
#[inline(never)]
fn only_zero(cdata: &CData) -> Raised {
    raise!(
        IndexError,
        "cdata '{}' can only be indexed by 0",
        cdata.ctype().name
    )
}

#[cold]
#[inline(never)]
fn no_items(cdata: &CData) -> Raised {
    raise!(
        TypeError,
        "cdata of type '{}' cannot be indexed",
        cdata.ctype().name
    )
}

/// Start and length of `cdata[start:stop]`, both of which must be given.
fn slice_bounds(cdata: &CData, key: Live) -> Res<(isize, isize)> {
    let Some([start, stop, step]) = key.slice_parts() else {
        return Err(no_items(cdata));
    };
    let bound = |value: Live, missing: &str| {
        if value.is_none() {
            return Err(raise!(IndexError, "slice {missing} must be specified"));
        }
        // SAFETY: a live object.
        let number = unsafe { ffi::PyLong_AsSsize_t(value.ptr()) };
        if number == -1 {
            Raised::if_set()?;
        }
        Ok(number)
    };
    let (start, stop) = (bound(start, "start")?, bound(stop, "stop")?);
    if !step.is_none() {
        return Err(raise!(IndexError, "slice with step not supported"));
    }
    if start > stop {
        return Err(raise!(IndexError, "slice start > stop"));
    }
    let ctype = cdata.ctype();
    match ctype.kind {
        Kind::Array => {
            if start < 0 {
                return Err(raise!(IndexError, "negative index"));
            }
            let length = cdata.array_length();
            if stop > length {
                if let Some(Resource::Released { .. }) = cdata.resource() {
                    return Err(released(cdata));
                }
                return Err(raise!(
                    IndexError,
                    "index too large (expected {stop} <= {length})"
                ));
            }
            if cdata.data().is_null() && start != stop {
                return Err(null_dereference(cdata));
            }
        }
        Kind::Pointer if !ctype.is_function_pointer() => {
            if cdata.data().is_null() && start != stop {
                return Err(null_dereference(cdata));
            }
        }
        _ => return Err(no_items(cdata)),
    }
    let length = stop
        .checked_sub(start)
        .ok_or_else(|| raise!(IndexError, "slice start > stop"))?;
    Ok((start, length))
}

/// A view of `length` items from `start` on.
fn slice(cdata: &CData, start: isize, length: isize) -> Res<Ref> {
    cdata.check_live()?;
    let item = cdata.ctype().item();
    let array = array_of(item, -1)?;
    let data = cdata
        .data()
        .wrapping_offset(start.wrapping_mul(item.size()));
    Ok(new_inner(&array, data, length, cdata)?.into_obj())
}

/// `cdata[start:start+length] = value`: a cdata array of the same items, bytes for `char`, or any iterable of as many
/// items.
fn assign_slice(cdata: &CData, start: isize, length: isize, value: Live) -> Res<()> {
    cdata.check_live()?;
    let item = cdata.ctype().item();
    let size = item.size();
    if size < 0 {
        return Err(raise!(
            ValueError,
            "array item of unknown size: '{}'{}",
            item.name,
            item.why_opaque()
        ));
    }
    let data = cdata.data().wrapping_offset(start.wrapping_mul(size));
    // SAFETY: the first of the slice's items, which are there as far as the cdata knows: C's own rule for pointers.
    let first = unsafe { Lvalue::new(item, data) };
    if let Some(other) = CData::of(value) {
        let from = other.ctype();
        if from.kind == Kind::Array
            && std::ptr::eq(from.item(), item)
            && other.array_length() == length
        {
            if other.data().is_null() && length > 0 {
                return Err(null_dereference(other));
            }
            first.copy_from(other.data(), (length * size) as usize);
            return Ok(());
        }
    }
    if item.code == Code::Char
        && let Some((from, given)) = bytes_or_bytearray(value)
    {
        if given as isize != length {
            return Err(raise!(
                ValueError,
                "need a string of length {length}, got {given}"
            ));
        }
        first.copy_from(from, given);
        return Ok(());
    }
    if let Some(sequence) = Sequence::exactly(value) {
        let given = sequence.len();
        many::write_sequence(first, sequence, given.min(length), Room::UNKNOWN)?;
        return count_check(length, given);
    }
    let iterator = value.iterator()?;
    for index in 0..length {
        let Some(one) = iterator.live().next_item()? else {
            return count_check(length, index);
        };
        write_in(first.nth(index), one.live(), Room::UNKNOWN)?;
    }
    match iterator.live().next_item()? {
        Some(_) => count_check(length, length + 1),
        None => Ok(()),
    }
}

/// The memory of bytes or a bytearray, until Python runs again.
fn bytes_or_bytearray(value: Live) -> Option<(*const u8, usize)> {
    if let Some(bytes) = value.bytes() {
        return Some((bytes.as_ptr(), bytes.len()));
    }
    // SAFETY: a bytearray, where it is one.
    unsafe {
        (ffi::PyByteArray_Check(value.ptr()) != 0).then(|| {
            let start = ffi::PyByteArray_AsString(value.ptr()).cast::<u8>();
            (
                start.cast_const(),
                ffi::PyByteArray_Size(value.ptr()) as usize,
            )
        })
    }
}

fn count_check(length: isize, given: isize) -> Res<()> {
    match given.cmp(&length) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Less => Err(raise!(
            ValueError,
            "need {length} values to unpack, got {given}"
        )),
        std::cmp::Ordering::Greater => Err(raise!(
            ValueError,
            "got more than {length} values to unpack"
        )),
    }
}

/// The body of mp_length.
pub(super) fn length(cdata: &CData) -> Res<isize> {
    if cdata.ctype().kind == Kind::Array {
        return Ok(cdata.array_length());
    }
    Err(raise!(
        TypeError,
        "cdata of type '{}' has no len()",
        cdata.ctype().name
    ))
}
