//! Descriptors: what a struct's dict says of its fields. A scalar is an int, an aggregate a tuple that starts with one;
//! both carry an offset in their low bits and a type in the bits above.

use pyo3::ffi;

use crate::py::{Live, Obj, Raised, Res};
use crate::raise;

/// Bits of a scalar's type; it stands right below the sign of a 32-bit int.
const VALUE_TYPE_BITS: u32 = 4;
/// Likewise of an aggregate's.
const AGGREGATE_TYPE_BITS: u32 = 2;
/// Bits of the offset, where there is a bit-field.
const OFFSET_BITS: u32 = 17;
/// Bits of a bit-field's position and of its length.
const BIT_FIELD_BITS: u32 = 5;

/// Where a bit-field's position is in its descriptor.
pub(super) const BF_POS: u32 = OFFSET_BITS;
/// Where its length is.
pub(super) const BF_LEN: u32 = OFFSET_BITS + BIT_FIELD_BITS;

/// A scalar type, by its number.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "the names say it")]
pub(super) enum Scalar {
    Uint8 = 0,
    Int8,
    Uint16,
    Int16,
    Uint32,
    Int32,
    Uint64,
    Int64,
    BitsUint8,
    BitsInt8,
    BitsUint16,
    BitsInt16,
    BitsUint32,
    BitsInt32,
    Float32,
    Float64,
}

use Scalar as S;

const SCALARS: [Scalar; 16] = [
    S::Uint8,
    S::Int8,
    S::Uint16,
    S::Int16,
    S::Uint32,
    S::Int32,
    S::Uint64,
    S::Int64,
    S::BitsUint8,
    S::BitsInt8,
    S::BitsUint16,
    S::BitsInt16,
    S::BitsUint32,
    S::BitsInt32,
    S::Float32,
    S::Float64,
];

impl Scalar {
    fn of(bits: i64) -> Self {
        SCALARS[(bits >> (31 - VALUE_TYPE_BITS)) as usize & 15]
    }
    /// Its value as a constant of the module.
    pub(super) fn constant(self) -> i32 {
        constant(self as u8, VALUE_TYPE_BITS)
    }
    /// Bytes; of a bit-field, those of its unit.
    pub(super) fn size(self) -> usize {
        match self {
            S::Uint8 | S::Int8 | S::BitsUint8 | S::BitsInt8 => 1,
            S::Uint16 | S::Int16 | S::BitsUint16 | S::BitsInt16 => 2,
            S::Uint32 | S::Int32 | S::BitsUint32 | S::BitsInt32 | S::Float32 => 4,
            S::Uint64 | S::Int64 | S::Float64 => 8,
        }
    }
    /// Whether it is the unit of a bit-field.
    pub(super) fn is_bits(self) -> bool {
        (S::BitsUint8 as u8..=S::BitsInt32 as u8).contains(&(self as u8))
    }
}

/// A number in the type bits of an int: the sign bit is the topmost of them.
const fn constant(number: u8, bits: u32) -> i32 {
    (((number as u32) << (32 - bits)) as i32) >> 1
}

/// `uctypes.PTR`
pub(super) const PTR: i32 = constant(1, AGGREGATE_TYPE_BITS);
/// `uctypes.ARRAY`
pub(super) const ARRAY: i32 = constant(2, AGGREGATE_TYPE_BITS);

/// The bits below a type of so many bits.
const fn below(type_bits: u32) -> i64 {
    (1 << (31 - type_bits)) - 1
}

/// A part of a bit-field's unit.
#[derive(Clone, Copy)]
pub(super) struct Bits {
    pub(super) position: u32,
    pub(super) length: u32,
}

/// What an array holds, a pointer points to.
#[derive(Clone, Copy)]
pub(super) enum Item {
    Scalar(Scalar),
    /// Any descriptor; borrowed from the tuple.
    Aggregate(Obj),
}

/// A field, or the whole of a struct object whose descriptor is a tuple. Descriptors are borrowed from the tuple.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Scalar(Scalar),
    Bits(Scalar, Bits),
    Struct(Obj),
    Pointer(Item),
    Array(Item, usize),
}

/// A field.
#[derive(Clone, Copy)]
pub(super) struct Field {
    pub(super) offset: usize,
    pub(super) kind: Kind,
}

/// TypeError: a descriptor that means nothing.
#[cold]
pub(super) fn syntax_error() -> Raised {
    raise!(TypeError, "syntax error in uctypes descriptor")
}

/// The value of an int in a descriptor.
fn int(object: Live) -> Res<i64> {
    // SAFETY: a live object.
    unsafe {
        if let Some(small) = object.small_int() {
            return Ok(small);
        }
        if !object.is_int() {
            return Err(syntax_error());
        }
        let mut overflow = 0;
        let value = ffi::PyLong_AsLongLongAndOverflow(object.ptr(), &mut overflow);
        if overflow != 0 {
            return Err(syntax_error());
        }
        Ok(value)
    }
}

/// The field that an int or a tuple describes.
#[inline]
pub(super) fn field(object: Live) -> Res<Field> {
    if object.is_tuple() {
        // SAFETY: a tuple, which stays alive while the field is used.
        return unsafe { aggregate(object.ptr()) };
    }
    let value = int(object)?;
    let scalar = Scalar::of(value);
    let rest = value & below(VALUE_TYPE_BITS);
    if !scalar.is_bits() {
        return Ok(Field {
            offset: rest as usize,
            kind: Kind::Scalar(scalar),
        });
    }
    Ok(Field {
        offset: (rest & ((1 << OFFSET_BITS) - 1)) as usize,
        kind: Kind::Bits(
            scalar,
            Bits {
                position: (rest >> BF_POS) as u32 & 31,
                length: (rest >> BF_LEN) as u32 & 31,
            },
        ),
    })
}

/// The aggregate that a tuple describes.
///
/// # Safety
/// `tuple` is a live tuple, and stays so while the field is used.
pub(super) unsafe fn aggregate(tuple: Obj) -> Res<Field> {
    // SAFETY: `tuple` is a live tuple (the caller's contract), which keeps its items alive and never changes. Items 0 and 1
    // are there because the length is at least 2, item 2 where it is 3.
    unsafe {
        let length = ffi::PyTuple_GET_SIZE(tuple);
        if length < 2 {
            return Err(syntax_error());
        }
        let head = int(Live::new(ffi::PyTuple_GET_ITEM(tuple, 0)))?;
        let second = ffi::PyTuple_GET_ITEM(tuple, 1);
        let kind = match ((head >> (31 - AGGREGATE_TYPE_BITS)) & 3, length) {
            (0, 2) => Kind::Struct(second),
            (1, 2) => Kind::Pointer(if ffi::PyLong_Check(second) != 0 {
                Item::Scalar(Scalar::of(int(Live::new(second))?))
            } else {
                Item::Aggregate(second)
            }),
            (2, 2 | 3) => {
                let count = int(Live::new(second))?;
                let item = if length == 2 {
                    Item::Scalar(Scalar::of(count))
                } else {
                    Item::Aggregate(ffi::PyTuple_GET_ITEM(tuple, 2))
                };
                Kind::Array(item, (count & below(VALUE_TYPE_BITS)) as usize)
            }
            _ => return Err(syntax_error()),
        };
        Ok(Field {
            offset: (head & below(AGGREGATE_TYPE_BITS)) as usize,
            kind,
        })
    }
}
