//! Room to deal with a RecursionError: at the limit, `onerror` and what prints a traceback could not make a call
//! themselves, and would fail in their turn. Python 3.12 and 3.13 count the calls that C makes apart, with a limit that no
//! function changes.

use std::cell::Cell;
use std::ffi::c_int;

use pyo3::ffi;

use crate::py::StoppingCell;

/// How many calls deep the handlers may go.
const ROOM: c_int = 50;

/// The limit is one for all threads.
struct Raised {
    /// Threads that have it raised.
    threads: usize,
    from: c_int,
    to: c_int,
}

static RAISED: StoppingCell<Raised> = StoppingCell::new(Raised {
    threads: 0,
    from: 0,
    to: 0,
});

thread_local! {
    /// This thread is one of them. A handler that recurses in its turn gets no more.
    static HAS_ROOM: Cell<bool> = const { Cell::new(false) };
}

/// While this lives Python's recursion limits are a little higher.
pub struct Headroom {
    /// Where the thread counts how many calls C may still make.
    c_calls: Option<*mut c_int>,
}

/// The place of `c_recursion_remaining` in this thread's state. It comes right after `py_recursion_limit`, which tells
/// whether the state is laid out as it is known to be.
///
/// The GIL is held.
#[cfg(all(Py_3_12, not(Py_3_14)))]
fn c_calls() -> Option<*mut c_int> {
    const PY_RECURSION_LIMIT: usize = if cfg!(Py_3_13) { 48 } else { 32 };
    // SAFETY: the GIL is held; states are larger than that in both versions.
    unsafe {
        let state = ffi::PyThreadState_Get();
        let limit = state.byte_add(PY_RECURSION_LIMIT).cast::<c_int>();
        (limit.read() == ffi::Py_GetRecursionLimit()).then(|| limit.add(1))
    }
}

#[cfg(not(all(Py_3_12, not(Py_3_14))))]
fn c_calls() -> Option<*mut c_int> {
    None
}

impl Headroom {
    /// `None` if the thread has it already. The GIL is held.
    pub fn make() -> Option<Self> {
        if HAS_ROOM.replace(true) {
            return None;
        }
        let c_calls = c_calls();
        if let Some(left) = c_calls {
            // SAFETY: this thread's own state.
            unsafe { *left += ROOM };
        }
        // SAFETY: attached; nothing here runs Python code.
        unsafe {
            RAISED.with(|raised| {
                if raised.threads == 0 {
                    raised.from = ffi::Py_GetRecursionLimit();
                    raised.to = raised.from.saturating_add(ROOM);
                    ffi::Py_SetRecursionLimit(raised.to);
                }
                raised.threads += 1;
            });
        }
        Some(Self { c_calls })
    }
}

impl Drop for Headroom {
    fn drop(&mut self) {
        HAS_ROOM.set(false);
        if let Some(left) = self.c_calls {
            // SAFETY: as in `make`; it never leaves its thread.
            unsafe { *left -= ROOM };
        }
        // SAFETY: attached; nothing here runs Python code. A limit that somebody has set meanwhile stays.
        unsafe {
            RAISED.with(|raised| {
                raised.threads -= 1;
                if raised.threads == 0 && ffi::Py_GetRecursionLimit() == raised.to {
                    ffi::Py_SetRecursionLimit(raised.from);
                }
            });
        }
    }
}
