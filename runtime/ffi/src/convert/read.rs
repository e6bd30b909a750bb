//! C memory to Python values.

use super::{Lvalue, character, integer, real};
use crate::ctype::{Code, Kind};
use crate::object::new_plain;
use crate::py::{Ref, Res, bool_object, long_from_i128, long_from_u128, make};
use crate::raise;

/// The Python value of a C value.
///
/// Aggregates give a cdata that refers to the memory itself, without owning it.
#[inline]
pub fn read(place: Lvalue) -> Res<Ref> {
    match place.code() {
        Code::I32 => make::int_from_long(place.get::<i32>().into()),
        Code::I8 => make::int_from_long(place.get::<i8>().into()),
        Code::I16 => make::int_from_long(place.get::<i16>().into()),
        Code::I64 => make::int_from_i64(place.get()),
        Code::U8 => make::int_from_long(place.get::<u8>().into()),
        Code::U16 => make::int_from_long(place.get::<u16>().into()),
        Code::U32 => make::int_from_i64(place.get::<u32>().into()),
        Code::U64 => make::int_from_u64(place.get()),
        Code::F64 => make::float(place.get()),
        Code::F32 => make::float(place.get::<f32>().into()),
        Code::Pointer => Ok(new_plain(place.ctype(), place.get(), -1)?.into_obj()),
        Code::Bool => match place.get::<u8>() {
            value @ 0..=1 => Ok(bool_object(value == 1)),
            other => Err(raise!(
                ValueError,
                "got a _Bool of value {other}, expected 0 or 1"
            )),
        },
        Code::Char | Code::Char16 | Code::Char32 => character::read_character(place),
        _ => read_large(place),
    }
}

/// [`read`] for everything that is not a number, and for long double.
#[inline(never)]
fn read_large(place: Lvalue) -> Res<Ref> {
    let (ctype, data) = (place.ctype(), place.data());
    match ctype.code {
        Code::Record => Ok(new_plain(ctype, data, -1)?.into_obj()),
        Code::Array => {
            if ctype.length >= 0 {
                return Ok(new_plain(ctype, data, -1)?.into_obj());
            }
            // An array of unknown length is read as a pointer to its first item.
            let pointer = crate::ctype::pointer_to(ctype.item())?;
            Ok(new_plain(&pointer, data, -1)?.into_obj())
        }
        Code::I128 => long_from_i128(place.get()),
        Code::U128 => long_from_u128(place.get()),
        Code::LongDouble => real::read_long_double(place),
        Code::ComplexF32 | Code::ComplexF64 | Code::ComplexLongDouble => real::read_complex(place),
        _ => Err(raise!(
            TypeError,
            "cdata '{}' is opaque{}",
            ctype.name,
            ctype.why_opaque()
        )),
    }
}

/// An enum's value as repr() and `ffi.string()` show it: the name of the enumerator, if there is one.
pub fn read_enum_text(place: Lvalue) -> Res<(Ref, Option<String>)> {
    let ctype = place.ctype();
    debug_assert!(ctype.kind == Kind::Enum);
    let value = integer::read_integer(place).unwrap_or(0);
    let number = match ctype.code {
        Code::U128 => long_from_u128(value as u128)?,
        _ => long_from_i128(value)?,
    };
    let name = match ctype.enumeration()? {
        Some(details) => match details.name_of(value) {
            Some(name) => name.live().text()?.map(str::to_string),
            None => None,
        },
        None => None,
    };
    Ok((number, name))
}
