//! Where tokens come from, and messages that say so.

use std::rc::Rc;
use std::sync::Arc;

use super::token::{Text, Token};
use super::{Preprocessed, Preprocessor};
use crate::diagnostic::{Diagnostic, Notes, Severity};
use crate::names::Names;
use crate::source::{LineMarker, Location, Source, SourceId, Span};
use crate::types::Symbol;

/// One reading of a text (a file may be included several times).
#[derive(Debug)]
pub(super) struct Entered {
    pub(super) text: Rc<Text>,
    pub(super) source: Arc<Source>,
    /// The number of the file.
    pub(super) file: Option<usize>,
    /// The directive that included it.
    pub(super) from: Option<Token>,
    /// The `#line` directives and line markers in it, in order.
    pub(super) lines: Vec<Renumbered>,
    pub(super) system: bool,
    pub(super) depth: u32,
}

/// A `#line` directive or a line marker.
#[derive(Clone, Debug)]
pub(super) struct Renumbered {
    /// The byte from which on it applies.
    pub(super) at: u32,
    /// The real line number of the directive.
    pub(super) here: u32,
    /// The number that it gives to the line behind it.
    pub(super) line: u32,
    /// The file name that it gives; `None`: the text's own.
    pub(super) file: Option<Arc<str>>,
    /// How many files markers have entered and not left at this point (`# 1 "file.h" 1`).
    pub(super) inside: u32,
}

impl Entered {
    /// The offset in the text as it was written, before splices were taken out.
    pub(super) fn written(&self, at: u32) -> u32 {
        self.text.written(at.min(self.text.clean().len() as u32))
    }

    /// The white space between the start of a line and a token that begins it.
    pub(super) fn indentation(&self, at: u32) -> &str {
        let before = &self.text.clean()[..(at as usize).min(self.text.clean().len())];
        &before[before.trim_end_matches([' ', '\t']).len()..]
    }

    /// The last `#line` or line marker in front of a byte.
    pub(super) fn renumbered(&self, at: u32) -> Option<&Renumbered> {
        let before = self.lines.partition_point(|line| line.at <= at);
        before.checked_sub(1).map(|index| &self.lines[index])
    }

    /// File and line of a byte, as `#line` says.
    pub(super) fn file_and_line(&self, at: u32) -> (&str, u32) {
        let (line, _) = self.text.line(self.written(at));
        let renumbered = self.renumbered(at);
        let line = renumbered.map_or(line, |marker| {
            marker
                .line
                .saturating_add(line)
                .saturating_sub(marker.here + 1)
        });
        let file = renumbered.and_then(|marker| marker.file.as_deref());
        (file.unwrap_or(&self.source.file), line)
    }

    /// File, line and column of a byte, as `#line` says.
    pub(super) fn place(&self, at: u32) -> Location<'_> {
        let written = self.written(at);
        let (_, start) = self.text.line(written);
        let (file, line) = self.file_and_line(at);
        let column = self.source.slice(start, written).chars().count() as u32 + 1;
        Location {
            file,
            line,
            column,
            marked: self.renumbered(at).is_some(),
        }
    }

    /// The text for diagnostics, with the numbers that `#line` gives.
    fn numbered(&self) -> Arc<Source> {
        if self.lines.is_empty() {
            return Arc::clone(&self.source);
        }
        let mut source = Source::clone(&self.source);
        for marker in &self.lines {
            source.markers.push(LineMarker {
                offset: self.text.line_start(marker.here + 1),
                line: marker.line,
                file: Arc::clone(marker.file.as_ref().unwrap_or(&self.source.file)),
            });
        }
        Arc::new(source)
    }
}

/// One use of a macro.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Expansion {
    pub(super) name: Option<Symbol>,
    pub(super) at: Option<Token>,
    /// The text and the byte of the outermost use, which is in no other macro's expansion.
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

/// The number of macros that are listed for one token.
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
        let (span, source) = written_at(&self.entered, &self.names, at, at);
        let origin = Origin::new(&self.entered, &self.expansions, &self.names, at);
        self.diagnostics.push(Diagnostic {
            severity,
            source: Some(source),
            notes: origin.notes(),
            ..Diagnostic::cdef(span, message)
        });
    }
}

/// The place of the tokens from `first` to `last`. Where they are in different texts, that of `first`.
fn written_at(
    entered: &[Entered],
    names: &Names,
    first: Token,
    last: Token,
) -> (Span, Arc<Source>) {
    let text = &entered[first.entered as usize];
    let end = |token: Token| {
        let length = names.text(token.text).trim_end().len() as u32;
        text.written(token.at) + length
    };
    let start = text.written(first.at);
    let is_behind = last.entered == first.entered && last.at > first.at;
    let span = Span {
        source: SourceId::NOT_KEPT,
        start,
        end: end(if is_behind { last } else { first }),
    };
    (span, text.numbered())
}

impl Origin<'_> {
    /// The notes of a diagnostic about this origin.
    fn notes(&self) -> Option<Box<Notes>> {
        let mut notes = Vec::new();
        for (name, file, line) in self.expansion_of.iter().take(10) {
            notes.push(format!("in expansion of macro '{name}' at {file}:{line}"));
        }
        for (file, line) in self.included_from.iter().take(10) {
            notes.push(format!("included from {file}:{line}"));
        }
        (!notes.is_empty()).then(|| Box::new(Notes(notes)))
    }
}

impl Preprocessed {
    /// Turns a diagnostic about tokens of this result into one about the texts that they come from.
    pub(crate) fn diagnose(&self, first: Token, last: Token, diagnostic: Diagnostic) -> Diagnostic {
        let (span, source) = written_at(&self.entered, &self.names, first, last);
        Diagnostic {
            span,
            source: Some(source),
            notes: self.origin(first).notes(),
            ..diagnostic
        }
    }

    /// The text and the byte of a token, or of the use of the macro that it comes from.
    pub(super) fn used_at(&self, token: Token) -> (u32, u32) {
        let outermost = self.expansions[token.expansion as usize].outermost;
        outermost.unwrap_or((token.entered, token.at))
    }

    /// File and line of a token, or of the use of the macro that it comes from.
    pub(crate) fn line_of_use(&self, token: Token) -> (&str, u32) {
        let (entered, at) = self.used_at(token);
        self.entered[entered as usize].file_and_line(at)
    }

    /// The main file that a token stands in; `None`: an included file.
    pub(crate) fn main_of(&self, token: Token) -> Option<usize> {
        let (entered, at) = self.used_at(token);
        let text = &self.entered[entered as usize];
        let is_inside = text.renumbered(at).is_some_and(|line| line.inside > 0);
        let file = text.file.filter(|_| !is_inside)?;
        self.mains.iter().position(|&main| main == file)
    }

    /// The files that the chosen main files include (without themselves), as the directives spell them: `<stdio.h>`.
    /// Each is listed once.
    pub(crate) fn includes_of(&self, is_chosen: impl Fn(usize) -> bool) -> Vec<String> {
        let mut includes: Vec<String> = Vec::new();
        for inclusion in &self.inclusions {
            let chosen = self.main_of(inclusion.from).is_some_and(&is_chosen);
            let own = self.mains.iter().position(|&main| main == inclusion.file);
            if chosen && !own.is_some_and(&is_chosen) && !includes.contains(&inclusion.spelling) {
                includes.push(inclusion.spelling.clone());
            }
        }
        includes
    }

    /// Whether one of the chosen main files includes the main file `main`.
    pub(crate) fn is_included_by(&self, main: usize, is_chosen: impl Fn(usize) -> bool) -> bool {
        self.inclusions.iter().any(|inclusion| {
            inclusion.file == self.mains[main]
                && self.main_of(inclusion.from).is_some_and(&is_chosen)
        })
    }
}
