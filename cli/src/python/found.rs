//! A Python, as it was found.

use std::path::PathBuf;

/// A Python that can be embedded.
#[derive(Clone, Debug)]
pub struct Python {
    /// 3 and 11.
    pub version: (u32, u32),
    /// `3.11.7`; `3.11` when no executable could be asked.
    pub full_version: String,
    /// Its shared library.
    pub libpython: PathBuf,
    /// Where its standard library is (`sys.base_prefix`).
    pub base_prefix: Option<PathBuf>,
    /// The executable: a virtual environment's one makes its packages importable.
    pub executable: Option<PathBuf>,
    /// The virtual environment's directory.
    pub venv: Option<PathBuf>,
    /// Built without a GIL.
    pub free_threaded: bool,
    /// `importlib.util.MAGIC_NUMBER`, as a little-endian number; 0 when no executable could be asked.
    pub code_magic: u32,
    /// Directories of installed `keelback` packages.
    pub packages: Vec<PathBuf>,
}
