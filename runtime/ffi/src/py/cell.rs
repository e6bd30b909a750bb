//! State that several threads may touch.

#[cfg(Py_GIL_DISABLED)]
use pyo3::ffi;

/// Mutable state of an object. With a GIL, the GIL is its lock; on a free-threaded Python it carries one.
///
/// Neither may be held while Python code can run: [`with`](Self::with) must not call into Python, nor drop the last
/// reference to an object.
pub struct GilCell<T> {
    #[cfg(not(Py_GIL_DISABLED))]
    value: std::cell::UnsafeCell<T>,
    #[cfg(Py_GIL_DISABLED)]
    value: std::sync::Mutex<T>,
}

// SAFETY: only accessed in `with`, under the GIL or the mutex.
unsafe impl<T: Send> Sync for GilCell<T> {}

impl<T> GilCell<T> {
    /// A cell.
    pub const fn new(value: T) -> Self {
        Self {
            #[cfg(not(Py_GIL_DISABLED))]
            value: std::cell::UnsafeCell::new(value),
            #[cfg(Py_GIL_DISABLED)]
            value: std::sync::Mutex::new(value),
        }
    }
    /// Runs `body` with the state.
    ///
    /// # Safety
    /// The thread is attached to the interpreter; `body` neither calls Python nor drops the last reference to a Python
    /// object (it would be re-entered), nor uses this cell again.
    #[inline(always)]
    pub unsafe fn with<R>(&self, body: impl FnOnce(&mut T) -> R) -> R {
        #[cfg(not(Py_GIL_DISABLED))]
        {
            // SAFETY: the GIL is held, and `body` does not come back here.
            body(unsafe { &mut *self.value.get() })
        }
        #[cfg(Py_GIL_DISABLED)]
        {
            body(
                &mut self
                    .value
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner),
            )
        }
    }
}

/// A [`GilCell`] for what may make Python stop all threads, as setting the recursion limit does: who waits for it is not
/// in Python meanwhile, since Python would wait for that thread.
pub struct StoppingCell<T> {
    #[cfg(Py_GIL_DISABLED)]
    lock: ffi::PyMutex,
    value: std::cell::UnsafeCell<T>,
}

// SAFETY: only accessed in `with`, under the GIL or the mutex.
unsafe impl<T: Send> Sync for StoppingCell<T> {}

impl<T> StoppingCell<T> {
    /// A cell.
    pub const fn new(value: T) -> Self {
        Self {
            #[cfg(Py_GIL_DISABLED)]
            lock: ffi::PyMutex::new(),
            value: std::cell::UnsafeCell::new(value),
        }
    }
    /// Runs `body` with the state.
    ///
    /// # Safety
    /// The thread is attached to the interpreter; `body` neither runs Python code nor uses this cell again, and does not
    /// panic.
    pub unsafe fn with<R>(&self, body: impl FnOnce(&mut T) -> R) -> R {
        #[cfg(Py_GIL_DISABLED)]
        // SAFETY: attached, and a mutex that lives as long as the cell; it is unlocked below.
        unsafe {
            ffi::PyMutex_Lock((&raw const self.lock).cast_mut());
        }
        // SAFETY: the lock, or the GIL, is held, and `body` does not come back here.
        let result = body(unsafe { &mut *self.value.get() });
        #[cfg(Py_GIL_DISABLED)]
        // SAFETY: locked above.
        unsafe {
            ffi::PyMutex_Unlock((&raw const self.lock).cast_mut());
        }
        result
    }
}
