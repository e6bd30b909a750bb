//! The declarations as C text: the user's text without what only a cdef has.
//!
//! The text is cut into pieces, one for each declaration or directive; every piece is kept, rewritten, replaced or
//! left out by what the parser found in it. So the result looks as its author wrote it, comments included.

mod destination;
mod piece;
mod plain;
mod text;
mod words;
mod writer;

pub(crate) use destination::Destination;
pub(crate) use text::{DeclaredText, declared_text};
pub(crate) use words::{includes, integer, is_reserved_name};
