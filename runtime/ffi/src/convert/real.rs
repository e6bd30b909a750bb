//! Floating point: float, double, long double, and their complex types.

use std::ffi::{c_char, c_int, c_longlong};

use pyo3::ffi;

use super::Lvalue;
use crate::ctype::{Code, LONG_DOUBLE_SIZE};
use crate::object::{CData, new_value};
use crate::py::{Live, Raised, Ref, Res, make};
use crate::raise;

/// C's `long double`, which Rust has no type for: the helpers in C go by its address.
type LongDouble = [u8; LONG_DOUBLE_SIZE];

// SAFETY: runtime/ffi/src/c/long_double.c. Each reads or writes one long double, at any alignment, and no more than `size`
// bytes of a buffer.
unsafe extern "C" {
    safe fn keelback_long_double_to_double(from: &LongDouble) -> f64;
    safe fn keelback_long_double_from_double(to: &mut LongDouble, value: f64);
    safe fn keelback_long_double_from_long(to: &mut LongDouble, value: c_longlong);
    fn keelback_long_double_to_text(
        from: *const LongDouble,
        digits: c_int,
        buffer: *mut c_char,
        size: usize,
    ) -> c_int;
    fn keelback_long_double_to_exponent_text(
        from: *const LongDouble,
        buffer: *mut c_char,
        size: usize,
    ) -> c_int;
    fn keelback_long_double_from_text(to: *mut LongDouble, text: *const c_char) -> c_int;
    safe fn keelback_long_double_is_zero(from: &LongDouble) -> c_int;
    safe fn keelback_long_double_compare(left: &LongDouble, right: &LongDouble) -> c_int;
}

/// Writes a real floating-point value; out of the range of `float` it becomes infinite, as in C.
pub(super) fn write_real(place: Lvalue, value: Live) -> Res<()> {
    match place.code() {
        Code::F32 => place.put(value.to_f64()? as f32),
        Code::F64 => place.put(value.to_f64()?),
        _ => place.put(to_long_double(value)?),
    }
    Ok(())
}

/// What a value is as a long double: without loss from another long double and from ints.
fn to_long_double(value: Live) -> Res<LongDouble> {
    if let Some(cdata) = CData::of(value)
        && cdata.ctype().code == Code::LongDouble
    {
        return Ok(Lvalue::in_cdata(cdata).get());
    }
    let mut made = [0; LONG_DOUBLE_SIZE];
    if !value.is_int() {
        keelback_long_double_from_double(&mut made, value.to_f64()?);
        return Ok(made);
    }
    if let Ok(small) = value.to_i64_or_side() {
        keelback_long_double_from_long(&mut made, small);
        return Ok(made);
    }
    // `to_f64` raises for an int beyond the range of double. Below 1e40 the int's text gives all digits; larger ints go
    // through the double.
    let double = value.to_f64()?;
    if double.abs() < 1e40 {
        let text = value.str()?;
        let text = std::ffi::CString::new(text.live().text()?.unwrap_or("")).unwrap_or_default();
        // SAFETY: a C string, and room for a long double.
        if unsafe { keelback_long_double_from_text(&mut made, text.as_ptr()) } == 0 {
            return Ok(made);
        }
    }
    keelback_long_double_from_double(&mut made, double);
    Ok(made)
}

/// Writes a complex value from what `complex()` accepts.
pub(super) fn write_complex(place: Lvalue, value: Live) -> Res<()> {
    let code = place.code();
    if code == Code::ComplexLongDouble
        && let Some(cdata) = CData::of(value)
        && cdata.ctype().code == code
    {
        place.put(Lvalue::in_cdata(cdata).get::<[LongDouble; 2]>());
        return Ok(());
    }
    // SAFETY: a live object.
    let complex = unsafe { ffi::PyComplex_AsCComplex(value.ptr()) };
    if complex.real == -1.0 {
        Raised::if_set()?;
    }
    match code {
        Code::ComplexF32 => place.put([complex.real as f32, complex.imag as f32]),
        Code::ComplexF64 => place.put([complex.real, complex.imag]),
        _ => place.put([complex.real, complex.imag].map(|part| {
            let mut made = [0; LONG_DOUBLE_SIZE];
            keelback_long_double_from_double(&mut made, part);
            made
        })),
    }
    Ok(())
}

/// A real floating-point value as a double (a long double is rounded).
pub fn read_f64(place: Lvalue) -> f64 {
    match place.code() {
        Code::F32 => place.get::<f32>().into(),
        Code::F64 => place.get::<f64>(),
        _ => keelback_long_double_to_double(&place.get()),
    }
}

/// A complex value as a Python complex.
pub fn read_complex(place: Lvalue) -> Res<Ref> {
    let [real, imaginary] = match place.code() {
        Code::ComplexF32 => place.get::<[f32; 2]>().map(f64::from),
        Code::ComplexF64 => place.get::<[f64; 2]>(),
        _ => place
            .get::<[LongDouble; 2]>()
            .map(|part| keelback_long_double_to_double(&part)),
    };
    make::complex(real, imaginary)
}

/// A long double as a cdata of its own: Python has no number that can hold it.
pub fn read_long_double(place: Lvalue) -> Res<Ref> {
    let copy = new_value(place.ctype())?;
    Lvalue::in_cdata(&copy).put(place.get::<LongDouble>());
    Ok(copy.into_obj())
}

/// The integer part of a long double, exactly.
pub fn long_double_to_int(place: Lvalue) -> Res<Ref> {
    let value = place.get::<LongDouble>();
    let double = keelback_long_double_to_double(&value);
    let mut back = [0; LONG_DOUBLE_SIZE];
    keelback_long_double_from_double(&mut back, double);
    // A value that a double has exactly goes through a float, and so do infinity and NaN, which raise as a float does.
    // A finite value beyond the range of double becomes infinite, and so is unequal.
    if !matches!(keelback_long_double_compare(&value, &back), -1 | 1) {
        return make::int_from_f64(double);
    }
    // More digits than any long double has before the point (about 4933): printed without an exponent.
    let mut text = vec![0u8; 6100];
    // SAFETY: `text` is as long as the helper is told.
    unsafe { keelback_long_double_to_text(&value, 6000, text.as_mut_ptr().cast(), text.len()) };
    let end = text.iter().position(|&c| c == b'.' || c == 0).unwrap_or(0);
    if text.contains(&b'e') {
        // The exponent says that the value is below 1e-4, and so the integer part is 0.
        return make::int(0);
    }
    int_from_decimal(&text[..end])
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
pub fn long_double_is_zero(place: Lvalue) -> bool {
    keelback_long_double_is_zero(&place.get()) != 0
}

/// Whether a complex of long doubles is zero.
pub fn complex_long_double_is_zero(place: Lvalue) -> bool {
    let parts = place.get::<[LongDouble; 2]>();
    parts
        .iter()
        .all(|part| keelback_long_double_is_zero(part) != 0)
}

/// A long double as C's `%LE` prints it: what repr() shows.
pub fn long_double_text(place: Lvalue) -> String {
    let mut text = [0u8; 64];
    let value = place.get::<LongDouble>();
    // SAFETY: `text` is as long as the helper is told.
    unsafe {
        keelback_long_double_to_exponent_text(&value, text.as_mut_ptr().cast(), text.len());
    }
    let end = text.iter().position(|&c| c == 0).unwrap_or(0);
    String::from_utf8_lossy(&text[..end]).into_owned()
}

/// Writes the value of a cast to a real or complex type.
pub(crate) fn write_cast(place: Lvalue, value: Live) -> Res<()> {
    match place.code() {
        Code::F32 | Code::F64 | Code::LongDouble => write_real(place, value),
        Code::ComplexF32 | Code::ComplexF64 | Code::ComplexLongDouble => {
            write_complex(place, value)
        }
        _ => Err(raise!(
            SystemError,
            "'{}' is no floating-point type",
            place.ctype().name
        )),
    }
}
