//! A plugin's Python objects, and where `import` finds them.

use std::ffi::CStr;
use std::sync::Mutex;

use pyo3::ffi;

use super::made::when_made;
use super::plugin::{Objects, Plugin};
use super::{namespace, whose};
use keelback_ffi::ffi::FfiObject;
use keelback_ffi::library::Lib;
use keelback_ffi::py::{Raised, Ref, Res, str_from};

impl Plugin {
    pub(super) fn make_objects(&'static self) -> Res<()> {
        if let Some(objects) = self.objects.get() {
            if self.module().is_none() {
                let module = namespace::make(self, &objects.ffi, &objects.lib)?;
                *objects.module() = Some(module);
            }
            return Ok(());
        }
        put_into_sys_modules(
            c"keelback._runtime",
            &keelback_ffi::module::create(when_made)?,
        )?;
        // In a Python that we started the package `keelback` is always ours; in the process's own Python an installed one
        // comes first.
        keelback_ffi::package::install(whose::is_ours())?;
        let ffi = FfiObject::for_plugin(self.scope.clone(), Some(self))?.into_obj();
        // SAFETY: the record is as abi.rs says.
        let lib = unsafe { Lib::from_plugin(self.scope.clone(), self.record)? };
        lib.include(self.included.clone());
        let lib = lib.into_obj();
        let module = Mutex::new(Some(namespace::make(self, &ffi, &lib)?));
        let _ = self.objects.set(Objects { ffi, lib, module });
        if whose::is_main() {
            self.give_back_at_end()?;
        }
        Ok(())
    }

    /// `sys.modules[NAME]`, `sys.modules[NAME.lib]`, and the packages above a dotted name.
    pub(super) fn enter_sys_modules(&self) -> Res<()> {
        let (Some(objects), Some(module)) = (self.objects.get(), self.module()) else {
            return Ok(());
        };
        // SAFETY: the GIL is held; names are C strings.
        unsafe {
            let modules = ffi::PyImport_GetModuleDict();
            let lib_name = str_from(&format!("{}.lib", self.name))?;
            for (name, object) in [(str_from(&self.name)?, &module), (lib_name, &objects.lib)] {
                if std::ptr::eq(object, &raw const module) && !whose::is_main() {
                    // A sub-interpreter empties the modules in its `sys.modules` when it ends, and this one is the main
                    // interpreter's: `import` makes another one for it.
                    continue;
                }
                if ffi::PyObject_SetItem(modules, name.obj(), object.obj()) < 0 {
                    return Err(Raised::already());
                }
            }
            let mut child = (self.name.as_str(), module.clone());
            while let Some((parent, leaf)) = child.0.rsplit_once('.') {
                let package = package(parent)?;
                if ffi::PyObject_SetAttr(package.obj(), str_from(leaf)?.obj(), child.1.obj()) < 0 {
                    return Err(Raised::already());
                }
                child = (parent, package);
            }
        }
        Ok(())
    }

    /// Takes the module out of `sys.modules` again, and out of its package: as for an `import` that failed.
    pub(super) fn leave_sys_modules(&self) {
        self.leave_package();
        for name in [self.name.clone(), format!("{}.lib", self.name)] {
            // SAFETY: the GIL is held.
            let removed = str_from(&name).map(|name| unsafe {
                ffi::PyObject_DelItem(ffi::PyImport_GetModuleDict(), name.obj())
            });
            if !matches!(removed, Ok(0)) {
                // SAFETY: an exception is set: it was not there.
                unsafe { ffi::PyErr_Clear() };
            }
        }
    }

    /// Takes the module out of the package that a dotted name puts it in, if that is there.
    pub(super) fn leave_package(&self) {
        let Some((parent, leaf)) = self.name.rsplit_once('.') else {
            return;
        };
        let (Ok(parent), Ok(leaf)) = (str_from(parent), str_from(leaf)) else {
            // SAFETY: the GIL is held.
            return unsafe { ffi::PyErr_Clear() };
        };
        // SAFETY: the GIL is held; live strs. The package is a new reference, or NULL.
        unsafe {
            let package = ffi::PyImport_GetModule(parent.obj());
            if !package.is_null() {
                let package: Ref = Ref::borrow(package);
                ffi::Py_DECREF(package.obj());
                ffi::PyObject_SetAttr(package.obj(), leaf.obj(), std::ptr::null_mut());
            }
            // The attribute may be missing.
            ffi::PyErr_Clear();
        }
    }
}

/// A package that holds a plugin with a dotted name: the real one if it can be imported, else an empty one.
fn package(name: &str) -> Res<Ref> {
    // SAFETY: the GIL is held; names are live strs.
    unsafe {
        let name_object = str_from(name)?;
        let found = ffi::PyImport_Import(name_object.obj());
        if found.is_null() {
            Raised::already().clear_if(keelback_ffi::exception!(ImportError))?;
            let module = Ref::steal(ffi::PyModule_NewObject(name_object.obj()))?;
            keelback_ffi::py::module::add(&module, c"__path__", &Ref::steal(ffi::PyList_New(0))?)?;
            if ffi::PyObject_SetItem(
                ffi::PyImport_GetModuleDict(),
                name_object.obj(),
                module.obj(),
            ) < 0
            {
                return Err(Raised::already());
            }
            return Ok(module);
        }
        ffi::Py_DECREF(found);
        // PyImport_Import gives the module of the full name.
        Ref::steal(ffi::PyImport_GetModule(name_object.obj()))
    }
}

/// Python's import system remembers which directories were not there, and what was in those that were.
pub(super) fn forget_missing_directories() {
    // SAFETY: the GIL is held; names are C strings.
    let done: Res<Ref> = unsafe {
        keelback_ffi::py::import(c"importlib").and_then(|module: Ref| {
            Ref::steal(ffi::PyObject_CallMethod(
                module.obj(),
                c"invalidate_caches".as_ptr(),
                std::ptr::null(),
            ))
        })
    };
    if let Err(raised) = done {
        raised.clear();
    }
}

fn put_into_sys_modules(name: &CStr, module: &Ref) -> Res<()> {
    // SAFETY: the GIL is held.
    unsafe {
        let modules = ffi::PyImport_GetModuleDict();
        if ffi::PyDict_SetItemString(modules, name.as_ptr(), module.obj()) < 0 {
            return Err(Raised::already());
        }
    }
    Ok(())
}
