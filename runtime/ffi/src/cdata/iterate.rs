//! Iteration over array cdata.

use std::sync::atomic::{AtomicIsize, Ordering};

use pyo3::ffi;

use crate::convert::{Lvalue, read};
use crate::ctype::{Code, Kind};
use crate::object::{CData, Resource, TYPES, new_inner, released};
use crate::py::{Obj, Ref, Res, StaticType, guard, guard_unit, make};
use crate::raise;

static ITERATOR_TYPE: StaticType = StaticType::new();

/// An iterator: keeps its array alive.
#[repr(C)]
struct Iterator {
    ob_base: crate::py::Head,
    array: Option<Ref<CData>>,
    next: isize,
}

/// Makes the type ready.
pub(super) fn ready() -> Res<()> {
    // SAFETY: module initialisation; the slots fit an Iterator.
    unsafe {
        ITERATOR_TYPE.ready(ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION, |ty| {
            ty.tp_name = c"_cffi_backend.__CData_iterator".as_ptr();
            ty.tp_basicsize = size_of::<Iterator>() as ffi::Py_ssize_t;
            ty.tp_dealloc = Some(dealloc);
            ty.tp_iter = Some(ffi::PyObject_SelfIter);
            ty.tp_iternext = Some(next);
        })
    }
}

/// The body of tp_iter.
pub(super) fn iterate(cdata: &CData) -> Res<Ref> {
    if cdata.ctype().kind != Kind::Array {
        return Err(raise!(
            TypeError,
            "cdata '{}' does not support iteration",
            cdata.ctype().name
        ));
    }
    if let Some(Resource::Released { .. }) = cdata.resource() {
        return Err(released(cdata));
    }
    // SAFETY: fresh memory of the type's size, filled before anyone sees it; `cdata` is a live object.
    unsafe {
        let memory = ffi::PyObject_Malloc(size_of::<Iterator>()).cast::<Iterator>();
        if memory.is_null() {
            return Err(crate::object::no_memory());
        }
        ITERATOR_TYPE.init(memory.cast());
        let array = Ref::borrow(std::ptr::from_ref(cdata).cast_mut());
        std::ptr::addr_of_mut!((*memory).array).write(Some(array));
        std::ptr::addr_of_mut!((*memory).next).write(0);
        Ref::steal(memory.cast())
    }
}

/// tp_dealloc of iterators.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn dealloc(object: Obj) {
    guard_unit(|| {
        // SAFETY: called once, with the last reference gone.
        unsafe {
            std::ptr::drop_in_place(std::ptr::addr_of_mut!((*object.cast::<Iterator>()).array));
            ffi::PyObject_Free(object.cast());
        }
    });
}

/// tp_iternext of iterators.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn next(object: Obj) -> Obj {
    // SAFETY: a live iterator, by the slot's contract; its place is only read and written so.
    let (array, place) = unsafe {
        let iterator = object.cast::<Iterator>();
        let place = AtomicIsize::from_ptr(&raw mut (*iterator).next);
        (&(*iterator).array, place)
    };
    // NULL without an exception is the end. On a free-threaded Python two threads may take the same item, never one beyond
    // the end.
    let Some(array) = array else {
        return std::ptr::null_mut();
    };
    let index = place.load(Ordering::Relaxed);
    if index >= array.array_length() {
        return std::ptr::null_mut();
    }
    place.store(index + 1, Ordering::Relaxed);
    if array.data().is_null() || TYPES.can_be_released(array.python_type()) {
        return next_of_any(array, index);
    }
    let item = Lvalue::in_cdata(array).first().nth(index);
    let made = match item.code() {
        Code::I32 => make::int_from_long(item.get::<i32>().into()),
        Code::I64 => make::int_from_i64(item.get()),
        Code::U8 => make::int_from_long(item.get::<u8>().into()),
        Code::F64 => make::float(item.get()),
        _ => return next_of_any(array, index),
    };
    made.map_or(std::ptr::null_mut(), Ref::into_ptr)
}

/// The item at an index below the length.
#[inline(never)]
fn next_of_any(array: &CData, index: isize) -> Obj {
    guard(|| {
        if array.data().is_null() {
            return Err(crate::object::null_dereference(array));
        }
        array.check_live()?;
        let item = Lvalue::in_cdata(array).first().nth(index);
        if item.ctype().is_aggregate() {
            return Ok(new_inner(item.ctype(), item.data(), -1, array)?.into_obj());
        }
        read(item)
    })
}
