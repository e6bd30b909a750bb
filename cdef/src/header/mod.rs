//! Real headers: they are preprocessed, parsed, and cut down to a plain cdef.
//!
//! [`read`] takes the files that were named, follows their `#include` lines, and gives the text that a [`Declarations`]
//! reads without a preprocessor: what the named files declare, and the types that this needs from the files they
//! include. Every declaration is the author's own text (macros expanded), so attributes, packing and labels are kept.
//!
//! `wanted`: which texts need preprocessing. `cut`: which declarations stay. `write`: the plain text.

mod cut;
mod model;
mod reading;
mod wanted;
mod write;

pub use model::{Header, HeaderFile, HeaderOptions, Part, PartKind};
pub use reading::read;
pub use wanted::{has_other_macros, is_preprocessed, mentions};
