//! Bit-fields.

use pyo3::ffi;

use crate::convert::integer::text_of;
use crate::ctype::{CType, FieldInfo};
use crate::py::{Obj, Raised, Ref, Res, long_from_i128, long_from_u128, small_long_value};
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

/// A field of more than 64 bits, which may reach over 17 bytes.
struct Wide {
    low: Span,
    /// Its bits above the first 64.
    high: Span,
    high_size: u32,
}

impl Wide {
    /// # Safety
    /// As [`Span::of`].
    unsafe fn of(field: &FieldInfo, record: *mut u8) -> Self {
        let (first, size) = (field.bit_shift as u32, field.bit_size as u32);
        let part = |first: u32, size: u32| Span {
            // SAFETY: inside the record.
            place: unsafe { record.offset(field.offset + (first / 8) as isize) },
            bytes: (first % 8 + size).div_ceil(8) as usize,
            shift: first % 8,
        };
        Self {
            low: part(first, 64),
            high: part(first + 64, size - 64),
            high_size: size - 64,
        }
    }
}

/// [`read_bit_field`] of a field wider than 64 bits.
///
/// # Safety
/// That of [`read_bit_field`]: the record's memory is readable.
#[cold]
unsafe fn read_wide(field: &FieldInfo, record: *const u8) -> Res<Ref> {
    // SAFETY: that of `read_bit_field`: the record's memory is readable.
    let bits = unsafe {
        let wide = Wide::of(field, record.cast_mut());
        let high = u128::from((wide.high.load() >> wide.high.shift) as u64);
        high << 64 | u128::from((wide.low.load() >> wide.low.shift) as u64)
    };
    let unused = 128 - field.bit_size as u32;
    if is_signed(&field.ctype) {
        return long_from_i128((bits << unused) as i128 >> unused);
    }
    long_from_u128(bits << unused >> unused)
}

/// [`write_bit_field`] of a field wider than 64 bits.
///
/// # Safety
/// That of [`write_bit_field`]: the record's memory is writable, and `value` is live.
#[cold]
unsafe fn write_wide(field: &FieldInfo, record: *mut u8, value: Obj) -> Res<()> {
    let size = field.bit_size as u32;
    // SAFETY: that of `write_bit_field`: the record's memory is writable, and `value` is live.
    unsafe {
        let index = Ref::steal(ffi::PyNumber_Index(value))?;
        let mut number = [0u8; 16];
        super::integer::write_integer(&field.ctype, number.as_mut_ptr(), index.obj())?;
        let number = u128::from_ne_bytes(number);
        let unused = 128 - size;
        let kept = number << unused;
        let (kept, lowest, highest) = if is_signed(&field.ctype) {
            let half = 1i128 << (size - 2);
            let highest = half - 1 + half;
            let kept = (kept as i128 >> unused) as u128;
            (kept, (-highest - 1).to_string(), highest as u128)
        } else {
            (kept >> unused, "0".to_string(), u128::MAX >> unused)
        };
        if kept != number {
            let text = text_of(value);
            return Err(raise!(
                OverflowError,
                "value {text} outside the range allowed by the bit field width: {lowest} <= x <= {highest}"
            ));
        }
        let wide = Wide::of(field, record);
        for (span, size, bits) in [
            (wide.low, 64, number as u64),
            (wide.high, wide.high_size, (number >> 64) as u64),
        ] {
            let mask = u128::from(u64::MAX >> (64 - size)) << span.shift;
            span.store((span.load() & !mask) | (u128::from(bits) << span.shift) & mask);
        }
    }
    Ok(())
}

/// The Python value of a bit-field of the record at `record`.
///
/// # Safety
/// `record` points to a readable record that has the field.
pub unsafe fn read_bit_field(field: &FieldInfo, record: *const u8) -> Res<Ref> {
    if field.bit_size > 64 {
        // SAFETY: `record` points to a readable record that has the field.
        return unsafe { read_wide(field, record) };
    }
    // SAFETY: `record` points to a readable record that has the field.
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
    if size > 64 {
        // SAFETY: `record` points to a writable record that has the field; `value` is live.
        return unsafe { write_wide(field, record, value) };
    }
    // SAFETY: `record` points to a writable record that has the field; `value` is live.
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
///
/// # Safety
/// `value` is live.
#[cold]
#[inline(never)]
unsafe fn big_value(ctype: &CType, value: Obj) -> Res<i128> {
    // SAFETY: `value` is live.
    unsafe {
        let index = Ref::steal(ffi::PyNumber_Index(value))?;
        let mut overflow = 0;
        let number = ffi::PyLong_AsLongLongAndOverflow(index.obj(), &mut overflow);
        if overflow == 0 {
            if number == -1 {
                Raised::if_set()?;
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
        // The number does not fit, and this call raises CPython's own error for that.
        ffi::PyLong_AsLongLong(index.obj());
        Err(Raised::already())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field of `size` bits from bit `first` of a record on.
    fn span(record: &mut [u8], first: u32, size: u32) -> Span {
        Span {
            place: record[(first / 8) as usize..].as_mut_ptr(),
            bytes: (first % 8 + size).div_ceil(8) as usize,
            shift: first % 8,
        }
    }

    #[test]
    fn a_field_is_read_where_it_lies() {
        let mut record = [0b1010_0000, 0b0000_0110, 0xff];
        let span = span(&mut record, 5, 6);
        // SAFETY: the span lies in `record`.
        let bytes = unsafe { span.load() };
        assert_eq!(bytes >> span.shift & 0x3f, 0b11_0101);
    }

    #[test]
    fn what_lies_around_a_field_is_neither_read_nor_written() {
        let mut record = [0x11; 12];
        let span = span(&mut record, 20, 64);
        // SAFETY: the span lies in `record`.
        unsafe {
            assert_eq!(span.load(), 0x11_1111_1111_1111_1111);
            span.store(0xab_cdef_0123_4567_89ab);
        }
        let expected = [
            0x11, 0x11, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01, 0xef, 0xcd, 0xab, 0x11,
        ];
        assert_eq!(record, expected);
    }
}
