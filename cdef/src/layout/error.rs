//! Why a type has no layout.

use crate::declarations::Declarations;
use crate::diagnostic::{Diagnostic, DiagnosticKind, Form};
use crate::source::Span;

/// Why a type has no layout.
#[derive(Clone, PartialEq, Debug)]
pub struct LayoutError {
    /// The Python exception it becomes.
    pub kind: DiagnosticKind,
    /// What is wrong, naming the type.
    pub message: String,
    /// Where the type was declared.
    pub span: Span,
}

impl LayoutError {
    pub(super) fn new(kind: DiagnosticKind, span: Span, message: String) -> Self {
        Self {
            kind,
            message,
            span,
        }
    }
    /// The error as a diagnostic with the source text.
    pub fn into_diagnostic(self, declarations: &Declarations) -> Diagnostic {
        let mut diagnostic = Diagnostic::new(self.kind, Form::Plain, self.span, self.message);
        diagnostic.source = declarations
            .sources
            .get(self.span.source.0 as usize)
            .cloned();
        diagnostic
    }
}

impl std::fmt::Display for LayoutError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for LayoutError {}
