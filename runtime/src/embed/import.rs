//! A plugin that Python imports: the same module, whether C or `import` came first.

use std::ffi::{c_int, c_void};

use keelback_codegen::abi::keelback_plugin_t;
use pyo3::ffi;

use super::interpreter;
use super::lock::START;
use super::plugin::Plugin;
use crate::py::{Obj, Raised, Ref, Res, guard, str_from};
use crate::raise;

/// The definition of a plugin's module. Lives as long as the process, as CPython expects.
#[repr(C)]
struct Definition {
    /// First: CPython hands out its address.
    module: ffi::PyModuleDef,
    slots: [ffi::PyModuleDef_Slot; 4],
    plugin: *mut keelback_plugin_t,
}

/// keelback_runtime_t.import
///
/// Multi-phase initialisation (PEP 489): returns the definition, and the import system then asks for the module. So a
/// module that C made before is simply handed over.
///
/// # Safety
/// The body of a plugin's PyInit function.
pub unsafe extern "C" fn import(record: *mut keelback_plugin_t) -> *mut c_void {
    let definition: Obj = guard(|| {
        // SAFETY: a record by the ABI.
        if let Some(lib) = unsafe { crate::ffi::import_verified(record) } {
            return lib;
        }
        // SAFETY: a record by the ABI.
        let (name, flags) = unsafe { (Plugin::name_of(record), (*record).flags) };
        let _held = START.lock();
        interpreter::ensure(None, flags)
            .map_err(|text| raise!(ImportError, "{name}: {}", text.trim_end()))?;
        // SAFETY: as above.
        unsafe { define(record) }
    });
    definition.cast()
}

unsafe fn define(record: *mut keelback_plugin_t) -> Res<Ref> {
    let definition = Box::leak(Box::new(Definition {
        module: ffi::PyModuleDef {
            m_base: ffi::PyModuleDef_HEAD_INIT,
            // SAFETY: a record by the ABI.
            m_name: unsafe { (*record).module_name },
            m_doc: std::ptr::null(),
            m_size: 0,
            m_methods: std::ptr::null_mut(),
            m_slots: std::ptr::null_mut(),
            m_traverse: None,
            m_clear: None,
            m_free: None,
        },
        slots: [ffi::PyModuleDef_Slot {
            slot: 0,
            value: std::ptr::null_mut(),
        }; 4],
        plugin: record,
    }));
    let create: unsafe extern "C" fn(Obj, *mut ffi::PyModuleDef) -> Obj = create;
    let execute: unsafe extern "C" fn(Obj) -> c_int = execute;
    definition.slots[0] = ffi::PyModuleDef_Slot {
        slot: ffi::Py_mod_create,
        value: create as *mut c_void,
    };
    definition.slots[1] = ffi::PyModuleDef_Slot {
        slot: ffi::Py_mod_exec,
        value: execute as *mut c_void,
    };
    #[cfg(Py_GIL_DISABLED)]
    {
        definition.slots[2] = ffi::PyModuleDef_Slot {
            slot: ffi::Py_mod_gil,
            value: ffi::Py_MOD_GIL_NOT_USED,
        };
    }
    definition.module.m_slots = definition.slots.as_mut_ptr();
    // SAFETY: the definition lives for ever. The result is borrowed.
    unsafe {
        let object = ffi::PyModuleDef_Init(&mut definition.module);
        if object.is_null() {
            return Err(Raised::already());
        }
        Ok(Ref::borrow(object))
    }
}

unsafe extern "C" fn create(_spec: Obj, definition: *mut ffi::PyModuleDef) -> Obj {
    guard(|| {
        let _held = START.lock();
        // SAFETY: the definition is the first field of ours.
        let plugin = unsafe { Plugin::attach((*definition.cast::<Definition>()).plugin)? };
        let module = plugin
            .module()
            .ok_or_else(|| raise!(ImportError, "{}: no module", plugin.name()))?;
        if interpreter::is_main() {
            return Ok(module.clone());
        }
        // An interpreter that ends empties the modules that it knows: a sub-interpreter gets one of its own, with the
        // same ffi and lib.
        // SAFETY: live modules, whose dicts are alive with them.
        unsafe {
            let own = Ref::steal(ffi::PyModule_NewObject(str_from(plugin.name())?.obj()))?;
            if ffi::PyDict_Update(
                ffi::PyModule_GetDict(own.obj()),
                ffi::PyModule_GetDict(module.obj()),
            ) < 0
            {
                return Err(Raised::already());
            }
            Ok(own)
        }
    })
}

unsafe extern "C" fn execute(module: Obj) -> c_int {
    guard(|| {
        // SAFETY: CPython set the definition that `create` belongs to.
        let record = unsafe { (*ffi::PyModule_GetDef(module).cast::<Definition>()).plugin };
        let _held = START.lock();
        // SAFETY: a record by the ABI.
        unsafe { Plugin::attach(record)? }.run_init_code()
    })
}
