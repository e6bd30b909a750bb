//! How many calls are in something that may be taken away meanwhile.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::attach::Thread;

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
    #[cfg(not(Py_GIL_DISABLED))]
    fn are_there(&self) -> bool {
        self.0.load(Ordering::SeqCst) != 0
    }
}

/// A count of the calls that are in something. On a free-threaded Python each thread counts in a line of its own, so that
/// calls on several threads do not wait for each other's memory; threads share a line when there are more than lines.
pub struct Calls {
    #[cfg(not(Py_GIL_DISABLED))]
    count: Uses,
    #[cfg(Py_GIL_DISABLED)]
    lines: [Line; LINES],
}

#[cfg(Py_GIL_DISABLED)]
const LINES: usize = 8;

/// As large as what processors take turns with.
#[cfg(Py_GIL_DISABLED)]
#[repr(align(64))]
struct Line(AtomicU32);

impl Calls {
    /// None.
    pub const fn new() -> Self {
        Self {
            #[cfg(not(Py_GIL_DISABLED))]
            count: Uses::new(0),
            #[cfg(Py_GIL_DISABLED)]
            lines: [const { Line(AtomicU32::new(0)) }; LINES],
        }
    }
    /// One more, on this thread.
    #[inline(always)]
    pub fn begin(&self, thread: &Thread) {
        #[cfg(not(Py_GIL_DISABLED))]
        {
            let _ = thread;
            self.count.begin();
        }
        #[cfg(Py_GIL_DISABLED)]
        self.lines[thread.number() % LINES]
            .0
            .fetch_add(1, Ordering::SeqCst);
    }
    /// One less, on the thread on which it began.
    #[inline(always)]
    pub fn end(&self, thread: &Thread) {
        #[cfg(not(Py_GIL_DISABLED))]
        {
            let _ = thread;
            self.count.end();
        }
        #[cfg(Py_GIL_DISABLED)]
        self.lines[thread.number() % LINES]
            .0
            .fetch_sub(1, Ordering::SeqCst);
    }
    /// Whether there is one of those that began before something was taken away. One that begins meanwhile, and does not
    /// find it any more, may be missed.
    pub fn are_there(&self) -> bool {
        #[cfg(not(Py_GIL_DISABLED))]
        {
            self.count.are_there()
        }
        #[cfg(Py_GIL_DISABLED)]
        {
            // A call stays in its line, so a line that was empty once has none of them.
            self.lines
                .iter()
                .any(|line| line.0.load(Ordering::SeqCst) != 0)
        }
    }
}
