//! Modules.

use std::ffi::CStr;

use pyo3::ffi;

use super::capi;
use super::{Live, Raised, Ref, Res, import};

/// Sets an attribute of a module.
pub fn add(module: &Ref, name: &CStr, value: &Ref) -> Res<()> {
    let (module, value) = (module.live(), value.live());
    Raised::if_negative(capi::PyModule_AddObjectRef(module, name.into(), value))
}

/// An `importlib.machinery.ModuleSpec`. `place` becomes `__file__`; `search` (a list) makes a package. The GIL is held.
pub fn make_spec(name: &Ref, loader: &Ref, place: Option<&Ref>, search: Option<&Ref>) -> Res<Ref> {
    // importlib's frozen part is always imported.
    let machinery = import(c"_frozen_importlib")?;
    let class = machinery.live().attribute(c"ModuleSpec")?;
    let spec = class.live().call_with_all([name.live(), loader.live()])?;
    if let Some(place) = place {
        spec.live().set_attribute(c"origin", place.live())?;
        spec.live()
            .set_attribute(c"has_location", Live::bool(true))?;
    }
    if let Some(search) = search {
        spec.live()
            .set_attribute(c"submodule_search_locations", search.live())?;
    }
    Ok(spec)
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
    let function = import(module)?.live().attribute(function)?;
    let (all, count) = (arguments.as_ptr(), arguments.len());
    // SAFETY: the GIL is held; live objects, and as many as the slice has.
    unsafe {
        let none = std::ptr::null_mut();
        Ref::steal(ffi::PyObject_Vectorcall(function.obj(), all, count, none))
    }
}
