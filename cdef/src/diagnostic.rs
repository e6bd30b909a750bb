//! Errors and warnings about a cdef: what, where, and what to do.
//!
//! A diagnostic owns the text it points into, so it can be shown after the failed cdef is forgotten.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::declarations::Declarations;
use crate::source::{Source, Span};

/// Error or warning.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Severity {
    /// The cdef is refused.
    Error,
    /// The cdef is taken; Python shows a `UserWarning`.
    Warning,
}

/// Which Python exception a diagnostic becomes. The choice is CFFI's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DiagnosticKind {
    /// `cffi.CDefError`: the text is not what a cdef may say.
    CDef,
    /// `cffi.FFIError`: the text is valid, but contradicts an earlier declaration or can't be supported.
    FFI,
    /// `cffi.VerificationMissing`: the C compiler has not been asked yet.
    VerificationMissing,
    /// `cffi.VerificationError`: the C compiler's answers contradict the cdef.
    Verification,
    /// `TypeError`
    Type,
    /// `ValueError`
    Value,
    /// `OverflowError`
    Overflow,
    /// `KeyError`
    Key,
    /// `NotImplementedError`
    NotImplemented,
}

/// A longer type string is not repeated in the message about it.
const LONGEST_SHOWN: usize = 500;

/// How CFFI words the place of an error in the exception's text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// `cannot parse "LINE"`, then `FILE:LINE:COLUMN: MESSAGE`.
    Syntax,
    /// `FILE:LINE: MESSAGE`
    Located,
    /// The message alone.
    Plain,
}

/// Lines about the place of a diagnostic: the `#include` lines and macro uses that lead to it. Boxed, as few
/// diagnostics have any.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Notes(pub Vec<String>);

/// An error or a warning.
#[derive(Clone, PartialEq, Debug)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// The Python exception it becomes.
    pub kind: DiagnosticKind,
    /// What is wrong, in one line (CFFI's own multi-line texts excepted).
    pub message: Cow<'static, str>,
    /// The text at fault.
    pub span: Span,
    /// A few words at the caret.
    pub label: Option<Cow<'static, str>>,
    /// What to do about it.
    pub hint: Option<Cow<'static, str>>,
    /// Further lines about the place: where its file was included, which macros it comes from.
    pub notes: Option<Box<Notes>>,
    /// Short wording of CFFI's run-time type parser (`ffi.error` of out-of-line modules).
    pub(crate) short: Option<&'static str>,
    pub(crate) form: Form,
    pub(crate) source: Option<Arc<Source>>,
}

impl Diagnostic {
    pub(crate) fn new(
        kind: DiagnosticKind,
        form: Form,
        span: Span,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            severity: Severity::Error,
            kind,
            message: message.into(),
            span,
            label: None,
            hint: None,
            notes: None,
            short: None,
            form,
            source: None,
        }
    }
    /// A syntax error.
    pub(crate) fn syntax(span: Span, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(DiagnosticKind::CDef, Form::Syntax, span, message)
    }
    /// An error about a text that is well-formed, but not allowed.
    pub(crate) fn cdef(span: Span, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(DiagnosticKind::CDef, Form::Located, span, message)
    }
    /// An error about a declaration that contradicts another.
    pub(crate) fn ffi(span: Span, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(DiagnosticKind::FFI, Form::Plain, span, message)
    }
    pub(crate) fn not_implemented(span: Span, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(DiagnosticKind::NotImplemented, Form::Plain, span, message)
    }
    pub(crate) fn warning(span: Span, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::new(DiagnosticKind::CDef, Form::Plain, span, message)
        }
    }
    pub(crate) fn label(mut self, label: impl Into<Cow<'static, str>>) -> Self {
        self.label = Some(label.into());
        self
    }
    pub(crate) fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }
    pub(crate) fn maybe_hint(mut self, hint: Option<impl Into<Cow<'static, str>>>) -> Self {
        if let Some(hint) = hint {
            self.hint = Some(hint.into());
        }
        self
    }
    pub(crate) fn short(mut self, short: &'static str) -> Self {
        self.short = Some(short);
        self
    }

    /// An error about a place in `declarations` that the parser has no objection to, but a user of the declarations
    /// has; `severity`, `label` and `hint` can be set afterwards. In Python it becomes `cffi.FFIError`.
    pub fn at(
        declarations: &Declarations,
        span: Span,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            source: declarations.sources.get(span.source.0 as usize).cloned(),
            ..Self::ffi(span, message)
        }
    }

    /// The text that the diagnostic is about.
    pub fn source(&self) -> Option<&Source> {
        self.source.as_deref()
    }

    /// The text of the Python exception: CFFI's wording of the place, then the message.
    pub fn headline(&self) -> String {
        let Some(source) = &self.source else {
            return self.message.to_string();
        };
        let place = source.location(self.span.start);
        match self.form {
            Form::Plain => self.message.to_string(),
            Form::Located if source.is_type_string => self.message.to_string(),
            Form::Located => format!("{}:{}: {}", place.file, place.line, self.message),
            Form::Syntax => {
                let (line, _) = source.line_at(self.span.start);
                let line = line.trim();
                let first = if place.marked || line.is_empty() {
                    "parse error".to_owned()
                } else {
                    format!("cannot parse \"{line}\"")
                };
                format!(
                    "{first}\n{}:{}:{}: {}",
                    place.file, place.line, place.column, self.message
                )
            }
        }
    }

    /// What CFFI's run-time parser says of a bad type string: a few words, the string, a caret.
    pub fn caret(&self) -> String {
        let words = self.short.unwrap_or(&self.message);
        let Some(source) = &self.source else {
            return words.to_owned();
        };
        let text = source.slice(0, u32::MAX);
        if text.len() > LONGEST_SHOWN {
            return words.to_owned();
        }
        // Each byte is shown as one character, because the caret's column counts bytes.
        let shown: String = text
            .bytes()
            .map(|byte| match byte {
                b' '..=b'~' => char::from(byte),
                b'\t'..=b'\r' => ' ',
                _ => '?',
            })
            .collect();
        let before = source.slice(0, self.span.start).len();
        format!("{words}\n{shown}\n{}^", " ".repeat(before))
    }

    /// The diagnostic with file, line, column, the line itself with a caret, and the hint; for people.
    /// `color` asks for ANSI colours.
    pub fn render(&self, color: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(self.message.as_ref());
        let mut groups: Vec<Group<'_>> = Vec::new();
        let place;
        let line;
        if let Some(source) = &self.source {
            // The lines are cut out and numbered by hand: a line marker may have renumbered them.
            let (_, start) = source.line_at(self.span.start);
            let end_of_span = self.span.end.max(self.span.start) as usize;
            let (last, last_start) =
                source.line_at((end_of_span as u32).saturating_sub(1).max(self.span.start));
            line = source.slice(start as u32, (last_start + last.len()) as u32);
            place = source.location(self.span.start);
            // A span may begin or end inside a character: widen it to whole characters.
            let mut from = (self.span.start as usize)
                .saturating_sub(start)
                .min(line.len());
            while !line.is_char_boundary(from) {
                from -= 1;
            }
            let mut to = end_of_span.saturating_sub(start).clamp(from, line.len());
            while !line.is_char_boundary(to) {
                to += 1;
            }
            let mut annotation = AnnotationKind::Primary.span(from..to);
            if let Some(label) = &self.label {
                annotation = annotation.label(label.as_ref());
            }
            groups.push(
                title.element(
                    Snippet::source(line)
                        .path(place.file)
                        .line_start(place.line as usize)
                        .annotation(annotation),
                ),
            );
        } else {
            groups.push(Group::with_title(title));
        }
        for note in self.notes.iter().flat_map(|notes| &notes.0) {
            let note = Level::NOTE.secondary_title(note.as_str());
            groups.push(Group::with_title(note));
        }
        if let Some(hint) = &self.hint {
            groups.push(Group::with_title(
                Level::HELP.secondary_title(hint.as_ref()),
            ));
        }
        let renderer = if color {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        renderer.render(&groups)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(source) = &self.source {
            let place = source.location(self.span.start);
            write!(f, "{}:{}:{}: ", place.file, place.line, place.column)?;
        }
        f.write_str(match self.severity {
            Severity::Error => "error: ",
            Severity::Warning => "warning: ",
        })?;
        f.write_str(&self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, " ({hint})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostic {}
