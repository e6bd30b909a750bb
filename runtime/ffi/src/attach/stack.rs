//! How much stack a thread has left.
//!
//! Hosts give their threads stacks of any size, down to 16 KiB. Python looks at its stack nowhere (before 3.14), and its
//! recursion limit counts calls, not bytes: on a small stack, or with a limit raised, it runs past the end, and the
//! process dies. So a thread is let in only if there is a fair amount left, and a call that finds little is a
//! RecursionError.
//!
//! What a call from C takes on a new thread, in KiB below the caller's frame (bench/stack.py, x86-64, optimised builds;
//! what is imported is imported there for the first time):
//!
//! | | 3.10 | 3.11 | 3.12 | 3.13 |
//! |---|---|---|---|---|
//! | a function that returns | 1.6 | 1.6 | 1.6 | 1.6 |
//! | an exception, its traceback printed | 24.8 | 12.6 | 27.2 | 16.1 |
//! | a RecursionError at the end of the stack, likewise | 25.1 | 12.8 | 27.5 | 16.4 |
//! | the same with `onerror` | 1.5 | 1.5 | 1.5 | 1.5 |
//! | import json, loads and dumps | 25.2 | 13.4 | 29.7 | 15.6 |
//! | import logging, a warning | 22.8 | 14.4 | 28.9 | 14.0 |
//! | subprocess.run | 22.0 | 10.6 | 29.7 | 15.6 |
//! | 100 Python functions in each other | 42.3 | 1.6 | 1.6 | 1.6 |
//! | 50 of them, each called by C (a sort's key) | 54.7 | 33.0 | 34.6 | 35.3 |
//! | each step from C to Python to C | 1.2 | 1.1 | 1.3 | 1.3 |
//!
//! A thread of 64 KiB has 59 when it starts.

use std::mem::MaybeUninit;

use super::Thread;

/// What a thread needs to start Python, or a plugin's init code: that is done once, and imports what it likes.
pub const START: usize = 96 * 1024;

/// With less than this, a call from C into Python runs no function: neither a thread's first call nor one inside of
/// others.
pub const RESERVE: usize = 48 * 1024;

/// With less than this, nothing at all is run: an exception, `onerror` and a traceback need some stack too.
pub const LEAST: usize = 32 * 1024;

/// How many bytes this thread's stack has left, if that is fewer than `wanted`. `None` too where it cannot be known: on
/// a stack that the host has made itself (coroutines), for one.
pub fn shortage(wanted: usize) -> Option<usize> {
    let thread = Thread::here();
    if thread.stack_low.get() == 0 {
        thread.stack_low.set(lowest_address().unwrap_or(1));
    }
    left_of(thread, wanted)
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
