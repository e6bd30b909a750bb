//! How a record lies in memory.

use crate::types::RecordId;

/// Where a member is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FieldLayout {
    /// Bytes from the start of the record. For a bit-field: of the unit of its declared type that holds it.
    pub offset: u64,
    /// Bytes. For a bit-field: of its declared type. 0 for a flexible array.
    pub size: u64,
    /// For a bit-field: its lowest bit, counted from the lowest bit at `offset`; little-endian. Where packing
    /// puts a field across the end of its unit, `bit_offset + bit_size` is more than `8 * size`. Touch only
    /// the bytes that hold its bits: a unit may reach past the end of the record.
    pub bit_offset: Option<u32>,
    /// For a bit-field: its width; else 0.
    pub bit_size: u32,
}

/// How a record lies in memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    /// `sizeof`, in bytes.
    pub size: u64,
    /// `_Alignof`, in bytes.
    pub align: u32,
    /// For each of the record's fields, in the same order.
    pub fields: Vec<FieldLayout>,
    /// It ends in a flexible array, or has a member that does.
    pub flexible: bool,
    /// The C compiler's layout differs from that of the declared fields, because the struct has further fields.
    pub custom: bool,
}

/// A field found by name, perhaps inside anonymous members.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FoundField {
    /// Index of the field in each record on the way; the last is the field itself.
    pub path: Vec<u32>,
    /// The record that has the field itself.
    pub record: RecordId,
    /// Its place, with the offset counted from the start of the outermost record.
    pub layout: FieldLayout,
}
