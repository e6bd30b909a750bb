//! Exceptions of callbacks.
//!
//! In MicroPython an exception that a callback raises jumps over the C function, to the Python code that called it. C
//! code is not made for that, so here C runs on to its end, with zeros from its callbacks, which run no more; then the
//! call raises the exception. That is also where a program waits for it.

use std::cell::RefCell;
use std::ffi::c_void;

use crate::py::{Exception, Raised, Res};

unsafe extern "C" {
    /// Where this thread's call is: the one that callbacks belong to. NULL there when C was not called by one of our
    /// functions, and while a callback runs Python code.
    fn keelback_current_call() -> *mut *const c_void;
}

/// This thread's variable.
#[inline(always)]
fn current_call() -> *mut *const Frame {
    // SAFETY: gives an address.
    unsafe { keelback_current_call() }.cast()
}

/// A call of a C function in progress on this thread.
pub(super) struct Frame {
    pending: RefCell<Option<Box<Exception>>>,
    outer: *const Frame,
}

impl Frame {
    /// Runs `call`, which calls C; raises what a callback raised meanwhile.
    #[inline(always)]
    pub(super) fn around<T>(call: impl FnOnce() -> T) -> Res<T> {
        // SAFETY: this thread's own variable, which nobody else uses; the frame is on the stack until it is taken out.
        let (result, pending) = unsafe {
            let current = current_call();
            let frame = Frame {
                pending: RefCell::new(None),
                outer: *current,
            };
            *current = &frame;
            let result = call();
            *current = frame.outer;
            (result, frame.pending.into_inner())
        };
        match pending {
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
        // SAFETY: this thread's own variable.
        Self(unsafe { current_call().replace(std::ptr::null()) })
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
        *frame.pending.borrow_mut() = Exception::fetch(raised).map(Box::new);
        Ok(())
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        // SAFETY: this thread's own variable; the frame is still there, as C has not returned.
        unsafe { *current_call() = self.0 }
    }
}
