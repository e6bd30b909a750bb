//! `p[i]`, `p[i] = value`, slices and their assignment, `len()`.

use pyo3::ffi;

use super::arith::{step, to_index};
use crate::convert::pointer::bytes_of;
use crate::convert::{Room, initialiser, many, read, write_in};
use crate::ctype::{CType, Code, Kind, array_of};
use crate::object::{
    CData, Resource, TYPES, as_cdata, new_inner, new_view, new_view_of_owning, null_dereference,
    released,
};
use crate::py::{Obj, Raised, Ref, Res, small_long_value};
use crate::raise;

/// The body of mp_subscript.
///
/// # Safety
/// `key` is live.
#[inline]
pub(super) unsafe fn get_item(cdata: &CData, key: Obj) -> Res<Ref> {
    // SAFETY: the caller's contract; an item's address is only made where an item is. The memory of an owning cdata is
    // there as long as it is.
    unsafe {
        if let Some(index) = small_long_value(key)
            && cdata.python_type() == TYPES.owning.ptr()
        {
            let ctype = cdata.ctype();
            let (index, data) = (index as isize, cdata.data());
            if ctype.code == Code::Array {
                if index >= 0 && index < cdata.array_length() {
                    let item = ctype.item();
                    let data = data.offset(index * item.size());
                    if item.is_aggregate() {
                        return Ok(new_inner(item, data, -1, cdata)?.into_obj());
                    }
                    return read(item, data);
                }
            } else if index == 0 && ctype.code == Code::Pointer {
                let item = ctype.item();
                if item.code == Code::Record {
                    let view = new_view_of_owning(item, data, cdata.length.get(), cdata)?;
                    return Ok(view.into_obj());
                }
                if !item.is_aggregate() {
                    return read(item, data);
                }
            }
        }
        get_any_item(cdata, key)
    }
}

#[inline(never)]
unsafe fn get_any_item(cdata: &CData, key: Obj) -> Res<Ref> {
    // SAFETY: as in `get_item`.
    unsafe {
        if ffi::Py_TYPE(key) == &raw mut ffi::PySlice_Type {
            let (start, length) = slice_bounds(cdata, key)?;
            return slice(cdata, start, length);
        }
        let index = to_index(key, ffi::PyExc_IndexError)?;
        let (item, data) = item_at(cdata, index)?;
        if item.is_aggregate() {
            if item.code == Code::Record
                && cdata.ctype().kind == Kind::Pointer
                && cdata.owns_one_value()
            {
                let owner = Ref::borrow(cdata.obj());
                return Ok(new_view(item, data, cdata.length.get(), owner)?.into_obj());
            }
            return Ok(new_inner(item, data, -1, cdata)?.into_obj());
        }
        read(item, data)
    }
}

/// The body of mp_ass_subscript; `value` NULL is a deletion.
///
/// # Safety
/// `key` is live, `value` live or NULL.
#[inline]
pub(super) unsafe fn set_item(cdata: &CData, key: Obj, value: Obj) -> Res<()> {
    // SAFETY: the caller's contract; the memory of an owning cdata is there as long as it is.
    unsafe {
        if value.is_null() {
            return Err(cannot_delete(cdata, key));
        }
        if let Some(index) = small_long_value(key)
            && cdata.python_type() == TYPES.owning.ptr()
            && cdata.ctype().code == Code::Array
        {
            let index = index as isize;
            if index >= 0 && index < cdata.array_length() {
                let item = cdata.ctype().item();
                let data = cdata.data().offset(index * item.size());
                return write_in(item, data, value, Room::UNKNOWN);
            }
        }
        if ffi::Py_TYPE(key) == &raw mut ffi::PySlice_Type {
            let (start, length) = slice_bounds(cdata, key)?;
            return assign_slice(cdata, start, length, value);
        }
        let index = to_index(key, ffi::PyExc_IndexError)?;
        let (item, data) = item_at(cdata, index)?;
        // What the owner knows of its memory bounds a flexible array at the end of the item.
        let room = if cdata.length.get() >= 0 && cdata.ctype().kind == Kind::Pointer {
            Room::until(data.offset(cdata.length.get()))
        } else {
            Room::UNKNOWN
        };
        write_in(item, data, value, room)
    }
}

/// `del cdata[key]`: nothing can be deleted, and what is not there is said first.
#[cold]
#[inline(never)]
unsafe fn cannot_delete(cdata: &CData, key: Obj) -> Raised {
    // SAFETY: the caller's contract: `key` is live.
    let place = unsafe {
        if ffi::Py_TYPE(key) == &raw mut ffi::PySlice_Type {
            slice_bounds(cdata, key).map(|_| ())
        } else {
            to_index(key, ffi::PyExc_IndexError).and_then(|index| item_at(cdata, index).map(|_| ()))
        }
    };
    match place {
        Ok(()) => raise!(TypeError, "'del x[n]' not supported for cdata objects"),
        Err(raised) => raised,
    }
}

/// Type and address of an item, with the checks that the type and the owner allow.
#[inline]
pub(crate) fn item_at(cdata: &CData, index: isize) -> Res<(&CType, *mut u8)> {
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
            "ctype '{}' points to items of unknown size",
            cdata.ctype().name
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
///
/// # Safety
/// `key` is a live slice.
unsafe fn slice_bounds(cdata: &CData, key: Obj) -> Res<(isize, isize)> {
    // SAFETY: the caller's contract.
    let (start, stop) = unsafe {
        let slice = &*key.cast::<ffi::PySliceObject>();
        let bound = |value: Obj, missing: &str| {
            if value == ffi::Py_None() {
                return Err(raise!(IndexError, "slice {missing} must be specified"));
            }
            let number = ffi::PyLong_AsSsize_t(value);
            if number == -1 && !ffi::PyErr_Occurred().is_null() {
                return Err(Raised::already());
            }
            Ok(number)
        };
        let start = bound(slice.start, "start")?;
        let stop = bound(slice.stop, "stop")?;
        if slice.step != ffi::Py_None() {
            return Err(raise!(IndexError, "slice with step not supported"));
        }
        (start, stop)
    };
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
unsafe fn assign_slice(cdata: &CData, start: isize, length: isize, value: Obj) -> Res<()> {
    cdata.check_live()?;
    let item = cdata.ctype().item();
    let size = item.size();
    if size < 0 {
        return Err(raise!(
            ValueError,
            "array item of unknown size: '{}'",
            item.name
        ));
    }
    let data = cdata.data().wrapping_offset(start.wrapping_mul(size));
    // SAFETY: the bounds were checked as far as they are known, and exactly `length` items at most are written.
    unsafe {
        if let Some(other) = as_cdata(value) {
            let from = other.ctype();
            if from.kind == Kind::Array
                && std::ptr::eq(from.item(), item)
                && other.array_length() == length
            {
                if other.data().is_null() && length > 0 {
                    return Err(null_dereference(other));
                }
                std::ptr::copy(other.data(), data, (length * size) as usize);
                return Ok(());
            }
        }
        if item.code == Code::Char {
            let bytes = if ffi::PyBytes_Check(value) != 0 {
                Some(bytes_of(value))
            } else if ffi::PyByteArray_Check(value) != 0 {
                let start = ffi::PyByteArray_AsString(value).cast::<u8>();
                Some(std::slice::from_raw_parts(
                    start,
                    ffi::PyByteArray_Size(value) as usize,
                ))
            } else {
                None
            };
            if let Some(bytes) = bytes {
                let given = bytes.len();
                if given as isize != length {
                    return Err(raise!(
                        ValueError,
                        "need a string of length {length}, got {given}"
                    ));
                }
                std::ptr::copy(bytes.as_ptr(), data, given);
                return Ok(());
            }
        }
        if ffi::PyList_CheckExact(value) != 0 || ffi::PyTuple_CheckExact(value) != 0 {
            let given = initialiser::sequence_length(value);
            many::write_sequence(item, data, value, given.min(length), Room::UNKNOWN)?;
            return count_check(length, given);
        }
        let iterator = Ref::steal(ffi::PyObject_GetIter(value))?;
        for index in 0..length {
            let Some(one) = next(&iterator)? else {
                return count_check(length, index);
            };
            write_in(item, data.offset(index * size), one.obj(), Room::UNKNOWN)?;
        }
        match next(&iterator)? {
            Some(_) => count_check(length, length + 1),
            None => Ok(()),
        }
    }
}

unsafe fn next(iterator: &Ref) -> Res<Option<Ref>> {
    // SAFETY: a live iterator.
    unsafe {
        let one = ffi::PyIter_Next(iterator.obj());
        if !one.is_null() {
            return Ok(Some(Ref::steal(one)?));
        }
        if ffi::PyErr_Occurred().is_null() {
            Ok(None)
        } else {
            Err(Raised::already())
        }
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
