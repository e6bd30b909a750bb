//! What is read, and what comes out of it.

use super::write;
use crate::diagnostic::Diagnostic;
use crate::preprocessor::PreprocessOptions;

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
    pub(super) fn is_own(&self, file: &str) -> bool {
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
