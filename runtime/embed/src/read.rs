//! Reading a plugin's record: its declarations and functions, once in a process.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use keelback_cdef::{Declarations, FunctionOrigin, Target};
use keelback_codegen::abi::{
    KEELBACK_PLUGIN_EXTENSION_MODULE, keelback_function_t, keelback_plugin_t,
};
use rustc_hash::FxHashMap;

use super::binding::{Batch, Binding};
use super::plugin::{Plugin, PluginState, remember};
use keelback_ffi::ffi::attachment;
use keelback_ffi::ffi::payload::{answers, compare, declare, text};
use keelback_ffi::library::Lib;
use keelback_ffi::py::{Ref, Res};
use keelback_ffi::raise;
use keelback_ffi::scope::Scope;

impl Plugin {
    /// The plugin of a record, its module in `sys.modules`.
    ///
    /// # Safety
    /// `record` is a record by the ABI, which lives as long as the process. The GIL is held, and this thread has claimed
    /// the record's start.
    pub unsafe fn attach(record: *mut keelback_plugin_t) -> Res<&'static Plugin> {
        // SAFETY: `record` is a record by the ABI (the caller's contract).
        let plugin = match unsafe { Self::known(record) } {
            Some(plugin) => plugin,
            // SAFETY: `record` is a record by the ABI (the caller's contract).
            None => unsafe { Self::read(record)? },
        };
        plugin.make_objects()?;
        plugin.enter_sys_modules()?;
        Ok(plugin)
    }

    /// Reads a record: declarations, functions.
    ///
    /// # Safety
    /// `record` is a record by the ABI, which lives as long as the process; this thread has claimed its start.
    unsafe fn read(record: *mut keelback_plugin_t) -> Res<&'static Plugin> {
        // SAFETY: a record by the ABI (the caller's contract) has at `functions` a table of `function_count` items, which
        // stays as long as the process, and which nobody else changes while the plugin is read by the thread that has
        // claimed the start.
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
            return Err(keelback_ffi::errors::raise_diagnostics(&[*error]));
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
    /// `record` is a record by the ABI, and `functions` are records of functions; all live as long as the process, and this
    /// thread has claimed the start, so that no other reads `binding` in them.
    pub(super) unsafe fn register(
        record: *mut keelback_plugin_t,
        name: String,
        scope: Arc<Scope>,
        included: Vec<Ref<Lib>>,
        functions: &[*mut keelback_function_t],
    ) -> Res<&'static Plugin> {
        // Bindings need the plugin's address, so its memory is there before it is.
        let place = Box::leak(Box::new(std::mem::MaybeUninit::<Plugin>::uninit()));
        let address = place.as_ptr();
        let mut bindings = Vec::with_capacity(functions.len());
        let mut by_name = FxHashMap::default();
        for &function in functions {
            // SAFETY: records of functions have names that are C strings, and stay (the caller's contract).
            let function_name = unsafe { text((*function).name) };
            let declared = scope
                .read()
                .lookup_function(&function_name)
                .filter(|declared| declared.origin != FunctionOrigin::C)
                .map(|declared| declared.ty);
            let declared = declared.ok_or_else(|| {
                raise!(
                    ImportError,
                    "'{name}' has a function '{function_name}' that it does not declare"
                )
            })?;
            by_name.insert(function_name.into_boxed_str(), bindings.len());
            bindings.push(Binding::new(address, function, declared));
        }
        for (index, &function) in functions.iter().enumerate() {
            let type_of = |single: usize| bindings.get(single).map(|binding: &Binding| binding.ty);
            // SAFETY: a record by the ABI (the caller's contract), of the plugin whose place this is.
            if let Some((single, batch)) = unsafe { Batch::of(address, function, type_of) } {
                bindings[index].batch = Some(batch);
                bindings[single].batch_at = Some(index);
            }
        }
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
            // SAFETY: the record of the function is live, and no other thread reads its `binding` before the start is over
            // (the caller's contract).
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
