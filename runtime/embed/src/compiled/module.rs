//! The Python module of an extension module that CFFI compiled.

use std::cell::UnsafeCell;
use std::ffi::{CStr, c_char, c_void};
use std::sync::{Arc, OnceLock};

use pyo3::ffi;

use super::{exports, externs};
use crate::plugin::Plugin;
use keelback_ffi::ffi::FfiObject;
use keelback_ffi::ffi::attachment::ffi_and_lib_of;
use keelback_ffi::library::Lib;
use keelback_ffi::py::{Obj, Raised, Ref, Res, guard, intern, str_from};
use keelback_ffi::scope::{AnyTables, CompiledTables, Context, Scope};
use keelback_ffi::{exception, raise};

/// The versions that there are: CFFI 1.0 to 2.
const VERSIONS: std::ops::Range<isize> = 0x2601..0x2900;
/// The CFFI whose behaviour is followed: what its messages name.
const CFFI_VERSION: &str = "2.1.1";

/// What the module hands over.
#[repr(C)]
struct Raw {
    name: *const c_char,
    version: isize,
    exports: *mut *const c_void,
    context: *const Context,
}

/// `_cffi_backend._init_cffi_1_0_external_module(address)`
///
/// # Safety
/// Called by Python. An int is the address that a module which CFFI compiled gives.
pub unsafe extern "C" fn load(_module: Obj, argument: Obj) -> Obj {
    // SAFETY: what C passes to it.
    guard(|| unsafe {
        let raw = ffi::PyLong_AsVoidPtr(argument).cast::<Raw>();
        if raw.is_null() {
            if ffi::PyErr_Occurred().is_null() {
                return Err(raise!(SystemError, "the address of a module is needed"));
            }
            return Err(Raised::already());
        }
        load_raw(&*raw)
    })
}

/// Makes the module of a compiled library.
///
/// # Safety
/// `raw` is filled as CFFI's modules fill it: `name` is a C string, and it, `exports` and `context` point to static data
/// of the module, which is never unmapped. The GIL is held.
unsafe fn load_raw(raw: &Raw) -> Res<Ref> {
    // SAFETY: `name` is a C string (the caller's contract).
    let name = unsafe { CStr::from_ptr(raw.name) };
    let text = name.to_string_lossy();
    if !VERSIONS.contains(&raw.version) {
        return Err(raise!(
            ImportError,
            "cffi extension module '{text}' uses an unknown version tag {:#x}. This module might need a more recent \
             version of cffi than the one currently installed, which is {CFFI_VERSION}",
            raw.version
        ));
    }
    // SAFETY: `raw` has a module's static tables (the caller's contract). Its version, which was checked to be a known one,
    // says how they are laid out and how many exports there are.
    unsafe {
        let tables = CompiledTables::new(raw.context);
        exports::fill(raw.exports, raw.version, tables.has_extern_python());
        let module = create(raw.name)?;
        let included = Included::import(&text, &tables)?;
        let scope = Scope::empty();
        scope.set_api_mode();
        scope.set_tables(&text, AnyTables::Compiled(tables), included.scopes)?;
        let functions = externs::functions(&scope, &tables)?;
        let plugin = Plugin::of_compiled(raw.name, scope.clone(), functions)?;
        let ffi = FfiObject::for_plugin(scope.clone(), Some(plugin))?.into_obj();
        let lib = Lib::from_tables(scope, tables, &text)?;
        lib.include(included.libs);
        let lib = lib.into_obj();
        enter(&text, &module, &ffi, &lib)?;
        plugin.set_objects(ffi, lib, module.clone())?;
        Ok(module)
    }
}

/// A module object as extension modules have them. It is never freed, as its library is never unmapped.
///
/// # Safety
/// `name` is a C string that lives as long as the process.
unsafe fn create(name: *const c_char) -> Res<Ref> {
    let definition = Box::leak(Box::new(UnsafeCell::new(ffi::PyModuleDef {
        m_base: ffi::PyModuleDef_HEAD_INIT,
        m_name: name,
        m_doc: std::ptr::null(),
        m_size: -1,
        m_methods: std::ptr::null_mut(),
        m_slots: std::ptr::null_mut(),
        m_traverse: None,
        m_clear: None,
        m_free: None,
    })));
    // SAFETY: a definition that stays, with a name that stays.
    unsafe {
        let module = Ref::steal(ffi::PyModule_Create(definition.get()))?;
        #[cfg(Py_GIL_DISABLED)]
        if ffi::PyUnstable_Module_SetGIL(module.obj(), ffi::Py_MOD_GIL_NOT_USED) < 0 {
            return Err(Raised::already());
        }
        Ok(module)
    }
}

/// The names `ffi` and `lib`, which every such module has.
fn names() -> Res<&'static [Ref; 2]> {
    static NAMES: OnceLock<[Ref; 2]> = OnceLock::new();
    if let Some(known) = NAMES.get() {
        return Ok(known);
    }
    let made = [intern("ffi")?, intern("lib")?];
    Ok(NAMES.get_or_init(|| made))
}

/// `NAME.ffi`, `NAME.lib`, `sys.modules[NAME]`, `sys.modules[NAME.lib]`.
fn enter(name: &str, module: &Ref, ffi: &Ref, lib: &Ref) -> Res<()> {
    let [ffi_name, lib_name] = names()?;
    let of_lib = str_from(&[name, ".lib"].concat())?;
    let own = str_from(name)?;
    // SAFETY: the GIL is held; live objects. A module has a dict, and keeps it.
    unsafe {
        let (own_dict, modules) = (
            ffi::PyModule_GetDict(module.obj()),
            ffi::PyImport_GetModuleDict(),
        );
        for (place, key, value) in [
            (own_dict, ffi_name, ffi),
            (own_dict, lib_name, lib),
            (modules, &of_lib, lib),
            (modules, &own, module),
        ] {
            if ffi::PyObject_SetItem(place, key.obj(), value.obj()) < 0 {
                return Err(Raised::already());
            }
        }
        Ok(())
    }
}

/// What a module includes.
#[derive(Default)]
struct Included {
    scopes: Vec<Arc<Scope>>,
    libs: Vec<Ref<Lib>>,
}

impl Included {
    fn import(importer: &str, tables: &CompiledTables) -> Res<Self> {
        let mut all = Self::default();
        for name in tables.includes() {
            let name = name.to_string_lossy();
            if !all.take(&name)? {
                return Err(raise!(
                    ImportError,
                    "while loading {importer}: failed to import ffi, lib from {name}"
                ));
            }
        }
        Ok(all)
    }

    /// Imports one. Whether it has what it must have.
    fn take(&mut self, name: &str) -> Res<bool> {
        let name = str_from(name)?;
        // SAFETY: the GIL is held; the name is a live str. Both functions return a new reference, or NULL.
        let found = unsafe {
            Ref::<ffi::PyObject>::steal(ffi::PyImport_Import(name.obj())).and_then(|_package| {
                Ref::<ffi::PyObject>::steal(ffi::PyImport_GetModule(name.obj()))
            })
        };
        let module = match found {
            Ok(module) => module,
            Err(raised) => {
                raised.clear_if(exception!(ImportError))?;
                return Ok(false);
            }
        };
        let (ffi_object, lib) = match ffi_and_lib_of(&module) {
            Some((ffi_object, lib)) => (Some(ffi_object), Some(lib)),
            // A module of ABI mode has no lib.
            None => (attribute(&module, c"ffi")?, attribute(&module, c"lib")?),
        };
        let Some(theirs) = ffi_object
            .as_ref()
            .and_then(|object| FfiObject::of(object.live()))
        else {
            return Ok(false);
        };
        self.scopes.push(theirs.scope().clone());
        if let Some(lib) = lib
            && Lib::of(lib.live()).is_some()
        {
            // SAFETY: it was just checked to be a Lib.
            self.libs.push(unsafe { Ref::borrow(lib.obj().cast()) });
        }
        Ok(true)
    }
}

/// An attribute, if it is there.
fn attribute(module: &Ref, name: &CStr) -> Res<Option<Ref>> {
    // SAFETY: live objects.
    unsafe {
        match Ref::steal(ffi::PyObject_GetAttrString(module.obj(), name.as_ptr())) {
            Ok(found) => Ok(Some(found)),
            Err(raised) => raised
                .clear_if(keelback_ffi::exception!(AttributeError))
                .map(|()| None),
        }
    }
}
