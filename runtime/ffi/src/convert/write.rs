//! Python values to C memory.

use super::{Lvalue, character, initialiser, integer, pointer, real};
use crate::ctype::Code;
use crate::py::{Live, Res};
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
    /// Up to the end of a place of so many bytes.
    pub fn of(place: Lvalue, bytes: usize) -> Self {
        Self::until(place.data().wrapping_add(bytes))
    }
    /// How many items of `size` fit at `data`; `None` when unknown.
    pub(super) fn items(self, data: *mut u8, size: isize) -> Option<isize> {
        if self.end.is_null() || size <= 0 {
            return None;
        }
        Some((self.end as isize - data as isize).max(0) / size)
    }
}

/// Writes `value` as a C value to a place: CFFI's rules for `p[0] = value`, which are those of initialisers.
/// A list shorter than an array leaves the rest as it is.
#[inline]
pub fn write(place: Lvalue, value: Live) -> Res<()> {
    write_in(place, value, Room::UNKNOWN)
}

/// [`write()`], to memory that reaches as far as `room` says.
#[inline]
pub fn write_in(place: Lvalue, value: Live, room: Room) -> Res<()> {
    match place.code() {
        Code::I32 => {
            if let Some(small) = value.small_int() {
                // One digit of 30 bits always fits.
                place.put(small as i32);
                return Ok(());
            }
            integer::write_integer(place, value)
        }
        Code::I64 => {
            if let Some(small) = value.small_int() {
                place.put(small);
                return Ok(());
            }
            integer::write_integer(place, value)
        }
        Code::I8 | Code::I16 | Code::U8 | Code::U16 | Code::U32 | Code::U64 | Code::Bool => {
            integer::write_integer(place, value)
        }
        Code::I128 | Code::U128 => integer::write_integer(place, value),
        Code::F64 => {
            place.put(value.to_f64()?);
            Ok(())
        }
        Code::F32 | Code::LongDouble => real::write_real(place, value),
        Code::Pointer => pointer::write_pointer(place, value),
        Code::Char | Code::Char16 | Code::Char32 => character::write_character(place, value),
        Code::Array => initialiser::write_array(place, value, room),
        Code::Record => initialiser::write_record(place, value, room),
        Code::ComplexF32 | Code::ComplexF64 | Code::ComplexLongDouble => {
            real::write_complex(place, value)
        }
        Code::Function | Code::Void => Err(raise!(
            TypeError,
            "cannot write a value of type '{}'",
            place.ctype().name
        )),
    }
}
