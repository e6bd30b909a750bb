//! Bound methods that are kept.
//!
//! A module that says `from NAME import ffi` at its top gets no LOAD_METHOD for `ffi.string(...)` from CPython's
//! compiler: the bound method is made and freed at each call. So the `ffi` of a plugin keeps those that were asked for.

use pyo3::ffi;

use super::state::Cell;
use super::{COMPILED_TYPE, FfiObject};
use crate::py::{Live, NameTable, Obj, Ref};

/// tp_getattro of compiled FFI objects.
///
/// # Safety
/// Called by Python, through the slot of the type.
pub unsafe extern "C" fn get_attribute(object: Obj, name: Obj) -> Obj {
    // SAFETY: a slot of the compiled type: `object` is an FfiObject; the names are live strs.
    unsafe {
        if cfg!(Py_GIL_DISABLED) {
            return ffi::PyObject_GenericGetAttr(object, name);
        }
        let cell = &(*object.cast::<FfiObject>()).bound;
        let found = cell.with(|bound| bound.table.as_ref()?.get(name).copied());
        match found {
            Some(method) => Ref::borrow(method).into_ptr(),
            None => find(object, name, cell),
        }
    }
}

/// [`get_attribute`] of a name that was not asked for lately.
///
/// # Safety
/// `object` is a live compiled FFI, `cell` its own; `name` is live.
#[inline(never)]
unsafe fn find(object: Obj, name: Obj, cell: &Cell) -> Obj {
    // SAFETY: as in `get_attribute`.
    unsafe {
        let attribute = ffi::PyObject_GenericGetAttr(object, name);
        // Only names that stand in code are kept: those are interned, so their addresses stay and are few. An instance of a
        // subclass is left out, because it has attributes of its own.
        if !attribute.is_null()
            && COMPILED_TYPE.is_exactly(object)
            && ffi::PyCFunction_CheckExact(attribute) != 0
            && is_interned(Live::new(name))
        {
            let pair = (Ref::borrow(name), Ref::borrow(attribute));
            cell.with(|bound| {
                bound.kept.push(pair);
                let pairs = bound.kept.iter();
                bound.table = Some(NameTable::new(
                    pairs.map(|(name, method)| (name.obj(), method.obj())),
                ));
            });
        }
        attribute
    }
}

fn is_interned(name: Live) -> bool {
    // SAFETY: PyUnicode_InternInPlace takes over a reference and gives one to the interned str of the same text. If that is
    // the same object, the name is interned.
    unsafe {
        if ffi::PyUnicode_CheckExact(name.ptr()) == 0 {
            return false;
        }
        let mut interned = name.to_ref().into_ptr();
        ffi::PyUnicode_InternInPlace(&mut interned);
        let same = interned == name.ptr();
        ffi::Py_DECREF(interned);
        same
    }
}
