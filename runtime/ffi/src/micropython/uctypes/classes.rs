//! Classes that are made at run time: the int that `addressof` gives, and the exception for a missing field.

use std::ffi::CStr;
use std::sync::OnceLock;

use pyo3::ffi;

use crate::py::{Live, Obj, Raised, Ref, Res};
use crate::raise;

/// Classes that are made at run time.
pub(super) struct Classes {
    /// The int that `addressof` gives: it keeps the object alive whose address it is, and so do structs and bytearrays
    /// that are made from it. MicroPython's garbage collector sees addresses; this is what CPython has instead.
    pub(super) address: Ref,
    /// What a missing field raises: MicroPython's KeyError, which is also the AttributeError that hasattr() and
    /// getattr() with a default want.
    pub(super) no_field: Ref,
}

static CLASSES: OnceLock<Classes> = OnceLock::new();

/// `class name(*bases)`, which shows itself as the built-in of that name.
fn class(name: &CStr, bases: &[Obj]) -> Res<Ref> {
    // SAFETY: C strings and live classes; Py_BuildValue's formats fit its arguments.
    unsafe {
        let tuple: Ref = Ref::steal(ffi::PyTuple_New(bases.len() as ffi::Py_ssize_t))?;
        for (index, base) in bases.iter().enumerate() {
            let base: Ref = Ref::borrow(*base);
            ffi::PyTuple_SET_ITEM(tuple.obj(), index as ffi::Py_ssize_t, base.into_ptr());
        }
        Ref::steal(ffi::PyObject_CallFunction(
            (&raw mut ffi::PyType_Type).cast(),
            c"sO{ss}".as_ptr(),
            name.as_ptr(),
            tuple.obj(),
            c"__module__".as_ptr(),
            c"builtins".as_ptr(),
        ))
    }
}

pub(super) fn classes() -> Res<&'static Classes> {
    CLASSES
        .get()
        .ok_or_else(|| raise!(SystemError, "uctypes is not ready"))
}

/// KeyError for a field that is not there.
#[cold]
pub(super) fn raise_no_field<T>(name: Live) -> Res<T> {
    // SAFETY: live objects.
    unsafe { ffi::PyErr_SetObject(classes()?.no_field.obj(), name.ptr()) };
    Err(Raised::already())
}

pub(super) const OWNER: &CStr = c"_owner";

/// The object whose address it is, for an address that `addressof()` gave.
pub(crate) fn owner_of(address: Live) -> Res<Option<Ref>> {
    // SAFETY: `address` is live.
    unsafe {
        if ffi::Py_TYPE(address.ptr()).cast() != classes()?.address.obj() {
            return Ok(None);
        }
        let owner = ffi::PyObject_GetAttrString(address.ptr(), OWNER.as_ptr());
        if owner.is_null() {
            Raised::already().clear_if(crate::exception!(AttributeError))?;
            return Ok(None);
        }
        Ref::steal(owner).map(Some)
    }
}

/// Makes them.
pub(super) fn make() -> Res<()> {
    if CLASSES.get().is_none() {
        // SAFETY: classes of libpython.
        let classes = unsafe {
            Classes {
                address: class(c"int", &[(&raw mut ffi::PyLong_Type).cast()])?,
                no_field: class(
                    c"KeyError",
                    &[ffi::PyExc_KeyError, ffi::PyExc_AttributeError],
                )?,
            }
        };
        let _ = CLASSES.set(classes);
    }
    Ok(())
}
