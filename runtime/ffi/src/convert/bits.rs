//! Bit-fields.

use super::Lvalue;
use crate::convert::integer::text_of;
use crate::ctype::{CType, FieldInfo};
use crate::py::{Live, Ref, Res, long_from_i128, long_from_u128, make};
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
    /// Of a field of this record, or of so many of its bits from this one on.
    #[inline]
    fn of(field: &FieldInfo, record: Lvalue, first: u32, size: u32) -> Self {
        let shift = first % 8;
        Self {
            place: record.after(field.offset + (first / 8) as isize),
            bytes: (shift + size).div_ceil(8) as usize,
            shift,
        }
    }
    /// All of a field.
    #[inline]
    fn whole(field: &FieldInfo, record: Lvalue) -> Self {
        Self::of(field, record, field.bit_shift as u32, field.bit_size as u32)
    }
    /// The bytes as a little-endian integer: at most 9, for 64 bits that start within a byte.
    #[inline]
    fn load(&self) -> u128 {
        let mut bytes = [0u8; 16];
        // SAFETY: the bytes of the field are inside the record, for which the maker of its place vouched.
        unsafe { std::ptr::copy_nonoverlapping(self.place, bytes.as_mut_ptr(), self.bytes) };
        u128::from_le_bytes(bytes)
    }
    #[inline]
    fn store(&self, value: u128) {
        let bytes = value.to_le_bytes();
        // SAFETY: as in `load`.
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
    fn of(field: &FieldInfo, record: Lvalue) -> Self {
        let (first, size) = (field.bit_shift as u32, field.bit_size as u32);
        Self {
            low: Span::of(field, record, first, 64),
            high: Span::of(field, record, first + 64, size - 64),
            high_size: size - 64,
        }
    }
}

/// [`read_bit_field`] of a field wider than 64 bits.
#[cold]
fn read_wide(field: &FieldInfo, record: Lvalue) -> Res<Ref> {
    let wide = Wide::of(field, record);
    let high = u128::from((wide.high.load() >> wide.high.shift) as u64);
    let bits = high << 64 | u128::from((wide.low.load() >> wide.low.shift) as u64);
    let unused = 128 - field.bit_size as u32;
    if is_signed(&field.ctype) {
        return long_from_i128((bits << unused) as i128 >> unused);
    }
    long_from_u128(bits << unused >> unused)
}

/// [`write_bit_field`] of a field wider than 64 bits.
#[cold]
fn write_wide(field: &FieldInfo, record: Lvalue, value: Live) -> Res<()> {
    let size = field.bit_size as u32;
    let index = value.to_index()?;
    let mut number = [0u8; 16];
    let place = Lvalue::in_rust(&field.ctype, &mut number);
    super::integer::write_integer(place, index.live())?;
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
    Ok(())
}

/// The Python value of a bit-field of a record.
pub fn read_bit_field(field: &FieldInfo, record: Lvalue) -> Res<Ref> {
    if field.bit_size > 64 {
        return read_wide(field, record);
    }
    let span = Span::whole(field, record);
    let bits = (span.load() >> span.shift) as u64;
    let unused = 64 - field.bit_size as u32;
    if is_signed(&field.ctype) {
        let value = ((bits << unused) as i64) >> unused;
        return make::int_from_i64(value);
    }
    let value = (bits << unused) >> unused;
    make::int_from_u64(value)
}

/// Writes a bit-field of a record. OverflowError when the value needs more bits; a signed field of one
/// bit takes 1 (and reads as -1), as in CFFI.
pub fn write_bit_field(field: &FieldInfo, record: Lvalue, value: Live) -> Res<()> {
    let ctype = &*field.ctype;
    let size = field.bit_size as u32;
    if size > 64 {
        return write_wide(field, record, value);
    }
    let number: i128 = match value.small_int() {
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
    let span = Span::whole(field, record);
    let mask = u128::from(u64::MAX >> (64 - size)) << span.shift;
    let bits = (u128::from(number as u64) << span.shift) & mask;
    span.store((span.load() & !mask) | bits);
    Ok(())
}

/// An int of any size or an object with `__index__`.
#[cold]
#[inline(never)]
fn big_value(ctype: &CType, value: Live) -> Res<i128> {
    let index = value.to_index()?;
    match index.live().to_i64_or_side() {
        Ok(number) => Ok(number.into()),
        Err(true) if !is_signed(ctype) => index.live().to_u64().map(i128::from),
        // The number does not fit, and this call raises CPython's own error for that.
        Err(_) => index.live().to_i64().map(i128::from),
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
        let bytes = span.load();
        assert_eq!(bytes >> span.shift & 0x3f, 0b11_0101);
    }

    #[test]
    fn what_lies_around_a_field_is_neither_read_nor_written() {
        let mut record = [0x11; 12];
        let span = span(&mut record, 20, 64);
        assert_eq!(span.load(), 0x11_1111_1111_1111_1111);
        span.store(0xab_cdef_0123_4567_89ab);
        let expected = [
            0x11, 0x11, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01, 0xef, 0xcd, 0xab, 0x11,
        ];
        assert_eq!(record, expected);
    }
}
