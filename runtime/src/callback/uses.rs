//! How many calls are in something that may be taken away meanwhile.

use std::sync::atomic::{AtomicU32, Ordering};

/// A count of those who use something. Counted in Python.
pub struct Uses(AtomicU32);

impl Uses {
    /// So many to begin with.
    pub const fn new(count: u32) -> Self {
        Self(AtomicU32::new(count))
    }
    /// One more.
    #[inline(always)]
    pub fn begin(&self) {
        // With a GIL nobody else counts at the same time.
        if cfg!(Py_GIL_DISABLED) {
            self.0.fetch_add(1, Ordering::SeqCst);
        } else {
            self.0
                .store(self.0.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
    }
    /// One less: true if that was the last.
    #[inline(always)]
    pub fn end(&self) -> bool {
        if cfg!(Py_GIL_DISABLED) {
            self.0.fetch_sub(1, Ordering::SeqCst) == 1
        } else {
            let left = self.0.load(Ordering::Relaxed) - 1;
            self.0.store(left, Ordering::Relaxed);
            left == 0
        }
    }
    /// Whether there is one.
    pub fn are_there(&self) -> bool {
        self.0.load(Ordering::SeqCst) != 0
    }
}
