//! Python ints, read without a call where their layout is known.

use pyo3::ffi;

use super::capi::{self, made};
use super::{Live, Obj, Ref, Res, make};

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
    let head = unsafe {
        if !cfg!(target_pointer_width = "64")
            || ffi::Py_TYPE(object) != std::ptr::addr_of_mut!(ffi::PyLong_Type)
        {
            return None;
        }
        &*object.cast::<LongHead>()
    };
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

/// A Python int of any value that C has.
pub fn long_from_i128(value: i128) -> Res<Ref> {
    if let Ok(value) = i64::try_from(value) {
        return make::int_from_i64(value);
    }
    if let Ok(value) = u64::try_from(value) {
        return make::int_from_u64(value);
    }
    with_low_bits(make::int_from_i64((value >> 64) as i64)?, value as u64)
}

/// As [`long_from_i128`].
pub fn long_from_u128(value: u128) -> Res<Ref> {
    if let Ok(value) = i128::try_from(value) {
        return long_from_i128(value);
    }
    with_low_bits(make::int_from_u64((value >> 64) as u64)?, value as u64)
}

/// The int with these 64 bits below those of `high`.
fn with_low_bits(high: Ref, low: u64) -> Res<Ref> {
    let distance = make::int_from_long(64)?;
    let high = made(capi::PyNumber_Lshift(high.live(), distance.live()))?;
    let low = make::int_from_u64(low)?;
    made(capi::PyNumber_Or(high.live(), low.live()))
}

/// The low 64 bits of an int, and the int that is left above them, rounded down.
pub fn split_long(int: Live) -> Res<(u64, Ref)> {
    debug_assert!(int.is_int());
    let low = int.to_u64_wrapping()?;
    let distance = make::int_from_long(64)?;
    // SAFETY: two ints. The shift is that of int itself: a subclass may have redefined `>>`.
    let high = unsafe {
        let shift = (*ffi::PyLong_Type.tp_as_number).nb_rshift;
        shift.map_or(std::ptr::null_mut(), |shift| {
            shift(int.ptr(), distance.obj())
        })
    };
    // SAFETY: a new reference, or NULL with an exception.
    Ok((low, unsafe { Ref::steal(high) }?))
}
