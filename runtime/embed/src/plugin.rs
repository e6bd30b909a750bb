//! The runtime's record of a plugin: its declarations, its functions, its module.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use keelback_codegen::abi::{KEELBACK_PLUGIN_DEV, KEELBACK_PLUGIN_STRICT, keelback_plugin_t};
use pyo3::ffi;
use rustc_hash::FxHashMap;

use super::binding::Binding;
use keelback_ffi::attach::threads;
use keelback_ffi::ffi::FfiObject;
use keelback_ffi::ffi::payload::text;
use keelback_ffi::library::Lib;
use keelback_ffi::py::{Ref, Res, at_end};
use keelback_ffi::scope::Scope;

/// How far a plugin's start has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum PluginState {
    /// Its declarations are known; the init code has not run, or failed.
    Known = 0,
    /// The init code runs.
    Running = 1,
    /// The init code has run.
    Ready = 2,
}

/// A plugin. Lives as long as the process.
pub struct Plugin {
    pub(super) record: *mut keelback_plugin_t,
    pub(super) name: String,
    pub(super) state: AtomicU8,
    /// Whether the init code has failed.
    pub(super) has_failed: AtomicBool,
    /// See [`Plugin::give_back_at_end`].
    pub(super) is_given_back: AtomicBool,
    /// While the init code runs: the number of the thread state that was the newest when it began.
    pub(super) newest_state: AtomicI64,
    pub(super) scope: Arc<Scope>,
    /// The libs of included modules.
    pub(super) included: Vec<Ref<Lib>>,
    pub(super) bindings: Box<[Binding]>,
    /// Names of the functions, to indexes of `bindings`.
    pub(super) by_name: FxHashMap<Box<str>, usize>,
    pub(super) objects: OnceLock<Objects>,
}

// SAFETY: the record's mutable fields are atomics, or written by the thread that has claimed the start.
unsafe impl Sync for Plugin {}
// SAFETY: as above.
unsafe impl Send for Plugin {}

/// A plugin's Python objects.
pub(super) struct Objects {
    /// A `FfiObject`.
    pub(super) ffi: Ref,
    pub(super) lib: Ref,
    /// What `import NAME` gives; `None` after a start that failed, until the next. Locked only to copy it.
    pub(super) module: Mutex<Option<Ref>>,
}

impl Objects {
    pub(super) fn module(&self) -> MutexGuard<'_, Option<Ref>> {
        self.module.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All plugins of the process, by address.
static PLUGINS: Mutex<Vec<usize>> = Mutex::new(Vec::new());

impl Plugin {
    /// The plugin of a record, if it was seen before.
    ///
    /// # Safety
    /// `record` is a record by the ABI, which lives as long as the process.
    pub unsafe fn known(record: *mut keelback_plugin_t) -> Option<&'static Plugin> {
        // SAFETY: only the runtime writes the field, and never takes back what it wrote.
        unsafe {
            AtomicPtr::from_ptr(&raw mut (*record).attachment)
                .load(Ordering::Acquire)
                .cast::<Plugin>()
                .as_ref()
        }
    }
    /// The module name, for messages.
    ///
    /// # Safety
    /// `record` is a record by the ABI, which lives as long as the process.
    pub unsafe fn name_of(record: *const keelback_plugin_t) -> String {
        // SAFETY: `record` is a record by the ABI (the caller's contract).
        unsafe { text((*record).module_name) }
    }

    /// Has what Python functions hold go at the interpreter's end: their modules' variables among it. In the main
    /// interpreter.
    pub(super) fn give_back_at_end(&self) -> Res<()> {
        if self.is_given_back.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        // SAFETY: a plugin lives as long as the process.
        unsafe { at_end(give_back, std::ptr::from_ref(self).cast_mut().cast()) }
            .inspect_err(|_| self.is_given_back.store(false, Ordering::Release))
    }

    /// Whether it is a development library.
    pub fn is_dev(&self) -> bool {
        // SAFETY: the record is as abi.rs says.
        unsafe { (*self.record()).flags & KEELBACK_PLUGIN_DEV != 0 }
    }
    /// Whether what `def_extern` would warn of is an error.
    pub fn is_strict(&self) -> bool {
        // SAFETY: the record is as abi.rs says.
        unsafe { (*self.record()).flags & KEELBACK_PLUGIN_STRICT != 0 }
    }
    /// Whether it is that of a module which CFFI compiled: it has no declarations as text.
    pub fn is_of_cffi(&self) -> bool {
        // SAFETY: the record is as abi.rs says.
        unsafe { (*self.record()).cdefs.is_null() }
    }
    /// How far its start has come.
    pub fn state(&self) -> PluginState {
        match self.state.load(Ordering::Acquire) {
            0 => PluginState::Known,
            1 => PluginState::Running,
            _ => PluginState::Ready,
        }
    }
    pub(super) fn set_state(&self, state: PluginState) {
        self.state.store(state as u8, Ordering::Release);
    }
    /// Whether the init code runs.
    pub fn is_running(&self) -> bool {
        self.state() == PluginState::Running
    }
    /// Whether the init code runs, and this thread was started in Python since it began.
    pub fn is_thread_of_init_code(&self) -> bool {
        self.is_running()
            && threads::started_by_python_after(self.newest_state.load(Ordering::Relaxed))
    }
    /// The module name.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// The record in its C file.
    pub fn record(&self) -> *mut keelback_plugin_t {
        self.record
    }
    /// Its declarations.
    pub fn scope(&self) -> &Arc<Scope> {
        &self.scope
    }
    /// The binding of a function of this name.
    pub fn binding(&self, name: &str) -> Option<&Binding> {
        self.by_name.get(name).map(|&index| &self.bindings[index])
    }
    /// What `import NAME` gives; `None` before `attach`.
    pub fn module(&self) -> Option<Ref> {
        self.objects.get()?.module().clone()
    }
    /// Its own `ffi` and `lib`, whatever the init code calls so; `None` before `attach`.
    pub fn ffi_and_lib(&self) -> Option<(&Ref, &Ref)> {
        self.objects
            .get()
            .map(|objects| (&objects.ffi, &objects.lib))
    }
    /// The init code's file name; empty when there is none.
    pub fn init_file(&self) -> String {
        // SAFETY: the record is as abi.rs says.
        unsafe { text((*self.record).init_file) }
    }
}

/// Takes all Python functions away from C, because the interpreter ends.
///
/// # Safety
/// `plugin` is the address of a [`Plugin`]; the GIL is held.
unsafe fn give_back(plugin: *mut std::ffi::c_void) {
    // SAFETY: `plugin` is the address of a Plugin (the caller's contract), and plugins are never freed.
    let plugin = unsafe { &*plugin.cast::<Plugin>() };
    let mut held = false;
    for binding in &plugin.bindings {
        held |= binding.is_attached();
        binding.replace(None);
        if let Some(batch) = &binding.batch {
            held |= batch.arrays.is_attached();
            batch.arrays.replace(None);
        }
    }
    if let Some(objects) = plugin.objects.get() {
        // SAFETY: `make_objects` made it, as an instance of FfiObject.
        held |= unsafe { &*objects.ffi.as_ptr().cast::<FfiObject>() }.forget_once();
    }
    if !held {
        return;
    }
    // A module and its functions are a cycle, which only the collector frees. Python's own last collection comes when
    // destructors cannot print any more, so there is one here.
    // SAFETY: the GIL is held (the caller's contract).
    unsafe { ffi::PyGC_Collect() };
}

/// Adds a plugin to those of the process.
pub(super) fn remember(plugin: &'static Plugin) {
    let mut plugins = PLUGINS.lock().unwrap_or_else(PoisonError::into_inner);
    plugins.push(std::ptr::from_ref(plugin) as usize);
}

/// All plugins that were attached.
pub fn all() -> Vec<&'static Plugin> {
    let plugins = PLUGINS.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: plugins are never freed.
    plugins
        .iter()
        .map(|&address| unsafe { &*(address as *const Plugin) })
        .collect()
}
