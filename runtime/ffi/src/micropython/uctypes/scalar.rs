//! Scalars in memory.

use pyo3::ffi;

use super::super::value;
use super::descriptor::{Bits, Scalar};
use crate::convert::{get, put};
use crate::py::{Live, Obj, Ref, Res};

/// Bytes in the machine's order, or turned around.
trait Swap: Copy {
    fn swap(self, is_big: bool) -> Self;
}

macro_rules! swap {
    ($($t:ty),*) => { $(
        impl Swap for $t {
            #[inline(always)]
            fn swap(self, is_big: bool) -> Self {
                if is_big { self.to_be() } else { self.to_le() }
            }
        }
    )* };
}
swap!(u8, i8, u16, i16, u32, i32, u64, i64);

/// The value of a scalar.
///
/// # Safety
/// `data` points to a readable value of the type.
#[inline]
pub(super) unsafe fn load(scalar: Scalar, data: *const u8, is_big: bool) -> Res<Ref> {
    use Scalar as S;
    // SAFETY: `data` points to a readable value of the type.
    unsafe {
        let value: i64 = match scalar {
            S::Uint8 | S::BitsUint8 => get::<u8>(data).into(),
            S::Int8 | S::BitsInt8 => get::<i8>(data).into(),
            S::Uint16 | S::BitsUint16 => get::<u16>(data).swap(is_big).into(),
            S::Int16 | S::BitsInt16 => get::<i16>(data).swap(is_big).into(),
            S::Uint32 | S::BitsUint32 => get::<u32>(data).swap(is_big).into(),
            S::Int32 | S::BitsInt32 => get::<i32>(data).swap(is_big).into(),
            S::Int64 => get::<i64>(data).swap(is_big),
            S::Uint64 => {
                let value = get::<u64>(data).swap(is_big);
                return Ref::steal(ffi::PyLong_FromUnsignedLongLong(value));
            }
            S::Float32 => {
                let value = f32::from_bits(get::<u32>(data).swap(is_big));
                return Ref::steal(ffi::PyFloat_FromDouble(value.into()));
            }
            S::Float64 => {
                let value = f64::from_bits(get::<u64>(data).swap(is_big));
                return Ref::steal(ffi::PyFloat_FromDouble(value));
            }
        };
        Ref::steal(ffi::PyLong_FromLongLong(value))
    }
}

/// Writes the low bytes of an unsigned number.
///
/// # Safety
/// `data` has room for `size` bytes.
unsafe fn put_bits(size: usize, data: *mut u8, is_big: bool, bits: u64) {
    // SAFETY: `data` has room for `size` bytes.
    unsafe {
        match size {
            1 => put(data, bits as u8),
            2 => put(data, (bits as u16).swap(is_big)),
            4 => put(data, (bits as u32).swap(is_big)),
            _ => put(data, bits.swap(is_big)),
        }
    }
}

/// Writes a scalar: an int truncated to its type, a float.
///
/// # Safety
/// `data` points to room for a value of the type; `value` is live.
#[inline]
pub(super) unsafe fn store(scalar: Scalar, data: *mut u8, is_big: bool, value: Obj) -> Res<()> {
    // SAFETY: `data` points to room for a value of the type; `value` is live.
    unsafe {
        let bits = match scalar {
            Scalar::Float32 => u64::from((value::real(Live::new(value))? as f32).to_bits()),
            Scalar::Float64 => value::real(Live::new(value))?.to_bits(),
            _ => value::truncated(Live::new(value))?,
        };
        put_bits(scalar.size(), data, is_big, bits);
    }
    Ok(())
}

/// The unit that a bit-field is in.
///
/// # Safety
/// `data` has a number of this kind.
unsafe fn unit(scalar: Scalar, data: *const u8, is_big: bool) -> u64 {
    // SAFETY: `data` has a number of this kind.
    unsafe {
        match scalar.size() {
            1 => get::<u8>(data).into(),
            2 => get::<u16>(data).swap(is_big).into(),
            _ => get::<u32>(data).swap(is_big).into(),
        }
    }
}

/// The value of a bit-field; never negative, as in MicroPython.
///
/// # Safety
/// `data` points to its unit.
pub(super) unsafe fn load_bits(
    scalar: Scalar,
    bits: Bits,
    data: *const u8,
    is_big: bool,
) -> Res<Ref> {
    // SAFETY: `data` points to its unit.
    unsafe {
        let value = (unit(scalar, data, is_big) >> bits.position) & ((1 << bits.length) - 1);
        Ref::steal(ffi::PyLong_FromUnsignedLongLong(value))
    }
}

/// Writes a bit-field: the low bits of an int.
///
/// # Safety
/// `data` points to its unit; `value` is live.
pub(super) unsafe fn store_bits(
    scalar: Scalar,
    bits: Bits,
    data: *mut u8,
    is_big: bool,
    value: Obj,
) -> Res<()> {
    // SAFETY: `data` points to its unit; `value` is live.
    unsafe {
        let value = value::checked(Live::new(value))? as u64;
        let mask = ((1u64 << bits.length) - 1) << bits.position;
        let others = unit(scalar, data, is_big) & !mask;
        let whole = others | ((value << bits.position) & mask);
        put_bits(scalar.size(), data, is_big, whole);
    }
    Ok(())
}
