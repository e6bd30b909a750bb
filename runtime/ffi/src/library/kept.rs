//! Which functions of a lib are called without letting go of the GIL: `ffi.keep_gil(lib, ...)`.

use rustc_hash::FxHashSet;

/// Which functions of a lib are called with the GIL kept.
pub(super) enum Kept {
    Named(FxHashSet<Box<str>>),
    All,
}

impl Kept {
    pub(super) fn none() -> Self {
        Self::Named(FxHashSet::default())
    }

    /// Whether the function of a name is.
    pub(super) fn contains(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.contains(name),
        }
    }
}
