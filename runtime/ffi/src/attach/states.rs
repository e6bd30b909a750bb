//! Whose thread state it is: this thread's or another's, the main interpreter's or a sub-interpreter's.

use pyo3::ffi;

/// The state that is attached. Up to Python 3.11 that of whichever thread holds the GIL, since 3.12 this thread's.
#[inline(always)]
pub fn current() -> *mut ffi::PyThreadState {
    // SAFETY: only reads; valid at any time.
    unsafe { ffi::compat::PyThreadState_GetUnchecked() }
}

/// The state with which this thread is in Python, in whichever interpreter; NULL if it is not.
pub fn here() -> *mut ffi::PyThreadState {
    let current = current();
    if current.is_null() || is_here(current) {
        current
    } else {
        std::ptr::null_mut()
    }
}

/// Whether [`current`], which is not NULL, is a state of this thread.
#[cfg(Py_3_12)]
#[inline(always)]
pub fn is_here(_current: *mut ffi::PyThreadState) -> bool {
    true
}

/// Whether [`current`], which is not NULL, is a state of this thread.
#[cfg(not(Py_3_12))]
#[cold]
#[inline(never)]
pub fn is_here(current: *mut ffi::PyThreadState) -> bool {
    // SAFETY: valid at any time.
    let (own, sub_interpreters) = unsafe {
        (
            ffi::PyGILState_GetThisThreadState(),
            ffi::PyInterpreterState_Head() != ffi::PyInterpreterState_Main(),
        )
    };
    // Python knows one state per thread, and a thread that is in a sub-interpreter often has another one there.
    current == own
        || (sub_interpreters
            && !own.is_null()
            && is_this_thread(thread_of(own))
            && is_this_thread(thread_of(current)))
}

#[cfg(not(Py_3_12))]
fn is_this_thread(number: Option<libc::c_ulong>) -> bool {
    // SAFETY: valid at any time.
    number == Some(unsafe { libc::pthread_self() } as libc::c_ulong)
}

/// The number of the thread that a state is of. The state may be one that another thread frees at this moment: it is
/// read by way of the kernel, which says so when the memory is gone.
#[cfg(not(Py_3_12))]
fn thread_of(state: *mut ffi::PyThreadState) -> Option<libc::c_ulong> {
    /// The offset of `thread_id` in a thread state. [`is_here`] checks it with a state whose thread is known.
    const THREAD_ID: usize = if cfg!(Py_3_11) { 152 } else { 176 };
    let mut number: libc::c_ulong = 0;
    let local = libc::iovec {
        iov_base: (&raw mut number).cast(),
        iov_len: size_of::<libc::c_ulong>(),
    };
    let remote = libc::iovec {
        iov_base: state.wrapping_byte_add(THREAD_ID).cast(),
        iov_len: size_of::<libc::c_ulong>(),
    };
    // SAFETY: room for what is read; what cannot be read is an error.
    let read = unsafe { libc::process_vm_readv(libc::getpid(), &local, 1, &remote, 1, 0) };
    (read == size_of::<libc::c_ulong>() as isize).then_some(number)
}

/// Whether a state is one of the main interpreter's.
///
/// # Safety
/// A live state.
pub unsafe fn is_of_main(state: *mut ffi::PyThreadState) -> bool {
    // SAFETY: `state` is live (the caller's contract), and the function only reads its interpreter.
    unsafe { ffi::PyThreadState_GetInterpreter(state) == ffi::PyInterpreterState_Main() }
}
