//! `ffi.errno`: each thread's errno as the last C call left it, put back before the next one. Between calls the
//! interpreter itself changes the real errno, so it is kept apart.

use crate::attach::Thread;

/// The value of `ffi.errno` on this thread.
pub fn get() -> i32 {
    Thread::here().saved_errno.get()
}

/// Sets `ffi.errno` on this thread: what the next C call finds in errno.
pub fn set(value: i32) {
    Thread::here().saved_errno.set(value);
}

/// The C library's own errno on this thread.
pub fn system() -> i32 {
    Thread::here().errno()
}

/// Sets the C library's own errno on this thread to 0, so that a failure that sets none can be told.
pub fn clear_system() {
    Thread::here().set_errno(0);
}

/// Both of this thread's variables, looked up once for a whole call.
#[derive(Clone, Copy)]
pub struct Errno(&'static Thread);

impl Errno {
    /// Those of `thread`, which is this one.
    #[inline(always)]
    pub fn of(thread: &'static Thread) -> Self {
        Self(thread)
    }
    /// This thread's.
    #[inline(always)]
    pub fn here() -> Self {
        Self(Thread::here())
    }
    /// To be called when Python is left for C: errno becomes what C left behind last, or what `ffi.errno = n` set.
    #[inline(always)]
    pub fn restore(self) {
        self.0.set_errno(self.0.saved_errno.get());
    }
    /// To be called when C is left for Python: keeps errno.
    #[inline(always)]
    pub fn save(self) {
        self.0.saved_errno.set(self.0.errno());
    }
}
