//! Floating point: float, double, long double, and their complex types.

use std::ffi::{c_char, c_int, c_longlong, c_void};

use pyo3::ffi;

use super::{get, put};
use crate::ctype::{CType, Code, LONG_DOUBLE_SIZE};
use crate::object::{as_cdata, new_value};
use crate::py::{Obj, Raised, Ref, Res};
use crate::raise;

unsafe extern "C" {
    fn keelback_long_double_to_double(from: *const c_void) -> f64;
    fn keelback_long_double_from_double(to: *mut c_void, value: f64);
    fn keelback_long_double_from_long(to: *mut c_void, value: c_longlong);
    fn keelback_long_double_to_text(
        from: *const c_void,
        digits: c_int,
        buffer: *mut c_char,
        size: usize,
    ) -> c_int;
    fn keelback_long_double_to_exponent_text(
        from: *const c_void,
        buffer: *mut c_char,
        size: usize,
    ) -> c_int;
    fn keelback_long_double_from_text(to: *mut c_void, text: *const c_char) -> c_int;
    fn keelback_long_double_is_zero(from: *const c_void) -> c_int;
    fn keelback_long_double_compare(left: *const c_void, right: *const c_void) -> c_int;
}

/// `float(value)`.
///
/// # Safety
/// `value` is live.
#[inline]
pub unsafe fn to_f64(value: Obj) -> Res<f64> {
    // SAFETY: `value` is live.
    unsafe {
        if ffi::Py_TYPE(value) == &raw mut ffi::PyFloat_Type {
            return Ok(ffi::PyFloat_AS_DOUBLE(value));
        }
        let result = ffi::PyFloat_AsDouble(value);
        if result == -1.0 && !ffi::PyErr_Occurred().is_null() {
            Err(Raised::already())
        } else {
            Ok(result)
        }
    }
}

/// Writes a real floating-point value; out of the range of `float` it becomes infinite, as in C.
///
/// # Safety
/// `data` points to room for a value of the type; `value` is live.
pub(super) unsafe fn write_real(ctype: &CType, data: *mut u8, value: Obj) -> Res<()> {
    // SAFETY: `data` points to room for a value of the type; `value` is live.
    unsafe {
        match ctype.code {
            Code::F32 => put::<f32>(data, to_f64(value)? as f32),
            Code::F64 => put::<f64>(data, to_f64(value)?),
            _ => write_long_double(data, value)?,
        }
    }
    Ok(())
}

/// Writes a long double, without loss from another long double and from ints.
///
/// # Safety
/// `data` points to room for a long double; `value` is live.
pub unsafe fn write_long_double(data: *mut u8, value: Obj) -> Res<()> {
    // SAFETY: `data` has room for a long double and `value` is live (the caller's contract). A cdata of that type has as
    // many bytes at its data; the helpers in C write one long double to `data`.
    unsafe {
        if let Some(cdata) = as_cdata(value)
            && cdata.ctype().code == Code::LongDouble
        {
            std::ptr::copy(cdata.data(), data, LONG_DOUBLE_SIZE);
            return Ok(());
        }
        if ffi::PyLong_Check(value) != 0 {
            let mut overflow = 0;
            let small = ffi::PyLong_AsLongLongAndOverflow(value, &mut overflow);
            if overflow == 0 {
                keelback_long_double_from_long(data.cast(), small);
                return Ok(());
            }
            // `to_f64` raises for an int beyond the range of double. Below 1e40 the int's text gives all digits; larger ints
            // go through the double.
            let double = to_f64(value)?;
            if double.abs() < 1e40 {
                let text = Ref::steal(ffi::PyObject_Str(value))?;
                let text =
                    std::ffi::CString::new(text.live().text()?.unwrap_or("")).unwrap_or_default();
                if keelback_long_double_from_text(data.cast(), text.as_ptr()) == 0 {
                    return Ok(());
                }
            }
            keelback_long_double_from_double(data.cast(), double);
            return Ok(());
        }
        keelback_long_double_from_double(data.cast(), to_f64(value)?);
        Ok(())
    }
}

/// Writes a complex value from what `complex()` accepts.
///
/// # Safety
/// `data` points to room for a value of the type; `value` is live.
pub(super) unsafe fn write_complex(ctype: &CType, data: *mut u8, value: Obj) -> Res<()> {
    // SAFETY: `data` points to room for a value of the type; `value` is live.
    unsafe {
        if ctype.code == Code::ComplexLongDouble
            && let Some(cdata) = as_cdata(value)
            && cdata.ctype().code == Code::ComplexLongDouble
        {
            std::ptr::copy(cdata.data(), data, 2 * LONG_DOUBLE_SIZE);
            return Ok(());
        }
        let complex = ffi::PyComplex_AsCComplex(value);
        if complex.real == -1.0 && !ffi::PyErr_Occurred().is_null() {
            return Err(Raised::already());
        }
        match ctype.code {
            Code::ComplexF32 => put(data, [complex.real as f32, complex.imag as f32]),
            Code::ComplexF64 => put(data, [complex.real, complex.imag]),
            _ => {
                keelback_long_double_from_double(data.cast(), complex.real);
                keelback_long_double_from_double(data.add(LONG_DOUBLE_SIZE).cast(), complex.imag);
            }
        }
    }
    Ok(())
}

/// A real value in C memory as a double (a long double is rounded).
///
/// # Safety
/// `data` points to a readable value of the type, which is a real floating-point type.
pub unsafe fn read_f64(code: Code, data: *const u8) -> f64 {
    // SAFETY: `data` points to a readable value of the type, which is a real floating-point type.
    unsafe {
        match code {
            Code::F32 => get::<f32>(data).into(),
            Code::F64 => get::<f64>(data),
            _ => keelback_long_double_to_double(data.cast()),
        }
    }
}

/// A complex value in C memory as a Python complex.
///
/// # Safety
/// `data` points to a readable value of the type, which is a complex type.
pub unsafe fn read_complex(code: Code, data: *const u8) -> Res<Ref> {
    // SAFETY: `data` points to a readable value of the type, which is a complex type.
    unsafe {
        let (real, imag) = match code {
            Code::ComplexF32 => {
                let [real, imag] = get::<[f32; 2]>(data);
                (real.into(), imag.into())
            }
            Code::ComplexF64 => {
                let [real, imag] = get::<[f64; 2]>(data);
                (real, imag)
            }
            _ => (
                keelback_long_double_to_double(data.cast()),
                keelback_long_double_to_double(data.add(LONG_DOUBLE_SIZE).cast()),
            ),
        };
        Ref::steal(ffi::PyComplex_FromDoubles(real, imag))
    }
}

/// A long double in C memory as a cdata of its own: Python has no number that can hold it.
///
/// # Safety
/// `data` points to a readable long double.
pub unsafe fn read_long_double(ctype: &CType, data: *const u8) -> Res<Ref> {
    let copy = new_value(ctype)?;
    // SAFETY: `data` points to a readable long double (the caller's contract); `copy` is a new cdata of this type and has
    // room for one, in memory of its own.
    unsafe { std::ptr::copy_nonoverlapping(data, copy.data(), LONG_DOUBLE_SIZE) };
    Ok(copy.into_obj())
}

/// The integer part of a long double, exactly.
///
/// # Safety
/// `data` points to a readable long double.
pub unsafe fn long_double_to_int(data: *const u8) -> Res<Ref> {
    // SAFETY: `data` points to a readable long double (the caller's contract); `back` is larger than one, and `text` is as
    // long as the helper is told.
    unsafe {
        let double = keelback_long_double_to_double(data.cast());
        let mut back = [0u8; 32];
        keelback_long_double_from_double(back.as_mut_ptr().cast(), double);
        // A value that a double has exactly goes through a float, and so do infinity and NaN, which raise as a float does.
        // A finite value beyond the range of double becomes infinite, and so is unequal.
        if keelback_long_double_compare(data.cast(), back.as_ptr().cast()) != -1
            && keelback_long_double_compare(data.cast(), back.as_ptr().cast()) != 1
        {
            return Ref::steal(ffi::PyLong_FromDouble(double));
        }
        // More digits than any long double has before the point (about 4933): printed without an exponent.
        let mut text = vec![0u8; 6100];
        keelback_long_double_to_text(data.cast(), 6000, text.as_mut_ptr().cast(), text.len());
        let end = text.iter().position(|&c| c == b'.' || c == 0).unwrap_or(0);
        if text.contains(&b'e') {
            // The exponent says that the value is below 1e-4, and so the integer part is 0.
            return Ref::steal(ffi::PyLong_FromLong(0));
        }
        int_from_decimal(&text[..end])
    }
}

/// The int of decimal digits with an optional minus. Python itself refuses texts of more than 4300 digits.
fn int_from_decimal(text: &[u8]) -> Res<Ref> {
    let (negative, digits) = match text.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    // Base 10**9 to base 2**8, little-endian.
    let mut bytes: Vec<u8> = Vec::with_capacity(digits.len() / 2 + 2);
    for &digit in digits {
        let mut carry = u32::from(digit - b'0');
        for byte in &mut bytes {
            carry += u32::from(*byte) * 10;
            *byte = carry as u8;
            carry >>= 8;
        }
        if carry > 0 {
            bytes.push(carry as u8);
        }
    }
    // Text in base 16 has no limit of digits.
    let mut text = String::with_capacity(bytes.len() * 2 + 2);
    if negative {
        text.push('-');
    }
    text.push('0');
    for byte in bytes.iter().rev() {
        text.push_str(&format!("{byte:02x}"));
    }
    let text = std::ffi::CString::new(text).unwrap_or_default();
    // SAFETY: a C string of hexadecimal digits.
    unsafe {
        Ref::steal(ffi::PyLong_FromString(
            text.as_ptr(),
            std::ptr::null_mut(),
            16,
        ))
    }
}

/// Whether a long double is zero, of either sign.
///
/// # Safety
/// `data` points to a readable long double.
pub unsafe fn long_double_is_zero(data: *const u8) -> bool {
    // SAFETY: `data` points to a readable long double.
    unsafe { keelback_long_double_is_zero(data.cast()) != 0 }
}

/// A long double as C's `%LE` prints it: what repr() shows.
///
/// # Safety
/// `data` points to a readable long double.
pub unsafe fn long_double_text(data: *const u8) -> String {
    let mut text = [0u8; 64];
    // SAFETY: `data` points to a readable long double (the caller's contract); `text` is as long as the helper is told.
    unsafe {
        keelback_long_double_to_exponent_text(data.cast(), text.as_mut_ptr().cast(), text.len())
    };
    let end = text.iter().position(|&c| c == 0).unwrap_or(0);
    String::from_utf8_lossy(&text[..end]).into_owned()
}

/// Writes the value of a cast to a real or complex type.
///
/// # Safety
/// `data` points to room for a value of the type; `value` is live.
pub(crate) unsafe fn write_cast(ctype: &CType, data: *mut u8, value: Obj) -> Res<()> {
    // SAFETY: `data` points to room for a value of the type; `value` is live.
    unsafe {
        match ctype.code {
            Code::F32 | Code::F64 | Code::LongDouble => write_real(ctype, data, value),
            Code::ComplexF32 | Code::ComplexF64 | Code::ComplexLongDouble => {
                write_complex(ctype, data, value)
            }
            _ => Err(raise!(
                SystemError,
                "'{}' is no floating-point type",
                ctype.name
            )),
        }
    }
}
