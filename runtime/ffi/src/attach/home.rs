//! The sub-interpreter that a callback was made in. Calls of it from C run there, whatever interpreter the thread is in.
//!
//! Only sub-interpreters that share the main one's GIL can use the runtime, so who has that GIL may look at them.

use std::ffi::CStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::ffi;

use super::threads::{self, Attached, Refused};
use crate::py::{Obj, Raised, Ref, Res};

/// The key of an interpreter's capsule in its dict.
const KEY: &CStr = c"keelback.home";

/// A sub-interpreter, while it lives and after it.
pub struct Home {
    interpreter: *mut ffi::PyInterpreterState,
    /// Set when its dict goes, which happens shortly before the interpreter itself goes.
    ended: AtomicBool,
}

// SAFETY: the pointer is used only with the GIL, and only as long as the interpreter has not ended.
unsafe impl Send for Home {}
// SAFETY: as for Send: the GIL is the pointer's lock, and `ended` is atomic.
unsafe impl Sync for Home {}

/// As long as this lives, the thread is in a sub-interpreter.
#[must_use = "the thread leaves the sub-interpreter when this is dropped"]
pub struct Inside {
    /// The state for this call, and the main interpreter's, which it stands in for. `None` if the thread was there.
    states: Option<(*mut ffi::PyThreadState, *mut ffi::PyThreadState)>,
    _attached: Attached,
}

impl Home {
    /// The sub-interpreter that this thread is in; `None` for the main one. The GIL is held.
    pub fn current() -> Res<Option<Arc<Self>>> {
        // SAFETY: the GIL is held, so the thread has a state and its interpreter lives; the dict is borrowed, and lives as
        // long as its interpreter. Under KEY the dict has a capsule of `make`, whose pointer came from `Arc::into_raw`.
        unsafe {
            let interpreter = ffi::PyThreadState_GetInterpreter(ffi::PyThreadState_Get());
            if interpreter == ffi::PyInterpreterState_Main() {
                return Ok(None);
            }
            let dict = ffi::PyInterpreterState_GetDict(interpreter);
            if dict.is_null() {
                return Err(crate::raise!(RuntimeError, "the interpreter is ending"));
            }
            let found = ffi::PyDict_GetItemString(dict, KEY.as_ptr());
            if found.is_null() {
                return Ok(Some(Self::make(interpreter, dict)?));
            }
            let home = ffi::PyCapsule_GetPointer(found, KEY.as_ptr()).cast::<Self>();
            if home.is_null() {
                return Err(Raised::already());
            }
            // The capsule in the interpreter's dict owns one count of it, which its destructor gives back.
            Arc::increment_strong_count(home);
            Ok(Some(Arc::from_raw(home)))
        }
    }

    /// A new `Home`, which the interpreter's dict keeps a count of.
    ///
    /// # Safety
    /// The GIL is held, and this thread is in `interpreter`, whose dict `dict` is.
    unsafe fn make(interpreter: *mut ffi::PyInterpreterState, dict: Obj) -> Res<Arc<Self>> {
        let home = Arc::new(Self {
            interpreter,
            ended: AtomicBool::new(false),
        });
        let given = Arc::into_raw(Arc::clone(&home));
        // SAFETY: the GIL is held and `dict` is a live dict (the caller's contract). `given` is one count: the capsule takes
        // it over, or there is no capsule and it is given back here.
        unsafe {
            let capsule = ffi::PyCapsule_New(
                given.cast_mut().cast(),
                KEY.as_ptr(),
                Some(interpreter_ends),
            );
            if capsule.is_null() {
                drop(Arc::from_raw(given));
                return Err(Raised::already());
            }
            let capsule: Ref = Ref::steal(capsule)?;
            if ffi::PyDict_SetItemString(dict, KEY.as_ptr(), capsule.obj()) < 0 {
                return Err(Raised::already());
            }
        }
        Ok(home)
    }

    /// Enters it from any thread, in Python or not. May wait for the GIL.
    pub fn enter(&self) -> Result<Inside, Refused> {
        if let Some(attached) = threads::stay_in(self.interpreter)? {
            return Ok(Inside {
                states: None,
                _attached: attached,
            });
        }
        // The sub-interpreter shares the main interpreter's GIL, which the thread takes here.
        let attached = threads::attach()?;
        if self.ended.load(Ordering::Acquire) {
            return Err(Refused::Ended);
        }
        // SAFETY: the interpreter has not ended, and cannot end meanwhile: that takes the GIL, which this thread has. The
        // state in whose place the new one is put is the main interpreter's, with which `attach` took the GIL.
        unsafe {
            let state = ffi::PyThreadState_New(self.interpreter);
            if state.is_null() {
                return Err(Refused::NoMemory);
            }
            let main = ffi::PyThreadState_Swap(state);
            Ok(Inside {
                states: Some((state, main)),
                _attached: attached,
            })
        }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        if let Some((state, main)) = self.states {
            // SAFETY: `state` was made by `enter` for this call, which is over, and is the attached one; it is deleted after
            // `main` has taken its place.
            unsafe {
                ffi::PyThreadState_Clear(state);
                ffi::PyThreadState_Swap(main);
                ffi::PyThreadState_Delete(state);
            }
        }
    }
}

/// The destructor of a [`Home`]'s capsule.
///
/// # Safety
/// Called by Python, once, as the destructor of a capsule that [`Home::make`] made.
unsafe extern "C" fn interpreter_ends(capsule: Obj) {
    // SAFETY: `capsule` is one of `make`'s (the caller's contract), so its pointer is a count from `Arc::into_raw`, which
    // is given back here and nowhere else.
    unsafe {
        let home = ffi::PyCapsule_GetPointer(capsule, KEY.as_ptr()).cast::<Home>();
        if !home.is_null() {
            let home = Arc::from_raw(home);
            home.ended.store(true, Ordering::Release);
        }
    }
}
