//! Sizes, alignments and offsets, as GCC computes them for a [`Target`](crate::Target).
//!
//! A layout is computed when it is first asked for and never changes; nothing here asks a compiler. What a compiler has
//! said (of partial structs, of modules that CFFI compiled) is taken over or compared. A type without a size, or a record
//! that C forbids, is a [`LayoutError`].

mod check;
mod declared;
mod error;
mod given;
mod layouts;
mod model;
mod placer;

pub use error::LayoutError;
pub use layouts::Layouts;
pub use model::{FieldLayout, FoundField, Layout};
