//! The parser: a hand-written recursive descent over C's declarations (C11 6.7) and CFFI's extensions.
//!
//! A text is either accepted whole or not at all. After an error the parser continues behind the next `;` or closing
//! brace, so that one run reports every mistake. Nesting is limited, so no input can exhaust the stack; the time is
//! linear in the length of the text.

mod attribute;
mod attribute_table;
mod declarator;
mod declare;
mod directive;
mod errors;
mod expression;
mod generic;
mod initialiser;
mod macro_value;
mod old_style;
mod pieces;
pub(crate) mod plain;
mod refusal;
mod sealed;
mod specifiers;
mod state;
mod tags;
mod text;
mod tokens;
mod translation_unit;
mod typing;

pub use attribute_table::{is_attribute_of_headers, is_known_pragma};
pub use state::ParseOptions;

pub(crate) use pieces::{Piece, PieceName};
pub(crate) use state::Parser;

use state::{Foreign, Parse};
