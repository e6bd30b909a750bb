//! Python calls C.
//!
//! A signature is prepared once, as a [`CallPlan`]: how each argument becomes a C value, where it goes, how the result
//! comes back. Signatures that fit into registers are called through one prototype that fills them all
//! ([`registers`]); everything else goes through libffi ([`foreign`]).

#[cfg(target_arch = "aarch64")]
mod aapcs64;
mod aggregate;
pub mod errno;
pub mod foreign;
mod plan;
mod refuse;
mod registers;
#[cfg(all(target_arch = "x86_64", not(windows)))]
mod system_v;
mod variadic;

pub use plan::{CallPlan, is_scalar, result_object, wrong_count};

use pyo3::ffi;

use crate::attach::{Lent, Thread, flush_if_written, write_to_stderr};
use crate::object::CData;
use crate::py::{Obj, Ref, Res};
use crate::raise;

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
        ffi::PyEval_RestoreThread(state);
        result
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

/// Calls the C function that a cdata of function-pointer type points to: the body of `cdata(...)`.
///
/// The GIL is released while C runs; errno is kept for `ffi.errno` (see [`errno`]).
///
/// # Safety
/// `args` are `count` live objects; `kwnames` is NULL or a tuple, as vectorcall passes it.
#[inline]
pub unsafe fn call(function: &CData, args: *const Obj, count: usize, kwnames: Obj) -> Res<Ref> {
    let ctype = function.ctype();
    if !ctype.is_function_pointer() {
        return Err(raise!(TypeError, "cdata '{}' is not callable", ctype.name));
    }
    let Some(signature) = ctype.signature() else {
        return Err(raise!(TypeError, "cdata '{}' is not callable", ctype.name));
    };
    let plan = CallPlan::of(signature)?;
    // SAFETY: the caller's contract; the plan is that of the function's type.
    unsafe { plan.call(ctype, function.data(), args, count, kwnames) }
}
