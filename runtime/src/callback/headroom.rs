//! Room to deal with a RecursionError: at the limit, `onerror` and what prints a traceback could not make a call
//! themselves, and would fail in their turn. Since Python 3.12, which counts C's calls apart, they always do.

use std::cell::Cell;
use std::ffi::c_int;
use std::sync::{Mutex, PoisonError};

use pyo3::ffi;

/// How many calls deep the handlers may go.
const ROOM: c_int = 50;

/// The limit is one for all threads.
struct Raised {
    /// Threads that have it raised.
    threads: usize,
    from: c_int,
    to: c_int,
}

static RAISED: Mutex<Raised> = Mutex::new(Raised {
    threads: 0,
    from: 0,
    to: 0,
});

thread_local! {
    /// This thread is one of them. A handler that recurses in its turn gets no more.
    static HAS_ROOM: Cell<bool> = const { Cell::new(false) };
}

/// While this lives Python's recursion limit is a little higher.
pub struct Headroom(());

impl Headroom {
    /// `None` if the thread has it already. The GIL is held.
    pub fn make() -> Option<Self> {
        if HAS_ROOM.replace(true) {
            return None;
        }
        let mut raised = RAISED.lock().unwrap_or_else(PoisonError::into_inner);
        if raised.threads == 0 {
            // SAFETY: the GIL is held; neither runs Python.
            unsafe {
                raised.from = ffi::Py_GetRecursionLimit();
                raised.to = raised.from.saturating_add(ROOM);
                ffi::Py_SetRecursionLimit(raised.to);
            }
        }
        raised.threads += 1;
        Some(Self(()))
    }
}

impl Drop for Headroom {
    fn drop(&mut self) {
        HAS_ROOM.set(false);
        let mut raised = RAISED.lock().unwrap_or_else(PoisonError::into_inner);
        raised.threads -= 1;
        // SAFETY: the GIL is held; neither runs Python. A limit that somebody has set meanwhile stays.
        unsafe {
            if raised.threads == 0 && ffi::Py_GetRecursionLimit() == raised.to {
                ffi::Py_SetRecursionLimit(raised.from);
            }
        }
    }
}
