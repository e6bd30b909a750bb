//! Integers.

use pyo3::ffi;

use super::{get, put};
use crate::ctype::{CType, Code};
use crate::object::as_cdata;
use crate::py::{Obj, Raised, Ref, Res, small_long_value};
use crate::raise;

/// Whether wchar_t is signed here: `int()` of a wide character follows it.
const WCHAR_IS_SIGNED: bool = libc::wchar_t::MIN != 0;

/// Gives `use_int` the Python int that `value` stands for in an initialiser: an int, or what `int()` makes of an
/// object, but not of a float.
///
/// # Safety
/// `value` is live.
#[inline]
unsafe fn with_int<T>(
    value: Obj,
    allow_float: bool,
    use_int: impl FnOnce(Obj) -> Res<T>,
) -> Res<T> {
    // SAFETY: `value` is live (the caller's contract); the reference to the converted int lives until `use_int` returns.
    unsafe {
        if ffi::PyLong_Check(value) != 0 {
            return use_int(value);
        }
        use_int(converted(value, allow_float)?.obj())
    }
}

/// The int that an object which is not one stands for.
///
/// # Safety
/// `value` is live.
#[inline(never)]
unsafe fn converted(value: Obj, allow_float: bool) -> Res<Ref> {
    // SAFETY: `value` is live (the caller's contract), and so is its type, whose slots are NULL or valid; nb_int gets an
    // object of its type, and returns a new reference or NULL with an exception.
    unsafe {
        let is_float = ffi::PyFloat_Check(value) != 0
            || as_cdata(value).is_some_and(|cdata| {
                matches!(cdata.ctype().code, Code::F32 | Code::F64 | Code::LongDouble)
            });
        let number = (*ffi::Py_TYPE(value)).tp_as_number;
        let to_int = if number.is_null() {
            None
        } else {
            (*number).nb_int
        };
        let to_int = match to_int {
            Some(to_int) if allow_float || !is_float => to_int,
            _ => return Err(raise!(TypeError, "an integer is required")),
        };
        let result = Ref::steal(to_int(value))?;
        if ffi::PyLong_Check(result.obj()) == 0 {
            return Err(raise!(TypeError, "integer conversion failed"));
        }
        Ok(result)
    }
}

/// The value of an integer initialiser, as a signed 64-bit integer. Raises OverflowError when it does not fit,
/// TypeError for what is no integer.
///
/// # Safety
/// `value` is live.
#[inline]
pub unsafe fn to_i64_checked(value: Obj) -> Res<i64> {
    // SAFETY: `value` is live.
    unsafe {
        if let Some(small) = small_long_value(value) {
            return Ok(small);
        }
        with_int(value, false, |int| {
            let result = ffi::PyLong_AsLongLong(int);
            if result == -1 && !ffi::PyErr_Occurred().is_null() {
                Err(Raised::already())
            } else {
                Ok(result)
            }
        })
    }
}

/// The value of an integer initialiser, as an unsigned 64-bit integer. Raises OverflowError when it does not fit or is
/// negative, TypeError for what is no integer.
///
/// # Safety
/// `value` is live.
#[inline]
pub unsafe fn to_u64_checked(value: Obj) -> Res<u64> {
    // SAFETY: `value` is live.
    unsafe {
        if let Some(small) = small_long_value(value) {
            return u64::try_from(small).map_err(|_| negative());
        }
        with_int(value, false, |int| {
            let result = ffi::PyLong_AsUnsignedLongLong(int);
            if result == u64::MAX && !ffi::PyErr_Occurred().is_null() {
                let raised = Raised::already();
                if is_negative(int) {
                    raised.clear();
                    return Err(negative());
                }
                return Err(raised);
            }
            Ok(result)
        })
    }
}

/// The low 64 bits of what `int()` makes of a value, floats among them: how casts see integers.
///
/// # Safety
/// `value` is live.
#[inline]
pub unsafe fn wrapping_u64(value: Obj) -> Res<u64> {
    // SAFETY: `value` is live.
    unsafe {
        if let Some(small) = small_long_value(value) {
            return Ok(small as u64);
        }
        with_int(value, true, |int| {
            let result = ffi::PyLong_AsUnsignedLongLongMask(int);
            if result == u64::MAX && !ffi::PyErr_Occurred().is_null() {
                Err(Raised::already())
            } else {
                Ok(result)
            }
        })
    }
}

/// The bits of an initialiser of 128 bits. Raises as those for 64 bits do.
///
/// # Safety
/// `value` is live.
#[inline(never)]
unsafe fn to_128_checked(ctype: &CType, value: Obj) -> Res<u128> {
    let is_signed = ctype.code == Code::I128;
    // SAFETY: `value` is live.
    unsafe {
        if let Some(small) = small_long_value(value) {
            if small < 0 && !is_signed {
                return Err(negative());
            }
            return Ok(i128::from(small) as u128);
        }
        with_int(value, false, |int| {
            let (low, high) = crate::py::split_long(crate::py::Live::new(int))?;
            let mut overflow = 0;
            let mut top = ffi::PyLong_AsLongLongAndOverflow(high.obj(), &mut overflow);
            if !is_signed {
                if overflow < 0 || overflow == 0 && top < 0 {
                    return Err(negative());
                }
                top = ffi::PyLong_AsUnsignedLongLong(high.obj()) as i64;
                overflow = i32::from(!ffi::PyErr_Occurred().is_null());
                ffi::PyErr_Clear();
            }
            if overflow != 0 {
                return Err(does_not_fit(ctype, int));
            }
            Ok(u128::from(top as u64) << 64 | u128::from(low))
        })
    }
}

/// [`wrapping_u64`], of 128 bits.
///
/// # Safety
/// `value` is live.
pub unsafe fn wrapping_u128(value: Obj) -> Res<u128> {
    // SAFETY: `value` is live.
    unsafe {
        if let Some(small) = small_long_value(value) {
            return Ok(i128::from(small) as u128);
        }
        with_int(value, true, |int| {
            let (low, high) = crate::py::split_long(crate::py::Live::new(int))?;
            let high = wrapping_u64(high.obj())?;
            Ok(u128::from(high) << 64 | u128::from(low))
        })
    }
}

/// Whether a Python int is below zero.
///
/// # Safety
/// `int` is a live int.
unsafe fn is_negative(int: Obj) -> bool {
    let mut overflow = 0;
    // SAFETY: `int` is a live int: the call cannot fail.
    let value = unsafe { ffi::PyLong_AsLongLongAndOverflow(int, &mut overflow) };
    overflow < 0 || (overflow == 0 && value < 0)
}

#[cold]
#[inline(never)]
fn negative() -> Raised {
    raise!(OverflowError, "can't convert negative number to unsigned")
}

/// OverflowError: `value` does not fit the type.
///
/// # Safety
/// `value` is live.
#[cold]
#[inline(never)]
pub(super) unsafe fn does_not_fit(ctype: &CType, value: Obj) -> Raised {
    // SAFETY: `value` is live.
    let text = unsafe { text_of(value) };
    raise!(
        OverflowError,
        "integer {text} does not fit '{}'",
        ctype.name
    )
}

/// `str(value)`, for messages.
///
/// # Safety
/// `value` is live.
pub(super) unsafe fn text_of(value: Obj) -> String {
    // SAFETY: `value` is live.
    unsafe {
        let text = Ref::steal(ffi::PyObject_Str(value))
            .and_then(|text| Ok(text.live().text()?.unwrap_or("?").to_string()));
        text.unwrap_or_else(|raised| {
            raised.clear();
            "?".to_string()
        })
    }
}

/// Writes an integer, `_Bool` or enum.
///
/// # Safety
/// `data` points to room for a value of the type; `value` is live.
#[inline]
pub(super) unsafe fn write_integer(ctype: &CType, data: *mut u8, value: Obj) -> Res<()> {
    macro_rules! signed {
        ($t:ty) => {{
            let wide = to_i64_checked(value)?;
            match <$t>::try_from(wide) {
                Ok(narrow) => put::<$t>(data, narrow),
                Err(_) => return Err(does_not_fit(ctype, value)),
            }
        }};
    }
    macro_rules! unsigned {
        ($t:ty) => {{
            let wide = to_u64_checked(value)?;
            match <$t>::try_from(wide) {
                Ok(narrow) => put::<$t>(data, narrow),
                Err(_) => return Err(does_not_fit(ctype, value)),
            }
        }};
    }
    // SAFETY: `data` points to room for a value of the type; `value` is live.
    unsafe {
        match ctype.code {
            Code::I8 => signed!(i8),
            Code::I16 => signed!(i16),
            Code::I32 => signed!(i32),
            Code::I64 => put::<i64>(data, to_i64_checked(value)?),
            Code::U8 => unsigned!(u8),
            Code::U16 => unsigned!(u16),
            Code::U32 => unsigned!(u32),
            Code::U64 => put::<u64>(data, to_u64_checked(value)?),
            Code::I128 | Code::U128 => put::<u128>(data, to_128_checked(ctype, value)?),
            Code::Bool => {
                let wide = to_u64_checked(value)?;
                if wide > 1 {
                    return Err(does_not_fit(ctype, value));
                }
                put::<u8>(data, wide as u8);
            }
            _ => return Err(raise!(SystemError, "'{}' is no integer type", ctype.name)),
        }
        Ok(())
    }
}

/// The value of an integer, `_Bool`, enum or character in C memory; `None` for other types. Of `unsigned __int128` its bits,
/// which may be negative.
///
/// # Safety
/// `data` points to a readable value of the type.
#[inline]
pub unsafe fn read_integer(ctype: &CType, data: *const u8) -> Option<i128> {
    // SAFETY: `data` points to a readable value of the type.
    unsafe {
        Some(match ctype.code {
            Code::I8 => get::<i8>(data).into(),
            Code::I16 => get::<i16>(data).into(),
            Code::I32 => get::<i32>(data).into(),
            Code::I64 => get::<i64>(data).into(),
            Code::U8 | Code::Bool | Code::Char => get::<u8>(data).into(),
            Code::U16 => get::<u16>(data).into(),
            Code::U32 => get::<u32>(data).into(),
            Code::U64 => get::<u64>(data).into(),
            Code::I128 | Code::U128 => get::<i128>(data),
            Code::Char16 => {
                if is_signed_wide(ctype) {
                    get::<i16>(data).into()
                } else {
                    get::<u16>(data).into()
                }
            }
            Code::Char32 => {
                if is_signed_wide(ctype) {
                    get::<i32>(data).into()
                } else {
                    get::<u32>(data).into()
                }
            }
            _ => return None,
        })
    }
}

fn is_signed_wide(ctype: &CType) -> bool {
    WCHAR_IS_SIGNED && ctype.primitive == Some(keelback_cdef::Primitive::WChar)
}

/// Writes the low bits of `value` as an integer, character or enum (C's conversion between integer types); as
/// `_Bool`, whether it is not zero.
///
/// # Safety
/// `data` points to room for a value of the type.
pub unsafe fn write_wrapped(ctype: &CType, data: *mut u8, value: u64) -> Res<()> {
    // SAFETY: `data` points to room for a value of the type.
    unsafe {
        match ctype.code {
            Code::I8 | Code::U8 | Code::Char => put::<u8>(data, value as u8),
            Code::I16 | Code::U16 | Code::Char16 => put::<u16>(data, value as u16),
            Code::I32 | Code::U32 | Code::Char32 => put::<u32>(data, value as u32),
            Code::I64 | Code::U64 => put::<u64>(data, value),
            Code::I128 => put::<i128>(data, (value as i64).into()),
            Code::U128 => put::<u128>(data, value.into()),
            Code::Bool => put::<u8>(data, (value != 0).into()),
            _ => return Err(raise!(SystemError, "'{}' is no integer type", ctype.name)),
        }
    }
    Ok(())
}
