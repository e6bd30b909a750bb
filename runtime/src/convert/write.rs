//! Python values to C memory.

use crate::ctype::{CType, FieldInfo};
use crate::py::{Obj, Res};

/// Writes `value` as a C value of the type to `data`: CFFI's rules for `p[0] = value`, which are those of initialisers.
/// A list shorter than an array leaves the rest as it is.
///
/// # Safety
/// `data` points to writable memory of the type's size (for `T[]`: of as many items as `value` has); `value` is live.
pub unsafe fn write(_ctype: &CType, _data: *mut u8, _value: Obj) -> Res<()> {
    unimplemented!()
}

/// Writes a bit-field of the record at `record`.
///
/// # Safety
/// `record` points to a writable record that has the field; `value` is live.
pub unsafe fn write_bit_field(_field: &FieldInfo, _record: *mut u8, _value: Obj) -> Res<()> {
    unimplemented!()
}
