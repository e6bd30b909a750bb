//! What the caller gives: files, and what it has told about them.

use std::sync::Arc;

/// Reads files for the preprocessor.
pub trait Loader {
    /// The text of the file with that path, or `None` if there is none.
    fn load(&mut self, path: &str) -> Option<Arc<str>>;
    /// A name that is the same for all paths to one file.
    fn identity(&mut self, path: &str) -> String {
        path.to_owned()
    }
}

/// A text that is preprocessed itself, not because another includes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MainFile<'a> {
    /// Its path: its name in messages, and where `#include "..."` begins to look.
    pub(crate) name: &'a str,
    /// Its text.
    pub(crate) text: &'a str,
}

/// Where files are looked for, and what is defined before the first line.
#[derive(Clone, Debug, Default)]
pub struct PreprocessOptions {
    /// Folders for `#include "..."` and `#include <...>`.
    pub include_dirs: Vec<String>,
    /// Folders searched after those; warnings about files in them are not reported.
    pub system_dirs: Vec<String>,
    /// The predefined macros as a text of `#define` lines (`cc -dM -E`).
    pub predefined: String,
    /// The user's `-D` and `-U` options, as a text of `#define` and `#undef` lines.
    pub commands: String,
}
