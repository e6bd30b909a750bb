//! New Python objects of the plain types.

use pyo3::ffi;

use super::{Raised, Ref, Res};

/// An int.
#[inline]
pub fn int(value: isize) -> Res<Ref> {
    // SAFETY: a plain constructor.
    unsafe { Ref::steal(ffi::PyLong_FromSsize_t(value)) }
}

/// An int that is an address or a size.
#[inline]
pub fn unsigned_int(value: usize) -> Res<Ref> {
    // SAFETY: a plain constructor.
    unsafe { Ref::steal(ffi::PyLong_FromSize_t(value)) }
}

/// A float.
#[inline]
pub fn float(value: f64) -> Res<Ref> {
    // SAFETY: a plain constructor.
    unsafe { Ref::steal(ffi::PyFloat_FromDouble(value)) }
}

/// A bytes object with a copy of the data.
pub fn bytes(data: &[u8]) -> Res<Ref> {
    // SAFETY: the data with its length.
    unsafe {
        Ref::steal(ffi::PyBytes_FromStringAndSize(
            data.as_ptr().cast(),
            data.len() as isize,
        ))
    }
}

/// A tuple of these items.
pub fn tuple<T>(items: impl ExactSizeIterator<Item = Res<Ref<T>>>) -> Res<Ref> {
    let count = items.len();
    // SAFETY: a fresh tuple, of which each place is filled once with a reference that it takes; one that is not filled
    // up is not seen by anyone.
    unsafe {
        let tuple: Ref = Ref::steal(ffi::PyTuple_New(count as isize))?;
        for (index, item) in items.enumerate().take(count) {
            ffi::PyTuple_SET_ITEM(tuple.obj(), index as isize, item?.into_ptr().cast());
        }
        Ok(tuple)
    }
}

/// A list of these items, whose number is known.
pub fn full_list<T>(items: impl ExactSizeIterator<Item = Res<Ref<T>>>) -> Res<Ref> {
    let count = items.len();
    // SAFETY: a fresh list, of which each place is filled once with a reference that it takes; one that is not filled up
    // is not seen by anyone but the garbage collector, for which an empty place is NULL.
    unsafe {
        let list: Ref = Ref::steal(ffi::PyList_New(count as isize))?;
        for (index, item) in items.enumerate().take(count) {
            ffi::PyList_SET_ITEM(list.obj(), index as isize, item?.into_ptr().cast());
        }
        Ok(list)
    }
}

/// A list of these items.
pub fn list<T>(items: impl IntoIterator<Item = Res<Ref<T>>>) -> Res<Ref> {
    // SAFETY: a fresh list.
    let list: Ref = unsafe { Ref::steal(ffi::PyList_New(0)) }?;
    for item in items {
        // SAFETY: a list, which takes a reference of its own.
        if unsafe { ffi::PyList_Append(list.obj(), item?.obj()) } < 0 {
            return Err(Raised::already());
        }
    }
    Ok(list)
}

/// A dict of these items.
pub fn dict(items: impl IntoIterator<Item = Res<(Ref, Ref)>>) -> Res<Ref> {
    // SAFETY: a fresh dict.
    let dict: Ref = unsafe { Ref::steal(ffi::PyDict_New()) }?;
    for item in items {
        let (key, value) = item?;
        // SAFETY: a dict, which takes references of its own.
        if unsafe { ffi::PyDict_SetItem(dict.obj(), key.obj(), value.obj()) } < 0 {
            return Err(Raised::already());
        }
    }
    Ok(dict)
}
