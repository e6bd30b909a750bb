//! `ffi.keep_gil(lib, ...)`: functions that are called without letting go of the GIL.

use pyo3::ffi;
use rustc_hash::FxHashSet;

use super::Lib;
use crate::py::{Live, Res};
use crate::raise;

/// Which functions of a lib are called with the GIL kept.
pub(super) enum Kept {
    Named(FxHashSet<Box<str>>),
    All,
}

impl Kept {
    pub(super) fn none() -> Self {
        Self::Named(FxHashSet::default())
    }
}

impl Lib {
    /// Whether the function of a name is called with the GIL kept.
    pub(super) fn keeps_gil(&self, name: &str) -> bool {
        // SAFETY: attached, by the layer's contract; nothing of Python is called.
        unsafe {
            self.kept.with(|kept| match kept {
                Kept::All => true,
                Kept::Named(names) => names.contains(name),
            })
        }
    }

    /// The functions of these names, or all where there are none, are called with the GIL kept from now on. Raises, and
    /// changes nothing, for a name that is no such function.
    pub fn keep_gil(&self, names: &[Live]) -> Res<()> {
        let mut texts = Vec::with_capacity(names.len());
        for name in names {
            let Some(text) = name.text()? else {
                return Err(raise!(
                    TypeError,
                    "keep_gil(lib, ...) takes names of functions, not {}",
                    name.type_name()
                ));
            };
            self.check_can_keep_gil(text)?;
            texts.push(Box::<str>::from(text));
        }
        // SAFETY: attached, by the layer's contract; nothing of Python is called.
        unsafe {
            self.kept.with(|kept| match kept {
                _ if texts.is_empty() => *kept = Kept::All,
                Kept::Named(names) => names.extend(texts),
                Kept::All => {}
            });
        }
        self.forget_found();
        Ok(())
    }

    /// What was found so far is found again when it is next asked for.
    pub(super) fn forget_found(&self) {
        self.recent.clear();
        let found = self.found.get();
        if !found.is_null() {
            // SAFETY: our own dict.
            unsafe { ffi::PyDict_Clear(found) };
        }
    }
}
