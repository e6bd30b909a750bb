//! The conversion engine: Python values to C memory and back. The only place in Keelback that knows how a value of
//! a C type is represented: calls, callbacks, extern "Python", fields, items and initialisers all come here.
//!
//! Everything switches on [`Code`](crate::ctype::Code). Memory may be unaligned everywhere.

pub mod argument;
pub mod bits;
pub mod character;
pub mod file;
pub mod initialiser;
pub mod integer;
pub mod many;
pub mod pointer;
mod read;
pub mod real;
mod temporaries;
mod write;

pub use bits::{read_bit_field, write_bit_field};
pub use initialiser::{initialiser_length, initialiser_size};
pub use many::read_list;
pub use read::{read, read_enum_text};
pub use temporaries::Temporaries;
pub use write::{Room, write, write_in};

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
    // SAFETY: the caller's contract.
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

/// Reads a `T` at any address.
///
/// # Safety
/// `data` points to a readable `T`.
#[inline(always)]
pub(crate) unsafe fn get<T: Copy>(data: *const u8) -> T {
    // SAFETY: the caller's contract.
    unsafe { data.cast::<T>().read_unaligned() }
}

/// Writes a `T` at any address.
///
/// # Safety
/// `data` points to room for a `T`.
#[inline(always)]
pub(crate) unsafe fn put<T: Copy>(data: *mut u8, value: T) {
    // SAFETY: the caller's contract.
    unsafe { data.cast::<T>().write_unaligned(value) }
}
