//! Entries of tables that find objects without keeping them.
//!
//! Not Python's weak references: the garbage collector clears those of everything that it collects before it runs the
//! first finaliser, so a table of them forgets objects that are still in use, and makes them a second time. An entry
//! here is the object's address, which is good until the object's own end takes it out; CFFI's tables are made so.

use std::sync::atomic::{AtomicUsize, Ordering};

#[cfg(any(not(Py_GIL_DISABLED), Py_3_14))]
use pyo3::ffi;

use super::{Obj, Ref};

/// How often an object was found that its finder did not own.
static FOUND: AtomicUsize = AtomicUsize::new(0);

/// A number that changes whenever an object is found by an address that does not own it. An object that nothing but
/// garbage referred to at some moment is garbage still if the number is what it was then.
pub fn found() -> usize {
    FOUND.load(Ordering::Relaxed)
}

/// To be called with each object that is found so, before anything else is done with it.
#[inline(always)]
pub fn note_found() {
    // With a GIL nobody counts in between; without one a number that two have made is a new one all the same.
    FOUND.store(found().wrapping_add(1), Ordering::Relaxed);
}

/// An object that a table finds and does not own.
///
/// The contract of such a table: its lock is held for every look into it, and the object's tp_dealloc takes the entry
/// out under that lock, before the object's memory goes and before Python code can run.
pub struct Weak<T>(*mut T);

// SAFETY: an address; what is behind it is only touched by `revive`, under its contract.
unsafe impl<T> Send for Weak<T> {}

impl<T> Weak<T> {
    /// An entry for an object. A new one, on a free-threaded Python: see [`prepare`].
    pub fn of(object: &T) -> Self {
        Self(std::ptr::from_ref(object).cast_mut())
    }
    /// Whether it is the entry of the object at this address.
    pub fn is_of(&self, object: *mut T) -> bool {
        std::ptr::eq(self.0, object)
    }
    /// Whether it is the entry of this object.
    pub fn is(&self, object: &T) -> bool {
        std::ptr::eq(self.0, object)
    }
    /// A reference to the object, unless its end has begun.
    ///
    /// # Safety
    /// The table's lock is held, and the table keeps to the contract above.
    pub unsafe fn revive(&self) -> Option<Ref<T>> {
        // SAFETY: the memory is there, since the object's end waits for the table's lock.
        let object = unsafe { try_borrow(self.0) };
        note_found();
        object
    }
}

/// Makes a new object one that can be found by a [`Weak`]: a free-threaded Python counts the references to an object
/// that only its own thread has seen in a way that other threads cannot follow.
///
/// # Safety
/// `object` is a live object that no other thread has seen.
pub unsafe fn prepare(object: Obj) {
    #[cfg(Py_GIL_DISABLED)]
    // SAFETY: `object` is a live object that no other thread has seen.
    unsafe {
        counts::enable(object);
    }
    #[cfg(not(Py_GIL_DISABLED))]
    let _ = object;
}

/// # Safety
/// `object` points to the memory of an object that is alive, or at whose end tp_dealloc waits for a lock that is held.
unsafe fn try_borrow<T>(object: *mut T) -> Option<Ref<T>> {
    #[cfg(Py_GIL_DISABLED)]
    // SAFETY: the caller's contract; the new reference is owned by what is returned.
    unsafe {
        counts::try_increment(object.cast()).then(|| Ref::owned(object))
    }
    #[cfg(not(Py_GIL_DISABLED))]
    // SAFETY: the caller's contract; with the GIL held nobody changes the count between the two.
    unsafe {
        (ffi::Py_REFCNT(object.cast()) > 0).then(|| Ref::borrow(object))
    }
}

#[cfg(all(Py_GIL_DISABLED, Py_3_14))]
mod counts {
    use super::{Obj, ffi};

    pub(super) unsafe fn enable(object: Obj) {
        // SAFETY: the caller's contract.
        unsafe { ffi::PyUnstable_EnableTryIncRef(object) }
    }
    pub(super) unsafe fn try_increment(object: Obj) -> bool {
        // SAFETY: the caller's contract.
        unsafe { ffi::PyUnstable_TryIncRef(object) != 0 }
    }
}

/// What 3.14 has functions for, as 3.13's headers do it (pycore_object.h). No release is for a free-threaded 3.13, but
/// it is the one that tests run on (tools/pythons).
#[cfg(all(Py_GIL_DISABLED, not(Py_3_14)))]
mod counts {
    use std::sync::atomic::Ordering;

    use super::Obj;

    /// In ob_ref_shared: flags in the lowest two bits, above them the references of other threads than the owner.
    const MAYBE_WEAKREF: isize = 1;
    const MERGED: isize = 3;
    const ONE: isize = 4;

    pub(super) unsafe fn enable(object: Obj) {
        // SAFETY: a live object that no other thread has seen.
        unsafe {
            (*object)
                .ob_ref_shared
                .fetch_or(MAYBE_WEAKREF, Ordering::Relaxed)
        };
    }
    pub(super) unsafe fn try_increment(object: Obj) -> bool {
        // SAFETY: the caller's contract: the memory is there. The owner may count here too. No reference at all: the
        // count of others is 0, and the owner's was merged into it.
        unsafe {
            (*object)
                .ob_ref_shared
                .fetch_update(Ordering::AcqRel, Ordering::Acquire, |shared| {
                    (shared != 0 && shared != MERGED).then_some(shared + ONE)
                })
                .is_ok()
        }
    }
}
