//! What is said where a value of the wrong kind is given.

use crate::ctype::CType;
use crate::object::CData;
use crate::py::{Live, Raised};
use crate::raise;

/// CFFI's "initializer for ctype ... must be a ..." for a value of the wrong kind.
#[cold]
#[inline(never)]
pub(crate) fn wrong_initialiser(ctype: &CType, expected: &str, value: Live) -> Raised {
    match CData::of(value) {
        Some(cdata) => wrong_cdata(ctype, expected, cdata),
        None => {
            let given = value.type_name();
            raise!(
                TypeError,
                "initializer for ctype '{}' must be a {expected}, not {given}",
                ctype.name
            )
        }
    }
}

/// A value of a type that only C calculates with cannot be made or read here; `None`: the type is no such one.
#[cold]
pub(crate) fn no_python_value(ctype: &CType) -> Option<Raised> {
    let kind = ctype.known_record()?.sealed?;
    Some(raise!(
        TypeError,
        "ctype '{}' has no values in Python: it is {kind} (ffi.buffer() has the bytes)",
        ctype.name
    ))
}

fn wrong_cdata(ctype: &CType, expected: &str, cdata: &CData) -> Raised {
    let given = cdata.ctype();
    if *given.name == *ctype.name && !std::ptr::eq(given, ctype) {
        return raise!(
            TypeError,
            "initializer for ctype '{}' appears indeed to be '{}', but the types are different (check that you are not \
             e.g. mixing up different ffi instances)",
            ctype.name,
            given.name
        );
    }
    raise!(
        TypeError,
        "initializer for ctype '{}' must be a {expected}, not cdata '{}'",
        ctype.name,
        given.name
    )
}
