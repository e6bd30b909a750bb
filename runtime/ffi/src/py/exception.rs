//! An exception taken off its thread, to be looked at or put back.

use pyo3::ffi;

use super::{Raised, Ref, none};

/// An exception that is not set (any more).
pub struct Exception {
    /// Its class.
    pub class: Ref,
    /// The exception.
    pub value: Ref,
    /// Its traceback, if it has one.
    pub traceback: Option<Ref>,
}

impl Exception {
    /// Takes the exception that is set; `None` if it vanished.
    #[cfg_attr(
        Py_3_12,
        expect(deprecated, reason = "the one way that all supported versions have")
    )]
    pub fn fetch(_raised: Raised) -> Option<Self> {
        let (mut class, mut value, mut traceback) = (
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            std::ptr::null_mut::<ffi::PyObject>(),
        );
        // SAFETY: PyErr_Fetch gives three owned references, all NULL if no exception is set, which normalising leaves so.
        let [class, value, traceback] = unsafe {
            ffi::PyErr_Fetch(&mut class, &mut value, &mut traceback);
            ffi::PyErr_NormalizeException(&mut class, &mut value, &mut traceback);
            [class, value, traceback].map(|owned| (!owned.is_null()).then(|| Ref::owned(owned)))
        };
        let value = value.unwrap_or_else(none);
        if let Some(traceback) = &traceback {
            // A hook or an onerror function may print the exception itself: it must have its traceback.
            // SAFETY: an exception and its traceback.
            unsafe { ffi::PyException_SetTraceback(value.obj(), traceback.obj()) };
        }
        Some(Self {
            class: class?,
            value,
            traceback,
        })
    }
    /// Takes the exception that may be set.
    pub fn fetch_if_set() -> Option<Self> {
        Raised::if_set().err().and_then(Self::fetch)
    }
    /// Sets it again.
    #[cfg_attr(
        Py_3_12,
        expect(deprecated, reason = "the one way that all supported versions have")
    )]
    pub fn restore(self) -> Raised {
        let traceback = self.traceback.map_or(std::ptr::null_mut(), Ref::into_ptr);
        // SAFETY: gives the three references back.
        unsafe { ffi::PyErr_Restore(self.class.into_ptr(), self.value.into_ptr(), traceback) };
        Raised::already()
    }
    /// The traceback, or NULL; borrowed.
    pub fn traceback_or_null(&self) -> super::Obj {
        self.traceback
            .as_ref()
            .map_or(std::ptr::null_mut(), Ref::obj)
    }
}
