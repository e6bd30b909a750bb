//! Libraries opened at run time.

use std::ffi::{CStr, c_void};
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::py::Res;
use crate::raise;

/// What dlopen gave.
pub(super) struct Handle {
    /// NULL once it is closed.
    handle: AtomicPtr<c_void>,
    /// Closed when self is dropped.
    owned: bool,
}

impl Handle {
    /// Opens a library; `None`: what the process has already. `name` is for messages.
    pub(super) fn open(path: Option<&CStr>, flags: i32, name: &str) -> Res<Self> {
        let flags = if flags & (libc::RTLD_NOW | libc::RTLD_LAZY) == 0 {
            flags | libc::RTLD_NOW
        } else {
            flags
        };
        // SAFETY: a C string or NULL. Opening runs the library's constructors, which may wait for other threads: the
        // GIL is released.
        let handle = unsafe {
            let state = pyo3::ffi::PyEval_SaveThread();
            let handle = libc::dlopen(path.map_or(std::ptr::null(), CStr::as_ptr), flags);
            pyo3::ffi::PyEval_RestoreThread(state);
            handle
        };
        if handle.is_null() {
            return Err(raise!(
                OSError,
                "cannot load library '{name}': {}",
                last_error()
            ));
        }
        Ok(Self {
            handle: AtomicPtr::new(handle),
            owned: true,
        })
    }
    /// Somebody else's.
    pub(super) fn borrowed(handle: *mut c_void) -> Self {
        Self {
            handle: AtomicPtr::new(handle),
            owned: false,
        }
    }
    /// Whether it is closed.
    pub(super) fn is_closed(&self) -> bool {
        self.handle.load(Ordering::Acquire).is_null()
    }
    /// The address of a symbol, or the system's text why there is none.
    pub(super) fn symbol(&self, name: &CStr) -> Result<*mut u8, String> {
        let handle = self.handle.load(Ordering::Acquire);
        if handle.is_null() {
            return Err("the library is closed".to_string());
        }
        // SAFETY: an open handle and a C string. A symbol may have the address NULL: only dlerror tells a failure.
        unsafe {
            libc::dlerror();
            let address = libc::dlsym(handle, name.as_ptr());
            if address.is_null() {
                let error = libc::dlerror();
                if !error.is_null() {
                    return Err(CStr::from_ptr(error).to_string_lossy().into_owned());
                }
            }
            Ok(address.cast())
        }
    }
    /// Closes it, if it is open.
    pub(super) fn close(&self, name: &str) -> Res<()> {
        let handle = self.handle.swap(std::ptr::null_mut(), Ordering::AcqRel);
        // SAFETY: an open handle that nobody else has: it was swapped out.
        if !handle.is_null() && unsafe { libc::dlclose(handle) } != 0 {
            return Err(raise!(
                OSError,
                "closing library '{name}': {}",
                last_error()
            ));
        }
        Ok(())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let handle = *self.handle.get_mut();
        if self.owned && !handle.is_null() {
            // SAFETY: opened by us; nobody uses it any more.
            unsafe { libc::dlclose(handle) };
        }
    }
}

/// What dlerror says.
fn last_error() -> String {
    // SAFETY: gives NULL or a C string that is valid until this thread's next dl call.
    unsafe {
        let text = libc::dlerror();
        if text.is_null() {
            "unknown error".to_string()
        } else {
            CStr::from_ptr(text).to_string_lossy().into_owned()
        }
    }
}
