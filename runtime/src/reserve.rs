//! Memory for when there is none.
//!
//! A failed allocation in Rust ends the process, which is the host's. Python's memory is not concerned: it raises
//! MemoryError. What Rust allocates is small, so a reserve that is given back at the first failure lets it finish
//! what it does, and Python's own allocations fail meanwhile, in good order. It is filled again when a call is over.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicPtr, Ordering};

/// Enough for the declarations of a large plugin. Never touched, so it costs address space only.
const SIZE: usize = 1 << 20;

static RESERVE: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());

struct WithReserve;

#[global_allocator]
static ALLOCATOR: WithReserve = WithReserve;

fn layout() -> Layout {
    Layout::new::<[u8; SIZE]>()
}

/// Puts memory aside, if there is none yet. Where there is too little even for that, nothing is put aside: false.
pub fn fill() -> bool {
    if !RESERVE.load(Ordering::Relaxed).is_null() {
        return true;
    }
    // SAFETY: a layout of a size that is not 0.
    let memory = unsafe { System.alloc(layout()) };
    if memory.is_null() {
        return false;
    }
    if RESERVE
        .compare_exchange(
            std::ptr::null_mut(),
            memory,
            Ordering::AcqRel,
            Ordering::Relaxed,
        )
        .is_err()
    {
        // SAFETY: just allocated, and nobody else's.
        unsafe { System.dealloc(memory, layout()) }
    }
    true
}

/// Gives the reserve back to the allocator; false if there is none.
#[cold]
fn release() -> bool {
    let memory = RESERVE.swap(std::ptr::null_mut(), Ordering::AcqRel);
    if memory.is_null() {
        return false;
    }
    // SAFETY: it came from `fill`, and was taken out by this thread alone.
    unsafe { System.dealloc(memory, layout()) };
    crate::embed::refill_reserve();
    true
}

/// `allocate`, and once more with the reserve given back.
#[inline(always)]
fn with_reserve(allocate: impl Fn() -> *mut u8) -> *mut u8 {
    let memory = allocate();
    if memory.is_null() && release() {
        return allocate();
    }
    memory
}

// SAFETY: all that is done is the system allocator's.
unsafe impl GlobalAlloc for WithReserve {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract.
        with_reserve(|| unsafe { System.alloc(layout) })
    }
    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract.
        with_reserve(|| unsafe { System.alloc_zeroed(layout) })
    }
    #[inline]
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's contract. A realloc that failed leaves the memory as it was.
        with_reserve(|| unsafe { System.realloc(memory, layout, size) })
    }
    #[inline]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract.
        unsafe { System.dealloc(memory, layout) }
    }
}
