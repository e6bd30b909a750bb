//! Texts about places in code, each made once.

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

use super::{Ref, at_end, capi};

/// Keeps texts by a code object and a number in it (an instruction, a line). It holds the code objects, so that no other
/// gets the address of one, until the interpreter ends; they hold constants, not variables. For the main interpreter.
pub struct CodeTexts {
    texts: Mutex<Option<Texts>>,
    /// Whether they will be given back at the interpreter's end.
    is_given_back: AtomicBool,
}

type Texts = FxHashMap<(usize, i32), (Ref, Arc<str>)>;

/// How many texts are kept. A program that fails again and again fails in few places; when there are more, all are
/// forgotten and the table starts anew.
const MOST: usize = 1024;

impl CodeTexts {
    /// Nothing is kept yet.
    pub const fn new() -> Self {
        Self {
            texts: Mutex::new(None),
            is_given_back: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Texts>> {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The text that is kept for that place.
    pub fn get(&self, code: &Ref, at: i32) -> Option<Arc<str>> {
        let texts = self.lock();
        let (_, text) = texts.as_ref()?.get(&(code.obj().addr(), at))?;
        Some(text.clone())
    }

    /// Keeps a text; the GIL is held.
    pub fn keep(&'static self, code: Ref, at: i32, text: &Arc<str>) {
        // A sub-interpreter's code ends with it.
        if capi::PyInterpreterState_Get() != capi::PyInterpreterState_Main() {
            return;
        }
        if !self.is_given_back.swap(true, Ordering::AcqRel) {
            // SAFETY: `self` is a static (the signature asks for one), so `give_back` may be called with it at any later
            // time. A text that cannot be given back at the end is not kept.
            let asked = unsafe { at_end(give_back, std::ptr::from_ref(self).cast_mut().cast()) };
            if let Err(raised) = asked {
                raised.clear();
                self.is_given_back.store(false, Ordering::Release);
                return;
            }
        }
        if self
            .lock()
            .as_ref()
            .is_some_and(|texts| texts.len() >= MOST)
        {
            self.forget();
        }
        let replaced = self
            .lock()
            .get_or_insert_default()
            .insert((code.obj().addr(), at), (code, text.clone()));
        drop(replaced);
    }

    /// Gives all code objects back; the GIL is held.
    fn forget(&self) {
        // Freeing them may run Python code, which must not happen under the lock.
        let texts = self.lock().take();
        drop(texts);
    }
}

/// # Safety
/// `texts` is what [`CodeTexts::keep`] gave to `at_end`: the address of a static `CodeTexts`. The GIL is held.
unsafe fn give_back(texts: *mut c_void) {
    // SAFETY: `texts` points to a `CodeTexts` (the caller's contract), and a static is never moved or freed.
    unsafe { &*texts.cast::<CodeTexts>() }.forget();
}
