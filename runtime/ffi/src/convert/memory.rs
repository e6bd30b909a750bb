//! A value in C's memory.

use crate::ctype::{CType, Code, FieldInfo};
use crate::object::{CData, TYPES};

/// A C value: the memory that holds it, and its type.
///
/// Whoever makes one says once that the memory is good ([`Lvalue::new`]); what is in this folder reads and writes it as the
/// type says, and needs no argument of its own. What C points to is the program's responsibility, as in C: nobody can check
/// that a pointer is not wild, nor how many items stand behind it.
#[derive(Clone, Copy)]
pub struct Lvalue<'t> {
    ctype: &'t CType,
    data: *mut u8,
}

impl<'t> Lvalue<'t> {
    /// The value of a type at an address, aligned or not.
    ///
    /// # Safety
    /// As long as the place is used, `data` points to memory of the type's size (of a `T[]`: of as many items as are read or
    /// written; where the value is an item, of those that [`nth`](Self::nth) is asked for too), which may be read, and written
    /// where something is written to the place.
    #[inline(always)]
    pub unsafe fn new(ctype: &'t CType, data: *mut u8) -> Self {
        Self { ctype, data }
    }
    /// The value that a cdata is, which is no pointer: it is at the cdata's address. (Of an aggregate that came from C the
    /// address may be NULL: then there is none, which is for the caller to see.)
    #[inline(always)]
    pub fn in_cdata(cdata: &'t CData) -> Self {
        Self {
            ctype: cdata.ctype(),
            data: cdata.data(),
        }
    }
    /// The value that a pointer of `ffi.new()` points to, inside of the cdata.
    #[inline(always)]
    pub fn owned_by(cdata: &'t CData) -> Self {
        debug_assert!(cdata.python_type() == TYPES.owning.ptr());
        Self::in_cdata(cdata).first()
    }
    /// A variable of Rust's, as a value of a type that is no larger.
    #[inline(always)]
    pub(crate) fn in_rust<T>(ctype: &'t CType, variable: &'t mut T) -> Self {
        debug_assert!(ctype.size() <= size_of::<T>() as isize);
        Self {
            ctype,
            data: std::ptr::from_mut(variable).cast(),
        }
    }
    /// The type of the value.
    #[inline(always)]
    pub fn ctype(self) -> &'t CType {
        self.ctype
    }
    /// How it is held.
    #[inline(always)]
    pub(crate) fn code(self) -> Code {
        self.ctype.code
    }
    /// Where it is.
    #[inline(always)]
    pub fn data(self) -> *mut u8 {
        self.data
    }
    /// The address of what is so many bytes further on.
    #[inline(always)]
    pub(crate) fn after(self, bytes: isize) -> *mut u8 {
        self.data.wrapping_offset(bytes)
    }
    /// The same memory, as a value of another type that is held in the same way, or a part of it.
    #[inline(always)]
    pub(super) fn of<'u>(self, ctype: &'u CType) -> Lvalue<'u> {
        Lvalue {
            ctype,
            data: self.data,
        }
    }
    /// The value of the same type that stands so many places behind this one.
    #[inline(always)]
    pub fn nth(self, index: isize) -> Self {
        let data = self.after(index.wrapping_mul(self.ctype.size()));
        Self { data, ..self }
    }
    /// As [`nth`](Self::nth), of a type that is as large as `T`: the compiler knows the distance.
    #[inline(always)]
    pub(super) fn of_width<T>(self, index: isize) -> Self {
        let data = self.after(index.wrapping_mul(size_of::<T>() as isize));
        Self { data, ..self }
    }
    /// The first item of an array.
    #[inline(always)]
    pub fn first(self) -> Lvalue<'t> {
        self.of(self.ctype.item())
    }
    /// A field of a record: no bit-field.
    #[inline(always)]
    pub fn field<'u>(self, field: &'u FieldInfo) -> Lvalue<'u> {
        Lvalue {
            ctype: &field.ctype,
            data: self.after(field.offset),
        }
    }
    /// What is there, as a `T`: a type that is no larger than the value.
    #[inline(always)]
    pub(crate) fn get<T: Copy>(self) -> T {
        debug_assert!(!self.data.is_null());
        // SAFETY: `Lvalue::new`'s caller vouched for the memory, and who asks does so for a `T` that the type's code says.
        unsafe { get(self.data) }
    }
    /// Writes a `T`, which is no larger than the value.
    #[inline(always)]
    pub(crate) fn put<T: Copy>(self, value: T) {
        // SAFETY: as in `get`.
        unsafe { put(self.data, value) }
    }
    /// Copies so many bytes from another place, which may overlap: as many as either value has.
    #[inline(always)]
    pub(crate) fn copy_from(self, from: *const u8, bytes: usize) {
        // SAFETY: as in `get`: the bytes of one value of the type are copied to another.
        unsafe { std::ptr::copy(from, self.data, bytes) }
    }
    /// Copies bytes to an array of those, from its item `index` on.
    #[inline(always)]
    pub(super) fn put_bytes(self, index: usize, bytes: &[u8]) {
        // SAFETY: as in `get`: there is room for the items. The array may be a view of the very bytes.
        unsafe { std::ptr::copy(bytes.as_ptr(), self.data.add(index), bytes.len()) }
    }
    /// Of an array, `count` items of this one's type from here on, as Rust's type for them.
    ///
    /// # Safety
    /// The memory is aligned for a `T`, and not written while the result is used.
    #[inline(always)]
    pub(super) unsafe fn items<'m, T: Copy>(self, count: usize) -> &'m [T] {
        // SAFETY: as in `get`, and the caller's contract.
        unsafe { std::slice::from_raw_parts(self.data.cast(), count) }
    }
}

/// Reads a `T` at any address.
///
/// # Safety
/// `data` points to a readable `T`.
#[inline(always)]
pub(crate) unsafe fn get<T: Copy>(data: *const u8) -> T {
    // SAFETY: `data` points to a readable `T`.
    unsafe { data.cast::<T>().read_unaligned() }
}

/// Writes a `T` at any address.
///
/// # Safety
/// `data` points to room for a `T`.
#[inline(always)]
pub(crate) unsafe fn put<T: Copy>(data: *mut u8, value: T) {
    // SAFETY: `data` points to room for a `T`.
    unsafe { data.cast::<T>().write_unaligned(value) }
}
