//! How much stack a thread has left.
//!
//! Hosts give their threads stacks of any size, down to 16 KiB. Python looks at its stack nowhere (before 3.14), and its
//! recursion limit counts calls, not bytes: on a small stack, or with a limit raised, it runs past the end, and the
//! process dies. So a thread is let in only if there is a fair amount left, and a call that finds little is a
//! RecursionError.

use std::mem::MaybeUninit;

use super::Thread;

/// What a thread needs to be let into Python for the first time. Starting Python and running ordinary code takes some
/// 30 KiB; the rest is for code that goes deeper.
pub const NEEDED: usize = 96 * 1024;

/// With less than this, a call from C into Python runs no function any more.
pub const RESERVE: usize = 64 * 1024;

/// With less than this, nothing at all is run: an exception, `onerror` and a traceback need some stack too.
pub const LEAST: usize = 32 * 1024;

/// How many bytes this thread's stack has left, if that is fewer than [`NEEDED`]. `None` too where it cannot be known: on
/// a stack that the host has made itself (coroutines), for one.
pub fn shortage() -> Option<usize> {
    let thread = Thread::here();
    if thread.stack_low.get() == 0 {
        thread.stack_low.set(lowest_address().unwrap_or(1));
    }
    left_of(thread, NEEDED)
}

/// How many bytes are left, if fewer than `wanted`, as far as [`shortage`] has found out where this thread's stack ends.
#[inline(always)]
pub fn left_of(thread: &Thread, wanted: usize) -> Option<usize> {
    let here = 0u8;
    // On another stack than the thread's own, or where nothing is known, this is a large number.
    let left = (&raw const here)
        .addr()
        .wrapping_sub(thread.stack_low.get());
    (left < wanted).then_some(left)
}

/// The end of this thread's own stack.
fn lowest_address() -> Option<usize> {
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    let (mut lowest, mut size) = (std::ptr::null_mut(), 0);
    // SAFETY: out parameters; the attributes are initialised by the first call, and destroyed after use.
    unsafe {
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return None;
        }
        let failed = libc::pthread_attr_getstack(attributes.as_ptr(), &mut lowest, &mut size);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        (failed == 0).then(|| lowest.addr())
    }
}
