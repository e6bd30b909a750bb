//! Python ints of any size.

use pyo3::ffi;

use super::capi::{self, made};
use super::{Live, Ref, Res, make};

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
