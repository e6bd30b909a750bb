//! `ctype`: the Python face of a cdef type.
//!
//! A [`CType`] is a Python object. Equal types are the same object in the whole process: structural types are
//! interned (see [`intern`]), records and enums belong to the [`Scope`](crate::scope::Scope) that declares them.

mod derived;
mod details;
mod intern;
mod make;
mod model;
mod names;
pub mod pytype;
mod slot;

pub use details::{
    Access, EnumDetails, FieldInfo, FunctionDetails, RecordDetails, given_alignment,
};
pub use intern::{
    array_of, char_array, function_of, is_known_void_pointer, pointer_to, primitive, void,
    void_pointer,
};
pub use make::{complete_records, from_scope};
pub use model::{CTYPE_TYPE, CType, Code, Kind, LONG_DOUBLE_SIZE, UNKNOWN_SIZE};
pub(crate) use model::{Details, Parts, allocate};
pub use names::declarator;
pub use slot::PlanSlot;
