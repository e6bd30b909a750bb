//! `T *` and `T[]` of a type, without the table: a type knows those that exist, and does not own them.
//!
//! They own it, so its memory is there for as long as they are; the first thing that the end of one does is to take
//! itself out. With a GIL nobody can look between the two. On a free-threaded Python somebody could, so there only the
//! table is asked.

use std::sync::atomic::{AtomicPtr, Ordering};

use super::{CType, Kind};
use crate::py::{Ref, Res};

/// The types made of one.
#[derive(Default)]
pub(crate) struct Derived {
    /// `T *`
    pub(super) pointer: Place,
    /// `T[]`
    pub(super) open_array: Place,
}

/// Borrowed, or NULL.
#[derive(Default)]
pub(super) struct Place(AtomicPtr<CType>);

impl Place {
    /// The type, if there is one.
    #[inline(always)]
    pub(super) fn get(&self) -> Option<Ref<CType>> {
        let known = self.0.load(Ordering::Relaxed);
        if cfg!(Py_GIL_DISABLED) || known.is_null() {
            return None;
        }
        crate::py::note_found();
        // SAFETY: the GIL is held, so it is alive: its end takes it out before anything else can run.
        Some(unsafe { Ref::borrow(known) })
    }
    pub(super) fn set(&self, ctype: &CType) {
        self.0
            .store(std::ptr::from_ref(ctype).cast_mut(), Ordering::Relaxed);
    }
    fn forget(&self, ctype: &CType) {
        let own = std::ptr::from_ref(ctype).cast_mut();
        let _ = self.0.compare_exchange(
            own,
            std::ptr::null_mut(),
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
    }
}

/// Takes a type that is being freed out of the one that it is made of. This comes before anything else, because the
/// callbacks of weak references run Python code.
pub(super) fn forget(ctype: &CType) {
    if let Some(item) = &ctype.item {
        match ctype.kind {
            Kind::Pointer => item.derived.pointer.forget(ctype),
            Kind::Array => item.derived.open_array.forget(ctype),
            _ => {}
        }
    }
}

/// A type that stays for as long as the process: `void *`, which `FFI.NULL` keeps anyway, and `char[]`.
pub(super) struct Kept(AtomicPtr<CType>);

impl Kept {
    pub(super) const fn new() -> Self {
        Self(AtomicPtr::new(std::ptr::null_mut()))
    }
    /// The type, made the first time.
    #[inline(always)]
    pub(super) fn get(&self, make: impl FnOnce() -> Res<Ref<CType>>) -> Res<&'static CType> {
        let known = self.0.load(Ordering::Acquire);
        let kept = if known.is_null() {
            self.keep(make()?)
        } else {
            known
        };
        // SAFETY: the type lives: it has a reference that `keep` leaked.
        Ok(unsafe { &*kept })
    }
    /// Whether it is this type, and was asked for before.
    #[inline(always)]
    pub(super) fn is(&self, ctype: &CType) -> bool {
        std::ptr::eq(self.0.load(Ordering::Relaxed), ctype)
    }
    #[cold]
    fn keep(&self, made: Ref<CType>) -> *mut CType {
        match self.0.compare_exchange(
            std::ptr::null_mut(),
            made.as_ptr(),
            Ordering::AcqRel,
            Ordering::Acquire,
        ) {
            Ok(_) => made.into_ptr(),
            Err(theirs) => theirs,
        }
    }
}
