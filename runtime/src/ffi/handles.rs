//! The addresses that `ffi.new_handle` hands out, and what is behind them.
//!
//! A handle is the address of a slot in a table of our own, which holds the object while the handle is alive. So any
//! `void *` that comes back from C can be checked: an address outside the table, or of an empty slot, is no handle, and
//! raises instead of crashing. Slots of dead handles are used again, oldest first, as late as possible.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use pyo3::ffi;

use crate::py::{Obj, Ref};

/// Slots of a chunk. A chunk is never freed: C may still hold an address in it.
const CHUNK: usize = 1024;
/// So many slots stay empty before the oldest is used again.
const RESERVE: usize = 256;

/// A slot: 16 bytes, so that a handle looks like the address of an ordinary object.
#[repr(C, align(16))]
struct Slot {
    object: AtomicPtr<ffi::PyObject>,
}

#[derive(Default)]
struct Table {
    /// Addresses of the chunks, sorted.
    chunks: Vec<usize>,
    free: VecDeque<usize>,
}

static TABLE: Mutex<Table> = Mutex::new(Table {
    chunks: Vec::new(),
    free: VecDeque::new(),
});
/// The chunk that the last look-up hit.
static RECENT: AtomicUsize = AtomicUsize::new(0);

const BYTES: usize = CHUNK * size_of::<Slot>();

/// A new handle for an object, which the table does not own: the handle's cdata does.
pub fn add(object: Obj) -> *mut u8 {
    let mut table = TABLE.lock().unwrap_or_else(PoisonError::into_inner);
    if table.free.len() <= RESERVE {
        let chunk: Box<[Slot]> = (0..CHUNK)
            .map(|_| Slot {
                object: AtomicPtr::default(),
            })
            .collect();
        let start = Box::leak(chunk).as_ptr() as usize;
        let place = table.chunks.partition_point(|&other| other < start);
        table.chunks.insert(place, start);
        table
            .free
            .extend((0..CHUNK).map(|index| start + index * size_of::<Slot>()));
        RECENT.store(start, Ordering::Relaxed);
    }
    let address = table.free.pop_front().unwrap_or_default();
    // SAFETY: an address from the free list is that of a slot of a leaked chunk.
    unsafe {
        (*(address as *const Slot))
            .object
            .store(object, Ordering::Release)
    };
    address as *mut u8
}

/// Empties the slot of a handle whose cdata goes.
pub fn remove(address: *mut u8) {
    let mut table = TABLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(slot) = in_chunks(&table.chunks, address as usize) {
        slot.object.store(std::ptr::null_mut(), Ordering::Release);
        table.free.push_back(address as usize);
    }
}

/// The object of a handle; `None` for an address that is no living handle.
///
/// # Safety
/// The thread is attached to the interpreter.
pub unsafe fn get(address: *mut u8) -> Option<Ref> {
    let address = address as usize;
    #[cfg(not(Py_GIL_DISABLED))]
    {
        let recent = RECENT.load(Ordering::Relaxed);
        let slot = if recent != 0 && address.wrapping_sub(recent) < BYTES {
            slot_at(recent, address)?
        } else {
            let table = TABLE.lock().unwrap_or_else(PoisonError::into_inner);
            in_chunks(&table.chunks, address)?
        };
        // SAFETY: the GIL is held: the handle's cdata, which owns the object, cannot go meanwhile.
        unsafe { borrow(slot) }
    }
    #[cfg(Py_GIL_DISABLED)]
    {
        let table = TABLE.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = in_chunks(&table.chunks, address)?;
        // SAFETY: `remove` runs under the same lock before the cdata gives up the object.
        unsafe { borrow(slot) }
    }
}

unsafe fn borrow(slot: &Slot) -> Option<Ref> {
    let object = slot.object.load(Ordering::Acquire);
    if object.is_null() {
        return None;
    }
    // SAFETY: a filled slot's object is owned by the handle's cdata, which is alive (see the callers).
    Some(unsafe { Ref::borrow(object) })
}

fn slot_at(chunk: usize, address: usize) -> Option<&'static Slot> {
    let offset = address - chunk;
    if !offset.is_multiple_of(size_of::<Slot>()) {
        return None;
    }
    // SAFETY: inside a leaked chunk, at the start of a slot.
    Some(unsafe { &*(address as *const Slot) })
}

fn in_chunks(chunks: &[usize], address: usize) -> Option<&'static Slot> {
    let after = chunks.partition_point(|&start| start <= address);
    let start = *chunks.get(after.checked_sub(1)?)?;
    if address - start >= BYTES {
        return None;
    }
    RECENT.store(start, Ordering::Relaxed);
    slot_at(start, address)
}
