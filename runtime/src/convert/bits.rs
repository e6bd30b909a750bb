//! Bit-fields.

use pyo3::ffi;

use crate::convert::integer::text_of;
use crate::ctype::{CType, FieldInfo};
use crate::py::{Obj, Raised, Ref, Res, small_long_value};
use crate::raise;

/// The bytes that hold the bits of a field, and no others: a packed struct may end in the middle of what its type would
/// take, and a field may reach over more bytes than its type has.
struct Span {
    place: *mut u8,
    bytes: usize,
    /// Position of the lowest bit in the first byte.
    shift: u32,
}

impl Span {
    /// # Safety
    /// `record` points to a record that has the field.
    #[inline]
    unsafe fn of(field: &FieldInfo, record: *mut u8) -> Self {
        let (first, size) = (field.bit_shift as u32, field.bit_size as u32);
        let shift = first % 8;
        Self {
            // SAFETY: inside the record.
            place: unsafe { record.offset(field.offset + (first / 8) as isize) },
            bytes: (shift + size).div_ceil(8) as usize,
            shift,
        }
    }
    /// The bytes as a little-endian integer: at most 9, for 64 bits that start within a byte.
    ///
    /// # Safety
    /// The record is readable.
    #[inline]
    unsafe fn load(&self) -> u128 {
        let mut bytes = [0u8; 16];
        // SAFETY: the bytes of the field are inside the record.
        unsafe { std::ptr::copy_nonoverlapping(self.place, bytes.as_mut_ptr(), self.bytes) };
        u128::from_le_bytes(bytes)
    }
    /// # Safety
    /// The record is writable.
    #[inline]
    unsafe fn store(&self, value: u128) {
        let bytes = value.to_le_bytes();
        // SAFETY: the bytes of the field are inside the record.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.place, self.bytes) };
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
        let span = Span::of(field, record.cast_mut());
        let bits = (span.load() >> span.shift) as u64;
        let unused = 64 - field.bit_size as u32;
        if is_signed(&field.ctype) {
            let value = ((bits << unused) as i64) >> unused;
            return Ref::steal(ffi::PyLong_FromLongLong(value));
        }
        let value = (bits << unused) >> unused;
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
        let span = Span::of(field, record);
        let mask = u128::from(u64::MAX >> (64 - size)) << span.shift;
        let bits = (u128::from(number as u64) << span.shift) & mask;
        span.store((span.load() & !mask) | bits);
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
