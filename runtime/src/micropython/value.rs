//! What MicroPython takes for a number, and its words for what it does not.

use std::sync::OnceLock;

use pyo3::ffi;

use crate::py::{Obj, Raised, Res, small_long_value, type_name};
use crate::raise;

/// The address in an object of another file's that is a pointer; `None` for any other object.
///
/// # Safety
/// The object is live.
pub(super) type PointerValue = unsafe fn(Obj) -> Option<usize>;

static POINTER_VALUE: OnceLock<PointerValue> = OnceLock::new();

/// Sets what knows `uctypes` pointers, whose fields are numbers in turn.
pub(super) fn set_pointer_value(function: PointerValue) {
    let _ = POINTER_VALUE.set(function);
}

/// # Safety
/// The object is live.
#[cold]
unsafe fn pointer_value(object: Obj) -> Option<usize> {
    // SAFETY: the object is live.
    POINTER_VALUE
        .get()
        .and_then(|function| unsafe { function(object) })
}

/// The low 64 bits of an int (or of a `uctypes` pointer). Nothing else is taken: no float, no `__int__`.
///
/// # Safety
/// `value` is live.
#[inline]
pub(super) unsafe fn truncated(value: Obj) -> Res<u64> {
    // SAFETY: `value` is live.
    unsafe {
        if let Some(small) = small_long_value(value) {
            return Ok(small as u64);
        }
        if ffi::PyLong_Check(value) != 0 {
            let result = ffi::PyLong_AsUnsignedLongLongMask(value);
            if result == u64::MAX && !ffi::PyErr_Occurred().is_null() {
                return Err(Raised::already());
            }
            return Ok(result);
        }
        if let Some(address) = pointer_value(value) {
            return Ok(address as u64);
        }
        Err(raise!(
            TypeError,
            "can't convert {} to int",
            type_name(value)
        ))
    }
}

/// As [`truncated`], but OverflowError for what does not fit in 64 bits.
///
/// # Safety
/// `value` is live.
pub(super) unsafe fn checked(value: Obj) -> Res<i64> {
    // SAFETY: `value` is live.
    unsafe {
        if ffi::PyLong_Check(value) == 0 {
            return Ok(truncated(value)? as i64);
        }
        let mut overflow = 0;
        let result = ffi::PyLong_AsLongLongAndOverflow(value, &mut overflow);
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
///
/// # Safety
/// `value` is live.
pub(super) unsafe fn address(value: Obj) -> Res<*mut u8> {
    // SAFETY: `value` is live.
    Ok(unsafe { truncated(value)? } as usize as *mut u8)
}

/// The value of a float or an int.
///
/// # Safety
/// `value` is live.
#[inline]
pub(super) unsafe fn real(value: Obj) -> Res<f64> {
    // SAFETY: the caller's contract; the object is a float where its value is read.
    unsafe {
        if ffi::PyFloat_CheckExact(value) != 0 {
            return Ok((*value.cast::<ffi::PyFloatObject>()).ob_fval);
        }
        if ffi::PyFloat_Check(value) == 0 && ffi::PyLong_Check(value) == 0 {
            return Err(raise!(
                TypeError,
                "can't convert {} to float",
                type_name(value)
            ));
        }
        let result = ffi::PyFloat_AsDouble(value);
        if result == -1.0 && !ffi::PyErr_Occurred().is_null() {
            return Err(Raised::already());
        }
        Ok(result)
    }
}
