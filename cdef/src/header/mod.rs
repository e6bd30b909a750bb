//! Real headers: they are preprocessed, parsed, and cut down to a plain cdef.
//!
//! [`read`] takes the files that were named, follows their `#include` lines, and gives the text that a [`Declarations`]
//! reads without a preprocessor: what the named files declare, and the types that this needs from the files they
//! include. Every declaration is the author's own text (macros expanded), so attributes, packing and labels are kept.
//!
//! `wanted`: which texts need preprocessing. `cut`: which declarations stay. `write`: the plain text.
mod cut;
mod wanted;
mod write;

use std::ops::Range;

use crate::declarations::Declarations;
use crate::diagnostic::{Diagnostic, Severity};
use crate::parser::{ParseOptions, Piece};
use crate::preprocessor::{
    Loader, Macros, MainFile, PreprocessOptions, Preprocessed, Rendered, preprocess_all,
};

pub use wanted::{has_other_macros, is_preprocessed, mentions};

/// A file that was named, not one that is included.
#[derive(Clone, Copy, Debug)]
pub struct HeaderFile<'a> {
    /// Its path: its name in messages, and where `#include "..."` begins to look.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
    /// The plugin exports the functions that the file declares and does not define.
    pub is_exported: bool,
}

/// How headers are read.
#[derive(Clone, Debug, Default)]
pub struct HeaderOptions {
    /// Folders and predefined macros.
    pub preprocess: PreprocessOptions,
    /// Shell patterns: only declarations whose names match one of them are kept, and what these need. Empty: all are
    /// kept.
    pub only: Vec<String>,
    /// Keep the declarations of included files too (all, or those that `only` matches), not just what the named files
    /// need.
    pub all: bool,
    /// Keep the comments in front of declarations and members.
    pub comments: bool,
    /// Folders of included files whose declarations count as the named files' own: the parts of one library.
    pub own_dirs: Vec<String>,
    /// See [`ParseOptions::packed`].
    pub packed: bool,
    /// See [`ParseOptions::pack`].
    pub pack: Option<u32>,
}

impl HeaderOptions {
    /// Whether the declarations of an included file count as the named files' own.
    fn is_own(&self, file: &str) -> bool {
        let path = std::path::Path::new(file);
        (self.own_dirs.iter()).any(|dir| path.starts_with(dir) && path != std::path::Path::new(dir))
    }
}

/// Where declarations stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PartKind {
    /// In a named file; the plugin exports the functions.
    Exported,
    /// In a named file, and not exported.
    Declared,
    /// In a file that a named one includes: a generated header repeats the `#include` line instead of them.
    Included,
}

/// Declarations that stand together, as a plain cdef with line markers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// Where they stand.
    pub kind: PartKind,
    /// The text. Its only directives are `#define NAME constant`, `#pragma pack` and `# 42 "file.h"`.
    pub text: String,
}

/// What headers declare.
#[derive(Clone, Debug, Default)]
pub struct Header {
    /// The declarations, in order. A type comes before its first use.
    pub parts: Vec<Part>,
    /// What the exported files include, as they spell it: `<stdio.h>`.
    pub includes: Vec<String>,
    /// The macros that are no integers: floating and string constants, and what has no value. A text with these is
    /// parsed with [`ParseOptions::other_macros`].
    pub other_macros: Vec<Part>,
    /// The patterns of [`HeaderOptions::only`] that match no name.
    pub unmatched: Vec<String>,
    /// The warnings about the named files.
    pub warnings: Vec<Diagnostic>,
}

impl Header {
    /// All declarations with line markers, for [`ParseOptions::of_headers`] and [`ParseOptions::other_macros`].
    pub fn text(&self) -> String {
        let parts = self.parts.iter().chain(&self.other_macros);
        parts.map(|part| part.text.as_str()).collect()
    }

    /// The plain cdef with line markers.
    pub fn marked_text(&self) -> String {
        self.parts.iter().map(|part| part.text.as_str()).collect()
    }

    /// The plain cdef without line markers, as a parser that knows nothing of headers reads it.
    pub fn plain_text(&self) -> String {
        write::without_markers(&self.marked_text())
    }
}

/// Limit on the rounds of parsing: each round leaves out the declarations of included files that are wrong, which can
/// make others wrong.
const MOST_ROUNDS: usize = 20;

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

fn is_error(diagnostic: &Diagnostic) -> bool {
    diagnostic.severity == Severity::Error
}

/// A preprocessed text, and the places of its tokens.
struct Reading<'a> {
    result: &'a Preprocessed,
    rendered: &'a Rendered,
}

impl Reading<'_> {
    /// The named file that a byte of the text comes from.
    fn main_of(&self, at: u32) -> Option<usize> {
        let index = self.rendered.token_at(at)?;
        self.result.main_of(*self.result.tokens.get(index)?)
    }

    /// File and line of a byte.
    fn line_of(&self, at: u32) -> (&str, u32) {
        match self.rendered.token_at(at) {
            Some(index) => self.result.line_of_use(self.result.tokens[index]),
            None => ("", 1),
        }
    }

    /// Turns a diagnostic about the preprocessed text into one about the files.
    fn diagnose(&self, diagnostic: Diagnostic) -> Diagnostic {
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
    fn of_named(&self, diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let named = diagnostics
            .into_iter()
            .filter(|diagnostic| self.main_of(diagnostic.span.start).is_some());
        named.map(|diagnostic| self.diagnose(diagnostic)).collect()
    }
}

/// Parses the text. Declarations of included files that are wrong are blanked, and it is parsed again.
fn parse(
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
fn blank_of(text: &str, pieces: &[Piece], at: u32) -> Range<usize> {
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
fn blank(text: &mut String, ranges: &[Range<usize>]) {
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
