//! The numbers of the format, from CFFI's `parse_c_type.h`.

use crate::message;
use crate::types::Primitive;

pub(super) const OP_PRIMITIVE: u8 = 1;
pub(super) const OP_POINTER: u8 = 3;
pub(super) const OP_ARRAY: u8 = 5;
pub(super) const OP_OPEN_ARRAY: u8 = 7;
pub(super) const OP_STRUCT_UNION: u8 = 9;
pub(super) const OP_ENUM: u8 = 11;
pub(super) const OP_FUNCTION: u8 = 13;
pub(super) const OP_FUNCTION_END: u8 = 15;
pub(super) const OP_NOOP: u8 = 17;
pub(super) const OP_BIT_FIELD: u8 = 19;
pub(super) const OP_TYPENAME: u8 = 21;
pub(super) const OP_BUILTIN_VAR_ARGS: u8 = 23;
pub(super) const OP_BUILTIN_NO_ARGS: u8 = 25;
pub(super) const OP_BUILTIN_ONE_ARG: u8 = 27;
pub(super) const OP_CONSTANT: u8 = 29;
pub(super) const OP_CONSTANT_INT: u8 = 31;
pub(super) const OP_GLOBAL_VAR: u8 = 33;
pub(super) const OP_DLOPEN_FUNC: u8 = 35;
pub(super) const OP_DLOPEN_CONST: u8 = 37;
/// A variable whose address a C function returns.
pub(super) const OP_GLOBAL_VAR_ACCESS: u8 = 39;
pub(super) const OP_EXTERN_PYTHON: u8 = 41;

pub(super) const FLAG_UNION: i32 = 1;
/// The C compiler must agree with the layout that the fields would have.
pub(super) const FLAG_CHECK_FIELDS: i32 = 2;
pub(super) const FLAG_PACKED: i32 = 4;
/// The record is declared by an included module.
pub(super) const FLAG_EXTERNAL: i32 = 8;
pub(super) const FLAG_OPAQUE: i32 = 16;

/// Of OP_FUNCTION_END: ends in `...`.
pub(super) const FUNCTION_ELLIPSIS: i32 = 1;
/// Of OP_FUNCTION_END: `__stdcall`.
pub(super) const FUNCTION_STDCALL: i32 = 2;

/// The index of OP_STRUCT_UNION that means `FILE`.
pub(super) const FILE_RECORD: i32 = -1;

/// By number minus one: number 0 is `void`.
const PRIMITIVES: [Primitive; 51] = [
    Primitive::Bool,
    Primitive::Char,
    Primitive::SChar,
    Primitive::UChar,
    Primitive::Short,
    Primitive::UShort,
    Primitive::Int,
    Primitive::UInt,
    Primitive::Long,
    Primitive::ULong,
    Primitive::LongLong,
    Primitive::ULongLong,
    Primitive::Float,
    Primitive::Double,
    Primitive::LongDouble,
    Primitive::WChar,
    Primitive::Int8,
    Primitive::UInt8,
    Primitive::Int16,
    Primitive::UInt16,
    Primitive::Int32,
    Primitive::UInt32,
    Primitive::Int64,
    Primitive::UInt64,
    Primitive::IntPtr,
    Primitive::UIntPtr,
    Primitive::PtrDiff,
    Primitive::Size,
    Primitive::SSize,
    Primitive::IntLeast8,
    Primitive::UIntLeast8,
    Primitive::IntLeast16,
    Primitive::UIntLeast16,
    Primitive::IntLeast32,
    Primitive::UIntLeast32,
    Primitive::IntLeast64,
    Primitive::UIntLeast64,
    Primitive::IntFast8,
    Primitive::UIntFast8,
    Primitive::IntFast16,
    Primitive::UIntFast16,
    Primitive::IntFast32,
    Primitive::UIntFast32,
    Primitive::IntFast64,
    Primitive::UIntFast64,
    Primitive::IntMax,
    Primitive::UIntMax,
    Primitive::FloatComplex,
    Primitive::DoubleComplex,
    Primitive::Char16,
    Primitive::Char32,
];

/// What OP_PRIMITIVE's number means.
pub(super) enum Number {
    Void,
    Primitive(Primitive),
    /// CFFI's `_CFFI__UNKNOWN_...` numbers: the C compiler could not determine the type.
    Unknown(&'static str),
    Invalid,
}

/// Whether the primitive is one of C's integer types.
pub(super) fn is_integer(primitive: Primitive) -> bool {
    !matches!(
        primitive,
        Primitive::Float
            | Primitive::Double
            | Primitive::LongDouble
            | Primitive::FloatComplex
            | Primitive::DoubleComplex
            | Primitive::LongDoubleComplex
    )
}

pub(super) fn primitive(number: i32) -> Number {
    match number {
        0 => Number::Void,
        -1 => Number::Unknown(message::NO_INTEGER),
        -2 => Number::Unknown(message::NO_FLOAT),
        -3 => Number::Unknown(message::LONG_DOUBLE),
        _ => usize::try_from(number)
            .ok()
            .and_then(|number| PRIMITIVES.get(number - 1))
            .map_or(Number::Invalid, |&primitive| Number::Primitive(primitive)),
    }
}

/// An operation and its argument: four bytes, big-endian; the operation is the last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Op {
    /// The operation: one of the `OP_` numbers.
    pub code: u8,
    /// An index, mostly. 24 bits in Python modules, signed.
    pub argument: i32,
}

/// The big-endian number at the start of `bytes`, and the bytes behind it.
pub(super) fn number(bytes: &[u8]) -> Option<(i32, &[u8])> {
    let (first, rest) = bytes.split_first_chunk::<4>()?;
    Some((i32::from_be_bytes(*first), rest))
}

/// The operation at the start of `bytes`, and the bytes behind it.
pub(super) fn op(bytes: &[u8]) -> Option<(Op, &[u8])> {
    let (value, rest) = number(bytes)?;
    let op = Op {
        code: value as u8,
        argument: value >> 8,
    };
    Some((op, rest))
}
