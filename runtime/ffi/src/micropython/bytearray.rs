//! A bytearray over memory that is not its own: what `uctypes.bytearray_at`, `ffi.as_bytearray` and byte arrays in
//! structs give.
//!
//! It is a real `bytearray` (a subtype whose memory points elsewhere), so that everything which takes one takes it. It
//! is marked as exported, as while a memoryview exists: CPython then refuses to resize it, with BufferError.

use std::ffi::c_int;

use pyo3::ffi;

use super::value;
use crate::py::{
    END_OF_METHODS, Live, Methods, Obj, Ref, Res, StaticType, guard, guard_unit, keywords,
};
use crate::raise;

static BYTEARRAY_TYPE: StaticType = StaticType::new();

#[repr(C)]
struct ByReference {
    base: ffi::PyByteArrayObject,
    /// Whose memory it is, where that is known: kept alive. NULL otherwise.
    owner: Obj,
}

struct Number(std::cell::UnsafeCell<std::mem::MaybeUninit<ffi::PyNumberMethods>>);

// SAFETY: written once, during module initialisation; read by CPython afterwards.
unsafe impl Sync for Number {}

static NUMBER: Number = Number(std::cell::UnsafeCell::new(std::mem::MaybeUninit::zeroed()));

static METHODS: Methods<2> = Methods::new([
    keywords(
        c"__reduce_ex__",
        reduce,
        c"Copies and pickles are bytearrays with memory of their own.",
    ),
    END_OF_METHODS,
]);

/// Makes the type ready.
pub(super) fn ready() -> Res<()> {
    // SAFETY: module initialisation; the slots fit a ByReference, whose head is a bytearray.
    unsafe {
        let number = NUMBER.0.get().cast::<ffi::PyNumberMethods>();
        // CPython's parsers of a bytearray rely on the NUL behind its own memory.
        (*number).nb_int = Some(to_int);
        (*number).nb_float = Some(to_float);
        BYTEARRAY_TYPE.ready(ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION, |ty| {
            ty.tp_name = c"bytearray".as_ptr();
            ty.tp_doc = c"A bytearray over memory of C's. It cannot change its size.".as_ptr();
            ty.tp_base = &raw mut ffi::PyByteArray_Type;
            ty.tp_basicsize = size_of::<ByReference>() as ffi::Py_ssize_t;
            ty.tp_as_number = number;
            ty.tp_methods = METHODS.ptr();
            ty.tp_dealloc = Some(dealloc);
            ty.tp_init = Some(init);
        })
    }
}

/// A bytearray over `size` bytes at `data`. `owner`, which may be NULL, is kept alive.
///
/// # Safety
/// `owner` is NULL or live. That the memory is there is the word of the program.
pub(super) unsafe fn new(data: *mut u8, size: usize, owner: Obj) -> Res<Ref> {
    if data.is_null() && size > 0 {
        return Err(raise!(ValueError, "NULL pointer"));
    }
    // SAFETY: the type is ready; a fresh object, whose fields are those of an empty bytearray until they are set.
    unsafe {
        let object: Ref<ByReference> =
            Ref::steal(ffi::PyType_GenericAlloc(BYTEARRAY_TYPE.ptr(), 0).cast())?;
        let raw = object.as_ptr();
        (*raw).base.ob_exports = 1;
        if size > 0 {
            (*raw).base.ob_start = data.cast();
            (*raw).base.ob_alloc = size as ffi::Py_ssize_t;
            (*raw).base.ob_base.ob_size = size as ffi::Py_ssize_t;
        }
        ffi::Py_XINCREF(owner);
        (*raw).owner = owner;
        Ok(object.into_obj())
    }
}

/// `bytearray_at(pointer, size)`: of int arguments.
pub(super) fn at(pointer: Live, size: Live) -> Res<Ref> {
    // SAFETY: the arguments are live.
    unsafe {
        let data = value::address(pointer)?;
        let size = size_argument(size)?;
        let owner = super::uctypes::owner_of(pointer)?;
        new(
            data,
            size,
            owner.as_ref().map_or(std::ptr::null_mut(), Ref::obj),
        )
    }
}

/// A size in an int argument.
pub(super) fn size_argument(value: Live) -> Res<usize> {
    let size = value::truncated(value)? as i64;
    match usize::try_from(size) {
        Ok(size) if isize::try_from(size).is_ok() => Ok(size),
        _ => Err(raise!(ValueError, "size must not be negative, got {size}")),
    }
}

/// tp_dealloc of the type.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn dealloc(object: Obj) {
    guard_unit(|| {
        // SAFETY: called once, with the last reference gone; the base type frees the object, which owns no memory.
        unsafe {
            let raw = object.cast::<ByReference>();
            (*raw).base.ob_exports = 0;
            (*raw).base.ob_bytes = std::ptr::null_mut();
            (*raw).base.ob_start = std::ptr::null_mut();
            (*raw).base.ob_base.ob_size = 0;
            let owner = (*raw).owner;
            let plain = &raw mut ffi::PyByteArray_Type;
            if let Some(dealloc) = (*plain).tp_dealloc {
                dealloc(object);
            }
            ffi::Py_XDECREF(owner);
        }
    });
}

/// `__init__` would fill a bytearray anew.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn init(_object: Obj, _args: Obj, _kwargs: Obj) -> c_int {
    guard(|| -> Res<()> {
        Err(raise!(
            BufferError,
            "a bytearray over C's memory cannot be re-sized"
        ))
    })
}

/// The same bytes in memory of their own.
fn copied(object: Live) -> Res<Ref> {
    // SAFETY: live.
    unsafe { Ref::steal(ffi::PyBytes_FromObject(object.ptr())) }
}

/// nb_int of the type.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn to_int(object: Obj) -> Obj {
    // SAFETY: live objects.
    guard(|| unsafe {
        Ref::<ffi::PyObject>::steal(ffi::PyNumber_Long(copied(Live::new(object))?.obj()))
    })
}

/// nb_float of the type.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn to_float(object: Obj) -> Obj {
    // SAFETY: live objects.
    guard(|| unsafe {
        Ref::<ffi::PyObject>::steal(ffi::PyNumber_Float(copied(Live::new(object))?.obj()))
    })
}

/// `reduce()`
///
/// # Safety
/// Called by Python, as a method.
unsafe extern "C" fn reduce(object: Obj, _args: *const Obj, _count: isize, _names: Obj) -> Obj {
    guard(|| {
        // SAFETY: live objects; the tuples take references of their own.
        unsafe {
            let bytes = copied(Live::new(object))?;
            let arguments: Ref = Ref::steal(ffi::PyTuple_Pack(1, bytes.obj()))?;
            Ref::<ffi::PyObject>::steal(ffi::PyTuple_Pack(
                2,
                (&raw mut ffi::PyByteArray_Type).cast::<ffi::PyObject>(),
                arguments.obj(),
            ))
        }
    })
}
