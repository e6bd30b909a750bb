//! Comparison and hash: pointers and aggregates by address, primitives by value.

use std::ffi::c_int;

use pyo3::ffi;

use super::{CData, as_cdata};
use crate::convert::read;
use crate::ctype::{Code, Kind};
use crate::py::{Obj, Raised, Ref, Res, bool_object};
use crate::raise;

fn is_primitive(cdata: &CData) -> bool {
    matches!(cdata.ctype().kind, Kind::Primitive | Kind::Enum)
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
    // SAFETY: a cdata's data is readable as its type; primitives have their value inside.
    unsafe { read(cdata.ctype(), cdata.data()) }
}

/// The body of tp_richcompare.
///
/// # Safety
/// Both are live.
#[inline]
pub(super) unsafe fn compare(left: Obj, right: Obj, operator: c_int) -> Res<Ref> {
    // SAFETY: the caller's contract.
    unsafe {
        let (a, b) = (as_cdata(left), as_cdata(right));
        let is_address = |cdata: Option<&CData>| cdata.is_some_and(|cdata| !is_primitive(cdata));
        match (is_address(a), is_address(b), a, b) {
            (true, true, Some(a), Some(b)) => {
                let (a, b) = (a.data() as usize, b.data() as usize);
                Ok(bool_object(match operator {
                    ffi::Py_LT => a < b,
                    ffi::Py_LE => a <= b,
                    ffi::Py_EQ => a == b,
                    ffi::Py_NE => a != b,
                    ffi::Py_GT => a > b,
                    _ => a >= b,
                }))
            }
            (true, ..) | (_, true, ..) => Ok(Ref::borrow(ffi::Py_NotImplemented())),
            _ => {
                let a = match a {
                    Some(cdata) => value_of(cdata)?,
                    None => Ref::borrow(left),
                };
                let b = match b {
                    Some(cdata) => value_of(cdata)?,
                    None => Ref::borrow(right),
                };
                Ref::steal(ffi::PyObject_RichCompare(a.obj(), b.obj(), operator))
            }
        }
    }
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
    let hash = (cdata.data() as usize).rotate_right(4) as isize;
    Ok(if hash == -1 { -2 } else { hash })
}
