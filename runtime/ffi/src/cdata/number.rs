//! `int()`, `float()`, `complex()` and truth of cdata.

use crate::convert::{Lvalue, integer, no_python_value, read, real};
use crate::ctype::{CType, Code, Kind};
use crate::object::CData;
use crate::py::{Raised, Ref, Res, make};
use crate::raise;

/// The body of nb_int.
pub(super) fn to_int(cdata: &CData) -> Res<Ref> {
    let (ctype, place) = (cdata.ctype(), Lvalue::in_cdata(cdata));
    match ctype.code {
        Code::U64 => make::int_from_u64(place.get()),
        Code::F32 | Code::F64 => make::int_from_f64(real::read_f64(place)),
        Code::LongDouble => real::long_double_to_int(place),
        Code::I128 | Code::U128 => read(place),
        _ => match integer::read_integer(place) {
            Some(value) => make::int_from_i64(value as i64),
            None => Err(no_number("int", ctype)),
        },
    }
}

#[cold]
fn no_number(function: &str, ctype: &CType) -> Raised {
    no_python_value(ctype).unwrap_or_else(|| {
        raise!(
            TypeError,
            "{function}() not supported on cdata '{}'",
            ctype.name
        )
    })
}

/// The body of nb_float.
pub(super) fn to_float(cdata: &CData) -> Res<Ref> {
    let ctype = cdata.ctype();
    match ctype.code {
        Code::F32 | Code::F64 | Code::LongDouble => {
            make::float(real::read_f64(Lvalue::in_cdata(cdata)))
        }
        _ => Err(no_number("float", ctype)),
    }
}

/// The body of `__complex__`.
pub(super) fn to_complex(cdata: &CData) -> Res<Ref> {
    let ctype = cdata.ctype();
    match ctype.code {
        Code::ComplexF32 | Code::ComplexF64 | Code::ComplexLongDouble => {
            real::read_complex(Lvalue::in_cdata(cdata))
        }
        _ => Err(no_number("complex", ctype)),
    }
}

/// The body of nb_bool: whether a pointer is not NULL, a number not zero.
#[inline]
pub(super) fn truth(cdata: &CData) -> bool {
    if matches!(cdata.ctype().kind, Kind::Primitive | Kind::Enum) {
        truth_of_number(cdata)
    } else {
        !cdata.data().is_null()
    }
}

#[inline(never)]
fn truth_of_number(cdata: &CData) -> bool {
    let place = Lvalue::in_cdata(cdata);
    match place.code() {
        Code::F32 | Code::F64 => real::read_f64(place) != 0.0,
        Code::LongDouble => !real::long_double_is_zero(place),
        Code::ComplexF32 => place.get::<[f32; 2]>() != [0.0; 2],
        Code::ComplexF64 => place.get::<[f64; 2]>() != [0.0; 2],
        Code::ComplexLongDouble => !real::complex_long_double_is_zero(place),
        _ => integer::read_integer(place).is_none_or(|value| value != 0),
    }
}
