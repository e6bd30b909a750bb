//! Memory of small cdata: a list of freed blocks saves most calls of the allocator, because programs make and drop a
//! cdata for nearly every access.

use pyo3::ffi;

/// Bytes of a small block: the head and 48 bytes of storage (or 32, and how a function pointer is called).
pub const BLOCK: usize = size_of::<crate::object::OwningCData>() + 48;

/// How many freed blocks are kept. Few in builds for debugging, so that tools see most uses of freed memory.
#[cfg(not(Py_GIL_DISABLED))]
const KEPT: usize = if cfg!(debug_assertions) { 2 } else { 128 };

#[cfg(not(Py_GIL_DISABLED))]
struct Freed {
    count: usize,
    blocks: [*mut u8; KEPT],
}

#[cfg(not(Py_GIL_DISABLED))]
struct Shared(std::cell::UnsafeCell<Freed>);

// SAFETY: only used with the GIL held, which is one for the whole process for modules with static types.
#[cfg(not(Py_GIL_DISABLED))]
unsafe impl Sync for Shared {}

#[cfg(not(Py_GIL_DISABLED))]
static FREED: Shared = Shared(std::cell::UnsafeCell::new(Freed {
    count: 0,
    blocks: [std::ptr::null_mut(); KEPT],
}));

/// A block of [`BLOCK`] bytes, or NULL.
///
/// # Safety
/// The GIL is held.
#[inline(always)]
pub unsafe fn take() -> *mut u8 {
    // SAFETY: the GIL is held; nothing in here runs Python code.
    unsafe {
        #[cfg(not(Py_GIL_DISABLED))]
        {
            let freed = &mut *FREED.0.get();
            if freed.count > 0 {
                freed.count -= 1;
                return *freed.blocks.get_unchecked(freed.count);
            }
        }
        ffi::PyObject_Malloc(BLOCK).cast()
    }
}

/// Gives a block back.
///
/// # Safety
/// The GIL is held; the block came from [`take`], and nobody uses it any more.
#[inline(always)]
pub unsafe fn give(block: *mut u8) {
    // SAFETY: as in take.
    unsafe {
        #[cfg(not(Py_GIL_DISABLED))]
        {
            let freed = &mut *FREED.0.get();
            if freed.count < KEPT {
                *freed.blocks.get_unchecked_mut(freed.count) = block;
                freed.count += 1;
                return;
            }
        }
        ffi::PyObject_Free(block.cast());
    }
}
