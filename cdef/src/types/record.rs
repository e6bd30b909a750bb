//! Structs and unions.

use super::{QualType, RecordId, Symbol};
use crate::source::Span;

/// Struct or union.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RecordKind {
    /// `struct`
    Struct,
    /// `union`
    Union,
}

impl RecordKind {
    /// The C keyword.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Struct => "struct",
            Self::Union => "union",
        }
    }
}

/// How tightly a record is packed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Packing {
    /// Cap on every member's alignment: `Some(1)` for `packed=True`, `Some(n)` for `pack=n` and
    /// `#pragma pack(n)`.
    pub max_align: Option<u32>,
    /// `__attribute__((packed))` was written on the record.
    pub attribute: bool,
}

/// A member of a record.
#[derive(Clone, PartialEq, Debug)]
pub struct Field {
    /// The name; `None` for an anonymous struct/union member and for an unnamed bit-field.
    pub name: Option<Symbol>,
    /// Its type.
    pub ty: QualType,
    /// Width of a bit-field, in bits.
    pub bits: Option<u32>,
    /// From `_Alignas` or `__attribute__((aligned(n)))`.
    pub align: Option<u32>,
    /// `__attribute__((packed))` on this member.
    pub packed: bool,
    /// Where it is declared.
    pub span: Span,
}

/// The C compiler's layout of a record that the cdef declares with `...`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CompilerLayout {
    /// sizeof, in bytes.
    pub size: u64,
    /// _Alignof, in bytes.
    pub align: u32,
    /// For each field in order: offset and size in bytes.
    pub fields: Vec<(u64, u64)>,
}

/// The layout of a record in the tables of a module that CFFI compiled.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GivenLayout {
    /// Size and alignment, in bytes; `None` where C has no name for the record.
    pub whole: Option<(u64, u32)>,
    /// For each field in order: offset and size in bytes (`u64::MAX` where it has none); `None` for bit-fields, and where C
    /// has no name.
    pub fields: Vec<Option<(u64, u64)>>,
    /// The declaration lists all fields: it is an error if the compiler's layout differs.
    pub is_checked: bool,
}

/// A type that Keelback passes on without using its value: a record with a size, but without fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sealed {
    /// A description for messages: `a vector`.
    pub kind: &'static str,
    /// sizeof, in bytes.
    pub size: u64,
    /// Its alignment in a record, in bytes.
    pub align: u32,
}

/// A struct or union.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    /// Struct or union.
    pub kind: RecordKind,
    /// `foo` of `struct foo`.
    pub tag: Option<Symbol>,
    /// For a record without a tag: the typedef that names it (`foo_t` of `typedef struct {..} foo_t`), which is then
    /// its C spelling and the name CFFI prints.
    pub typedef_name: Option<Symbol>,
    /// For one with a tag: the typedef that CFFI prints instead ([`ParseOptions::as_cffi`](crate::ParseOptions)).
    pub forced_name: Option<Symbol>,
    /// For a record with a tag: the first typedef that names exactly it. Generated C spells the record by it, as CFFI
    /// does: in the header that the compiler reads the record may have no tag.
    pub alias: Option<Symbol>,
    /// For a record with neither tag nor typedef: the typedef that names a pointer to it (`foo_p` of `typedef struct
    /// {..} *foo_p` and of `typedef ... *foo_p`).
    pub pointer_typedef: Option<Symbol>,
    /// The body; `None` while opaque.
    pub fields: Option<Vec<Field>>,
    /// The body has `...;`: the fields are a subset, and the C compiler determines the layout.
    pub partial: bool,
    /// The number of a record that has no name, counted from 1 in order of appearance, as in CFFI's `struct $1`. 0 for
    /// a record with a name.
    pub number: u32,
    /// For a record without a tag that is the type of a member, or the item type of an array member: the record around
    /// it and the index of that field. Through them C can name the record.
    pub owner: Option<(RecordId, u32)>,
    /// Packing in force.
    pub packing: Packing,
    /// `__attribute__((aligned(n)))` on the record.
    pub align: Option<u32>,
    /// The C compiler's layout, once it has been asked.
    pub compiler_layout: Option<CompilerLayout>,
    /// The layout in the tables of a module that CFFI compiled.
    pub given_layout: Option<Box<GivenLayout>>,
    /// It stands for `_BitInt(n)`, a vector or a floating type that C11 does not have; `typedef_name` is the C
    /// spelling.
    pub sealed: Option<Sealed>,
    /// Why the header's definition of the record (or of the type that it stands for) is not supported: it is opaque.
    pub refused: Option<Box<str>>,
    /// Where the body (or the first mention) is.
    pub span: Span,
}
