//! `ffi.new()` and the allocators of `ffi.new_allocator()`.

use pyo3::ffi;

use crate::convert::{Room, initialiser, initialiser_length, initialiser_size, write_in};
use crate::ctype::{CType, Kind};
use crate::object::{CData, Resource, new_managed, new_owning, new_owning_unset};
use crate::py::{Obj, Ref, Res};
use crate::raise;

/// Where `new` gets its memory: `ffi.new_allocator(alloc, free, should_clear_after_alloc)`.
pub struct Allocator {
    /// `alloc(size)` returns a pointer cdata. `None`: memory of our own.
    pub alloc: Option<Ref>,
    /// `free(pointer)`, called when the cdata goes.
    pub free: Option<Ref>,
    /// Whether the memory is zeroed.
    pub clear: bool,
}

/// `ffi.new(ctype, init)`: zeroed memory for what `ctype` points to, or for an array, initialised; freed with the cdata.
/// `init` None is no initialiser.
pub fn new(ctype: &CType, init: Option<Obj>, allocator: Option<&Allocator>) -> Res<Ref<CData>> {
    // SAFETY: the initialiser is live for the call; the memory has the size that was computed for it, and its end is
    // told to what writes.
    unsafe {
        let init = init.filter(|&init| init != ffi::Py_None());
        match ctype.kind {
            Kind::Pointer if !ctype.is_function_pointer() => new_pointed(ctype, init, allocator),
            Kind::Array => new_array(ctype, init, allocator),
            _ => Err(raise!(
                TypeError,
                "expected a pointer or array ctype, got '{}'",
                ctype.name
            )),
        }
    }
}

/// [`new`] of a pointer type.
///
/// # Safety
/// `init` is live.
unsafe fn new_pointed(
    ctype: &CType,
    init: Option<Obj>,
    allocator: Option<&Allocator>,
) -> Res<Ref<CData>> {
    let item = ctype.item();
    let mut bytes = -1;
    let mut size = item.size();
    if item.is_record() {
        // Asking for the fields also gives the type its size, if it was opaque when it was made.
        let details = item.record()?;
        size = item.size();
        if size >= 0 && details.is_some_and(|details| details.has_flexible) {
            if let Some(init) = init {
                // SAFETY: `init` is live.
                size = unsafe { initialiser_size(item, init)? } as isize;
            }
            bytes = size;
        }
    }
    if size < 0 {
        return Err(raise!(
            TypeError,
            "cannot instantiate ctype '{}' of unknown size{}",
            item.name,
            item.why_opaque()
        ));
    }
    // A NUL follows a single character, so that its memory is a string too.
    let room = if item.code.is_char() { 2 * size } else { size } as usize;
    let made = allocate(ctype, room, bytes, allocator)?;
    if let Some(init) = init {
        // SAFETY: memory of the item's size, whose end is known.
        unsafe { write_in(item, made.data(), init, Room::until(made.data().add(room)))? };
    }
    Ok(made)
}

/// [`new`] of an array type.
///
/// # Safety
/// `init` is live.
unsafe fn new_array(
    ctype: &CType,
    init: Option<Obj>,
    allocator: Option<&Allocator>,
) -> Res<Ref<CData>> {
    let item = ctype.item();
    let mut init = init;
    let mut length = ctype.length;
    // SAFETY: `init` is live.
    unsafe {
        if length < 0 {
            let given = init.unwrap_or_else(|| ffi::Py_None());
            length = initialiser_length(item, given)?;
            if initialiser::is_count(given) {
                init = None;
            }
        }
        let size = item
            .size()
            .checked_mul(length)
            .filter(|&size| size >= 0)
            .ok_or_else(|| raise!(OverflowError, "array size would overflow a Py_ssize_t"))?
            as usize;
        let made = allocate(ctype, size, length, allocator)?;
        if let Some(init) = init {
            write_in(ctype, made.data(), init, Room::until(made.data().add(size)))?;
        }
        Ok(made)
    }
}

#[inline]
fn allocate(
    ctype: &CType,
    size: usize,
    length: isize,
    allocator: Option<&Allocator>,
) -> Res<Ref<CData>> {
    match allocator {
        None => new_owning(ctype, size, length),
        Some(allocator) => allocate_by(allocator, ctype, size, length),
    }
}

#[inline(never)]
fn allocate_by(
    allocator: &Allocator,
    ctype: &CType,
    size: usize,
    length: isize,
) -> Res<Ref<CData>> {
    let Some(alloc) = &allocator.alloc else {
        return if allocator.clear {
            new_owning(ctype, size, length)
        } else {
            new_owning_unset(ctype, size, length)
        };
    };
    // SAFETY: live objects; what alloc() returns is checked to be a pointer, and trusted to have `size` bytes.
    unsafe {
        let wanted = crate::py::make::unsigned_int(size)?;
        let memory = alloc.live().call_with(wanted.live())?;
        let Some(cdata) = crate::object::CData::of(memory.live()) else {
            let given = memory.live().type_name();
            return Err(raise!(
                TypeError,
                "alloc() must return a cdata object (got {given})"
            ));
        };
        if !cdata.ctype().is_pointer_or_array() {
            return Err(raise!(
                TypeError,
                "alloc() must return a cdata pointer, not '{}'",
                cdata.ctype().name
            ));
        }
        let data = cdata.data();
        if data.is_null() {
            return Err(raise!(MemoryError, "alloc() returned NULL"));
        }
        let resource = Resource::Allocated {
            memory: memory.clone(),
            free: allocator.free.clone(),
        };
        let made = new_managed(ctype, data, length, resource)?;
        if allocator.clear {
            data.write_bytes(0, size);
        }
        Ok(made)
    }
}
