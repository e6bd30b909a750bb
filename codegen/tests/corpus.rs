//! Runs the fuzz targets without a fuzzer on each file of fuzz/corpus and fuzz/seeds, and on the cdef parser's own test
//! files. `tools/fuzz` makes the corpus.

#[path = "../../fuzz/src/lib.rs"]
mod fuzz;

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

/// The files of some folders, in order. Folders may be missing, because git stores no empty ones.
fn files(folders: &[PathBuf]) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten()
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_none_or(|extension| extension == "h"))
        .collect();
    files.sort();
    files
}

fn replay(target: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders = vec![
        root.join("fuzz/corpus").join(target),
        root.join("fuzz/seeds").join(target),
    ];
    if target == "cdef" {
        folders.extend(["valid", "invalid"].map(|name| root.join("cdef/tests").join(name)));
    }
    let (_, body) = *fuzz::TARGETS
        .iter()
        .find(|(name, _)| *name == target)
        .expect("a target");
    let files = files(&folders);
    assert!(files.len() >= 20, "{target}: the corpus is not there");
    for file in files {
        let data = fs::read(&file).expect("readable");
        if catch_unwind(|| body(&data)).is_err() {
            panic!("{}: see above", file.display());
        }
    }
}

#[test]
fn cdef() {
    replay("cdef");
}

#[test]
fn type_string() {
    replay("type_string");
}

#[test]
fn initialiser() {
    replay("initialiser");
}

#[test]
fn payload() {
    replay("payload");
}

#[test]
fn tables() {
    replay("tables");
}

#[test]
fn preprocessor() {
    replay("preprocessor");
}
