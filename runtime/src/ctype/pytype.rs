//! The Python type of ctypes: attributes, repr, garbage collection.

use pyo3::ffi;

use super::{CTYPE_TYPE, CType, Details, intern};
use crate::py::{Obj, Res, guard, guard_unit, str_from};

/// Makes the type ready.
pub fn ready() -> Res<()> {
    // SAFETY: module initialisation; the slots fit a CType.
    unsafe {
        CTYPE_TYPE.ready(ffi::Py_TPFLAGS_HAVE_GC, |ty| {
            ty.tp_name = c"_cffi_backend.CType".as_ptr();
            ty.tp_basicsize = size_of::<CType>() as ffi::Py_ssize_t;
            ty.tp_weaklistoffset = std::mem::offset_of!(CType, weakrefs) as ffi::Py_ssize_t;
            ty.tp_dealloc = Some(dealloc);
            ty.tp_traverse = Some(traverse);
            ty.tp_repr = Some(repr);
        })
    }
}

unsafe extern "C" fn dealloc(object: Obj) {
    guard_unit(|| {
        // SAFETY: called once, by the interpreter, with the last reference gone. Weak references go first, so that
        // the tables' entries are dead when the type takes itself out.
        unsafe {
            ffi::PyObject_GC_UnTrack(object.cast());
            let ctype = object.cast::<CType>();
            if !(*ctype).weakrefs.is_null() {
                ffi::PyObject_ClearWeakRefs(object);
            }
            intern::forget(&*ctype);
            std::ptr::drop_in_place(std::ptr::addr_of_mut!((*ctype).item));
            std::ptr::drop_in_place(std::ptr::addr_of_mut!((*ctype).name));
            std::ptr::drop_in_place(std::ptr::addr_of_mut!((*ctype).details));
            ffi::PyObject_GC_Del(object.cast());
        }
    });
}

unsafe extern "C" fn traverse(
    object: Obj,
    visit: ffi::visitproc,
    arg: *mut std::ffi::c_void,
) -> std::ffi::c_int {
    // SAFETY: a live ctype, by tp_traverse's contract; nothing here makes or frees objects.
    unsafe {
        let ctype = &*object.cast::<CType>();
        if let Some(item) = &ctype.item {
            let stop = visit(item.obj(), arg);
            if stop != 0 {
                return stop;
            }
        }
        match &ctype.details {
            Details::Record(_, cell) => {
                cell.get().map_or(0, |details| details.traverse(visit, arg))
            }
            Details::Function(function) => {
                for one in function.params.iter().chain([&function.result]) {
                    let stop = visit(one.obj(), arg);
                    if stop != 0 {
                        return stop;
                    }
                }
                0
            }
            _ => 0,
        }
    }
}

unsafe extern "C" fn repr(object: Obj) -> Obj {
    // SAFETY: a live ctype, by the slot's contract.
    guard(|| {
        str_from(&format!(
            "<ctype '{}'>",
            unsafe { &*object.cast::<CType>() }.name
        ))
    })
}
