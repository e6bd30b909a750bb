//! What the runtime keeps for each thread and looks at in every call: found once per call, in one place.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU32, Ordering};

#[cfg(Py_GIL_DISABLED)]
use std::sync::atomic::AtomicUsize;

use pyo3::ffi;

/// A number that its own thread changes, and others may look at.
#[repr(transparent)]
pub struct Shown(AtomicU32);

impl Shown {
    /// The number.
    #[inline(always)]
    pub fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
    /// Changes it: on its own thread.
    #[inline(always)]
    pub fn set(&self, value: u32) {
        self.0.store(value, Ordering::Relaxed);
    }
}

/// This thread's data. The C side (c/thread.c) has the same struct.
#[repr(C)]
pub struct Thread {
    /// The address of the C library's errno.
    errno: Cell<*mut c_int>,
    /// `ffi.errno`: see `call::errno`.
    pub saved_errno: Cell<c_int>,
    /// How many calls from C into Python the thread is inside of.
    pub depth: Shown,
    /// The thread state that we made for it (or with which it started Python); NULL if it has none of ours.
    pub state: Cell<*mut ffi::PyThreadState>,
    /// The lowest address of its stack; 0 as long as nobody has asked, 1 if it cannot be known. See `attach::stack`.
    pub stack_low: Cell<usize>,
    /// It has written to `sys.stdout` or `sys.stderr` since they were flushed.
    pub has_printed: Cell<bool>,
    /// Where C's floating-point environment is while this thread is in Python, if it is not the default one.
    pub floats: Cell<*const c_void>,
    /// Its innermost scope; NULL if it is in none. See `attach::scope`.
    pub scope: Cell<*mut c_void>,
    /// One more than the `depth` in which its innermost scope was begun; 0 if it is in none.
    pub scope_depth: Shown,
    /// It is in the list of threads that have begun a scope.
    pub uses_scopes: Cell<bool>,
    /// 0 until it is asked for: see [`number`](Self::number).
    #[cfg(Py_GIL_DISABLED)]
    number: Cell<usize>,
    _not_shared: PhantomData<*mut ()>,
}

unsafe extern "C" {
    fn keelback_this_thread() -> *const Thread;
}

impl Thread {
    /// The data of the thread that asks. Usable until the very end of the thread: nothing in it has a destructor.
    #[inline(always)]
    pub fn here() -> &'static Self {
        // SAFETY: static thread-local storage, zeroed at first, which outlives all code that the thread runs; the type
        // cannot go to another thread, and changes only through cells.
        unsafe { &*keelback_this_thread() }
    }
    /// A small number, from 1: threads that run at the same time mostly have different ones.
    #[cfg(Py_GIL_DISABLED)]
    #[inline(always)]
    pub fn number(&self) -> usize {
        match self.number.get() {
            0 => self.first_number(),
            number => number,
        }
    }
    #[cfg(Py_GIL_DISABLED)]
    #[cold]
    fn first_number(&self) -> usize {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed).max(1);
        self.number.set(number);
        number
    }
    /// The C library's errno.
    #[inline(always)]
    pub fn errno(&self) -> c_int {
        // SAFETY: the address of this thread's errno; self never leaves the thread.
        unsafe { *self.errno.get() }
    }
    /// Sets the C library's errno.
    #[inline(always)]
    pub fn set_errno(&self, value: c_int) {
        // SAFETY: the address of this thread's errno; self never leaves the thread.
        unsafe { *self.errno.get() = value }
    }
}
