//! Iteration over array cdata.

use pyo3::ffi;

use crate::convert::{get, read};
use crate::ctype::{CType, Code, Kind};
use crate::object::{CData, Resource, TYPES, new_inner, released};
use crate::py::{Obj, Ref, Res, StaticType, guard, guard_unit};
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
    // SAFETY: a live iterator, by the slot's contract. NULL without an exception is the end. On a free-threaded Python
    // two threads may take the same item, never one beyond the end.
    unsafe {
        let iterator = object.cast::<Iterator>();
        let Some(array) = &(*iterator).array else {
            return std::ptr::null_mut();
        };
        let place = std::sync::atomic::AtomicIsize::from_ptr(&raw mut (*iterator).next);
        let index = place.load(std::sync::atomic::Ordering::Relaxed);
        if index >= array.array_length() {
            return std::ptr::null_mut();
        }
        place.store(index + 1, std::sync::atomic::Ordering::Relaxed);
        let item = array.ctype().item();
        let data = array.data();
        if !data.is_null() && !TYPES.can_be_released(array.python_type()) {
            // The pointer is returned as it is: it can only fail for want of memory, and is NULL then.
            match item.code {
                Code::I32 => {
                    return ffi::PyLong_FromLong(get::<i32>(data.offset(index * 4)).into());
                }
                Code::I64 => {
                    return ffi::PyLong_FromLongLong(get::<i64>(data.offset(index * 8)));
                }
                Code::U8 => return ffi::PyLong_FromLong(get::<u8>(data.offset(index)).into()),
                Code::F64 => {
                    return ffi::PyFloat_FromDouble(get::<f64>(data.offset(index * 8)));
                }
                _ => {}
            }
        }
        next_of_any(array, item, index)
    }
}

/// The item at an index below the length.
#[inline(never)]
fn next_of_any(array: &CData, item: &CType, index: isize) -> Obj {
    guard(|| {
        if array.data().is_null() {
            return Err(crate::object::null_dereference(array));
        }
        array.check_live()?;
        // SAFETY: the index is below the array's length.
        unsafe {
            let data = array.data().offset(index * item.size());
            if item.is_aggregate() {
                return Ok(new_inner(item, data, -1, array)?.into_obj());
            }
            read(item, data)
        }
    })
}
