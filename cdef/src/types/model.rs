//! What a type is.

use super::{EnumId, Primitive, QualType, RecordId, UnknownId};

/// The length of an array type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ArrayLength {
    /// `T a[5]`
    Fixed(u64),
    /// `T a[]`: incomplete, or a flexible array member.
    Unspecified,
    /// `T a[...]`: asked from the C compiler. The number tells several such arrays apart; it indexes
    /// [`TypeTable::compiler_lengths`].
    FromCompiler(u32),
}

/// The calling convention of a function type. Differs from [`Cdecl`](Self::Cdecl) only on 32-bit Windows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum CallingConvention {
    /// The platform's C convention.
    #[default]
    Cdecl,
    /// `__stdcall` / `WINAPI`
    Stdcall,
}

/// A function type. Array and function parameters are already adjusted to pointers (C11 6.7.6.3).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct FunctionType {
    /// What it returns.
    pub result: QualType,
    /// Its parameters.
    pub params: Box<[QualType]>,
    /// Ends in `, ...`.
    pub variadic: bool,
    /// Calling convention.
    pub convention: CallingConvention,
}

/// A C type.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Type {
    /// `void`
    Void,
    /// An arithmetic type of C or of CFFI's predefined names.
    Primitive(Primitive),
    /// `T *`
    Pointer(QualType),
    /// `T [n]`
    Array {
        /// The item type.
        item: QualType,
        /// How many.
        length: ArrayLength,
    },
    /// A function type (not a pointer to one).
    Function(Box<FunctionType>),
    /// A struct or union.
    Record(RecordId),
    /// An enum.
    Enum(EnumId),
    /// `typedef int... t;` or `typedef float... t;`, before the C compiler has been asked.
    Unknown(UnknownId),
}
