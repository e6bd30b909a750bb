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

/// A number that changes whenever an object is found by an address that does not own it. If only garbage referred to an
/// object at some moment, and the number has not changed since, then the object is still garbage: nobody found it.
pub fn found() -> usize {
    FOUND.load(Ordering::Relaxed)
}

/// To be called whenever an object is found so, before anything else is done with it.
#[inline(always)]
pub fn note_found() {
    // With a GIL no other thread counts between the load and the store. Without one two threads may store the same
    // number, but it differs from the one before, which is all that `found` promises.
    FOUND.store(found().wrapping_add(1), Ordering::Relaxed);
}

/// An object that a table finds and does not own.
///
/// The contract of such a table: its lock is held for every look into it, and the object's tp_dealloc takes the entry
/// out under that lock, before the object's memory goes and before Python code can run.
pub struct Weak<T>(*mut T);

// SAFETY: an address, which any thread may hold; only `revive` touches the memory behind it, and whoever calls that holds
// the table's lock.
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
        // SAFETY: the object's tp_dealloc takes the entry out under the table's lock, which is held (the caller's
        // contract). This entry is still in the table, so the object is alive, or its tp_dealloc waits for the lock.
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
    // SAFETY: the object's memory is there (the caller's contract). Where the count could be raised, the object is alive
    // and the returned `Ref` owns the reference that was added.
    unsafe {
        counts::try_increment(object.cast()).then(|| Ref::owned(object))
    }
    #[cfg(not(Py_GIL_DISABLED))]
    // SAFETY: the object's memory is there (the caller's contract). An object whose count is above 0 is alive, and with the
    // GIL held no other thread lowers the count before `Ref::borrow` raises it.
    unsafe {
        (ffi::Py_REFCNT(object.cast()) > 0).then(|| Ref::borrow(object))
    }
}

#[cfg(all(Py_GIL_DISABLED, Py_3_14))]
mod counts {
    use super::{Obj, ffi};

    /// # Safety
    /// `object` is a live object that no other thread has seen.
    pub(super) unsafe fn enable(object: Obj) {
        // SAFETY: `object` is live, and the calling thread owns it because no other has seen it (the caller's contract).
        unsafe { ffi::PyUnstable_EnableTryIncRef(object) }
    }
    /// # Safety
    /// `object` points to an object's memory, and `enable` was called for the object.
    pub(super) unsafe fn try_increment(object: Obj) -> bool {
        // SAFETY: the memory is there and `enable` was called (the caller's contract); the function returns 0 for an object
        // whose end has begun.
        unsafe { ffi::PyUnstable_TryIncRef(object) != 0 }
    }
}

/// What 3.14 has functions for, done as 3.13's own headers do it (pycore_object.h). No release of Keelback is for a
/// free-threaded 3.13, but tests run on one (tools/pythons).
#[cfg(all(Py_GIL_DISABLED, not(Py_3_14)))]
mod counts {
    use std::sync::atomic::Ordering;

    use super::Obj;

    /// In ob_ref_shared: flags in the lowest two bits, above them the references of other threads than the owner.
    const MAYBE_WEAKREF: isize = 1;
    const MERGED: isize = 3;
    const ONE: isize = 4;

    /// # Safety
    /// `object` is a live object that no other thread has seen.
    pub(super) unsafe fn enable(object: Obj) {
        // SAFETY: `object` is live (the caller's contract), so its head can be written; the field is atomic.
        unsafe {
            (*object)
                .ob_ref_shared
                .fetch_or(MAYBE_WEAKREF, Ordering::Relaxed)
        };
    }
    /// # Safety
    /// `object` points to an object's memory, and `enable` was called for the object.
    pub(super) unsafe fn try_increment(object: Obj) -> bool {
        // The owner, for whom CPython has a cheaper way, may count here too. The two values that are left alone say that
        // no reference exists: the count of other threads is 0, and there is no owner's count or it was merged into it.
        // SAFETY: the object's memory is there (the caller's contract); the field is atomic.
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
