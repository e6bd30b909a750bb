//! The conversion engine: Python values to C memory and back. The only place in Keelback that knows how a value of
//! a C type is represented: calls, callbacks, extern "Python", fields, items and initialisers all come here.
//!
//! Everything switches on [`Code`](crate::ctype::Code). Memory may be unaligned everywhere.

mod read;
mod write;

pub use read::{read, read_bit_field};
pub use write::{write, write_bit_field};
