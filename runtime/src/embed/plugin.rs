//! The runtime's record of a plugin: its declarations, its functions, its module.

use std::ffi::{CStr, c_char};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use keelback_cdef::{
    Answer, Declarations, Diagnostic, DiagnosticKind, EnumId, FunctionOrigin, Item, Layout,
    LayoutError, ParseOptions, RecordId, Target,
};
use keelback_codegen::abi::{
    KEELBACK_CDEF_AS_CFFI, KEELBACK_CDEF_EMBEDDING_API, KEELBACK_CDEF_OVERRIDE,
    KEELBACK_CDEF_PACKED, KEELBACK_PLUGIN_EXTENSION_MODULE, keelback_cdef_t, keelback_dispatch_t,
    keelback_plugin_t,
};
use pyo3::ffi;
use rustc_hash::FxHashMap;

use super::dispatch::{self, Binding};
use super::{development, init_code, interpreter, namespace};
use crate::attach::{output, threads};
use crate::ffi::FfiObject;
use crate::library::Lib;
use crate::py::{Exception, Raised, Ref, Res, at_end, str_from};
use crate::raise;
use crate::scope::{Disagreements, Scope};

/// How far a plugin is.
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
    record: *mut keelback_plugin_t,
    name: String,
    state: AtomicU8,
    /// The init code has failed.
    has_failed: AtomicBool,
    /// See [`Plugin::give_back_at_end`].
    is_given_back: AtomicBool,
    /// While the init code runs: the newest thread state at its begin.
    newest_state: AtomicI64,
    scope: Arc<Scope>,
    /// The libs of included modules.
    included: Vec<Ref<Lib>>,
    bindings: Box<[Binding]>,
    /// Names of the functions, to indexes of `bindings`.
    by_name: FxHashMap<Box<str>, usize>,
    objects: OnceLock<Objects>,
}

// SAFETY: the record's mutable fields are atomics, or written by the thread that has claimed the start.
unsafe impl Sync for Plugin {}
// SAFETY: as above.
unsafe impl Send for Plugin {}

/// A plugin's Python objects.
struct Objects {
    /// A `FfiObject`.
    ffi: Ref,
    lib: Ref,
    /// What `import NAME` gives; `None` after a start that failed, until the next. Locked only to copy it.
    module: Mutex<Option<Ref>>,
}

impl Objects {
    fn module(&self) -> MutexGuard<'_, Option<Ref>> {
        self.module.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All plugins of the process, by address.
static PLUGINS: Mutex<Vec<usize>> = Mutex::new(Vec::new());

impl Plugin {
    /// The plugin of a record, if it was seen before.
    ///
    /// # Safety
    /// A record by the ABI.
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
    /// A record by the ABI.
    pub unsafe fn name_of(record: *const keelback_plugin_t) -> String {
        // SAFETY: the caller's contract.
        unsafe { text((*record).module_name) }
    }
    /// The plugin of a record, its module in `sys.modules`. By the thread that has claimed the start, in
    /// Python.
    ///
    /// # Safety
    /// A record by the ABI.
    pub unsafe fn attach(record: *mut keelback_plugin_t) -> Res<&'static Plugin> {
        // SAFETY: the caller's contract.
        let plugin = match unsafe { Self::known(record) } {
            Some(plugin) => plugin,
            // SAFETY: the caller's contract.
            None => unsafe { Self::read(record)? },
        };
        plugin.make_objects()?;
        plugin.enter_sys_modules()?;
        Ok(plugin)
    }

    /// Reads a record: declarations, functions.
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
        // SAFETY: the caller's contract.
        if unsafe { (*record).flags } & KEELBACK_PLUGIN_EXTENSION_MODULE != 0 {
            scope.set_api_mode();
        }
        // SAFETY: the caller's contract.
        let included = unsafe { declare(&scope, &name, record)? };
        // SAFETY: the caller's contract.
        let answered = scope.write().answer(&unsafe { answers(record) });
        if let Err(error) = answered {
            return Err(crate::errors::raise_diagnostics(&[*error]));
        }
        // SAFETY: the caller's contract.
        unsafe { compare(&scope, record) };
        scope.find_completed();
        let declarations = scope.read();
        // Bindings need the plugin's address: it gets its place first.
        let place = Box::leak(Box::new(std::mem::MaybeUninit::<Plugin>::uninit()));
        let address = place.as_ptr();
        let mut bindings = Vec::with_capacity(functions.len());
        let mut by_name = FxHashMap::default();
        for function in functions.iter_mut() {
            // SAFETY: the caller's contract.
            let function_name = unsafe { text(function.name) };
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
        for (function, binding) in functions.iter_mut().zip(&plugin.bindings) {
            function.binding = std::ptr::from_ref(binding).cast_mut().cast();
        }
        PLUGINS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(address as usize);
        // SAFETY: the field is the runtime's; other threads read it atomically.
        unsafe {
            AtomicPtr::from_ptr(&raw mut (*record).attachment)
                .store(address.cast_mut().cast(), Ordering::Release)
        };
        Ok(plugin)
    }

    fn make_objects(&self) -> Res<()> {
        if let Some(objects) = self.objects.get() {
            if self.module().is_none() {
                let module = namespace::make(self, &objects.ffi, &objects.lib)?;
                *objects.module() = Some(module);
            }
            return Ok(());
        }
        put_into_sys_modules(
            c"keelback._runtime",
            &crate::module::create(super::exit::watch_finalisation)?,
        )?;
        // In a Python of our own nothing that is installed takes part; in the process's own Python its package comes first.
        crate::package::install(interpreter::is_ours())?;
        let ffi = FfiObject::for_plugin(self.scope.clone(), std::ptr::from_ref(self) as usize)?
            .into_obj();
        // SAFETY: the record is as abi.rs says.
        let lib = unsafe { Lib::from_plugin(self.scope.clone(), self.record)? };
        lib.include(self.included.clone());
        let lib = lib.into_obj();
        let module = Mutex::new(Some(namespace::make(self, &ffi, &lib)?));
        let _ = self.objects.set(Objects { ffi, lib, module });
        if interpreter::is_main() {
            self.give_back_at_end()?;
        }
        Ok(())
    }

    /// `sys.modules[NAME]`, `sys.modules[NAME.lib]`, and the packages above a dotted name.
    fn enter_sys_modules(&self) -> Res<()> {
        let (Some(objects), Some(module)) = (self.objects.get(), self.module()) else {
            return Ok(());
        };
        // SAFETY: the GIL is held; names are C strings.
        unsafe {
            let modules = ffi::PyImport_GetModuleDict();
            let lib_name = str_from(&format!("{}.lib", self.name))?;
            for (name, object) in [(str_from(&self.name)?, &module), (lib_name, &objects.lib)] {
                if std::ptr::eq(object, &raw const module) && !interpreter::is_main() {
                    // It would empty the main interpreter's module at its end: `import` makes one for it.
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
    fn leave_sys_modules(&self) {
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
    fn leave_package(&self) {
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

    /// Runs the init code, and leads the stubs to the dispatcher. By the thread that has claimed the start, in Python;
    /// `attach` came before. After a failure it may be called again.
    pub fn run_init_code(&self) -> Res<()> {
        if self.state() != PluginState::Known {
            return Ok(());
        }
        if self.has_failed.swap(false, Ordering::Relaxed) {
            // What was missing may have come meanwhile.
            forget_missing_directories();
        }
        self.newest_state
            .store(threads::newest_state(), Ordering::Relaxed);
        self.set_state(PluginState::Running);
        let outcome = init_code::run(self);
        output::look_at_streams();
        if let Err(raised) = outcome {
            // The next try starts from the beginning. The exception is kept meanwhile.
            let exception = Exception::fetch(raised);
            self.has_failed.store(true, Ordering::Relaxed);
            self.start_over();
            return Err(match exception {
                Some(exception) => exception.restore(),
                None => raise!(SystemError, "the init code failed without an exception"),
            });
        }
        self.make_ready();
        Ok(())
    }

    /// The init code is over: leads the stubs to the dispatcher.
    pub fn make_ready(&self) {
        self.set_state(PluginState::Ready);
        self.lead_stubs_to(Some(if development::is_dev(self) {
            development::dispatch_of_dev
        } else {
            dispatch::dispatch
        }));
    }

    /// Back to where nothing of the init code has run: it failed, or the thread that ran it is not in this process.
    /// In Python.
    pub fn start_over(&self) {
        self.leave_sys_modules();
        let module = self
            .objects
            .get()
            .and_then(|objects| objects.module().take());
        drop(module);
        for binding in &self.bindings {
            binding.replace(None);
        }
        self.set_state(PluginState::Known);
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

    fn lead_stubs_to(&self, dispatch: keelback_dispatch_t) {
        // SAFETY: stubs read the pointer atomically; a function pointer option has the layout of a pointer.
        unsafe {
            let place = (&raw mut (*self.record).dispatch).cast::<*mut std::ffi::c_void>();
            let value = std::mem::transmute::<keelback_dispatch_t, *mut std::ffi::c_void>(dispatch);
            AtomicPtr::from_ptr(place).store(value, Ordering::Release);
        }
    }

    /// How far it is.
    pub fn state(&self) -> PluginState {
        match self.state.load(Ordering::Acquire) {
            0 => PluginState::Known,
            1 => PluginState::Running,
            _ => PluginState::Ready,
        }
    }
    fn set_state(&self, state: PluginState) {
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
    /// What the C file holds of it.
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

/// The interpreter ends: C finds no Python functions any more.
///
/// # Safety
/// In Python; a plugin.
unsafe fn give_back(plugin: *mut std::ffi::c_void) {
    // SAFETY: the caller's contract; plugins are never freed.
    let plugin = unsafe { &*plugin.cast::<Plugin>() };
    let mut held = false;
    for binding in &plugin.bindings {
        held |= binding.is_attached();
        binding.replace(None);
    }
    if let Some(objects) = plugin.objects.get() {
        // SAFETY: made by `make_objects`, of this class.
        held |= unsafe { &*objects.ffi.as_ptr().cast::<FfiObject>() }.forget_once();
    }
    if !held {
        return;
    }
    // A module and its functions are a cycle. Python's own last collection comes when print() does not work any more.
    // SAFETY: in Python.
    unsafe { ffi::PyGC_Collect() };
}

/// Python's import system remembers which directories were not there, and what was in those that were.
fn forget_missing_directories() {
    // SAFETY: the GIL is held; names are C strings.
    let done: Res<Ref> = unsafe {
        Ref::steal(ffi::PyImport_ImportModule(c"importlib".as_ptr())).and_then(|module: Ref| {
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

/// A package that holds a plugin with a dotted name: the real one if it can be imported, else an empty one.
unsafe fn package(name: &str) -> Res<Ref> {
    // SAFETY: the GIL is held; names are live strs.
    unsafe {
        let name_object = str_from(name)?;
        let found = ffi::PyImport_Import(name_object.obj());
        if found.is_null() {
            Raised::already().clear_if(ffi::PyExc_ImportError)?;
            let module = Ref::steal(ffi::PyModule_NewObject(name_object.obj()))?;
            crate::py::module::add(&module, c"__path__", &Ref::steal(ffi::PyList_New(0))?)?;
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

/// Reads the declarations of a plugin. Gives the libs of the modules that it includes.
///
/// # Safety
/// A record by the ABI.
unsafe fn declare(
    scope: &Arc<Scope>,
    name: &str,
    record: *const keelback_plugin_t,
) -> Res<Vec<Ref<Lib>>> {
    // SAFETY: the caller's contract.
    let (cdefs, includes) = unsafe {
        (
            table((*record).cdefs, (*record).cdef_count),
            table((*record).includes, (*record).include_count),
        )
    };
    let mut included = Vec::with_capacity(includes.len());
    let mut to_include = includes.iter().peekable();
    for position in 0..=cdefs.len() {
        while let Some(module) = to_include.next_if(|module| module.position <= position) {
            // SAFETY: the caller's contract.
            included.push(include(scope, name, &unsafe { text(module.module_name) })?);
        }
        let Some(cdef) = cdefs.get(position) else {
            break;
        };
        // SAFETY: the caller's contract.
        unsafe { parse(&mut scope.write(), cdef) }.map_err(|errors| {
            let text: Vec<String> = errors.iter().map(|error| error.render(false)).collect();
            raise!(
                ImportError,
                "the declarations of '{name}' are refused:\n{}",
                text.join("\n")
            )
        })?;
    }
    Ok(included)
}

/// What the C compiler answered.
///
/// # Safety
/// A record by the ABI.
unsafe fn answers(record: *const keelback_plugin_t) -> Vec<Answer> {
    // SAFETY: the caller's contract.
    unsafe { table((*record).answers, (*record).answer_count) }
        .iter()
        .map(|answer| Answer {
            value: answer.value,
            negative: answer.is_negative != 0,
        })
        .collect()
}

/// Remembers where the compiler did not agree with the declarations.
///
/// # Safety
/// A record by the ABI.
unsafe fn compare(scope: &Scope, record: *const keelback_plugin_t) {
    // SAFETY: the caller's contract.
    let (found, enumerators) = unsafe { disagreements(scope, record) };
    scope.set_disagreements(found);
    for (id, index, value) in enumerators {
        scope.write().set_enumerator(id, index, value);
    }
}

/// Completes the declarations of an in-line FFI with what the compiler answered for a module made of them
/// (`ffi.verify()`). Gives the libs of the modules that it includes. What an earlier module has answered stays.
///
/// # Safety
/// A record by the ABI.
pub unsafe fn complete(scope: &Arc<Scope>, record: *mut keelback_plugin_t) -> Res<Vec<Ref<Lib>>> {
    // SAFETY: the caller's contract.
    let (name, first_function) = unsafe {
        let function = (*record).functions;
        let is_there = (*record).function_count > 0;
        (
            Plugin::name_of(record),
            is_there.then(|| text((*function).name)),
        )
    };
    if let Some(function) = first_function {
        return Err(crate::errors::raise_error(
            |errors| &errors.verification_error,
            format_args!("not implemented in verify(): 'extern_python {function}'"),
        ));
    }
    let fresh = Scope::new(Declarations::new(Target::host()));
    // SAFETY: the caller's contract.
    let (included, answers) = unsafe { (declare(&fresh, &name, record)?, answers(record)) };
    let other = |what: &str| {
        raise!(
            ImportError,
            "the module '{name}' was compiled from other declarations than those of this ffi ({what}): remove it, or \
             give another modulename"
        )
    };
    {
        let (ours, theirs) = (scope.read(), fresh.read());
        if ours.items.len() < theirs.items.len() {
            return Err(other("it has more"));
        }
    }
    let asked = fresh.read().questions();
    if asked.len() != answers.len() {
        return Err(other("their `...` differ"));
    }
    let known: FxHashMap<_, _> = asked.into_iter().zip(answers).collect();
    let wanted: Option<Vec<Answer>> = scope
        .read()
        .questions()
        .iter()
        .map(|question| known.get(question).copied())
        .collect();
    let wanted = wanted.ok_or_else(|| other("their `...` differ"))?;
    let answered = scope.write().answer(&wanted);
    if let Err(error) = answered {
        return Err(crate::errors::raise_diagnostics(&[*error]));
    }
    // SAFETY: the caller's contract.
    let (found, enumerators) = unsafe { disagreements(scope, record) };
    match first_disagreement(&scope.read(), found, &enumerators) {
        Some(message) => Err(crate::errors::raise_error(
            |errors| &errors.verification_error,
            format_args!("{message}"),
        )),
        None => Ok(included),
    }
}

/// What `ffi.verify()` refuses, in its words: it does not wait until a type is used.
fn first_disagreement(
    declarations: &Declarations,
    found: Disagreements,
    enumerators: &[(EnumId, u32, i128)],
) -> Option<String> {
    if let Some((_, error)) = found.records.iter().min_by_key(|(id, _)| id.index()) {
        let message = error.message.replacen("cdef says", "we have", 1);
        let end = message.find(". fix it").unwrap_or(message.len());
        return Some(message[..end].to_owned());
    }
    let value = |name: &str| match declarations.lookup_ordinary(name) {
        Some(Item::Constant(index)) => declarations.constants[index as usize].value,
        _ => None,
    };
    if let Some((name, theirs)) = found.real_values.iter().min() {
        let ours = value(name).unwrap_or_default();
        return Some(format!("{name} has the real value {theirs}, not {ours}"));
    }
    enumerators.iter().find_map(|&(id, index, theirs)| {
        let all = declarations.types.enumeration(id).enumerators.as_deref()?;
        let enumerator = all.get(index as usize)?;
        let ours = enumerator.value.filter(|&ours| ours != theirs)?;
        Some(format!(
            "{}: {} has the real value {theirs}, not {ours}",
            declarations.enum_name(id),
            declarations.types.text(enumerator.name)
        ))
    })
}

/// Imports a module, and makes its declarations visible: `ffi.include()`. Gives its lib.
fn include(scope: &Arc<Scope>, importer: &str, name: &str) -> Res<Ref<Lib>> {
    let (module, _ffi) = crate::ffi::include_module(scope, importer, name)?;
    // SAFETY: the GIL is held; objects are live.
    unsafe {
        let lib = match ffi_and_lib_of(&module) {
            Some((_ffi, own)) => own,
            None => Ref::<ffi::PyObject>::steal(ffi::PyObject_GetAttrString(
                module.obj(),
                c"lib".as_ptr(),
            ))?,
        };
        match crate::library::as_lib(lib.obj()) {
            Some(_) => Ok(Ref::borrow(lib.obj().cast())),
            None => Err(raise!(
                ImportError,
                "while loading {importer}: the included module '{name}' was not made by keelback"
            )),
        }
    }
}

/// Where the compiler of an extension module did not agree with its declarations.
///
/// # Safety
/// A record by the ABI.
unsafe fn disagreements(
    scope: &Scope,
    record: *const keelback_plugin_t,
) -> (Disagreements, Vec<(EnumId, u32, i128)>) {
    let mut found = Disagreements::default();
    let mut enumerators = Vec::new();
    let declarations = scope.read();
    // SAFETY: the caller's contract.
    let (layouts, values) = unsafe {
        (
            table((*record).layouts, (*record).layout_count),
            table((*record).values, (*record).value_count),
        )
    };
    let records = records_by_name(&declarations);
    let (whole, members): (Vec<_>, Vec<_>) = layouts.iter().partition(|fact| fact.member.is_null());
    for fact in members.into_iter().chain(whole) {
        // SAFETY: the caller's contract.
        let (name, member) = unsafe { (text(fact.record), text(fact.member)) };
        let Some(&id) = records.get(&*name) else {
            continue;
        };
        let name = declarations.record_name(id);
        let Ok(layout) = scope.layout(&declarations, id) else {
            continue;
        };
        let wrong = |what: String, ours: u64, theirs: usize| {
            (ours != theirs as u64).then(|| {
                format!(
                    "{name}: {what} (cdef says {ours}, but C compiler says {theirs}). fix it or use \"...;\" as the last \
                     field in the cdef for {name} to make it flexible"
                )
            })
        };
        let message = if fact.member.is_null() {
            wrong("wrong total size".into(), layout.size, fact.size)
        } else {
            member_place(scope, &declarations, id, &layout, &member).and_then(|(offset, size)| {
                wrong(
                    format!("wrong offset for field '{member}'"),
                    offset,
                    fact.offset,
                )
                .or_else(|| wrong(format!("wrong size for field '{member}'"), size, fact.size))
            })
        };
        if fact.member.is_null() {
            found
                .sizes
                .insert(id, (fact.size as isize, fact.offset as u32));
        }
        if let Some(message) = message {
            // What is wrong with a member says more than what is wrong with the whole.
            found.records.entry(id).or_insert(LayoutError {
                kind: DiagnosticKind::Verification,
                message,
                span: declarations.types.record(id).span,
            });
        }
    }
    for fact in values {
        // SAFETY: the caller's contract.
        let name = unsafe { text(fact.name) };
        let theirs = if fact.value.is_negative != 0 {
            i128::from(fact.value.value as i64)
        } else {
            i128::from(fact.value.value)
        };
        let ours = match declarations.lookup_ordinary(&name) {
            Some(Item::Constant(index)) => declarations.constants[index as usize].value,
            _ => {
                // As CFFI: C's value counts, whatever the cdef says.
                if let Some((id, index)) = declarations.enumerator_place(&name) {
                    enumerators.push((id, index, theirs));
                }
                continue;
            }
        };
        if let Some(ours) = ours
            && ours != theirs
        {
            let shown = if theirs <= 0 {
                format!("{theirs}")
            } else {
                format!("{theirs} (0x{theirs:x})")
            };
            let message =
                format!("the C compiler says '{name}' is equal to {shown}, but the cdef disagrees");
            found.real_values.insert(name.clone(), theirs);
            found.values.insert(name, message);
        }
    }
    drop(declarations);
    (found, enumerators)
}

/// Offset and size of a record's member, which may be one of an anonymous member.
fn member_place(
    scope: &Scope,
    declarations: &Declarations,
    id: RecordId,
    layout: &Layout,
    member: &str,
) -> Option<(u64, u64)> {
    let fields = declarations.types.record(id).fields.iter().flatten();
    fields.zip(&layout.fields).find_map(|(field, place)| {
        if let Some(name) = field.name {
            return (declarations.types.text(name) == member).then_some((place.offset, place.size));
        }
        let inner = declarations.anonymous_member(field)?;
        let layout = scope.layout(declarations, inner).ok()?;
        let (offset, size) = member_place(scope, declarations, inner, &layout, member)?;
        Some((place.offset + offset, size))
    })
}

/// The records by their names in generated C.
fn records_by_name(declarations: &Declarations) -> FxHashMap<String, RecordId> {
    let mut records = FxHashMap::default();
    for item in &declarations.items {
        if let Item::Record(id) = *item
            && let Some(name) = declarations.record_in_c(id)
        {
            records.entry(name).or_insert(id);
        }
    }
    records
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

/// # Safety
/// A cdef by the ABI.
unsafe fn parse(
    declarations: &mut Declarations,
    cdef: &keelback_cdef_t,
) -> Result<(), Vec<Diagnostic>> {
    // SAFETY: the caller's contract.
    let (file, source) = unsafe { (text(cdef.file), bytes(cdef.text, cdef.length)) };
    let source = String::from_utf8_lossy(source);
    let options = ParseOptions {
        file: if file.is_empty() { None } else { Some(&file) },
        override_: cdef.flags & KEELBACK_CDEF_OVERRIDE != 0,
        packed: cdef.flags & KEELBACK_CDEF_PACKED != 0,
        pack: (cdef.pack != 0).then_some(cdef.pack),
        embedding_api: cdef.flags & KEELBACK_CDEF_EMBEDDING_API != 0,
        as_cffi: cdef.flags & KEELBACK_CDEF_AS_CFFI != 0,
    };
    // The warnings were shown at build time.
    declarations.parse(&source, &options)?;
    declarations.forget_forced_names();
    Ok(())
}

/// # Safety
/// NULL, or a C string.
unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller's contract.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

/// # Safety
/// NULL, or as many bytes.
pub unsafe fn bytes<'a>(data: *const c_char, length: usize) -> &'a [u8] {
    // SAFETY: the caller's contract.
    unsafe { table(data.cast(), length) }
}

/// # Safety
/// NULL, or as many items.
unsafe fn table<'a, T>(items: *const T, count: usize) -> &'a [T] {
    if items.is_null() {
        return &[];
    }
    // SAFETY: the caller's contract.
    unsafe { std::slice::from_raw_parts(items, count) }
}

/// The plugin behind an `ffi` object's attachment.
///
/// # Safety
/// 0, or what `FfiObject::for_plugin` was given.
pub unsafe fn of_attachment(attachment: usize) -> Option<&'static Plugin> {
    // SAFETY: the caller's contract.
    unsafe { (attachment as *const Plugin).as_ref() }
}

/// The `ffi` and `lib` of the plugin whose module it is, whatever its init code calls so.
pub fn ffi_and_lib_of(module: &Ref) -> Option<(Ref, Ref)> {
    let is_its = |plugin: &&Plugin| plugin.module().is_some_and(|own| own.obj() == module.obj());
    let (ffi, lib) = all().into_iter().find(is_its)?.ffi_and_lib()?;
    Some((ffi.clone(), lib.clone()))
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
