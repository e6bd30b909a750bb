//! `lib`: a C library as a Python object, whether opened with dlopen or part of a plugin.
//!
//! An attribute is found at its first use ([`find`]) and kept in a dict: functions and constants as the objects that
//! they are, variables as a [`variable::Variable`] that is read and written through.

mod attribute;
mod compiled;
mod dynamic;
mod find;
mod function;
mod global;
mod kept;
mod object;
mod pytype;
mod variable;

pub(crate) use dynamic::Handle;
use find::Symbols;
pub use global::make_runtime_global;
use object::Source;
pub use object::{LIB_TYPE, Lib, address_of};
pub use pytype::ready;
