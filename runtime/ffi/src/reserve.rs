//! Memory for when there is none.
//!
//! A failed allocation in Rust ends the process, which is the host's. Python's memory is not concerned: it raises
//! MemoryError. What Rust allocates is small, so a reserve that is given back at the first failure lets it finish
//! what it does, and Python's own allocations fail meanwhile, in good order. It is filled again when a call is over. Behind
//! it stands a small piece of the library's own memory, which is always there: enough to say that there is none.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

/// Enough for the declarations of a large plugin. Never touched, so it costs address space only.
const SIZE: usize = 1 << 20;

/// Whether there is something to do when a call is over: to put memory aside again, or what `attach::output` has to do. One
/// flag says both, because it is looked at in each call.
pub static DUE: AtomicBool = AtomicBool::new(false);

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
    DUE.store(true, Ordering::Relaxed);
    true
}

/// Calls `allocate`. If that fails, the reserve is given back and it is called once more; if that fails too, the memory
/// comes from the last piece.
#[inline(always)]
fn with_reserve(allocate: impl Fn() -> *mut u8, layout: Layout) -> *mut u8 {
    let memory = allocate();
    if !memory.is_null() {
        return memory;
    }
    no_memory(&allocate, layout)
}

#[cold]
#[inline(never)]
fn no_memory(allocate: &dyn Fn() -> *mut u8, layout: Layout) -> *mut u8 {
    if release() {
        let memory = allocate();
        if !memory.is_null() {
            return memory;
        }
    }
    LAST.alloc(layout)
}

/// Memory in the library itself, for messages. A block that is given back is used again only if it was the newest.
struct LastPiece {
    bytes: UnsafeCell<[u8; Self::SIZE]>,
    used: AtomicUsize,
}

// SAFETY: each byte is given to one owner, by a compare-and-exchange of `used`.
unsafe impl Sync for LastPiece {}

static LAST: LastPiece = LastPiece {
    bytes: UnsafeCell::new([0; LastPiece::SIZE]),
    used: AtomicUsize::new(0),
};

impl LastPiece {
    const SIZE: usize = 128 << 10;

    fn start(&self) -> *mut u8 {
        self.bytes.get().cast()
    }

    fn has(&self, memory: *mut u8) -> bool {
        memory.addr().wrapping_sub(self.start().addr()) < Self::SIZE
    }

    /// NULL when it is used up.
    fn alloc(&self, layout: Layout) -> *mut u8 {
        let mut used = self.used.load(Ordering::Relaxed);
        loop {
            let free = self.start().addr() + used;
            let begin = used + (free.next_multiple_of(layout.align()) - free);
            let Some(end) = begin
                .checked_add(layout.size())
                .filter(|&end| end <= Self::SIZE)
            else {
                return std::ptr::null_mut();
            };
            match self
                .used
                .compare_exchange_weak(used, end, Ordering::AcqRel, Ordering::Relaxed)
            {
                // SAFETY: inside of `bytes`.
                Ok(_) => return unsafe { self.start().add(begin) },
                Err(other) => used = other,
            }
        }
    }

    fn dealloc(&self, memory: *mut u8, size: usize) {
        let begin = memory.addr() - self.start().addr();
        let _ =
            self.used
                .compare_exchange(begin + size, begin, Ordering::AcqRel, Ordering::Relaxed);
    }
}

// SAFETY: all that is done is the system allocator's, but for what `LAST` gives out and takes back.
unsafe impl GlobalAlloc for WithReserve {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: `layout` is not empty (the contract of `GlobalAlloc::alloc`).
        with_reserve(|| unsafe { System.alloc(layout) }, layout)
    }
    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: `layout` is not empty (the contract of `GlobalAlloc::alloc_zeroed`).
        let memory = with_reserve(|| unsafe { System.alloc_zeroed(layout) }, layout);
        if LAST.has(memory) {
            // SAFETY: `LAST` has just given out `layout.size()` bytes there.
            unsafe { memory.write_bytes(0, layout.size()) };
        }
        memory
    }
    #[inline]
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: `size`, rounded up to the alignment, does not overflow an isize (the contract of `GlobalAlloc::realloc`).
        let new = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        if !LAST.has(memory) {
            // SAFETY: `memory` is a block of this allocator's with this layout (the contract of `GlobalAlloc::realloc`); it is
            // not in `LAST`, so it is the system's. A realloc that failed leaves it as it was.
            let moved = with_reserve(|| unsafe { System.realloc(memory, layout, size) }, new);
            if LAST.has(moved) {
                // SAFETY: two live blocks that do not overlap: the new one has `size` bytes, the old one, which is still the
                // system's, `layout.size()`. Nobody uses the old one afterwards.
                unsafe {
                    moved.copy_from_nonoverlapping(memory, layout.size().min(size));
                    System.dealloc(memory, layout);
                }
            }
            return moved;
        }
        // SAFETY: `new` is not empty, as `size` is not 0 (the contract of `GlobalAlloc::realloc`). The old block has
        // `layout.size()` bytes, the new one `size`, and they do not overlap.
        unsafe {
            let moved = self.alloc(new);
            if !moved.is_null() {
                moved.copy_from_nonoverlapping(memory, layout.size().min(size));
                self.dealloc(memory, layout);
            }
            moved
        }
    }
    #[inline]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        if LAST.has(memory) {
            return LAST.dealloc(memory, layout.size());
        }
        // SAFETY: `memory` is a live block of this allocator's with this layout (the contract of `GlobalAlloc::dealloc`), and
        // not in `LAST`, so it is the system's.
        unsafe { System.dealloc(memory, layout) }
    }
}
