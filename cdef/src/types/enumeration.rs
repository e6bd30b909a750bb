//! Enums.

use super::{Primitive, Symbol};
use crate::source::Span;

/// One enumerator.
#[derive(Clone, PartialEq, Debug)]
pub struct Enumerator {
    /// Its name.
    pub name: Symbol,
    /// Its value; `None` while it is `= ...` (or follows one) and the C compiler has not been asked.
    pub value: Option<i128>,
    /// Where it is.
    pub span: Span,
}

/// An enum.
#[derive(Clone, PartialEq, Debug)]
pub struct Enum {
    /// `foo` of `enum foo`.
    pub tag: Option<Symbol>,
    /// As [`Record::typedef_name`].
    pub typedef_name: Option<Symbol>,
    /// For one with a tag: the typedef that CFFI prints instead ([`ParseOptions::as_cffi`](crate::ParseOptions)).
    pub forced_name: Option<Symbol>,
    /// As [`Record::alias`], of the declaration that mentions the enum first.
    pub alias: Option<Symbol>,
    /// As [`Record::pointer_typedef`].
    pub pointer_typedef: Option<Symbol>,
    /// As [`Record::number`].
    pub number: u32,
    /// The enumerators; `None` for an enum that was named but never given a body.
    pub enumerators: Option<Vec<Enumerator>>,
    /// The body has `...`.
    pub partial: bool,
    /// The integer type that holds it, once known: from the values (GCC's rule: `unsigned int` unless a value is
    /// negative, wider when needed), or from the C compiler for a partial enum.
    pub underlying: Option<Primitive>,
    /// Where it is.
    pub span: Span,
}
