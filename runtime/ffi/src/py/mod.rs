//! The thin layer over the CPython API that the whole runtime is written in.
//!
//! * [`Ref`] owns one reference; [`Live`] borrows an object that somebody else keeps alive; [`Obj`] is the bare pointer.
//! * [`Raised`] says "a Python exception is set on this thread": `Res<T>` is what every function that can
//!   raise returns. [`raise!`](crate::raise) sets one and makes the value.
//! * [`guard()`] is the wall at every `extern "C"` slot: an `Err` becomes the slot's failure value, a Rust panic
//!   becomes a Python `SystemError`. No panic crosses into C.
//!
//! Everything here needs the GIL (an attached thread state, on a free-threaded Python).

mod arguments;
mod at_end;
mod capi;
mod cell;
pub mod code_texts;
mod exception;
pub mod finder;
mod fresh;
mod guard;
mod integer;
mod live;
pub mod loaded;
pub mod make;
mod method;
pub mod module;
mod name_table;
mod reference;
mod sequence;
mod slot;
mod small_int;
mod static_type;
pub mod sys;
mod text;
mod unraisable;
mod vectorcall;
mod warning;
mod weak;

pub use crate::__keelback_class as class;
pub use crate::{getter, method, no_arguments, slot};
pub use arguments::Signature;
pub use at_end::{at_end, prepare as prepare_end};
pub use cell::{GilCell, StoppingCell};
pub use exception::Exception;
pub use fresh::ENDS_WITHOUT_A_TRACE;
pub use guard::{guard, guard_unit};
pub use integer::{long_from_i128, long_from_u128, split_long};
pub use live::{Instance, Live, flag, given, import, of_sys};
pub use method::{
    END_OF_METHODS, END_OF_PROPERTIES, Methods, Properties, Simple, keywords, namespace,
    positional, property, simple, tuples,
};
pub use name_table::NameTable;
pub use reference::{Head, Obj, Raised, Ref, Res, bool_object, none, not_implemented, type_name};
pub use sequence::Sequence;
pub use slot::{Parameter, required};
pub use small_int::small_long_value;
pub use static_type::{StaticType, name_after};
pub use text::{any_text, c_text, file_name, intern, raise_text, str_from, str_from_c, str_text};
pub use unraisable::write_unraisable;
pub use vectorcall::vectorcall;
pub use warning::warn;
pub use weak::{Weak, found, note_found, prepare};
