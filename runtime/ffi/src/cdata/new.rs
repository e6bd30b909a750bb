//! `ffi.new()` and the allocators of `ffi.new_allocator()`.

use crate::convert::{Lvalue, Room, initialiser, initialiser_length, initialiser_size, write_in};
use crate::ctype::{CType, Kind};
use crate::object::{CData, Resource, new_managed, new_owning, new_owning_unset};
use crate::py::{Live, Ref, Res, given, make};
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
pub fn new(ctype: &CType, init: Option<Live>, allocator: Option<&Allocator>) -> Res<Ref<CData>> {
    let init = given(init);
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

/// [`new`] of a pointer type.
fn new_pointed(
    ctype: &CType,
    init: Option<Live>,
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
                size = initialiser_size(item, init)? as isize;
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
        // SAFETY: memory of the item's size.
        let place = unsafe { Lvalue::new(item, made.data()) };
        write_in(place, init, Room::of(place, room))?;
    }
    Ok(made)
}

/// [`new`] of an array type.
fn new_array(ctype: &CType, init: Option<Live>, allocator: Option<&Allocator>) -> Res<Ref<CData>> {
    let item = ctype.item();
    let mut init = init;
    let mut length = ctype.length;
    if length < 0 {
        let given = init.unwrap_or(Live::none());
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
        let place = Lvalue::in_cdata(&made);
        write_in(place, init, Room::of(place, size))?;
    }
    Ok(made)
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
    let wanted = make::unsigned_int(size)?;
    let memory = alloc.live().call_with(wanted.live())?;
    let Some(cdata) = CData::of(memory.live()) else {
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
        // SAFETY: alloc() returned a pointer, which is trusted to have as many bytes as it was asked for.
        unsafe { data.write_bytes(0, size) };
    }
    Ok(made)
}
