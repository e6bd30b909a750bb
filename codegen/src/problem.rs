//! Errors and warnings about a spec.

use std::fmt;

use keelback_cdef::{Diagnostic, Severity};

/// An error or a warning about a [`PluginSpec`](crate::PluginSpec).
#[derive(Clone, Debug, PartialEq)]
pub enum Problem {
    /// About a place in the declarations.
    Cdef(Box<Diagnostic>),
    /// About the spec itself.
    Plugin {
        /// Error or warning.
        severity: Severity,
        /// What is wrong, in one line.
        message: String,
        /// What to do about it.
        hint: Option<String>,
        /// The function or the type whose error value it is about.
        error_value_of: Option<String>,
    },
}

impl Problem {
    pub(crate) fn error(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Plugin {
            severity: Severity::Error,
            message: message.into(),
            hint: Some(hint.into()),
            error_value_of: None,
        }
    }

    pub(crate) fn warning(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Plugin {
            severity: Severity::Warning,
            message: message.into(),
            hint: Some(hint.into()),
            error_value_of: None,
        }
    }

    /// The problem, said to be about the error value of a function or of a type.
    pub(crate) fn about_error_value(mut self, of: &str) -> Self {
        if let Self::Plugin { error_value_of, .. } = &mut self {
            *error_value_of = Some(of.to_owned());
        }
        self
    }

    /// Whether no plugin can be made from the spec.
    pub fn is_error(&self) -> bool {
        let severity = match self {
            Self::Cdef(diagnostic) => diagnostic.severity,
            Self::Plugin { severity, .. } => *severity,
        };
        severity == Severity::Error
    }

    /// The problem for people: with the line and a caret if it has a place, and what to do. `color` asks for ANSI
    /// colours.
    pub fn render(&self, color: bool) -> String {
        use annotate_snippets::{Group, Level, Renderer};
        let (severity, message, hint) = match self {
            Self::Cdef(diagnostic) => return diagnostic.render(color),
            Self::Plugin {
                severity,
                message,
                hint,
                ..
            } => (severity, message, hint),
        };
        let level = match severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut groups = vec![Group::with_title(level.primary_title(message))];
        if let Some(hint) = hint {
            groups.push(Group::with_title(Level::HELP.secondary_title(hint)));
        }
        let renderer = if color {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        renderer.render(&groups)
    }
}

impl From<Diagnostic> for Problem {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Cdef(Box::new(diagnostic))
    }
}

/// One line: place, severity, message, and the hint in parentheses.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cdef(diagnostic) => diagnostic.fmt(f),
            Self::Plugin {
                severity,
                message,
                hint,
                ..
            } => {
                f.write_str(match severity {
                    Severity::Error => "error: ",
                    Severity::Warning => "warning: ",
                })?;
                f.write_str(message)?;
                match hint {
                    Some(hint) => write!(f, " ({hint})"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl std::error::Error for Problem {}
