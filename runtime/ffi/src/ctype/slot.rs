//! Places in a function type for what the layers above make of it: how to call it, how C calls Python through it.

use std::ptr::NonNull;
use std::sync::OnceLock;

/// A place for one value, made once, of a type that this layer does not know. Each place is used with one type only,
/// by the file that makes the value.
pub struct PlanSlot(OnceLock<Erased>);

struct Erased {
    value: NonNull<()>,
    drop: unsafe fn(NonNull<()>),
}

// SAFETY: what `get_or_init` takes is `Send` and `Sync`.
unsafe impl Send for Erased {}
// SAFETY: as above.
unsafe impl Sync for Erased {}

impl PlanSlot {
    pub(super) const fn new() -> Self {
        Self(OnceLock::new())
    }
    /// The value, if it was made.
    ///
    /// # Safety
    /// `T` is the type that this place is used with.
    #[inline(always)]
    pub unsafe fn get<T>(&self) -> Option<&T> {
        let erased = self.0.get()?;
        // SAFETY: `get_or_init` put a boxed T there, since T is the only type that this place is used with (the caller's
        // contract). The box lives as long as the place, which is borrowed.
        Some(unsafe { erased.value.cast().as_ref() })
    }
    /// The value; this one, if there is none yet.
    ///
    /// # Safety
    /// As [`get`](Self::get).
    pub unsafe fn get_or_init<T: Send + Sync>(&self, made: T) -> &T {
        /// # Safety
        /// A T of `Box::into_raw`, which nobody uses any more.
        unsafe fn drop_boxed<T>(value: NonNull<()>) {
            // SAFETY: a T of `Box::into_raw`, which nobody uses any more.
            drop(unsafe { Box::from_raw(value.cast::<T>().as_ptr()) });
        }
        let erased = self.0.get_or_init(|| Erased {
            value: NonNull::from(Box::leak(Box::new(made))).cast(),
            drop: drop_boxed::<T>,
        });
        // SAFETY: as in `get`.
        unsafe { erased.value.cast().as_ref() }
    }
}

impl Drop for Erased {
    fn drop(&mut self) {
        // SAFETY: made together with the value, which goes with its place.
        unsafe { (self.drop)(self.value) }
    }
}
