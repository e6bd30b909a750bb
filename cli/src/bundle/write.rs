//! Files of a bundle: written, and counted.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::diagnostic::{Diagnostic, Error, Failure, Result};
use crate::input::reason;

pub(super) fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_string_pretty(value).expect("strings become JSON");
    text.push('\n');
    write(path, text.as_bytes())
}

pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).map_err(|error| unwritable(path, &reason(&error)))
}

/// The error for a file of the bundle that cannot be written.
pub fn unwritable(path: &Path, why: &str) -> Box<Error> {
    Failure::Files.because(
        Diagnostic::error(
            "cannot-write",
            format!("cannot write {}: {why}", path.display()),
        )
        .hint("nothing was changed"),
    )
}

/// The bytes of all files under `directory`.
pub fn size_of_tree(directory: &Path) -> u64 {
    let entries: Vec<PathBuf> = std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    entries
        .iter()
        .map(|path| match path.symlink_metadata() {
            Ok(found) if found.is_dir() => size_of_tree(path),
            Ok(found) => found.len(),
            Err(_) => 0,
        })
        .sum()
}
