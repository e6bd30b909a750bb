//! New Python objects of the plain types.

use pyo3::ffi;

use super::capi::{self, made};
use super::{Ref, Res};

/// An int.
#[inline]
pub fn int(value: isize) -> Res<Ref> {
    made(capi::PyLong_FromSsize_t(value))
}

/// An int that is an address or a size.
#[inline]
pub fn unsigned_int(value: usize) -> Res<Ref> {
    made(capi::PyLong_FromSize_t(value))
}

/// An int of C's `long`, which CPython has the shortest way for.
#[inline]
pub fn int_from_long(value: std::ffi::c_long) -> Res<Ref> {
    made(capi::PyLong_FromLong(value))
}

/// An int of 64 bits.
#[inline]
pub fn int_from_i64(value: i64) -> Res<Ref> {
    made(capi::PyLong_FromLongLong(value))
}

/// An int of 64 bits without a sign.
#[inline]
pub fn int_from_u64(value: u64) -> Res<Ref> {
    made(capi::PyLong_FromUnsignedLongLong(value))
}

/// The integer part of a number; raises for infinity and NaN.
pub fn int_from_f64(value: f64) -> Res<Ref> {
    made(capi::PyLong_FromDouble(value))
}

/// A float.
#[inline]
pub fn float(value: f64) -> Res<Ref> {
    made(capi::PyFloat_FromDouble(value))
}

/// A complex number.
pub fn complex(real: f64, imaginary: f64) -> Res<Ref> {
    made(capi::PyComplex_FromDoubles(real, imaginary))
}

/// A str of one character.
#[inline]
pub fn character(code: u32) -> Res<Ref> {
    made(capi::PyUnicode_FromOrdinal(code as i32))
}

/// A bytes object with a copy of the data.
#[inline]
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
    let tuple = made(capi::PyTuple_New(count as isize))?;
    for (index, item) in items.enumerate().take(count) {
        let item = item?.into_ptr().cast();
        // SAFETY: a fresh tuple, of which each place is filled once with a reference that it takes; one that is not filled
        // up is not seen by anyone.
        unsafe { ffi::PyTuple_SET_ITEM(tuple.obj(), index as isize, item) };
    }
    Ok(tuple)
}

/// A list of these items, whose number is known.
#[inline]
pub fn full_list<T>(items: impl ExactSizeIterator<Item = Res<Ref<T>>>) -> Res<Ref> {
    let count = items.len();
    let list = made(capi::PyList_New(count as isize))?;
    for (index, item) in items.enumerate().take(count) {
        let item = item?.into_ptr().cast();
        // SAFETY: a fresh list, of which each place is filled once with a reference that it takes; one that is not filled up
        // is not seen by anyone but the garbage collector, for which an empty place is NULL.
        unsafe { ffi::PyList_SET_ITEM(list.obj(), index as isize, item) };
    }
    Ok(list)
}

/// A list of these items.
pub fn list<T>(items: impl IntoIterator<Item = Res<Ref<T>>>) -> Res<Ref> {
    let list = made(capi::PyList_New(0))?;
    for item in items {
        list.live().append(item?.live())?;
    }
    Ok(list)
}

/// A dict of these items.
pub fn dict(items: impl IntoIterator<Item = Res<(Ref, Ref)>>) -> Res<Ref> {
    let dict = made(capi::PyDict_New())?;
    for item in items {
        let (key, value) = item?;
        dict.live().set_dict_item(key.live(), value.live())?;
    }
    Ok(dict)
}
