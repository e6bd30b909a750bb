//! `ffi.errno`: each thread's errno as the last C call left it, put back before the next one. Between calls the
//! interpreter itself changes the real errno, so it is kept apart.

use std::ffi::c_int;

unsafe extern "C" {
    /// The C library's errno of this thread.
    fn keelback_errno() -> *mut c_int;
    /// Ours.
    fn keelback_saved_errno() -> *mut c_int;
}

/// The value of `ffi.errno` on this thread.
pub fn get() -> i32 {
    // SAFETY: the address of this thread's own variable.
    unsafe { *keelback_saved_errno() }
}

/// Sets `ffi.errno` on this thread: what the next C call finds in errno.
pub fn set(value: i32) {
    // SAFETY: the address of this thread's own variable.
    unsafe { *keelback_saved_errno() = value }
}

/// The C library's own errno on this thread.
pub fn system() -> i32 {
    // SAFETY: the address of this thread's own variable.
    unsafe { *keelback_errno() }
}

/// Sets the C library's own errno on this thread to 0, so that a failure that sets none can be told.
pub fn clear_system() {
    // SAFETY: the address of this thread's own variable.
    unsafe { *keelback_errno() = 0 }
}

/// Both of this thread's variables, looked up once for a whole call.
#[derive(Clone, Copy)]
pub struct Errno {
    real: *mut c_int,
    saved: *mut c_int,
}

impl Errno {
    /// This thread's.
    #[inline(always)]
    pub fn here() -> Self {
        // SAFETY: both functions only give an address.
        unsafe {
            Self {
                real: keelback_errno(),
                saved: keelback_saved_errno(),
            }
        }
    }
    /// Python is left for C: errno becomes what C left behind last, or what `ffi.errno = n` said.
    #[inline(always)]
    pub fn restore(self) {
        // SAFETY: this thread's variables; the value never leaves the thread, as its fields are raw pointers.
        unsafe { *self.real = *self.saved }
    }
    /// C is left for Python: keeps errno.
    #[inline(always)]
    pub fn save(self) {
        // SAFETY: as in `restore`.
        unsafe { *self.saved = *self.real }
    }
}
