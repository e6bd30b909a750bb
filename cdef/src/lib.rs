//! Keelback's C declaration language (*cdef*): lexer, parser, type model, layout.
//!
//! No Python and no I/O in here. Text goes in, [`Declarations`] or diagnostics come out.
mod declarations;
mod source;
mod types;

pub use declarations::*;
pub use source::*;
pub use types::*;
