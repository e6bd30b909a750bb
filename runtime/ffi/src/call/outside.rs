//! From Python to a C function: the call itself, and leaving Python for it.

use pyo3::ffi;

use super::errno;
use crate::attach::{Lent, Thread, flush_if_written, scope, write_to_stderr};

/// Runs C code outside Python: the GIL is released, and errno and the floating-point
/// environment are the ones that C left behind.
///
/// # Safety
/// The GIL is held. `body` does not touch Python.
#[inline(always)]
pub unsafe fn outside_python<T>(body: impl FnOnce() -> T) -> T {
    // What Python printed stands before what C is going to print, and is not lost if C ends the process.
    let thread = Thread::here();
    flush_if_written(thread);
    let errno = errno::Errno::of(thread);
    let outer_scope = thread.scope.get();
    // SAFETY: the GIL is held, and taken back on the same thread.
    unsafe {
        let state = ffi::PyEval_SaveThread();
        let lent = Lent::begin(thread);
        errno.restore();
        let must_return = MustReturn;
        let result = body();
        std::mem::forget(must_return);
        errno.save();
        drop(lent);
        scope::end_forgotten(thread, outer_scope);
        ffi::PyEval_RestoreThread(state);
        result
    }
}

/// Runs C code of which somebody has said that it neither blocks nor runs Python (`ffi.keep_gil()`): as
/// [`outside_python`], but that the GIL is kept.
///
/// # Safety
/// The GIL is held.
#[inline(always)]
pub unsafe fn beside_python<T>(body: impl FnOnce() -> T) -> T {
    let thread = Thread::here();
    flush_if_written(thread);
    let errno = errno::Errno::of(thread);
    let lent = Lent::begin(thread);
    errno.restore();
    let must_return = MustReturn;
    let result = body();
    std::mem::forget(must_return);
    errno.save();
    drop(lent);
    result
}

/// [`outside_python`], or [`beside_python`] where the GIL is kept.
///
/// # Safety
/// That of these.
#[inline(always)]
pub unsafe fn run_c<const KEEP_GIL: bool, T>(body: impl FnOnce() -> T) -> T {
    // SAFETY: the caller's contract.
    unsafe {
        if KEEP_GIL {
            beside_python(body)
        } else {
            outside_python(body)
        }
    }
}

/// Dropped only when the stack is unwound through C that Python has called: by pthread_exit() and cancellation, or a C++
/// exception. Neither Python's own frames nor what they hold can be taken down that way, so the process ends here, and
/// says why.
struct MustReturn;

impl Drop for MustReturn {
    #[cold]
    #[inline(never)]
    fn drop(&mut self) {
        write_to_stderr(
            "keelback: a C function that Python called did not return: it has ended its thread (pthread_exit(), or \
             pthread_cancel() from outside), or a C++ exception has left it. Python's part of the thread cannot be \
             unwound, so the process is ended (abort)\n",
        );
        std::process::abort();
    }
}
