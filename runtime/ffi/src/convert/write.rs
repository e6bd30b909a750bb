//! Python values to C memory.

use super::{character, initialiser, integer, pointer, put, real};
use crate::ctype::{CType, Code};
use crate::py::{Obj, Res, small_long_value};
use crate::raise;

/// How far the memory reaches that is written to: bounds what goes into an array of unknown length.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// The first byte behind the memory; NULL where its end is not known.
    end: *mut u8,
}

impl Room {
    /// The end is not known: as in C, it is the program's responsibility.
    pub const UNKNOWN: Self = Self {
        end: std::ptr::null_mut(),
    };
    /// Up to `end`.
    pub fn until(end: *mut u8) -> Self {
        Self { end }
    }
    /// How many items of `size` fit at `data`; `None` when unknown.
    pub(super) fn items(self, data: *mut u8, size: isize) -> Option<isize> {
        if self.end.is_null() || size <= 0 {
            return None;
        }
        Some((self.end as isize - data as isize).max(0) / size)
    }
}

/// Writes `value` as a C value of the type to `data`: CFFI's rules for `p[0] = value`, which are those of initialisers.
/// A list shorter than an array leaves the rest as it is.
///
/// # Safety
/// `data` points to writable memory of the type's size (for `T[]`: of as many items as `value` has); `value` is live.
#[inline]
pub unsafe fn write(ctype: &CType, data: *mut u8, value: Obj) -> Res<()> {
    // SAFETY: `data` has room for the type or, for `T[]`, for the items of `value`, and `value` is live (the caller's
    // contract): so the room need not be known.
    unsafe { write_in(ctype, data, value, Room::UNKNOWN) }
}

/// [`write()`], to memory that reaches as far as `room` says.
///
/// # Safety
/// As for [`write()`]; for `T[]`, `data` has room for as many items as `value` has, or `room` is known.
#[inline]
pub unsafe fn write_in(ctype: &CType, data: *mut u8, value: Obj, room: Room) -> Res<()> {
    // SAFETY: `data` has room for a value of the type, and `value` is live (the caller's contract). Each arm writes a value
    // of the type's own width, or hands `data`, `value` and `room` on to a function of the same contract for that type.
    unsafe {
        match ctype.code {
            Code::I32 => {
                if let Some(small) = small_long_value(value) {
                    // One digit of 30 bits always fits.
                    put(data, small as i32);
                    return Ok(());
                }
                integer::write_integer(ctype, data, value)
            }
            Code::I64 => {
                if let Some(small) = small_long_value(value) {
                    put(data, small);
                    return Ok(());
                }
                integer::write_integer(ctype, data, value)
            }
            Code::I8 | Code::I16 | Code::U8 | Code::U16 | Code::U32 | Code::U64 | Code::Bool => {
                integer::write_integer(ctype, data, value)
            }
            Code::I128 | Code::U128 => integer::write_integer(ctype, data, value),
            Code::F64 => {
                put(data, real::to_f64(value)?);
                Ok(())
            }
            Code::F32 | Code::LongDouble => real::write_real(ctype, data, value),
            Code::Pointer => pointer::write_pointer(ctype, data, value),
            Code::Char | Code::Char16 | Code::Char32 => {
                character::write_character(ctype.code, data, value)
            }
            Code::Array => initialiser::write_array(ctype, data, value, room),
            Code::Record => initialiser::write_record(ctype, data, value, room),
            Code::ComplexF32 | Code::ComplexF64 | Code::ComplexLongDouble => {
                real::write_complex(ctype, data, value)
            }
            Code::Function | Code::Void => Err(raise!(
                TypeError,
                "cannot write a value of type '{}'",
                ctype.name
            )),
        }
    }
}
