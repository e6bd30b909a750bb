//! Typedefs that the C compiler has to explain.

use super::{Primitive, Symbol};
use crate::source::Span;

/// Whether a typedef is `int... t;` or `float... t;`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnknownKind {
    /// `int...`, `unsigned long...`
    Integer,
    /// `float...`, `double...`
    Float,
}

/// A typedef whose size and sign only the C compiler knows.
#[derive(Clone, PartialEq, Debug)]
pub struct UnknownType {
    /// The typedef's name: its C spelling.
    pub name: Symbol,
    /// Integer or floating.
    pub kind: UnknownKind,
    /// The type, once the C compiler has been asked.
    pub resolved: Option<Primitive>,
    /// Why the compiler's answer cannot be used. As in CFFI, this is an error only where the type is used.
    pub refused: Option<&'static str>,
    /// Where it is.
    pub span: Span,
}
