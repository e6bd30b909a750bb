//! C memory to Python values.

use crate::ctype::{CType, FieldInfo};
use crate::py::{Ref, Res};

/// The Python value of the C value at `data`.
///
/// Aggregates give a cdata that refers to `data` itself, without owning it.
///
/// # Safety
/// `data` points to a readable value of the type.
pub unsafe fn read(_ctype: &CType, _data: *const u8) -> Res<Ref> {
    unimplemented!()
}

/// The Python value of a bit-field of the record at `record`.
///
/// # Safety
/// `record` points to a readable record that has the field.
pub unsafe fn read_bit_field(_field: &FieldInfo, _record: *const u8) -> Res<Ref> {
    unimplemented!()
}
