//! A header from its files to its declarations.

use std::ops::Range;

use super::{Header, HeaderFile, HeaderOptions, cut, write};
use crate::declarations::Declarations;
use crate::diagnostic::{Diagnostic, Severity};
use crate::parser::{ParseOptions, Piece};
use crate::preprocessor::{Loader, Macros, MainFile, Preprocessed, Rendered, preprocess_all};

/// Limit on the rounds of parsing: each round leaves out the declarations of included files that are wrong, which can
/// make others wrong.
pub(super) const MOST_ROUNDS: usize = 20;

/// Preprocesses and reads `files`, which may use what `known` declares.
///
/// Errors in declarations of included files that nothing needs are ignored.
///
/// # Errors
/// All errors and warnings in the order of the text. Each points to the file and line where its cause is written.
pub fn read(
    files: &[HeaderFile<'_>],
    options: &HeaderOptions,
    known: &Declarations,
    loader: &mut dyn Loader,
) -> Result<Header, Vec<Diagnostic>> {
    let mains: Vec<MainFile<'_>> = files
        .iter()
        .map(|&HeaderFile { name, text, .. }| MainFile { name, text })
        .collect();
    let macros = if options.all || !options.own_dirs.is_empty() {
        Macros::OfAllFiles
    } else {
        Macros::OfMainFiles
    };
    let mut result = preprocess_all(&mains, &options.preprocess, macros, loader);
    let mut warnings = std::mem::take(&mut result.diagnostics);
    if warnings.iter().any(is_error) {
        return Err(warnings);
    }
    let mut rendered = result.render(options.comments);
    let mut declarations = known.clone();
    let (pieces, said) = parse(&result, &mut rendered, &mut declarations, options)?;
    let reading = Reading {
        result: &result,
        rendered: &rendered,
    };
    warnings.extend(reading.of_named(said));
    let cut = cut::cut(files, options, &reading, &pieces, &mut declarations);
    let mut header = write::write(&reading, &declarations, &pieces, &cut);
    header.unmatched = cut.unmatched;
    header.includes = result.includes_of(|main| files[main].is_exported);
    header.warnings = warnings;
    Ok(header)
}

pub(super) fn is_error(diagnostic: &Diagnostic) -> bool {
    diagnostic.severity == Severity::Error
}

/// A preprocessed text, and the places of its tokens.
pub(super) struct Reading<'a> {
    pub(super) result: &'a Preprocessed,
    pub(super) rendered: &'a Rendered,
}

impl Reading<'_> {
    /// The named file that a byte of the text comes from.
    pub(super) fn main_of(&self, at: u32) -> Option<usize> {
        let index = self.rendered.token_at(at)?;
        self.result.main_of(*self.result.tokens.get(index)?)
    }

    /// File and line of a byte.
    pub(super) fn line_of(&self, at: u32) -> (&str, u32) {
        match self.rendered.token_at(at) {
            Some(index) => self.result.line_of_use(self.result.tokens[index]),
            None => ("", 1),
        }
    }

    /// Turns a diagnostic about the preprocessed text into one about the files.
    pub(super) fn diagnose(&self, diagnostic: Diagnostic) -> Diagnostic {
        let span = diagnostic.span;
        let token = |at| {
            let index = self.rendered.token_at(at)?;
            self.result.tokens.get(index).copied()
        };
        let Some(first) = token(span.start) else {
            return diagnostic;
        };
        let last = token(span.end.saturating_sub(1).max(span.start)).unwrap_or(first);
        self.result.diagnose(first, last, diagnostic)
    }

    /// Keeps the diagnostics about named files, and turns them into ones about the files.
    pub(super) fn of_named(&self, diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let named = diagnostics
            .into_iter()
            .filter(|diagnostic| self.main_of(diagnostic.span.start).is_some());
        named.map(|diagnostic| self.diagnose(diagnostic)).collect()
    }
}

/// Parses the text. Declarations of included files that are wrong are blanked, and it is parsed again.
pub(super) fn parse(
    result: &Preprocessed,
    rendered: &mut Rendered,
    declarations: &mut Declarations,
    options: &HeaderOptions,
) -> Result<(Vec<Piece>, Vec<Diagnostic>), Vec<Diagnostic>> {
    let parse_options = ParseOptions {
        file: Some(""),
        packed: options.packed,
        pack: options.pack,
        of_headers: true,
        ..ParseOptions::default()
    };
    let mut first: Option<Vec<Diagnostic>> = None;
    for _ in 0..MOST_ROUNDS {
        let text = rendered.text.clone();
        let (taken, pieces) = declarations.parse_in_pieces(&text, &parse_options);
        let errors = match taken {
            Ok(warnings) => return Ok((pieces, warnings)),
            Err(errors) => errors,
        };
        let reading = Reading { result, rendered };
        let mut wrong: Vec<Range<usize>> = Vec::new();
        for error in errors.iter().filter(|error| is_error(error)) {
            let at = error.span.start;
            if reading.main_of(at).is_none() {
                wrong.push(blank_of(&text, &pieces, at));
            }
        }
        if first.is_none() {
            let errors = errors
                .iter()
                .map(|error| reading.diagnose(error.clone()))
                .collect();
            first = Some(errors);
        }
        if wrong.is_empty() {
            break;
        }
        blank(&mut rendered.text, &wrong);
    }
    Err(first.unwrap_or_default())
}

/// The range of the failed declaration around `at`; where there is none (the error is in a directive), of the line.
pub(super) fn blank_of(text: &str, pieces: &[Piece], at: u32) -> Range<usize> {
    let found = pieces
        .iter()
        .find(|piece| piece.failed && (piece.start..=piece.end).contains(&at));
    if let Some(piece) = found {
        return piece.start as usize..piece.end as usize;
    }
    let at = at as usize;
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    start..end
}

/// Overwrites ranges with blanks. Line ends and line markers are kept, so that line numbers stay right.
pub(super) fn blank(text: &mut String, ranges: &[Range<usize>]) {
    let mut bytes = std::mem::take(text).into_bytes();
    for range in ranges {
        let mut at = range.start;
        while at < range.end {
            let end = bytes[at..range.end]
                .iter()
                .position(|&byte| byte == b'\n')
                .map_or(range.end, |length| at + length);
            let is_marker = bytes[at..end].starts_with(b"# ") && at > range.start;
            if !is_marker {
                bytes[at..end].fill(b' ');
            }
            at = end + 1;
        }
    }
    // Only whole declarations and lines were overwritten, so no character is cut and this is valid UTF-8.
    *text = String::from_utf8(bytes).unwrap_or_default();
}
