//! A plugin that Python imports: the same module, whether C or `import` came first.

use std::ffi::c_void;

use keelback_codegen::abi::keelback_plugin_t;
use pyo3::ffi;

use super::plugin::Plugin;
use super::waiting::Turn;
use super::{interpreter, namespace, waiting, whose};
use keelback_ffi::py::{Obj, Raised, Ref, Res, guard, str_from};
use keelback_ffi::raise;

/// The definition of a plugin's module. Lives as long as the process, as CPython expects.
#[repr(C)]
struct Definition {
    /// First: CPython hands out its address.
    module: ffi::PyModuleDef,
    slots: [ffi::PyModuleDef_Slot; 3],
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
        // SAFETY: `record` is a record by the ABI (the caller's contract).
        if let Some(lib) = unsafe { keelback_ffi::ffi::import_verified(record) } {
            return lib;
        }
        // SAFETY: `record` is a record by the ABI (the caller's contract).
        let (name, flags) = unsafe { (Plugin::name_of(record), (*record).flags) };
        interpreter::ensure(None, flags)
            .map_err(|text| raise!(ImportError, "{name}: {}", text.trim_end()))?;
        // SAFETY: as above.
        unsafe { define(record) }
    });
    definition.cast()
}

/// The lib of a plugin whose module Python imports.
///
/// # Safety
/// `record` is a record by the ABI, which lives as long as the process.
unsafe fn define(record: *mut keelback_plugin_t) -> Res<Ref> {
    let definition = Box::leak(Box::new(Definition {
        module: ffi::PyModuleDef {
            m_base: ffi::PyModuleDef_HEAD_INIT,
            // SAFETY: `record` is a record by the ABI (the caller's contract).
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
        }; 3],
        plugin: record,
    }));
    let create: unsafe extern "C" fn(Obj, *mut ffi::PyModuleDef) -> Obj = create;
    definition.slots[0] = ffi::PyModuleDef_Slot {
        slot: ffi::Py_mod_create,
        value: create as *mut c_void,
    };
    #[cfg(Py_GIL_DISABLED)]
    {
        definition.slots[1] = ffi::PyModuleDef_Slot {
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

/// Py_mod_create of a plugin that Python imports.
///
/// # Safety
/// Called by Python's import, with a live spec.
unsafe extern "C" fn create(spec: Obj, definition: *mut ffi::PyModuleDef) -> Obj {
    guard(|| {
        // SAFETY: the definition is the first field of ours.
        let plugin = unsafe { import_now((*definition.cast::<Definition>()).plugin, spec)? };
        if whose::is_main() {
            return namespace::imported(plugin);
        }
        let module = plugin
            .module()
            .ok_or_else(|| raise!(ImportError, "{}: no module", plugin.name()))?;
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
            namespace::adopt_spec(plugin, &own, spec)?;
            Ok(own)
        }
    })
}

/// The plugin, after its init code has run. That belongs here and not into a Py_mod_exec slot: while such a slot runs, the
/// import system lets no other thread look at the module, and another thread may be running the init code because a call
/// from C came first there.
///
/// # Safety
/// `record` is a record by the ABI, which lives as long as the process; `spec` is a live object, the import system's spec.
/// The GIL is held.
unsafe fn import_now(record: *mut keelback_plugin_t, spec: Obj) -> Res<&'static Plugin> {
    loop {
        let claim = match waiting::claim(record) {
            Turn::Mine(claim) => claim,
            // The start failed on another thread. This thread tries again itself, so that its importer gets the exception.
            Turn::Failed(_) => continue,
            // The thread that has claimed the start waits for this one, which gets the module with what is attached so far.
            Turn::Ring => {
                // SAFETY: `record` is a record by the ABI (the caller's contract).
                let (known, name) = unsafe { (Plugin::known(record), Plugin::name_of(record)) };
                return known.ok_or_else(|| {
                    raise!(
                        ImportError,
                        "{name}: imported by what is needed to start it"
                    )
                });
            }
        };
        // SAFETY: `record` is a record by the ABI (the caller's contract).
        if let (true, Some(plugin)) = (claim.taken_over, unsafe { Plugin::known(record) }) {
            plugin.start_over();
        }
        // SAFETY: `record` is a record by the ABI and the GIL is held (the caller's contract); `claim` is the start's.
        let plugin = unsafe { Plugin::attach(record)? };
        if let (true, Some(module)) = (whose::is_main(), plugin.module()) {
            namespace::adopt_spec(plugin, &module, spec)?;
        }
        plugin.run_init_code()?;
        return Ok(plugin);
    }
}
