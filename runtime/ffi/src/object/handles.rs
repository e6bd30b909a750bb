//! The addresses that `ffi.new_handle` hands out, and what is behind them.
//!
//! A handle is the address of a slot in a table of our own, which holds the object while the handle is alive. So any
//! `void *` that comes back from C can be checked: an address outside the table, or of an empty slot, is no handle, and
//! raises instead of crashing. Slots of dead handles are used again, oldest first, as late as possible.

use std::cell::Cell;
use std::ptr::null_mut;

use pyo3::ffi;

use crate::py::{GilCell, Obj, Ref};

/// Slots of a chunk. A chunk is never freed: C may still hold an address in it.
const CHUNK: usize = 1024;
/// How many slots stay empty before the oldest of them is used again.
const RESERVE: usize = 256;

/// A slot: 16 bytes, so that a handle looks like the address of an ordinary object. Only touched inside `TABLE.with`.
#[repr(C, align(16))]
struct Slot {
    /// NULL while it is free.
    object: Cell<*mut ffi::PyObject>,
    /// While it is free: the slot that is used after it.
    next: Cell<*mut Slot>,
}

struct Table {
    /// Addresses of the chunks, sorted.
    chunks: Vec<usize>,
    /// The chunk that the last look-up hit; 0 before there is one.
    recent: usize,
    /// How many slots are free, the one that is used next, and the last.
    free: usize,
    first: *mut Slot,
    last: *mut Slot,
}

// SAFETY: the slots belong to the table, and are reached through it only.
unsafe impl Send for Table {}

static TABLE: GilCell<Table> = GilCell::new(Table {
    chunks: Vec::new(),
    recent: 0,
    free: 0,
    first: null_mut(),
    last: null_mut(),
});

const BYTES: usize = CHUNK * size_of::<Slot>();

impl Table {
    #[cold]
    fn grow(&mut self) {
        let chunk: Box<[Slot]> = (0..CHUNK)
            .map(|_| Slot {
                object: Cell::new(null_mut()),
                next: Cell::new(null_mut()),
            })
            .collect();
        let chunk: &'static [Slot] = Box::leak(chunk);
        let start = chunk.as_ptr() as usize;
        let place = self.chunks.partition_point(|&other| other < start);
        self.chunks.insert(place, start);
        for slot in chunk {
            self.give(slot);
        }
        self.recent = start;
    }
    /// Puts an empty slot at the end of the free ones.
    #[inline]
    fn give(&mut self, slot: &'static Slot) {
        let pointer = std::ptr::from_ref(slot).cast_mut();
        slot.object.set(null_mut());
        slot.next.set(null_mut());
        if self.first.is_null() {
            self.first = pointer;
        } else {
            // SAFETY: while there is a first one, `last` is a slot of a leaked chunk.
            unsafe { (*self.last).next.set(pointer) };
        }
        self.last = pointer;
        self.free += 1;
    }
    /// Takes the slot that has been free for the longest time.
    #[inline]
    fn take(&mut self) -> &'static Slot {
        if self.free <= RESERVE {
            self.grow();
        }
        // SAFETY: there are more than RESERVE free ones, so `first` is a slot of a leaked chunk.
        let slot = unsafe { &*self.first };
        self.first = slot.next.get();
        self.free -= 1;
        slot
    }
    /// The slot at an address; `None` for an address that is none of a slot.
    #[inline]
    fn slot(&mut self, address: usize) -> Option<&'static Slot> {
        if address.wrapping_sub(self.recent) >= BYTES {
            self.recent = self.chunk_of(address)?;
        }
        let offset = address - self.recent;
        if self.recent == 0 || !offset.is_multiple_of(size_of::<Slot>()) {
            return None;
        }
        // SAFETY: inside a leaked chunk, at the start of a slot.
        Some(unsafe { &*(address as *const Slot) })
    }
    fn chunk_of(&self, address: usize) -> Option<usize> {
        let after = self.chunks.partition_point(|&start| start <= address);
        let start = *self.chunks.get(after.checked_sub(1)?)?;
        (address - start < BYTES).then_some(start)
    }
}

/// A new handle for an object, which the table does not own: the handle's cdata does.
///
/// # Safety
/// Whoever owns the address owns the object too, and gives the address back before the object.
#[inline]
pub unsafe fn add(object: Obj) -> *mut u8 {
    // SAFETY: attached, by the contract of `py`; nothing inside calls Python.
    unsafe {
        TABLE.with(|table| {
            let slot = table.take();
            slot.object.set(object);
            std::ptr::from_ref(slot).cast_mut().cast()
        })
    }
}

/// Empties the slot of a handle whose cdata goes.
#[inline]
pub fn remove(address: *mut u8) {
    // SAFETY: as in `add`.
    unsafe {
        TABLE.with(|table| {
            if let Some(slot) = table.slot(address as usize)
                && !slot.object.get().is_null()
            {
                table.give(slot);
            }
        });
    }
}

/// The object of a handle; `None` for an address that is no living handle.
#[inline]
pub fn get(address: *mut u8) -> Option<Ref> {
    // SAFETY: as in `add`. A filled slot's object is owned by the handle's cdata, which cannot give it up meanwhile: it
    // needs the GIL, or on a free-threaded Python the cell's lock, to empty the slot first.
    unsafe {
        TABLE.with(|table| {
            let object = table.slot(address as usize)?.object.get();
            (!object.is_null()).then(|| Ref::borrow(object))
        })
    }
}
