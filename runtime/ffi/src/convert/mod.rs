//! The conversion engine: Python values to C memory and back. The only place in Keelback that knows how a value of
//! a C type is represented: calls, callbacks, extern "Python", fields, items and initialisers all come here.
//!
//! Everything switches on [`Code`](crate::ctype::Code). Memory may be unaligned everywhere.

pub mod argument;
pub mod bits;
pub mod character;
pub mod file;
pub mod initialiser;
pub mod integer;
pub mod many;
mod memory;
pub mod pointer;
mod read;
pub mod real;
mod refusal;
mod temporaries;
mod write;

pub use bits::{read_bit_field, write_bit_field};
pub use initialiser::{initialiser_length, initialiser_size};
pub use many::read_list;
pub use memory::Lvalue;
pub(crate) use memory::{get, put};
pub use read::{read, read_enum_text};
pub(crate) use refusal::{no_python_value, wrong_initialiser};
pub use temporaries::Temporaries;
pub use write::{Room, write, write_in};
