//! Exceptions of callbacks.
//!
//! In MicroPython an exception that a callback raises jumps over the C function, to the Python code that called it. C
//! code is not made for that, so here C runs on to its end, with zeros from its callbacks, which run no more; then the
//! call raises the exception. That is also where a program waits for it.

use std::cell::{Cell, RefCell};

use crate::py::{Exception, Raised, Res};

/// A call of a C function in progress on this thread.
pub(super) struct Frame {
    pending: RefCell<Option<Exception>>,
    outer: *const Frame,
}

thread_local! {
    /// The call that callbacks on this thread belong to; NULL when C was not called by one of our functions, and while
    /// a callback runs Python code.
    static CURRENT: Cell<*const Frame> = const { Cell::new(std::ptr::null()) };
}

impl Frame {
    /// Runs `call`, which calls C; raises what a callback raised meanwhile.
    #[inline(always)]
    pub(super) fn around<T>(call: impl FnOnce() -> T) -> Res<T> {
        let frame = Frame {
            pending: RefCell::new(None),
            outer: CURRENT.get(),
        };
        CURRENT.set(&frame);
        let result = call();
        CURRENT.set(frame.outer);
        match frame.pending.into_inner() {
            None => Ok(result),
            Some(exception) => Err(exception.restore()),
        }
    }
}

/// A callback that C called: its Python code runs outside of the call.
pub(super) struct Callback(*const Frame);

impl Callback {
    /// Begins one.
    #[inline(always)]
    pub(super) fn enter() -> Self {
        Self(CURRENT.replace(std::ptr::null()))
    }
    /// Whether an earlier callback of the same call failed: then this one is not to run.
    #[inline(always)]
    pub(super) fn is_cancelled(&self) -> bool {
        // SAFETY: NULL, or a frame further up on this thread's stack.
        unsafe { self.0.as_ref() }.is_some_and(|frame| frame.pending.borrow().is_some())
    }
    /// Leaves an exception to the call; gives it back when there is none.
    pub(super) fn fail(&self, raised: Raised) -> Res<()> {
        // SAFETY: as above.
        let Some(frame) = (unsafe { self.0.as_ref() }) else {
            return Err(raised);
        };
        *frame.pending.borrow_mut() = Exception::fetch(raised);
        Ok(())
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}
