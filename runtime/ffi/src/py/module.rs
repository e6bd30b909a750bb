//! Modules.

use std::ffi::CStr;

use pyo3::ffi;

use super::{Raised, Ref, Res};

/// Sets an attribute of a module.
pub fn add(module: &Ref, name: &CStr, value: &Ref) -> Res<()> {
    // SAFETY: the references keep both objects alive; the module takes a reference of its own.
    if unsafe { ffi::PyModule_AddObjectRef(module.obj(), name.as_ptr(), value.obj()) } < 0 {
        return Err(Raised::already());
    }
    Ok(())
}

/// An `importlib.machinery.ModuleSpec`. `place` becomes `__file__`; `search` (a list) makes a package. The GIL is held.
pub fn make_spec(name: &Ref, loader: &Ref, place: Option<&Ref>, search: Option<&Ref>) -> Res<Ref> {
    // SAFETY: the GIL is held; objects are live. importlib's frozen part is always imported.
    unsafe {
        let machinery: Ref = Ref::steal(ffi::PyImport_ImportModule(c"_frozen_importlib".as_ptr()))?;
        let spec: Ref = Ref::steal(ffi::PyObject_CallMethod(
            machinery.obj(),
            c"ModuleSpec".as_ptr(),
            c"OO".as_ptr(),
            name.obj(),
            loader.obj(),
        ))?;
        let set = |name: &CStr, value: super::Obj| {
            if ffi::PyObject_SetAttrString(spec.obj(), name.as_ptr(), value) < 0 {
                return Err(Raised::already());
            }
            Ok(())
        };
        if let Some(place) = place {
            set(c"origin", place.obj())?;
            set(c"has_location", ffi::Py_True())?;
        }
        if let Some(search) = search {
            set(c"submodule_search_locations", search.obj())?;
        }
        Ok(spec)
    }
}

/// Makes a module with these functions.
pub fn new(name: &CStr, doc: &CStr, functions: *mut ffi::PyMethodDef) -> Res<Ref> {
    // SAFETY: C strings and a static table of functions.
    unsafe {
        let module: Ref = Ref::steal(ffi::PyModule_New(name.as_ptr()))?;
        if ffi::PyModule_AddFunctions(module.obj(), functions) < 0
            || ffi::PyModule_SetDocString(module.obj(), doc.as_ptr()) < 0
        {
            return Err(Raised::already());
        }
        Ok(module)
    }
}

/// Calls a function of a module, which is imported. The GIL is held.
pub fn call_function(module: &CStr, function: &CStr, arguments: &[super::Obj]) -> Res<Ref> {
    // SAFETY: the GIL is held; live objects, C strings.
    unsafe {
        let module: Ref = Ref::steal(ffi::PyImport_ImportModule(module.as_ptr()))?;
        let function: Ref =
            Ref::steal(ffi::PyObject_GetAttrString(module.obj(), function.as_ptr()))?;
        let tuple: Ref = Ref::steal(ffi::PyTuple_New(arguments.len() as isize))?;
        for (index, &argument) in arguments.iter().enumerate() {
            ffi::Py_INCREF(argument);
            if ffi::PyTuple_SetItem(tuple.obj(), index as isize, argument) < 0 {
                return Err(Raised::already());
            }
        }
        Ref::steal(ffi::PyObject_CallObject(function.obj(), tuple.obj()))
    }
}
