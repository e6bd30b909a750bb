//! verify: API mode without a module of its own. The work is done in Python, by `keelback._verify`.

use pyo3::ffi;

use super::this;
use crate::py::{Obj, Ref, guard, none, str_from};

/// The texts and packings of all cdefs, for the C compiler.
pub unsafe extern "C" fn cdefs(object: Obj, _none: Obj) -> Obj {
    guard(|| {
        // SAFETY: a method of an FFI object; a fresh list, whose places are filled before anyone sees it.
        unsafe {
            let cdefs = this(object).cdefs.with(|cdefs| cdefs.clone());
            let list: Ref = Ref::steal(ffi::PyList_New(cdefs.len() as isize))?;
            for (index, (text, packing)) in cdefs.iter().enumerate() {
                let packing = match packing {
                    Some(packing) => Ref::steal(ffi::PyLong_FromLong((*packing).into()))?,
                    None => none(),
                };
                let pair = Ref::<ffi::PyObject>::steal(ffi::PyTuple_Pack(
                    2,
                    str_from(text)?.obj(),
                    packing.obj(),
                ))?;
                ffi::PyList_SET_ITEM(list.obj(), index as isize, pair.into_ptr());
            }
            Ok(list)
        }
    })
}

/// `keelback._verify.verify(ffi, *args, **kwargs)`
pub unsafe extern "C" fn verify(object: Obj, args: Obj, kwargs: Obj) -> Obj {
    guard(|| {
        // SAFETY: a method of an FFI object, with a tuple and NULL or a dict.
        unsafe {
            let module = Ref::<ffi::PyObject>::steal(ffi::PyImport_ImportModule(
                c"keelback._verify".as_ptr(),
            ))?;
            let function = Ref::<ffi::PyObject>::steal(ffi::PyObject_GetAttrString(
                module.obj(),
                c"verify".as_ptr(),
            ))?;
            let first = Ref::<ffi::PyObject>::steal(ffi::PyTuple_Pack(1, object))?;
            let all = Ref::<ffi::PyObject>::steal(ffi::PySequence_Concat(first.obj(), args))?;
            Ref::<ffi::PyObject>::steal(ffi::PyObject_Call(function.obj(), all.obj(), kwargs))
        }
    })
}
