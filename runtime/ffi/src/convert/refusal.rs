//! What is said where a value of the wrong kind is given.

use crate::ctype::CType;
use crate::object::CData;
use crate::py::{Obj, Raised, type_name};
use crate::raise;

/// CFFI's "initializer for ctype ... must be a ..." for a value of the wrong kind.
///
/// # Safety
/// `value` is live.
#[cold]
#[inline(never)]
pub(crate) unsafe fn wrong_initialiser(ctype: &CType, expected: &str, value: Obj) -> Raised {
    // SAFETY: `value` is live.
    match unsafe { crate::object::as_cdata(value) } {
        Some(cdata) => wrong_cdata(ctype, expected, cdata),
        None => {
            // SAFETY: as above.
            let given = unsafe { type_name(value) };
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
