//! Memory of small cdata: a list of freed blocks saves most calls of the allocator, because programs make and drop a
//! cdata for nearly every access.

use pyo3::ffi;

use super::cdata::{CData, TYPES};
use crate::py::{ENDS_WITHOUT_A_TRACE, Obj};

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

/// What the end of every cdata begins with: weak references, and the reference to the type.
///
/// # Safety
/// `object` is a cdata that nobody refers to any more.
#[inline(always)]
pub unsafe fn drop_head(object: Obj) {
    // SAFETY: the contract: the object is still whole.
    unsafe {
        let cdata = object.cast::<CData>();
        if !(*cdata).weakrefs.is_null() {
            ffi::PyObject_ClearWeakRefs(object);
        }
        ffi::Py_DECREF((*cdata).ctype.cast());
    }
}

/// The end of a [`plain`](super::cdata::Types::plain) cdata, all of which are blocks.
///
/// # Safety
/// `object` is one that nobody refers to any more.
#[inline(always)]
pub unsafe fn end_plain(object: Obj) {
    // SAFETY: the contract.
    unsafe {
        drop_head(object);
        give(object.cast());
    }
}

/// `Py_DECREF` for what is often a plain cdata with no other reference: it ends without a call.
///
/// # Safety
/// The caller owns a reference to a live object, and gives it up.
#[inline(always)]
pub unsafe fn drop_often_plain(object: Obj) {
    // SAFETY: the contract. With one reference and without weak ones, nobody else can have seen the object.
    unsafe {
        if ENDS_WITHOUT_A_TRACE
            && TYPES.plain.is_exactly(object)
            && ffi::Py_REFCNT(object) == 1
            && (*object.cast::<CData>()).weakrefs.is_null()
        {
            end_plain(object);
        } else {
            ffi::Py_DECREF(object);
        }
    }
}
