//! Bit-fields.

use pyo3::ffi;

use super::{get, put};
use crate::convert::integer::text_of;
use crate::ctype::{CType, Code, FieldInfo};
use crate::py::{Obj, Raised, Ref, Res, small_long_value};
use crate::raise;

/// The integer of the field's type at the field's place, as raw bits.
///
/// # Safety
/// `record` points to a readable record that has the field.
#[inline]
unsafe fn container(ctype: &CType, place: *const u8) -> u64 {
    // SAFETY: the caller's contract.
    unsafe {
        match ctype.size() {
            1 => get::<u8>(place).into(),
            2 => get::<u16>(place).into(),
            4 => get::<u32>(place).into(),
            _ => get::<u64>(place),
        }
    }
}

fn is_signed(ctype: &CType) -> bool {
    ctype.code.is_signed()
}

/// The Python value of a bit-field of the record at `record`.
///
/// # Safety
/// `record` points to a readable record that has the field.
pub unsafe fn read_bit_field(field: &FieldInfo, record: *const u8) -> Res<Ref> {
    // SAFETY: the caller's contract.
    unsafe {
        let ctype = &*field.ctype;
        let bits = container(ctype, record.offset(field.offset)) >> field.bit_shift;
        let unused = 64 - field.bit_size as u32;
        if is_signed(ctype) {
            let value = ((bits << unused) as i64) >> unused;
            return Ref::steal(ffi::PyLong_FromLongLong(value));
        }
        let value = (bits << unused) >> unused;
        if ctype.code == Code::Char {
            let byte = value as u8;
            return Ref::steal(ffi::PyBytes_FromStringAndSize((&raw const byte).cast(), 1));
        }
        Ref::steal(ffi::PyLong_FromUnsignedLongLong(value))
    }
}

/// Writes a bit-field of the record at `record`. OverflowError when the value needs more bits; a signed field of one
/// bit takes 1 (and reads as -1), as in CFFI.
///
/// # Safety
/// `record` points to a writable record that has the field; `value` is live.
pub unsafe fn write_bit_field(field: &FieldInfo, record: *mut u8, value: Obj) -> Res<()> {
    let ctype = &*field.ctype;
    let size = field.bit_size as u32;
    // SAFETY: the caller's contract.
    unsafe {
        let number: i128 = match small_long_value(value) {
            Some(small) => small.into(),
            None => big_value(ctype, value)?,
        };
        let (lowest, highest): (i128, i128) = if is_signed(ctype) {
            let lowest = -(1i128 << (size - 1));
            (lowest, if size == 1 { 1 } else { -lowest - 1 })
        } else {
            (0, (1i128 << size) - 1)
        };
        if number < lowest || number > highest {
            let text = text_of(value);
            return Err(raise!(
                OverflowError,
                "value {text} outside the range allowed by the bit field width: {lowest} <= x <= {highest}"
            ));
        }
        let place = record.offset(field.offset);
        let mask = (u64::MAX >> (64 - size)) << field.bit_shift;
        let bits = ((number as u64) << field.bit_shift) & mask;
        let whole = (container(ctype, place) & !mask) | bits;
        match ctype.size() {
            1 => put(place, whole as u8),
            2 => put(place, whole as u16),
            4 => put(place, whole as u32),
            _ => put(place, whole),
        }
    }
    Ok(())
}

/// An int of any size or an object with `__index__`.
#[cold]
#[inline(never)]
unsafe fn big_value(ctype: &CType, value: Obj) -> Res<i128> {
    // SAFETY: the caller's contract.
    unsafe {
        let index = Ref::steal(ffi::PyNumber_Index(value))?;
        let mut overflow = 0;
        let number = ffi::PyLong_AsLongLongAndOverflow(index.obj(), &mut overflow);
        if overflow == 0 {
            if number == -1 && !ffi::PyErr_Occurred().is_null() {
                return Err(Raised::already());
            }
            return Ok(number.into());
        }
        if overflow > 0 && !is_signed(ctype) {
            let number = ffi::PyLong_AsUnsignedLongLong(index.obj());
            if ffi::PyErr_Occurred().is_null() {
                return Ok(number.into());
            }
            return Err(Raised::already());
        }
        // For its exception.
        ffi::PyLong_AsLongLong(index.obj());
        Err(Raised::already())
    }
}
