//! Python ints, read without a call where their layout is known.

use pyo3::ffi;

use super::{Obj, Raised, Ref, Res};

/// CPython's int object up to its first digit, for versions whose layout we know (30-bit digits).
#[repr(C)]
struct LongHead {
    ob_base: ffi::PyObject,
    /// Before 3.12: `ob_size`, the number of digits, negative for a negative value. From 3.12 on: `lv_tag`, the
    /// number of digits shifted left by 3, with the sign (0 positive, 1 zero, 2 negative) in the low two bits.
    tag: isize,
    digit: u32,
}

/// The value of an exact int of at most one digit (below 2**30 in size); `None` for everything else, including
/// subclasses of int.
///
/// # Safety
/// `object` is a live object.
#[inline(always)]
pub unsafe fn small_long_value(object: Obj) -> Option<i64> {
    // SAFETY: `object` is live (the caller's contract) and was checked to be an exact int, whose memory is a `LongHead` in
    // CPython 3.10 to 3.15: their builds for 64-bit machines all use 30-bit digits.
    unsafe {
        if !cfg!(target_pointer_width = "64")
            || ffi::Py_TYPE(object) != std::ptr::addr_of_mut!(ffi::PyLong_Type)
        {
            return None;
        }
        let head = &*object.cast::<LongHead>();
        if cfg!(Py_3_12) {
            // At most one digit: the tag is below 2 << 3.
            if head.tag < 16 {
                Some((1 - (head.tag as i64 & 3)) * i64::from(head.digit))
            } else {
                None
            }
        } else if head.tag == 1 {
            Some(i64::from(head.digit))
        } else if head.tag == 0 {
            Some(0)
        } else if head.tag == -1 {
            Some(-i64::from(head.digit))
        } else {
            None
        }
    }
}

/// A Python int of any value that C has.
pub fn long_from_i128(value: i128) -> Res<Ref> {
    // SAFETY: plain constructors.
    unsafe {
        if let Ok(value) = i64::try_from(value) {
            return Ref::steal(ffi::PyLong_FromLongLong(value));
        }
        if let Ok(value) = u64::try_from(value) {
            return Ref::steal(ffi::PyLong_FromUnsignedLongLong(value));
        }
        let high = Ref::steal(ffi::PyLong_FromLongLong((value >> 64) as i64))?;
        with_low_bits(high, value as u64)
    }
}

/// As [`long_from_i128`].
pub fn long_from_u128(value: u128) -> Res<Ref> {
    if let Ok(value) = i128::try_from(value) {
        return long_from_i128(value);
    }
    // SAFETY: plain constructors.
    unsafe {
        let high = Ref::steal(ffi::PyLong_FromUnsignedLongLong((value >> 64) as u64))?;
        with_low_bits(high, value as u64)
    }
}

/// The int with these 64 bits below those of `high`.
///
/// # Safety
/// `high` is an int.
unsafe fn with_low_bits(high: Ref, low: u64) -> Res<Ref> {
    // SAFETY: operations on live ints, which make ints.
    unsafe {
        let distance: Ref = Ref::steal(ffi::PyLong_FromLong(64))?;
        let high: Ref = Ref::steal(ffi::PyNumber_Lshift(high.obj(), distance.obj()))?;
        let low: Ref = Ref::steal(ffi::PyLong_FromUnsignedLongLong(low))?;
        Ref::steal(ffi::PyNumber_Or(high.obj(), low.obj()))
    }
}

/// The low 64 bits of an int, and the int that is left above them, rounded down.
///
/// # Safety
/// `int` is a live int.
pub unsafe fn split_long(int: Obj) -> Res<(u64, Ref)> {
    // SAFETY: operations on live ints.
    unsafe {
        let low = ffi::PyLong_AsUnsignedLongLongMask(int);
        if low == u64::MAX && !ffi::PyErr_Occurred().is_null() {
            return Err(Raised::already());
        }
        let distance: Ref = Ref::steal(ffi::PyLong_FromLong(64))?;
        // The shift of int itself: a subclass may have redefined `>>`.
        let shift = (*ffi::PyLong_Type.tp_as_number).nb_rshift;
        let high = shift.map_or(std::ptr::null_mut(), |shift| shift(int, distance.obj()));
        Ok((low, Ref::steal(high)?))
    }
}
