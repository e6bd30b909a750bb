//! Integers.

use super::Lvalue;
use crate::ctype::{CType, Code};
use crate::object::CData;
use crate::py::{Live, Raised, Ref, Res, split_long};
use crate::raise;

/// Whether wchar_t is signed here: `int()` of a wide character follows it.
const WCHAR_IS_SIGNED: bool = libc::wchar_t::MIN != 0;

/// Gives `use_int` the Python int that `value` stands for in an initialiser: an int, or what `int()` makes of an
/// object, but not of a float.
#[inline]
fn with_int<T>(value: Live, allow_float: bool, use_int: impl FnOnce(Live) -> Res<T>) -> Res<T> {
    if value.is_int() {
        return use_int(value);
    }
    use_int(converted(value, allow_float)?.live())
}

/// The int that an object which is not one stands for.
#[inline(never)]
fn converted(value: Live, allow_float: bool) -> Res<Ref> {
    let is_float = value.is_float()
        || CData::of(value).is_some_and(|cdata| {
            matches!(cdata.ctype().code, Code::F32 | Code::F64 | Code::LongDouble)
        });
    // SAFETY: the type of a live object, whose slots are NULL or valid.
    let to_int = unsafe {
        let number = (*value.class()).tp_as_number;
        number.as_ref().and_then(|number| number.nb_int)
    };
    let to_int = match to_int {
        Some(to_int) if allow_float || !is_float => to_int,
        _ => return Err(raise!(TypeError, "an integer is required")),
    };
    // SAFETY: the slot of the object's own type, which returns a new reference, or NULL with an exception.
    let result = unsafe { Ref::steal(to_int(value.ptr())) }?;
    if !result.live().is_int() {
        return Err(raise!(TypeError, "integer conversion failed"));
    }
    Ok(result)
}

/// The value of an integer initialiser, as a signed 64-bit integer. Raises OverflowError when it does not fit,
/// TypeError for what is no integer.
#[inline]
pub fn to_i64_checked(value: Live) -> Res<i64> {
    if let Some(small) = value.small_int() {
        return Ok(small);
    }
    with_int(value, false, |int| int.to_i64())
}

/// The value of an integer initialiser, as an unsigned 64-bit integer. Raises OverflowError when it does not fit or is
/// negative, TypeError for what is no integer.
#[inline]
pub fn to_u64_checked(value: Live) -> Res<u64> {
    if let Some(small) = value.small_int() {
        return u64::try_from(small).map_err(|_| negative());
    }
    with_int(value, false, |int| {
        int.to_u64().map_err(|raised| {
            if is_negative(int) {
                raised.clear();
                return negative();
            }
            raised
        })
    })
}

/// The low 64 bits of what `int()` makes of a value, floats among them: how casts see integers.
#[inline]
pub fn wrapping_u64(value: Live) -> Res<u64> {
    if let Some(small) = value.small_int() {
        return Ok(small as u64);
    }
    with_int(value, true, |int| int.to_u64_wrapping())
}

/// The bits of an initialiser of 128 bits. Raises as those for 64 bits do.
#[inline(never)]
fn to_128_checked(ctype: &CType, value: Live) -> Res<u128> {
    let is_signed = ctype.code == Code::I128;
    if let Some(small) = value.small_int() {
        if small < 0 && !is_signed {
            return Err(negative());
        }
        return Ok(i128::from(small) as u128);
    }
    with_int(value, false, |int| {
        let (low, high) = split_long(int)?;
        let high = high.live();
        let top = if is_signed {
            high.to_i64_or_side().ok().map(|top| top as u64)
        } else if is_negative(high) {
            return Err(negative());
        } else {
            high.to_u64().map_err(Raised::clear).ok()
        };
        match top {
            Some(top) => Ok(u128::from(top) << 64 | u128::from(low)),
            None => Err(does_not_fit(ctype, int)),
        }
    })
}

/// [`wrapping_u64`], of 128 bits.
pub fn wrapping_u128(value: Live) -> Res<u128> {
    if let Some(small) = value.small_int() {
        return Ok(i128::from(small) as u128);
    }
    with_int(value, true, |int| {
        let (low, high) = split_long(int)?;
        let high = wrapping_u64(high.live())?;
        Ok(u128::from(high) << 64 | u128::from(low))
    })
}

/// Whether a Python int is below zero.
fn is_negative(int: Live) -> bool {
    match int.to_i64_or_side() {
        Ok(value) => value < 0,
        Err(above) => !above,
    }
}

#[cold]
#[inline(never)]
fn negative() -> Raised {
    raise!(OverflowError, "can't convert negative number to unsigned")
}

/// OverflowError: `value` does not fit the type.
#[cold]
#[inline(never)]
pub(super) fn does_not_fit(ctype: &CType, value: Live) -> Raised {
    let text = text_of(value);
    raise!(
        OverflowError,
        "integer {text} does not fit '{}'",
        ctype.name
    )
}

/// `str(value)`, for messages.
pub(super) fn text_of(value: Live) -> String {
    let text = value
        .str()
        .and_then(|text| Ok(text.live().text()?.unwrap_or("?").to_string()));
    text.unwrap_or_else(|raised| {
        raised.clear();
        "?".to_string()
    })
}

/// Writes an integer, `_Bool` or enum.
#[inline]
pub(super) fn write_integer(place: Lvalue, value: Live) -> Res<()> {
    let ctype = place.ctype();
    macro_rules! signed {
        ($t:ty) => {{
            let wide = to_i64_checked(value)?;
            match <$t>::try_from(wide) {
                Ok(narrow) => place.put::<$t>(narrow),
                Err(_) => return Err(does_not_fit(ctype, value)),
            }
        }};
    }
    macro_rules! unsigned {
        ($t:ty) => {{
            let wide = to_u64_checked(value)?;
            match <$t>::try_from(wide) {
                Ok(narrow) => place.put::<$t>(narrow),
                Err(_) => return Err(does_not_fit(ctype, value)),
            }
        }};
    }
    match ctype.code {
        Code::I8 => signed!(i8),
        Code::I16 => signed!(i16),
        Code::I32 => signed!(i32),
        Code::I64 => place.put::<i64>(to_i64_checked(value)?),
        Code::U8 => unsigned!(u8),
        Code::U16 => unsigned!(u16),
        Code::U32 => unsigned!(u32),
        Code::U64 => place.put::<u64>(to_u64_checked(value)?),
        Code::I128 | Code::U128 => place.put::<u128>(to_128_checked(ctype, value)?),
        Code::Bool => {
            let wide = to_u64_checked(value)?;
            if wide > 1 {
                return Err(does_not_fit(ctype, value));
            }
            place.put::<u8>(wide as u8);
        }
        _ => return Err(raise!(SystemError, "'{}' is no integer type", ctype.name)),
    }
    Ok(())
}

/// The value of an integer, `_Bool`, enum or character in C memory; `None` for other types. Of `unsigned __int128` its bits,
/// which may be negative.
#[inline]
pub fn read_integer(place: Lvalue) -> Option<i128> {
    let ctype = place.ctype();
    Some(match ctype.code {
        Code::I8 => place.get::<i8>().into(),
        Code::I16 => place.get::<i16>().into(),
        Code::I32 => place.get::<i32>().into(),
        Code::I64 => place.get::<i64>().into(),
        Code::U8 | Code::Bool | Code::Char => place.get::<u8>().into(),
        Code::U16 => place.get::<u16>().into(),
        Code::U32 => place.get::<u32>().into(),
        Code::U64 => place.get::<u64>().into(),
        Code::I128 | Code::U128 => place.get::<i128>(),
        Code::Char16 => {
            if is_signed_wide(ctype) {
                place.get::<i16>().into()
            } else {
                place.get::<u16>().into()
            }
        }
        Code::Char32 => {
            if is_signed_wide(ctype) {
                place.get::<i32>().into()
            } else {
                place.get::<u32>().into()
            }
        }
        _ => return None,
    })
}

fn is_signed_wide(ctype: &CType) -> bool {
    WCHAR_IS_SIGNED && ctype.primitive == Some(keelback_cdef::Primitive::WChar)
}

/// Writes the low bits of `value` as an integer, character or enum (C's conversion between integer types); as
/// `_Bool`, whether it is not zero.
pub fn write_wrapped(place: Lvalue, value: u64) -> Res<()> {
    let ctype = place.ctype();
    match ctype.code {
        Code::I8 | Code::U8 | Code::Char => place.put::<u8>(value as u8),
        Code::I16 | Code::U16 | Code::Char16 => place.put::<u16>(value as u16),
        Code::I32 | Code::U32 | Code::Char32 => place.put::<u32>(value as u32),
        Code::I64 | Code::U64 => place.put::<u64>(value),
        Code::I128 => place.put::<i128>((value as i64).into()),
        Code::U128 => place.put::<u128>(value.into()),
        Code::Bool => place.put::<u8>((value != 0).into()),
        _ => return Err(raise!(SystemError, "'{}' is no integer type", ctype.name)),
    }
    Ok(())
}
