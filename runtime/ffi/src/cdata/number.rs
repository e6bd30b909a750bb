//! `int()`, `float()`, `complex()` and truth of cdata.

use pyo3::ffi;

use crate::convert::{integer, no_python_value, read, real};
use crate::ctype::{CType, Code, Kind};
use crate::object::CData;
use crate::py::{Raised, Ref, Res};
use crate::raise;

/// The body of nb_int.
pub(super) fn to_int(cdata: &CData) -> Res<Ref> {
    let (ctype, data) = (cdata.ctype(), cdata.data());
    // SAFETY: a cdata's data is readable as its type.
    unsafe {
        match ctype.code {
            Code::U64 => Ref::steal(ffi::PyLong_FromUnsignedLongLong(
                data.cast::<u64>().read_unaligned(),
            )),
            Code::F32 | Code::F64 => {
                Ref::steal(ffi::PyLong_FromDouble(real::read_f64(ctype.code, data)))
            }
            Code::LongDouble => real::long_double_to_int(data),
            Code::I128 | Code::U128 => read(ctype, data),
            _ => match integer::read_integer(ctype, data) {
                Some(value) => Ref::steal(ffi::PyLong_FromLongLong(value as i64)),
                None => Err(no_number("int", ctype)),
            },
        }
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
        // SAFETY: a cdata's data is readable as its type.
        code @ (Code::F32 | Code::F64 | Code::LongDouble) => unsafe {
            Ref::steal(ffi::PyFloat_FromDouble(real::read_f64(code, cdata.data())))
        },
        _ => Err(no_number("float", ctype)),
    }
}

/// The body of `__complex__`.
pub(super) fn to_complex(cdata: &CData) -> Res<Ref> {
    let ctype = cdata.ctype();
    match ctype.code {
        // SAFETY: a cdata's data is readable as its type.
        code @ (Code::ComplexF32 | Code::ComplexF64 | Code::ComplexLongDouble) => unsafe {
            real::read_complex(code, cdata.data())
        },
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
    let (ctype, data) = (cdata.ctype(), cdata.data());
    // SAFETY: a cdata's data is readable as its type.
    unsafe {
        match ctype.code {
            Code::F32 | Code::F64 => real::read_f64(ctype.code, data) != 0.0,
            Code::LongDouble => !real::long_double_is_zero(data),
            Code::ComplexF32 => data.cast::<[f32; 2]>().read_unaligned() != [0.0; 2],
            Code::ComplexF64 => data.cast::<[f64; 2]>().read_unaligned() != [0.0; 2],
            Code::ComplexLongDouble => {
                !real::long_double_is_zero(data)
                    || !real::long_double_is_zero(data.add(crate::ctype::LONG_DOUBLE_SIZE))
            }
            _ => integer::read_integer(ctype, data).is_none_or(|value| value != 0),
        }
    }
}
