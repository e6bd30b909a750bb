//! Comparison and hash: pointers and aggregates by address, primitives by value.

use std::ffi::c_int;

use pyo3::ffi;

use crate::convert::{Lvalue, read};
use crate::ctype::{Code, Kind};
use crate::object::{CData, Resource};
use crate::py::{Live, Raised, Ref, Res, bool_object, not_implemented};
use crate::raise;

#[inline(always)]
fn is_primitive(cdata: &CData) -> bool {
    matches!(cdata.ctype().kind, Kind::Primitive | Kind::Enum)
}

/// What a pointer or aggregate compares as. One that was released keeps it, so that it is still found where it was put.
#[inline]
fn address_of(cdata: &CData) -> usize {
    let address = cdata.data() as usize;
    if address == 0
        && let Some(&Resource::Released { address, .. }) = cdata.resource()
    {
        return address;
    }
    address
}

/// The Python value of a primitive.
fn value_of(cdata: &CData) -> Res<Ref> {
    if matches!(cdata.ctype().code, Code::LongDouble) {
        return Err(raise!(
            NotImplementedError,
            "cannot use <cdata '{}'> in a comparison",
            cdata.ctype().name
        ));
    }
    read(Lvalue::in_cdata(cdata))
}

/// The body of tp_richcompare.
#[inline]
pub(super) fn compare(left: Live, right: Live, operator: c_int) -> Res<Ref> {
    let (a, b) = (CData::of(left), CData::of(right));
    if let (Some(a), Some(b)) = (a, b)
        && !is_primitive(a)
        && !is_primitive(b)
    {
        let (a, b) = (address_of(a), address_of(b));
        return Ok(bool_object(match operator {
            ffi::Py_EQ => a == b,
            ffi::Py_NE => a != b,
            ffi::Py_LT => a < b,
            ffi::Py_LE => a <= b,
            ffi::Py_GT => a > b,
            _ => a >= b,
        }));
    }
    compare_values(left, a, right, b, operator)
}

/// Numbers with each other, or with another object; an address with another object.
#[inline(never)]
fn compare_values(
    left: Live,
    a: Option<&CData>,
    right: Live,
    b: Option<&CData>,
    operator: c_int,
) -> Res<Ref> {
    let is_address = |cdata: Option<&CData>| cdata.is_some_and(|cdata| !is_primitive(cdata));
    if is_address(a) || is_address(b) {
        return Ok(not_implemented());
    }
    let value = |object: Live, cdata: Option<&CData>| match cdata {
        Some(cdata) => value_of(cdata),
        None => Ok(object.to_ref()),
    };
    let (a, b) = (value(left, a)?, value(right, b)?);
    // SAFETY: live objects.
    unsafe { Ref::steal(ffi::PyObject_RichCompare(a.obj(), b.obj(), operator)) }
}

/// The body of tp_hash.
pub(super) fn hash(cdata: &CData) -> Res<isize> {
    if is_primitive(cdata) && cdata.ctype().code != Code::LongDouble {
        let value = value_of(cdata)?;
        // SAFETY: a live object.
        let hash = unsafe { ffi::PyObject_Hash(value.obj()) };
        return if hash == -1 {
            Err(Raised::already())
        } else {
            Ok(hash)
        };
    }
    // The low bits of an address say little: they go to the top, as in CPython.
    let hash = address_of(cdata).rotate_right(4) as isize;
    Ok(if hash == -1 { -2 } else { hash })
}
