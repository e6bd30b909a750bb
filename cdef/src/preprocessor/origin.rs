//! Where tokens come from, and messages that say so.

use std::rc::Rc;
use std::sync::Arc;

use super::Preprocessor;
use super::token::{Text, Token};
use crate::diagnostic::{Diagnostic, Notes, Severity};
use crate::names::Names;
use crate::source::{Location, Source, SourceId, Span};
use crate::types::Symbol;

/// A text at one of the times it was read.
#[derive(Debug)]
pub(super) struct Entered {
    pub(super) text: Rc<Text>,
    pub(super) source: Arc<Source>,
    /// The directive that included it.
    pub(super) from: Option<Token>,
    /// `#line`: from that byte on, lines are so much higher, and the file is that.
    pub(super) lines: Vec<(u32, i64, Option<Arc<str>>)>,
    pub(super) system: bool,
    pub(super) depth: u32,
}

impl Entered {
    /// File, line and column of a byte, as `#line` says.
    pub(super) fn place(&self, at: u32) -> Location<'_> {
        let written = self.text.written(at.min(self.text.clean().len() as u32));
        let (line, start) = self.text.line(written);
        let before = self.lines.partition_point(|&(start, ..)| start <= at);
        let renumbered = before.checked_sub(1).map(|index| &self.lines[index]);
        let shift = renumbered.map_or(0, |&(_, shift, _)| shift);
        let file = renumbered.and_then(|(.., file)| file.as_deref());
        let column = self.source.slice(start, written).chars().count() as u32 + 1;
        Location {
            file: file.unwrap_or(&self.source.file),
            line: (i64::from(line) + shift).clamp(0, i64::from(u32::MAX)) as u32,
            column,
            marked: renumbered.is_some(),
        }
    }
}

/// One use of a macro.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Expansion {
    pub(super) name: Option<Symbol>,
    pub(super) at: Option<Token>,
    /// The text and the byte of the use that is in no other macro.
    pub(super) outermost: Option<(u32, u32)>,
}

/// Where a token came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin<'a> {
    /// Where it is written.
    pub place: Location<'a>,
    /// The places of the `#include` lines, the innermost first: file and line.
    pub included_from: Vec<(&'a str, u32)>,
    /// The macros it came through, the innermost first, and where each was used: file and line.
    pub expansion_of: Vec<(&'a str, &'a str, u32)>,
}

/// More macros than these around one token help nobody.
const MOST_MACROS: usize = 16;

impl<'a> Origin<'a> {
    pub(super) fn new(
        entered: &'a [Entered],
        expansions: &'a [Expansion],
        names: &'a Names,
        token: Token,
    ) -> Self {
        let place = |token: Token| entered[token.entered as usize].place(token.at);
        let mut origin = Self {
            place: place(token),
            included_from: Vec::new(),
            expansion_of: Vec::new(),
        };
        let mut outer = token;
        while let Some(from) = entered[outer.entered as usize].from {
            let at = place(from);
            origin.included_from.push((at.file, at.line));
            outer = from;
        }
        let mut inner = token;
        while let Expansion {
            name: Some(name),
            at: Some(at),
            ..
        } = expansions[inner.expansion as usize]
        {
            if origin.expansion_of.len() == MOST_MACROS {
                break;
            }
            let used = place(at);
            origin
                .expansion_of
                .push((names.text(name), used.file, used.line));
            inner = at;
        }
        origin
    }
}

impl Preprocessor<'_> {
    pub(super) fn error(&mut self, at: Token, message: String) {
        self.report(at, message, Severity::Error);
    }
    pub(super) fn warning(&mut self, at: Token, message: String) {
        if !self.entered[at.entered as usize].system {
            self.report(at, message, Severity::Warning);
        }
    }
    fn report(&mut self, at: Token, message: String, severity: Severity) {
        if self.diagnostics.len() >= 100 || self.entered.is_empty() {
            return;
        }
        let text = &self.entered[at.entered as usize];
        let start = text.text.written(at.at.min(text.text.clean().len() as u32));
        let length = self.names.text(at.text).trim_end().len() as u32;
        let span = Span {
            source: SourceId::NOT_KEPT,
            start,
            end: start + length,
        };
        let origin = Origin::new(&self.entered, &self.expansions, &self.names, at);
        let mut notes = Vec::new();
        for (name, file, line) in origin.expansion_of.iter().take(10) {
            notes.push(format!("in expansion of macro '{name}' at {file}:{line}"));
        }
        for (file, line) in origin.included_from.iter().take(10) {
            notes.push(format!("included from {file}:{line}"));
        }
        let source = Some(Arc::clone(&text.source));
        self.diagnostics.push(Diagnostic {
            severity,
            source,
            notes: (!notes.is_empty()).then(|| Box::new(Notes(notes))),
            ..Diagnostic::cdef(span, message)
        });
    }
}
