//! Libraries opened at run time.

use std::error::Error;
use std::ffi::{CStr, OsStr, c_void};
use std::mem::ManuallyDrop;
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicPtr, Ordering};

use libloading::os::unix::Library;

use crate::attach::{Thread, scope};
use crate::call::errno;
use crate::py::Res;
use crate::raise;

/// Why dlopen failed.
pub(crate) struct OpenError {
    /// errno after it; 0 when the C library set none.
    pub(crate) errno: i32,
    /// The system's words.
    pub(crate) text: String,
}

/// What dlopen gave.
pub(crate) struct Handle {
    /// NULL once it is closed.
    handle: AtomicPtr<c_void>,
    /// Closed when self is dropped.
    owned: bool,
}

impl Handle {
    /// Opens a library; `None`: what the process has already. `name` is for messages.
    pub(crate) fn open(path: Option<&CStr>, flags: i32, name: &str) -> Res<Self> {
        Self::try_open(path, flags)
            .map_err(|error| raise!(OSError, "cannot load library '{name}': {}", error.text))
    }
    /// As [`open`](Self::open), without an exception.
    pub(crate) fn try_open(path: Option<&CStr>, flags: i32) -> Result<Self, OpenError> {
        let flags = if flags & (libc::RTLD_NOW | libc::RTLD_LAZY) == 0 {
            flags | libc::RTLD_NOW
        } else {
            flags
        };
        // The name is given with its NUL, so that libloading need not copy it.
        let path = path.map(|path| OsStr::from_bytes(path.to_bytes_with_nul()));
        // SAFETY: opening runs the library's constructors, which are the user's responsibility. They may wait for other
        // threads: the GIL is released.
        unsafe {
            let thread = Thread::here();
            let outer_scope = thread.scope.get();
            let state = pyo3::ffi::PyEval_SaveThread();
            errno::clear_system();
            let opened = Library::open(path, super::global::possible(flags));
            let errno = errno::system();
            scope::end_forgotten(thread, outer_scope);
            pyo3::ffi::PyEval_RestoreThread(state);
            match opened {
                Ok(library) => Ok(Self {
                    handle: AtomicPtr::new(library.into_raw()),
                    owned: true,
                }),
                Err(error) => Err(OpenError {
                    errno,
                    text: system_s_words(&error),
                }),
            }
        }
    }
    /// The same, left open until [`close`](Self::close).
    pub(crate) fn kept_open(mut self) -> Self {
        self.owned = false;
        self
    }
    /// What dlopen gave; NULL once it is closed.
    pub(crate) fn address(&self) -> *mut c_void {
        self.handle.load(Ordering::Acquire)
    }
    /// Somebody else's.
    pub(super) fn borrowed(handle: *mut c_void) -> Self {
        Self {
            handle: AtomicPtr::new(handle),
            owned: false,
        }
    }
    /// Whether it is closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.handle.load(Ordering::Acquire).is_null()
    }
    /// The address of a symbol, or the system's text why there is none.
    pub(crate) fn symbol(&self, name: &CStr) -> Result<*mut u8, String> {
        let handle = self.handle.load(Ordering::Acquire);
        if handle.is_null() {
            return Err("the library is closed".to_string());
        }
        // SAFETY: an open handle, which is not closed here; the address is not used as anything yet. A symbol may have
        // the address NULL, which is no failure to `get` on systems whose dlerror is of its thread.
        unsafe {
            let library = ManuallyDrop::new(Library::from_raw(handle));
            let found = library.get::<*mut u8>(name);
            found.map_or_else(
                |error| Err(system_s_words(&error)),
                |symbol| Ok(symbol.as_raw_ptr().cast()),
            )
        }
    }
    /// Closes it, if it is open.
    pub(crate) fn close(&self, name: &str) -> Res<()> {
        let handle = self.handle.swap(std::ptr::null_mut(), Ordering::AcqRel);
        if handle.is_null() {
            return Ok(());
        }
        // SAFETY: an open handle that nobody else has: it was swapped out.
        let closed = unsafe { Library::from_raw(handle) }.close();
        closed.map_err(|error| {
            raise!(
                OSError,
                "closing library '{name}': {}",
                system_s_words(&error)
            )
        })
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let handle = *self.handle.get_mut();
        if self.owned && !handle.is_null() && !python_ends() {
            // SAFETY: self opened the library, and is dropped, so that nobody uses it any more.
            drop(unsafe { Library::from_raw(handle) });
        }
    }
}

/// Whether Python is being finalised. Libraries are then left open: objects go in no order that anybody chose, and
/// destructors that call into a library, or threads that it started, may outlive the object that opened it. The process
/// is about to give everything back anyhow.
fn python_ends() -> bool {
    #[cfg(not(Py_3_13))]
    unsafe extern "C" {
        #[link_name = "_Py_IsFinalizing"]
        fn is_finalizing() -> std::ffi::c_int;
    }
    #[cfg(Py_3_13)]
    use pyo3::ffi::Py_IsFinalizing as is_finalizing;
    // SAFETY: reads a flag, at any time. The name with an underscore is exported by every libpython before 3.13.
    unsafe { is_finalizing() != 0 }
}

/// What dlerror said: libloading's own words only say which function failed.
fn system_s_words(error: &libloading::Error) -> String {
    error
        .source()
        .map_or_else(|| "unknown error".to_string(), ToString::to_string)
}
