//! C memory to Python values.

use pyo3::ffi;

use super::{character, get, integer, real};
use crate::ctype::{CType, Code, Kind};
use crate::object::new_plain;
use crate::py::{Ref, Res, bool_object, long_from_i128, long_from_u128, str_text};
use crate::raise;

/// The Python value of the C value at `data`.
///
/// Aggregates give a cdata that refers to `data` itself, without owning it.
///
/// # Safety
/// `data` points to a readable value of the type.
#[inline]
pub unsafe fn read(ctype: &CType, data: *const u8) -> Res<Ref> {
    // SAFETY: `data` points to a readable value of the type.
    unsafe {
        match ctype.code {
            Code::I32 => Ref::steal(ffi::PyLong_FromLong(get::<i32>(data).into())),
            Code::I8 => Ref::steal(ffi::PyLong_FromLong(get::<i8>(data).into())),
            Code::I16 => Ref::steal(ffi::PyLong_FromLong(get::<i16>(data).into())),
            Code::I64 => Ref::steal(ffi::PyLong_FromLongLong(get::<i64>(data))),
            Code::U8 => Ref::steal(ffi::PyLong_FromLong(get::<u8>(data).into())),
            Code::U16 => Ref::steal(ffi::PyLong_FromLong(get::<u16>(data).into())),
            Code::U32 => Ref::steal(ffi::PyLong_FromLongLong(get::<u32>(data).into())),
            Code::U64 => Ref::steal(ffi::PyLong_FromUnsignedLongLong(get::<u64>(data))),
            Code::F64 => Ref::steal(ffi::PyFloat_FromDouble(get::<f64>(data))),
            Code::F32 => Ref::steal(ffi::PyFloat_FromDouble(get::<f32>(data).into())),
            Code::Pointer => Ok(new_plain(ctype, get::<*mut u8>(data), -1)?.into_obj()),
            Code::Bool => match get::<u8>(data) {
                value @ 0..=1 => Ok(bool_object(value == 1)),
                other => Err(raise!(
                    ValueError,
                    "got a _Bool of value {other}, expected 0 or 1"
                )),
            },
            Code::Char | Code::Char16 | Code::Char32 => character::read_character(ctype.code, data),
            _ => read_large(ctype, data),
        }
    }
}

/// [`read`] for everything that is not a number, and for long double.
///
/// # Safety
/// `data` points to a readable value of the type.
#[inline(never)]
unsafe fn read_large(ctype: &CType, data: *const u8) -> Res<Ref> {
    // SAFETY: `data` points to a readable value of the type (the caller's contract).
    unsafe {
        match ctype.code {
            Code::Record => Ok(new_plain(ctype, data.cast_mut(), -1)?.into_obj()),
            Code::Array => {
                if ctype.length >= 0 {
                    return Ok(new_plain(ctype, data.cast_mut(), -1)?.into_obj());
                }
                // An array of unknown length is read as a pointer to its first item.
                let pointer = crate::ctype::pointer_to(ctype.item())?;
                Ok(new_plain(&pointer, data.cast_mut(), -1)?.into_obj())
            }
            Code::I128 => long_from_i128(get::<i128>(data)),
            Code::U128 => long_from_u128(get::<u128>(data)),
            Code::LongDouble => real::read_long_double(ctype, data),
            Code::ComplexF32 | Code::ComplexF64 | Code::ComplexLongDouble => {
                real::read_complex(ctype.code, data)
            }
            _ => Err(raise!(
                TypeError,
                "cdata '{}' is opaque{}",
                ctype.name,
                ctype.why_opaque()
            )),
        }
    }
}

/// An enum's value as repr() and `ffi.string()` show it: the name of the enumerator, if there is one.
///
/// # Safety
/// `data` points to a readable value of the type, which is an enum.
pub unsafe fn read_enum_text(ctype: &CType, data: *const u8) -> Res<(Ref, Option<String>)> {
    debug_assert!(ctype.kind == Kind::Enum);
    // SAFETY: `data` points to a readable value of the type, which is an enum.
    let value = unsafe { integer::read_integer(ctype, data) }.unwrap_or(0);
    let number = match ctype.code {
        Code::U128 => long_from_u128(value as u128)?,
        _ => long_from_i128(value)?,
    };
    let name = match ctype.enumeration()? {
        Some(details) => match details.name_of(value) {
            // SAFETY: the details own the name.
            Some(name) => unsafe { str_text(name.obj())? }.map(str::to_string),
            None => None,
        },
        None => None,
    };
    Ok((number, name))
}
