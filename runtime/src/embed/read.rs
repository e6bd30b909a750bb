//! Reading a plugin's record: its declarations and functions, once in a process.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use keelback_cdef::{Declarations, FunctionOrigin, Target};
use keelback_codegen::abi::{
    KEELBACK_PLUGIN_EXTENSION_MODULE, keelback_function_t, keelback_plugin_t,
};
use rustc_hash::FxHashMap;

use super::binding::Binding;
use super::plugin::{Plugin, PluginState, remember};
use crate::ffi::attachment;
use crate::ffi::payload::{answers, compare, declare, text};
use crate::library::Lib;
use crate::py::{Ref, Res};
use crate::raise;
use crate::scope::Scope;

impl Plugin {
    /// The plugin of a record, its module in `sys.modules`. By the thread that has claimed the start, in
    /// Python.
    ///
    /// # Safety
    /// A record by the ABI.
    pub unsafe fn attach(record: *mut keelback_plugin_t) -> Res<&'static Plugin> {
        // SAFETY: a record by the ABI.
        let plugin = match unsafe { Self::known(record) } {
            Some(plugin) => plugin,
            // SAFETY: a record by the ABI.
            None => unsafe { Self::read(record)? },
        };
        plugin.make_objects()?;
        plugin.enter_sys_modules()?;
        Ok(plugin)
    }

    /// Reads a record: declarations, functions.
    ///
    /// # Safety
    /// `record` is a record by the ABI, which lives as long as the process.
    unsafe fn read(record: *mut keelback_plugin_t) -> Res<&'static Plugin> {
        // SAFETY: the caller's contract: tables of as many items, which stay.
        let (name, functions) = unsafe {
            (
                Self::name_of(record),
                if (*record).functions.is_null() {
                    &mut []
                } else {
                    std::slice::from_raw_parts_mut((*record).functions, (*record).function_count)
                },
            )
        };
        let scope = Scope::new(Declarations::new(Target::host()));
        // SAFETY: `record` is a record by the ABI, which lives as long as the process.
        if unsafe { (*record).flags } & KEELBACK_PLUGIN_EXTENSION_MODULE != 0 {
            scope.set_api_mode();
        }
        // SAFETY: `record` is a record by the ABI, which lives as long as the process.
        let included = unsafe { declare(&scope, &name, record)? };
        // SAFETY: `record` is a record by the ABI, which lives as long as the process.
        let answered = scope.write().answer(&unsafe { answers(record) });
        if let Err(error) = answered {
            return Err(crate::errors::raise_diagnostics(&[*error]));
        }
        // SAFETY: `record` is a record by the ABI, which lives as long as the process.
        unsafe { compare(&scope, record) };
        scope.find_completed();
        let functions: Vec<*mut _> = functions.iter_mut().map(std::ptr::from_mut).collect();
        // SAFETY: `record` is a record by the ABI, which lives as long as the process.
        unsafe { Self::register(record, name, scope, included, &functions) }
    }

    /// A plugin of these declarations and functions, which are declared.
    ///
    /// # Safety
    /// A record by the ABI, and records of functions that stay.
    pub(super) unsafe fn register(
        record: *mut keelback_plugin_t,
        name: String,
        scope: Arc<Scope>,
        included: Vec<Ref<Lib>>,
        functions: &[*mut keelback_function_t],
    ) -> Res<&'static Plugin> {
        let declarations = scope.read();
        // Bindings need the plugin's address: it gets its place first.
        let place = Box::leak(Box::new(std::mem::MaybeUninit::<Plugin>::uninit()));
        let address = place.as_ptr();
        let mut bindings = Vec::with_capacity(functions.len());
        let mut by_name = FxHashMap::default();
        for &function in functions {
            // SAFETY: a record by the ABI, and records of functions that stay.
            let function_name = unsafe { text((*function).name) };
            let declared = declarations
                .lookup_function(&function_name)
                .filter(|declared| declared.origin != FunctionOrigin::C)
                .ok_or_else(|| {
                    raise!(
                        ImportError,
                        "'{name}' has a function '{function_name}' that it does not declare"
                    )
                })?;
            by_name.insert(function_name.into_boxed_str(), bindings.len());
            bindings.push(Binding::new(address, function, declared.ty));
        }
        drop(declarations);
        let plugin: &'static Plugin = place.write(Plugin {
            record,
            name,
            state: AtomicU8::new(PluginState::Known as u8),
            has_failed: AtomicBool::new(false),
            is_given_back: AtomicBool::new(false),
            newest_state: AtomicI64::new(0),
            scope: scope.clone(),
            included,
            bindings: bindings.into(),
            by_name,
            objects: OnceLock::new(),
        });
        for (&function, binding) in functions.iter().zip(&plugin.bindings) {
            // SAFETY: the caller's contract; nobody reads it before.
            unsafe { (*function).binding = std::ptr::from_ref(binding).cast_mut().cast() };
        }
        remember(plugin);
        attachment::attach(plugin);
        // SAFETY: the field is the runtime's; other threads read it atomically.
        unsafe {
            AtomicPtr::from_ptr(&raw mut (*record).attachment)
                .store(address.cast_mut().cast(), Ordering::Release)
        };
        Ok(plugin)
    }
}
