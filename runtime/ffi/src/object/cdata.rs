//! The structs behind `cdata`: Python objects over C memory.
//!
//! Every cdata starts with [`CData`]: a type and an address. What it owns depends on its Python type:
//!
//! | Python type | struct | owns |
//! |---|---|---|
//! | [`plain`](Types::plain) | `PlainCData` | nothing: a value read from C, a cast pointer, a function pointer, a reference into a parent; a primitive from `ffi.cast` has its value after the head |
//! | [`owning`](Types::owning) | `OwningCData` | memory inside the object itself: `ffi.new`, structs returned by value |
//! | [`view`](Types::view) | `ViewCData` | a reference to the cdata whose memory it shows: `p[0]` of an owner |
//! | [`inner`](Types::inner) | `ViewCData` | the same for a part of the memory: a struct in a struct, an item of an array, a slice |
//! | [`managed`](Types::managed) | `ManagedCData` | a [`Resource`]: gc(), from_buffer, handles, callbacks, allocators |

use std::alloc::Layout;
use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::ffi;

use super::block;
use crate::ctype::{CType, Kind};
use crate::py::{Instance, Live, Obj, Raised, Ref, Res, StaticType};
use crate::raise;

/// The Python types of cdata. Next to each other, so that the address of an object's type says whether it is a cdata: none
/// of them can be subclassed in Python. Those of one layout are next to each other too. They have CFFI's names, and some
/// are there for their name alone.
#[repr(C)]
pub struct Types {
    /// Base type of all cdata (`ffi.CData`).
    pub plain: StaticType,
    /// cdata with its memory inside.
    pub owning: StaticType,
    /// cdata inside the memory of an [`owning`](Self::owning) one, which it keeps alive: `s.field`, `a[i]`, `a[i:j]` of
    /// aggregates.
    pub inner: StaticType,
    /// cdata that shows memory of another cdata and keeps it alive.
    pub view: StaticType,
    /// [`view`](Self::view) of what an allocator gave.
    pub view_of_allocated: StaticType,
    /// [`view`](Self::view) of a buffer.
    pub view_of_buffer: StaticType,
    /// cdata with a [`Resource`].
    pub managed: StaticType,
    /// [`managed`](Self::managed): `ffi.gc()`, and what an allocator gave.
    pub gc: StaticType,
    /// [`managed`](Self::managed): the pointer to a struct that an allocator gave.
    pub allocated: StaticType,
    /// [`managed`](Self::managed): `ffi.from_buffer()`.
    pub buffer: StaticType,
}

impl Types {
    /// Whether what a cdata points to goes with the one reference that the caller has: nobody else holds the cdata, nor
    /// what owns the memory. Callbacks and handles are such objects too; what `ffi.gc()` and allocators gave, and
    /// buffers, may have other holders.
    pub fn is_last_holder(&self, cdata: &CData) -> bool {
        // SAFETY: live objects; a view holds its owner.
        unsafe {
            if ffi::Py_REFCNT(cdata.obj()) != 1 {
                return false;
            }
            let ty = cdata.python_type();
            if ty == self.view.ptr() || ty == self.inner.ptr() {
                let owner = (*std::ptr::from_ref(cdata).cast::<ViewCData>()).owner;
                return ffi::Py_TYPE(owner) == self.owning.ptr() && ffi::Py_REFCNT(owner) == 1;
            }
            ty == self.owning.ptr() || ty == self.managed.ptr()
        }
    }

    /// Whether objects of a cdata's type are [`ManagedCData`].
    #[inline(always)]
    pub fn is_managed(&self, ty: *mut ffi::PyTypeObject) -> bool {
        // The managed types stand at the end of the table, so that one comparison of addresses tells them.
        ty >= self.managed.ptr()
    }

    /// Whether objects of a cdata's type are [`ViewCData`] that show all of what they keep alive.
    #[inline(always)]
    pub fn is_view(&self, ty: *mut ffi::PyTypeObject) -> bool {
        // One comparison, of the distance.
        let (first, end) = (self.view.ptr() as usize, self.managed.ptr() as usize);
        (ty as usize).wrapping_sub(first) < end - first
    }

    /// Whether a cdata's type is one of those whose memory `ffi.release()` may give back: [`is_view`](Self::is_view) or
    /// [`is_managed`](Self::is_managed).
    #[inline(always)]
    pub fn can_be_released(&self, ty: *mut ffi::PyTypeObject) -> bool {
        ty >= self.view.ptr()
    }

    /// The name that CFFI gives to what has such a resource.
    #[inline(always)]
    fn of_resource(&self, resource: &Resource, ctype: &CType) -> &StaticType {
        match resource {
            Resource::Allocated { .. } if is_pointer_to_record(ctype) => &self.allocated,
            Resource::Gc { .. } | Resource::Allocated { .. } => &self.gc,
            Resource::Buffer(_) => &self.buffer,
            _ => &self.managed,
        }
    }
}

/// The types, once in the process.
pub static TYPES: Types = Types {
    plain: StaticType::new(),
    owning: StaticType::new(),
    inner: StaticType::new(),
    view: StaticType::new(),
    view_of_allocated: StaticType::new(),
    view_of_buffer: StaticType::new(),
    managed: StaticType::new(),
    gc: StaticType::new(),
    allocated: StaticType::new(),
    buffer: StaticType::new(),
};

/// The head of every cdata.
#[repr(C)]
pub struct CData {
    pub(crate) ob_base: crate::py::Head,
    /// Its type. Owned.
    pub(crate) ctype: *mut CType,
    /// A pointer's value; for everything else the address of the value in memory.
    pub(crate) data: Cell<*mut u8>,
    /// Of an array: its number of items, also when the type says `[]`. Of an owning struct with a flexible array: the
    /// bytes allocated. Else -1.
    pub(crate) length: Cell<isize>,
    pub(crate) weakrefs: Obj,
}

/// See [`plain`](Types::plain). A function pointer is of the same class as all others, as in CFFI.
#[repr(C)]
pub struct PlainCData {
    pub(crate) base: CData,
    /// The value of a primitive.
    value: std::cell::UnsafeCell<[u8; VALUE_ROOM]>,
    /// How a function pointer is called; none for everything else, which is called through tp_call, and refused.
    pub(crate) vectorcall: Option<ffi::vectorcallfunc>,
}

impl PlainCData {
    /// Of a function pointer, which has no value of its own: a place for how it is called, for the layer that calls. NULL
    /// at first.
    #[inline(always)]
    pub fn prepared(&self) -> &AtomicPtr<c_void> {
        // SAFETY: the value is as large and as aligned as two pointers, and is used for nothing else in a function pointer.
        unsafe { AtomicPtr::from_ptr(self.value.get().cast()) }
    }
    /// Of a function pointer: whether it is called with the GIL kept.
    fn keeps_gil(&self) -> bool {
        // SAFETY: as in `prepared`: the second of the two is a bool, written when the function pointer was made.
        unsafe {
            self.value
                .get()
                .cast::<*mut c_void>()
                .add(1)
                .cast::<bool>()
                .read()
        }
    }
    /// Of a function pointer: what calls it from now on. The layer that calls knows what suits its signature.
    pub fn set_call(&self, call: ffi::vectorcallfunc) {
        let place = (&raw const self.vectorcall).cast_mut();
        // SAFETY: a pointer, or NULL for `None`. CPython may read it at the same time: the store is atomic, and whichever it
        // finds can be called.
        unsafe { AtomicPtr::from_ptr(place.cast::<*mut c_void>()) }
            .store(call as *mut c_void, Ordering::Release);
    }
}

/// Bytes of the largest primitive.
const VALUE_ROOM: usize = 2 * crate::ctype::LONG_DOUBLE_SIZE;

const _: () = assert!(
    std::mem::offset_of!(PlainCData, value) == size_of::<OwningCData>()
        && size_of::<PlainCData>() <= block::BLOCK
);

/// A cdata with `storage` inside the object: aligned as malloc aligns.
#[repr(C, align(16))]
pub struct OwningCData {
    pub(crate) base: CData,
    /// First byte of the memory of a small one; as many follow as were asked for.
    pub(crate) storage: [u8; 0],
}

/// Where the storage starts in an [`OwningCData`] that is no small block: elsewhere than in those, which is how they are
/// told apart when they are freed.
const LARGE_OFFSET: usize = size_of::<OwningCData>() + 16;

/// See [`view`](Types::view).
#[repr(C)]
pub struct ViewCData {
    pub(crate) base: CData,
    /// Keeps the memory alive. Owned.
    pub(crate) owner: Obj,
}

/// See [`managed`](Types::managed). Tracked by the garbage collector.
#[repr(C)]
pub struct ManagedCData {
    pub(crate) base: CData,
    /// What is owned.
    pub(crate) resource: Resource,
}

/// What a higher layer has a [`ManagedCData`] own.
pub trait Held {
    /// Visits the Python objects that it owns, for the garbage collector.
    ///
    /// # Safety
    /// Called from tp_traverse with its arguments.
    unsafe fn traverse(&self, visit: ffi::visitproc, arg: *mut c_void) -> c_int;
    /// The Python function that the cdata calls.
    fn callable(&self) -> Obj;
}

/// What a [`ManagedCData`] owns.
pub enum Resource {
    /// Nothing to do when the cdata goes.
    None,
    /// `ffi.release()` was called: the memory is gone.
    Released {
        /// Whether it was a buffer.
        buffer: bool,
        /// The address of the memory, by which it still compares and hashes.
        address: usize,
    },
    /// `ffi.gc(origin, destructor)`: `destructor(origin)` is called when the cdata goes.
    Gc {
        /// The cdata that gc() was given.
        origin: Ref,
        /// What to call.
        destructor: Ref,
    },
    /// `ffi.from_buffer(object)`: the exported buffer, locked until release.
    Buffer(ffi::Py_buffer),
    /// `ffi.new_handle(object)`.
    Handle(Ref),
    /// `ffi.callback(...)`: the closure and what it calls.
    Callback(Box<dyn Held>),
    /// Memory from an allocator of `ffi.new_allocator()`.
    Allocated {
        /// What alloc() returned: kept alive, and given to `free`.
        memory: Ref,
        /// free()
        free: Option<Ref>,
    },
    /// Keeps another object alive.
    KeepAlive(Ref),
}

// SAFETY: starts with an object's head.
unsafe impl Instance for CData {}

impl CData {
    /// `object` as a cdata, if it is one.
    #[inline(always)]
    pub fn of(object: Live<'_>) -> Option<&CData> {
        // SAFETY: alive as long as the result.
        unsafe { as_cdata(object.ptr()) }
    }
    /// The type.
    #[inline(always)]
    pub fn ctype(&self) -> &CType {
        // SAFETY: the object owns a reference to its type.
        unsafe { &*self.ctype }
    }
    /// The pointer's value, or the address of the value.
    #[inline(always)]
    pub fn data(&self) -> *mut u8 {
        self.data.get()
    }
    /// Items of an array cdata; -1 for other types.
    #[inline(always)]
    pub fn array_length(&self) -> isize {
        if self.length.get() >= 0 {
            self.length.get()
        } else {
            self.ctype().length
        }
    }
    /// The object.
    #[inline(always)]
    pub fn live(&self) -> Live<'_> {
        // SAFETY: `self` is part of the object: cdata exist nowhere else.
        unsafe { Live::new(self.obj()) }
    }
    /// The object as a borrowed pointer.
    pub fn obj(&self) -> Obj {
        std::ptr::from_ref(self).cast_mut().cast()
    }
    /// The Python type of the object.
    #[inline(always)]
    pub fn python_type(&self) -> *mut ffi::PyTypeObject {
        // SAFETY: a live object.
        unsafe { ffi::Py_TYPE(self.obj()) }
    }
    /// Whether it is a function pointer that is called with the GIL kept.
    pub fn keeps_gil(&self) -> bool {
        self.python_type() == TYPES.plain.ptr()
            && self.ctype().is_function_pointer()
            // SAFETY: every object of exactly this type is a PlainCData.
            && unsafe { (*std::ptr::from_ref(self).cast::<PlainCData>()).keeps_gil() }
    }
    /// What it owns, if it is a [`ManagedCData`].
    #[inline(always)]
    pub fn resource(&self) -> Option<&Resource> {
        if TYPES.is_managed(self.python_type()) {
            // SAFETY: every object of these types is a ManagedCData.
            Some(unsafe { &(*std::ptr::from_ref(self).cast::<ManagedCData>()).resource })
        } else {
            None
        }
    }
    /// The cdata whose memory it shows and keeps alive.
    pub fn viewed(&self) -> Option<&CData> {
        if TYPES.is_view(self.python_type()) {
            // SAFETY: every object of these types is a ViewCData, whose owner is a live cdata.
            unsafe { as_cdata((*std::ptr::from_ref(self).cast::<ViewCData>()).owner) }
        } else {
            None
        }
    }
    /// The cdata of which it shows a part, whose memory it keeps alive.
    pub fn part_of(&self) -> Option<&CData> {
        let ty = self.python_type();
        if ty >= TYPES.inner.ptr() && ty < TYPES.managed.ptr() {
            // SAFETY: every object of these types is a ViewCData, whose owner is a live cdata.
            unsafe { as_cdata((*std::ptr::from_ref(self).cast::<ViewCData>()).owner) }
        } else {
            None
        }
    }
    /// Whether it shows memory of another cdata that was given back by `ffi.release()`. (One's own address is then NULL.)
    #[inline(always)]
    pub fn shows_released(&self) -> bool {
        self.viewed()
            .is_some_and(|owner| matches!(owner.resource(), Some(Resource::Released { .. })))
    }
    /// Raises when its memory was given back by `ffi.release()`, its own or that of the cdata that it shows.
    #[inline(always)]
    pub fn check_live(&self) -> Res<()> {
        if TYPES.can_be_released(self.python_type()) {
            return self.check_released();
        }
        Ok(())
    }
    #[inline(never)]
    fn check_released(&self) -> Res<()> {
        let owner = self.viewed().unwrap_or(self);
        match owner.resource() {
            Some(Resource::Released { .. }) => Err(released(self)),
            _ => Ok(()),
        }
    }
    /// Whether it points to, or is, one value of which the whole memory is its own: `p[1]` makes no sense.
    pub fn owns_one_value(&self) -> bool {
        self.python_type() == TYPES.owning.ptr()
            || (matches!(self.resource(), Some(Resource::Allocated { .. }))
                && self.ctype().item().is_record())
    }
    /// `sizeof` of the value: of an array its real length, of a struct with a flexible array what was allocated.
    #[inline]
    pub fn value_size(&self) -> Res<usize> {
        let ctype = self.ctype();
        match ctype.kind {
            Kind::Array => Ok(ctype.item().known_size()? * self.array_length().max(0) as usize),
            Kind::Struct | Kind::Union if self.length.get() >= 0 => Ok(self.length.get() as usize),
            _ => ctype.known_size(),
        }
    }
}

/// RuntimeError: NULL has no items and no fields.
#[cold]
#[inline(never)]
pub fn null_dereference(cdata: &CData) -> Raised {
    if let Some(Resource::Released { .. }) = cdata.resource() {
        return released(cdata);
    }
    raise!(
        RuntimeError,
        "cannot dereference null pointer from cdata '{}'",
        cdata.ctype().name
    )
}

/// RuntimeError: the cdata's memory was released.
#[cold]
#[inline(never)]
pub fn released(cdata: &CData) -> Raised {
    raise!(
        RuntimeError,
        "cdata '{}' was released: its memory cannot be used any more",
        cdata.ctype().name
    )
}

/// TypeError: the cdata is no function.
#[cold]
#[inline(never)]
pub fn not_callable(cdata: &CData) -> Raised {
    raise!(
        TypeError,
        "cdata '{}' is not callable{}",
        cdata.ctype().name,
        cdata.ctype().why_opaque()
    )
}

/// `object` as a cdata, if it is one.
///
/// # Safety
/// `object` is live, and stays so while the result is used.
#[inline(always)]
pub unsafe fn as_cdata<'a>(object: Obj) -> Option<&'a CData> {
    // SAFETY: `object` is live for `'a` (the caller's contract), so its type can be read; a type inside of `TYPES` is one
    // of the cdata types, and each of their instances starts with a CData.
    unsafe {
        let offset = (ffi::Py_TYPE(object) as usize).wrapping_sub(&raw const TYPES as usize);
        if offset < size_of::<Types>() {
            Some(&*object.cast::<CData>())
        } else {
            None
        }
    }
}

/// Fills in a fresh object's head.
///
/// # Safety
/// `object` is memory of a fresh Python object with at least a `CData`.
unsafe fn fill(object: *mut CData, ctype: &CType, data: *mut u8, length: isize) {
    // SAFETY: `object` is memory of a fresh Python object with at least a `CData`.
    unsafe {
        std::ptr::addr_of_mut!((*object).ctype).write(ctype.to_ref().into_ptr());
        std::ptr::addr_of_mut!((*object).data).write(Cell::new(data));
        std::ptr::addr_of_mut!((*object).length).write(Cell::new(length));
        std::ptr::addr_of_mut!((*object).weakrefs).write(std::ptr::null_mut());
    }
}

/// A cdata of `ctype` over `data`, which it does not own: a pointer of that value, or a reference to memory.
#[inline]
pub fn new_plain(ctype: &CType, data: *mut u8, length: isize) -> Res<Ref<CData>> {
    if ctype.is_function_pointer() {
        return new_function(ctype, data, false);
    }
    // SAFETY: a fresh object of the size that the type says, filled before anyone sees it.
    unsafe {
        let memory = block::take().cast::<PlainCData>();
        if memory.is_null() {
            return Err(no_memory());
        }
        TYPES.plain.init(memory.cast());
        fill(memory.cast(), ctype, data, length);
        std::ptr::addr_of_mut!((*memory).vectorcall).write(None);
        Ref::steal(memory.cast())
    }
}

/// How function pointers are called: functions of the layer that calls C, which is above this one. The second is for those
/// that are called with the GIL kept.
static FUNCTION_CALLS: [AtomicPtr<c_void>; 2] = [const { AtomicPtr::new(std::ptr::null_mut()) }; 2];

/// Sets what function pointers made from now on are called through: usually, and where the GIL is kept.
pub fn set_function_calls(call: ffi::vectorcallfunc, with_gil: ffi::vectorcallfunc) {
    FUNCTION_CALLS[0].store(call as *mut c_void, Ordering::Relaxed);
    FUNCTION_CALLS[1].store(with_gil as *mut c_void, Ordering::Relaxed);
}

#[inline(always)]
fn function_call(keep_gil: bool) -> Option<ffi::vectorcallfunc> {
    // SAFETY: NULL, which is `None`, or what `set_function_calls` was given.
    unsafe { std::mem::transmute(FUNCTION_CALLS[usize::from(keep_gil)].load(Ordering::Relaxed)) }
}

/// A function pointer; `keep_gil`: that is called with the GIL kept.
#[inline(never)]
pub fn new_function(ctype: &CType, data: *mut u8, keep_gil: bool) -> Res<Ref<CData>> {
    // SAFETY: as in new_plain.
    unsafe {
        let memory = block::take().cast::<PlainCData>();
        if memory.is_null() {
            return Err(no_memory());
        }
        TYPES.plain.init(memory.cast());
        fill(memory.cast(), ctype, data, -1);
        let prepared = std::ptr::addr_of_mut!((*memory).value).cast::<AtomicPtr<c_void>>();
        prepared.write(AtomicPtr::new(std::ptr::null_mut()));
        prepared.add(1).cast::<bool>().write(keep_gil);
        std::ptr::addr_of_mut!((*memory).vectorcall).write(function_call(keep_gil));
        Ref::steal(memory.cast())
    }
}

/// A primitive cdata with zeroed room for its own value, which is at `data`.
pub fn new_value(ctype: &CType) -> Res<Ref<CData>> {
    debug_assert!(ctype.size() >= 0 && ctype.size() as usize <= VALUE_ROOM);
    // SAFETY: as in new_plain; a block has room for every primitive after the head.
    unsafe {
        let memory = block::take().cast::<PlainCData>();
        if memory.is_null() {
            return Err(no_memory());
        }
        TYPES.plain.init(memory.cast());
        let storage = std::ptr::addr_of_mut!((*memory).value).cast::<u8>();
        storage.write_bytes(0, VALUE_ROOM);
        fill(memory.cast(), ctype, storage, -1);
        std::ptr::addr_of_mut!((*memory).vectorcall).write(None);
        Ref::steal(memory.cast())
    }
}

/// A cdata of `ctype` with `size` zeroed bytes of its own; `data` is their address.
#[inline]
pub fn new_owning(ctype: &CType, size: usize, length: isize) -> Res<Ref<CData>> {
    let made = new_owning_unset(ctype, size, length)?;
    // SAFETY: its own memory, of this size rounded up to 16. Without a call for what is small.
    unsafe {
        let data = made.data();
        if size <= 16 {
            data.write_bytes(0, 16);
        } else {
            data.write_bytes(0, size);
        }
    }
    Ok(made)
}

/// [`new_owning`] with whatever was in the memory before.
pub fn new_owning_unset(ctype: &CType, size: usize, length: isize) -> Res<Ref<CData>> {
    // SAFETY: as in new_plain; the memory has room for the head and `size` bytes after it (at least 16), aligned to 16,
    // because PyObject_Malloc aligns to 16 on 64-bit machines.
    unsafe {
        let (memory, offset) = if size <= block::BLOCK - size_of::<OwningCData>() {
            (block::take(), size_of::<OwningCData>())
        } else {
            let total = LARGE_OFFSET
                .checked_add(size)
                .filter(|&total| Layout::from_size_align(total, 16).is_ok());
            match total {
                Some(total) => (ffi::PyObject_Malloc(total).cast(), LARGE_OFFSET),
                None => (std::ptr::null_mut(), 0),
            }
        };
        if memory.is_null() {
            return Err(no_memory());
        }
        let storage = memory.add(offset);
        let memory = memory.cast::<CData>();
        TYPES.owning.init(memory.cast());
        fill(memory, ctype, storage, length);
        Ref::steal(memory)
    }
}

/// An aggregate inside the memory of `parent`. Keeps the memory alive when it is that of an owning cdata (CFFI does not,
/// and leaves a dangling reference); what has a destructor is not kept, so that destructors run when CFFI's do.
pub fn new_inner(ctype: &CType, data: *mut u8, length: isize, parent: &CData) -> Res<Ref<CData>> {
    let ty = parent.python_type();
    if TYPES.is_managed(ty) && is_buffer(parent) {
        // SAFETY: a live object.
        return new_view(ctype, data, length, unsafe { Ref::borrow(parent.obj()) });
    }
    let owner = if ty == TYPES.owning.ptr() {
        parent.obj()
    } else if TYPES.is_view(ty) || ty == TYPES.inner.ptr() {
        // SAFETY: every object of these types is a ViewCData, whose owner is alive.
        let owner = unsafe { (*std::ptr::from_ref(parent).cast::<ViewCData>()).owner };
        // SAFETY: as above.
        if unsafe { ffi::Py_TYPE(owner) } != TYPES.owning.ptr() {
            // SAFETY: as above.
            let is_buffer = unsafe { as_cdata(owner) }.is_some_and(is_buffer);
            if !is_buffer {
                return new_plain(ctype, data, length);
            }
            // SAFETY: a live object.
            return new_view(ctype, data, length, unsafe { Ref::borrow(owner) });
        }
        owner
    } else {
        return new_plain(ctype, data, length);
    };
    // SAFETY: a live object.
    new_viewing(&TYPES.inner, ctype, data, length, unsafe {
        Ref::borrow(owner)
    })
}

/// Whether it is `ffi.from_buffer()`'s, locked or released: what shows a part of it keeps the buffer.
pub fn is_buffer(cdata: &CData) -> bool {
    matches!(
        cdata.resource(),
        Some(Resource::Buffer(_) | Resource::Released { buffer: true, .. })
    )
}

/// A cdata over memory of `owner`, which it keeps alive.
pub fn new_view(ctype: &CType, data: *mut u8, length: isize, owner: Ref) -> Res<Ref<CData>> {
    let resource = crate::object::CData::of(owner.live()).and_then(CData::resource);
    let ty = match resource {
        None => &TYPES.view,
        Some(Resource::Buffer(_) | Resource::Released { buffer: true, .. }) => {
            &TYPES.view_of_buffer
        }
        Some(_) => &TYPES.view_of_allocated,
    };
    new_viewing(ty, ctype, data, length, owner)
}

/// A view of what `owner` owns inside of itself. A call of its own: reading plain items beside it keeps its registers.
#[inline(never)]
pub fn new_view_of_owning(
    ctype: &CType,
    data: *mut u8,
    length: isize,
    owner: &CData,
) -> Res<Ref<CData>> {
    // SAFETY: a live object.
    let owner = unsafe { Ref::borrow(owner.obj()) };
    new_viewing(&TYPES.view, ctype, data, length, owner)
}

#[inline(always)]
fn new_viewing(
    ty: &StaticType,
    ctype: &CType,
    data: *mut u8,
    length: isize,
    owner: Ref,
) -> Res<Ref<CData>> {
    // SAFETY: as in new_plain.
    unsafe {
        let memory = block::take().cast::<ViewCData>();
        if memory.is_null() {
            return Err(no_memory());
        }
        ty.init(memory.cast());
        fill(memory.cast(), ctype, data, length);
        std::ptr::addr_of_mut!((*memory).owner).write(owner.into_ptr());
        Ref::steal(memory.cast())
    }
}

/// A cdata with a resource.
///
/// Inlined: which resource it is decides the type, and a call would have to put it into memory to say so.
#[inline(always)]
pub fn new_managed(
    ctype: &CType,
    data: *mut u8,
    length: isize,
    resource: Resource,
) -> Res<Ref<CData>> {
    let ty = TYPES.of_resource(&resource, ctype);
    new_managed_of(ty, ctype, data, length, || resource)
}

/// The cdata that holds a handle's object.
#[inline(always)]
pub fn new_handle(ctype: &CType, address: *mut u8, object: Live) -> Res<Ref<CData>> {
    new_managed_of(&TYPES.managed, ctype, address, -1, || {
        Resource::Handle(object.to_ref())
    })
}

/// `resource` is asked when there is memory for it: one that exists before would be copied, and it is large.
#[inline(always)]
fn new_managed_of(
    ty: &StaticType,
    ctype: &CType,
    data: *mut u8,
    length: isize,
    resource: impl FnOnce() -> Resource,
) -> Res<Ref<CData>> {
    // SAFETY: as in new_plain; tracked only when every field is written.
    unsafe {
        let object = ffi::PyObject_GC_New::<ManagedCData>(ty.ptr());
        if object.is_null() {
            return Err(no_memory());
        }
        fill(object.cast(), ctype, data, length);
        std::ptr::addr_of_mut!((*object).resource).write(resource());
        ffi::PyObject_GC_Track(object.cast());
        Ref::steal(object.cast())
    }
}

fn is_pointer_to_record(ctype: &CType) -> bool {
    ctype.kind == Kind::Pointer && ctype.item().is_record()
}

/// The MemoryError of a cdata that there is no memory for, set on this thread.
#[cold]
pub fn no_memory() -> Raised {
    raise!(MemoryError, "out of memory for a cdata")
}
