//! How much stack a thread has left.
//!
//! Hosts give their threads stacks of any size, down to 16 KiB. Python looks at its stack nowhere (before 3.14): on a
//! small one it runs past the end, and the process dies. So a thread is let in only if there is a fair amount left.

use std::mem::MaybeUninit;

/// What a thread needs to be let into Python for the first time. Starting Python and running ordinary code takes some
/// 30 KiB; the rest is for code that goes deeper.
pub const NEEDED: usize = 96 * 1024;

/// How many bytes this thread's stack has left, if that is fewer than [`NEEDED`]. `None` too where it cannot be known: on
/// a stack that the host has made itself (coroutines), for one.
pub fn shortage() -> Option<usize> {
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    let (mut lowest, mut size) = (std::ptr::null_mut(), 0);
    // SAFETY: out parameters; the attributes are initialised by the first call, and destroyed after use.
    unsafe {
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return None;
        }
        let failed = libc::pthread_attr_getstack(attributes.as_ptr(), &mut lowest, &mut size);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        if failed != 0 {
            return None;
        }
    }
    let here = (&raw const size).addr();
    let lowest = lowest.addr();
    (lowest..lowest + size)
        .contains(&here)
        .then(|| here - lowest)
        .filter(|&left| left < NEEDED)
}
