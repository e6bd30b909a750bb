//! What MicroPython takes for a number, and its words for what it does not.

use std::sync::OnceLock;

use pyo3::ffi;

use crate::py::{Live, Raised, Res};
use crate::raise;

/// The address in an object of another file's that is a pointer; `None` for any other object.
///
/// # Safety
/// The object is live.
pub(super) type PointerValue = fn(Live) -> Option<usize>;

static POINTER_VALUE: OnceLock<PointerValue> = OnceLock::new();

/// Sets what knows `uctypes` pointers, whose fields are numbers in turn.
pub(super) fn set_pointer_value(function: PointerValue) {
    let _ = POINTER_VALUE.set(function);
}

/// The number that a `uctypes` pointer is.
#[cold]
fn pointer_value(object: Live) -> Option<usize> {
    POINTER_VALUE.get().and_then(|function| function(object))
}

/// The low 64 bits of an int (or of a `uctypes` pointer). Nothing else is taken: no float, no `__int__`.
#[inline]
pub(super) fn truncated(value: Live) -> Res<u64> {
    // SAFETY: `value` is live.
    unsafe {
        if let Some(small) = value.small_int() {
            return Ok(small as u64);
        }
        if value.is_int() {
            let result = ffi::PyLong_AsUnsignedLongLongMask(value.ptr());
            if result == u64::MAX {
                Raised::if_set()?;
            }
            return Ok(result);
        }
        if let Some(address) = pointer_value(value) {
            return Ok(address as u64);
        }
        Err(raise!(
            TypeError,
            "can't convert {} to int",
            value.type_name()
        ))
    }
}

/// As [`truncated`], but OverflowError for what does not fit in 64 bits.
pub(super) fn checked(value: Live) -> Res<i64> {
    // SAFETY: `value` is live.
    unsafe {
        if !value.is_int() {
            return Ok(truncated(value)? as i64);
        }
        let mut overflow = 0;
        let result = ffi::PyLong_AsLongLongAndOverflow(value.ptr(), &mut overflow);
        if overflow != 0 {
            return Err(raise!(
                OverflowError,
                "overflow converting long int to machine word"
            ));
        }
        Ok(result)
    }
}

/// An address in an int argument.
pub(super) fn address(value: Live) -> Res<*mut u8> {
    Ok(truncated(value)? as usize as *mut u8)
}

/// The value of a float or an int.
#[inline]
pub(super) fn real(value: Live) -> Res<f64> {
    if let Some(float) = value.exact_float() {
        return Ok(float);
    }
    // SAFETY: `value` is live.
    if unsafe { ffi::PyFloat_Check(value.ptr()) } == 0 && !value.is_int() {
        return Err(raise!(
            TypeError,
            "can't convert {} to float",
            value.type_name()
        ));
    }
    // SAFETY: `value` is live; CPython raises where it has no value as a float.
    let result = unsafe { ffi::PyFloat_AsDouble(value.ptr()) };
    if result == -1.0 {
        Raised::if_set()?;
    }
    Ok(result)
}
