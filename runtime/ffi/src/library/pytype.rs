//! The Python type of `lib` objects.

use std::ffi::{c_int, c_void};

use pyo3::ffi;

use super::find::Which;
use super::{LIB_TYPE, Lib, function, variable};
use crate::py::{
    END_OF_METHODS, Live, Methods, Obj, Ref, Res, guard, guard_unit, no_arguments, simple, slot,
    str_from,
};

static METHODS: Methods<2> = Methods::new([
    simple(
        c"__dir__",
        no_arguments!(Lib, dir),
        ffi::METH_NOARGS,
        c"The declared names.",
    ),
    END_OF_METHODS,
]);

/// Makes the types of the `library` module ready.
pub fn ready() -> Res<()> {
    variable::ready()?;
    function::ready()?;
    // SAFETY: module initialisation; the slots fit a Lib.
    unsafe {
        LIB_TYPE.ready(
            ffi::Py_TPFLAGS_HAVE_GC | ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION,
            |ty| {
                ty.tp_name = c"_cffi_backend.Lib".as_ptr();
                ty.tp_basicsize = size_of::<Lib>() as ffi::Py_ssize_t;
                ty.tp_weaklistoffset = std::mem::offset_of!(Lib, weakrefs) as ffi::Py_ssize_t;
                ty.tp_dealloc = Some(dealloc);
                ty.tp_traverse = Some(traverse);
                ty.tp_clear = Some(clear);
                ty.tp_repr = Some(slot!(repr, (&Lib) -> Obj));
                ty.tp_getattro = Some(slot!(Lib::get_attribute, (&Lib, Live) -> Obj));
                ty.tp_setattro =
                    Some(slot!(Lib::set_attribute, (&Lib, Live, Option<Live>) -> c_int));
                ty.tp_methods = METHODS.ptr();
            },
        )
    }
}

fn dir(lib: &Lib) -> Res<Ref> {
    lib.name_list(Which::All)
}

fn repr(lib: &Lib) -> Res<Ref> {
    str_from(&format!("<Lib object for '{}'>", lib.name))
}

/// tp_traverse of the type.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn traverse(object: Obj, visit: ffi::visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live lib, by tp_traverse's contract.
    unsafe {
        let lib = Live::new(object).cast::<Lib>();
        let kept = lib
            .ffi
            .with(|kept| kept.as_ref().map_or(std::ptr::null_mut(), Ref::obj));
        if !kept.is_null() {
            let stop = visit(kept, arg);
            if stop != 0 {
                return stop;
            }
        }
        let found = lib.found.get();
        if found.is_null() {
            0
        } else {
            visit(found, arg)
        }
    }
}

/// tp_clear of the type.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn clear(object: Obj) -> c_int {
    guard(|| {
        // SAFETY: a live lib; the dict is given up once.
        unsafe {
            let lib = Live::new(object).cast::<Lib>();
            lib.recent.clear();
            let kept = lib.ffi.with(Option::take);
            drop(kept);
            let found = lib.found.replace(std::ptr::null_mut());
            ffi::Py_XDECREF(found);
        }
        Ok(())
    })
}

/// tp_dealloc of the type.
///
/// # Safety
/// Called by Python, through the slot of the type.
unsafe extern "C" fn dealloc(object: Obj) {
    guard_unit(|| {
        // SAFETY: called once, with the last reference gone.
        unsafe {
            ffi::PyObject_GC_UnTrack(object.cast());
            let lib = object.cast::<Lib>();
            if !(*lib).weakrefs.is_null() {
                ffi::PyObject_ClearWeakRefs(object);
            }
            (*lib).recent.clear();
            ffi::Py_XDECREF((*lib).found.get());
            std::ptr::drop_in_place(&raw mut (*lib).kept);
            std::ptr::drop_in_place(&raw mut (*lib).ffi);
            std::ptr::drop_in_place(&raw mut (*lib).scope);
            // Closes the library, if it is ours to close.
            std::ptr::drop_in_place(&raw mut (*lib).source);
            std::ptr::drop_in_place(&raw mut (*lib).name);
            std::ptr::drop_in_place(&raw mut (*lib).module);
            ffi::PyObject_GC_Del(object.cast());
        }
    });
}
