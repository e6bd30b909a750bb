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
    #[cfg(target_os = "linux")]
    if let Some(lowest) = of_main_thread() {
        return Some(lowest);
    }
    lowest_by_attributes()
}

/// The same for the thread that the process began with, of which glibc would read `/proc/self/maps`: the limit of its
/// stack, below its top, where the kernel has put the program's name. `None` on other threads, and with a limit that is
/// larger than usual: what the kernel keeps free below the stack is what the limit was when the program began, and it may
/// have been raised since.
#[cfg(target_os = "linux")]
fn of_main_thread() -> Option<usize> {
    /// Twice the usual limit.
    const LARGEST: usize = 16 << 20;
    // SAFETY: calls without arguments.
    if unsafe { libc::gettid() != libc::getpid() } {
        return None;
    }
    let mut limit = MaybeUninit::<libc::rlimit>::uninit();
    // SAFETY: an out parameter, which is read if the call has filled it.
    let limit = unsafe {
        if libc::getrlimit(libc::RLIMIT_STACK, limit.as_mut_ptr()) != 0 {
            return None;
        }
        limit.assume_init().rlim_cur
    };
    let limit = usize::try_from(limit)
        .ok()
        .filter(|&limit| limit <= LARGEST)?;
    let top = top_of_stack()?;
    let lowest = top.checked_sub(limit)?;
    let here = 0u8;
    // On a stack that the host has made itself, nothing is known.
    (lowest..top)
        .contains(&(&raw const here).addr())
        .then_some(lowest)
}

/// Where the stack of the process begins: the program's name is the last thing in it but for a null pointer.
#[cfg(target_os = "linux")]
fn top_of_stack() -> Option<usize> {
    // SAFETY: calls with plain numbers. AT_EXECFN is a C string of the process's first stack, which always stays.
    let (name, length, page) = unsafe {
        let name = libc::getauxval(libc::AT_EXECFN) as *const std::ffi::c_char;
        if name.is_null() {
            return None;
        }
        let page = libc::getauxval(libc::AT_PAGESZ) as usize;
        (name.addr(), libc::strlen(name), page)
    };
    let end = name.checked_add(length + 1 + size_of::<usize>())?;
    page.is_power_of_two().then(|| end.next_multiple_of(page))
}

fn lowest_by_attributes() -> Option<usize> {
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_top_is_that_of_the_mapping() {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let stack = maps.lines().find(|line| line.ends_with("[stack]")).unwrap();
        let (_, end) = stack.split(' ').next().unwrap().split_once('-').unwrap();
        assert_eq!(top_of_stack(), usize::from_str_radix(end, 16).ok());
    }

    #[test]
    fn other_threads_have_stacks_of_their_own() {
        let other = std::thread::spawn(|| (of_main_thread(), lowest_address()));
        let (main, own) = other.join().unwrap();
        assert_eq!(main, None);
        assert!(own.is_some_and(|own| Some(own) < top_of_stack()));
    }
}
