//! The declarations of one FFI, and where the ctypes of its records and enums are found.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use keelback_cdef::{
    Declarations, Diagnostic, EnumId, Included, Layout, LayoutError, Layouts, ParseOptions,
    RecordId, Target,
};
use keelback_codegen::ModuleCdef;
use pyo3::ffi;
use rustc_hash::FxHashMap;

use super::{Lazy, LazySegments};
use crate::py::{Obj, Ref, Res, Weak};

/// The declarations of one FFI. Shared by the FFI object and by the ctypes of its records and enums, whose fields
/// are built from it at first use.
pub struct Scope {
    declarations: OnceLock<RwLock<Declarations>>,
    /// Texts that belong to them, and are parsed when somebody asks.
    unread: Unread,
    /// Texts that are parsed as far as somebody asks.
    pub(super) segments: LazySegments,
    layouts: Mutex<Layouts>,
    nominal: Mutex<Nominal>,
    /// Where the C compiler did not agree; set before anyone else sees the scope.
    disagreements: OnceLock<Disagreements>,
    /// Of a module of ABI mode with declarations as text: the scopes of the modules that it includes. Their functions and
    /// variables are to be had from libs of those alone.
    elsewhere: OnceLock<Vec<Arc<Scope>>>,
    /// Tables that CFFI generated, from which names are declared when they are asked for.
    pub(super) tables: OnceLock<Lazy>,
    /// Whether they are those of a module that set_source() made.
    api_mode: AtomicBool,
}

/// See [`Scope::defer`].
#[derive(Default)]
struct Unread {
    is_some: AtomicBool,
    cdefs: Mutex<Vec<UnreadCdef>>,
}

/// A cdef that was found good before, in the same order and on the same platform.
pub(crate) struct UnreadCdef {
    pub text: Arc<str>,
    pub file: String,
    pub override_: bool,
    pub packed: bool,
    pub pack: Option<u32>,
    /// Read by C's rules alone.
    pub of_header: bool,
}

impl UnreadCdef {
    /// As what writes modules sees it.
    pub(crate) fn as_written(&self) -> ModuleCdef<'_> {
        ModuleCdef {
            text: &self.text,
            override_: self.override_,
            packed: self.packed,
            pack: self.pack,
            of_header: self.of_header,
        }
    }
    pub(super) fn options(&self) -> ParseOptions<'_> {
        self.as_written().options(&self.file)
    }
    pub(crate) fn parse(&self, declarations: &mut Declarations) -> Result<(), Vec<Diagnostic>> {
        let parsed = declarations.parse(&self.text, &self.options()).map(drop);
        declarations.forget_forced_names();
        parsed
    }
}

/// What an extension module's declarations say otherwise than the C compiler that compiled it. Raised where the type or
/// the constant is used, as CFFI does.
#[derive(Default)]
pub struct Disagreements {
    /// By record.
    pub records: FxHashMap<RecordId, LayoutError>,
    /// Size and alignment in C, by record.
    pub sizes: FxHashMap<RecordId, (isize, u32)>,
    /// By the name of a constant or enumerator: the message.
    pub values: FxHashMap<String, String>,
    /// The same, with C's value.
    pub real_values: FxHashMap<String, i128>,
}

/// The ctypes of records and enums, by id. Not owned: a ctype holds its scope, and takes itself out at its end.
#[derive(Default)]
struct Nominal {
    records: Vec<Option<Weak<ffi::PyObject>>>,
    enums: Vec<Option<Weak<ffi::PyObject>>>,
    /// For those that came from an included scope: which scope, and their id there.
    included: FxHashMap<NominalId, (Arc<Scope>, NominalId)>,
    /// Included ones that are opaque where they are from, and complete here.
    completed: Vec<NominalId>,
}

/// A record or an enum of a scope.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum NominalId {
    /// A struct or union.
    Record(RecordId),
    /// An enum.
    Enum(EnumId),
}

impl Scope {
    /// A scope of these declarations.
    pub fn new(declarations: Declarations) -> Arc<Self> {
        Self::with(OnceLock::from(RwLock::new(declarations)))
    }
    /// A scope without declarations, for those of tables: it costs nothing before something is declared.
    pub fn empty() -> Arc<Self> {
        Self::with(OnceLock::new())
    }
    fn with(declarations: OnceLock<RwLock<Declarations>>) -> Arc<Self> {
        Arc::new(Self {
            declarations,
            unread: Unread::default(),
            segments: LazySegments::default(),
            layouts: Mutex::default(),
            nominal: Mutex::default(),
            disagreements: OnceLock::new(),
            elsewhere: OnceLock::new(),
            tables: OnceLock::new(),
            api_mode: AtomicBool::new(false),
        })
    }
    /// Adds cdefs that nobody has to look at before somebody asks for a declaration: the import of a module with tens of
    /// thousands of them then costs no more than reading its file.
    pub(crate) fn defer(&self, cdefs: Vec<UnreadCdef>) {
        let mut unread = self
            .unread
            .cdefs
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        unread.extend(cdefs);
        self.unread.is_some.store(true, Ordering::Release);
    }
    #[inline]
    fn settle(&self) {
        if self.unread.is_some.load(Ordering::Acquire) {
            self.parse_unread();
        }
    }
    #[inline]
    pub(super) fn lock(&self) -> &RwLock<Declarations> {
        let made = || RwLock::new(Declarations::new(Target::host()));
        self.declarations.get_or_init(made)
    }
    #[cold]
    fn parse_unread(&self) {
        let mut unread = self
            .unread
            .cdefs
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut declarations = self.lock().write().unwrap_or_else(PoisonError::into_inner);
        let cdefs = std::mem::take(&mut *unread);
        let results: Vec<_> = cdefs
            .iter()
            .map(|cdef| cdef.parse(&mut declarations))
            .collect();
        self.unread.is_some.store(false, Ordering::Release);
        // The module's digest says that these texts were parsed without errors when it was made.
        if let Some(errors) = results.into_iter().find_map(Result::err) {
            panic!("declarations that were parsed before: {errors:?}");
        }
    }
    /// The declarations, to read. Never call Python while holding this: it may release the GIL, and deadlock.
    pub fn read(&self) -> RwLockReadGuard<'_, Declarations> {
        self.settle();
        self.lock().read().unwrap_or_else(PoisonError::into_inner)
    }
    /// The declarations, to change. Never call Python while holding this.
    pub fn write(&self) -> RwLockWriteGuard<'_, Declarations> {
        self.settle();
        self.lock().write().unwrap_or_else(PoisonError::into_inner)
    }
    /// The layout of a complete record. Computed once.
    pub fn layout(
        &self,
        declarations: &Declarations,
        id: RecordId,
    ) -> Result<Arc<Layout>, LayoutError> {
        if let Some(found) = self.disagreements.get()
            && let Some(error) = found.records.get(&id)
        {
            return Err(error.clone());
        }
        self.layouts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .layout(declarations, id)
    }
    /// Whether the declarations are those of an API-mode module, which keeps to CFFI also in what it refuses.
    pub(crate) fn is_api_mode(&self) -> bool {
        self.api_mode.load(Ordering::Relaxed)
    }
    /// Notes that they are. To be called before anyone else sees the scope.
    pub fn set_api_mode(&self) {
        self.api_mode.store(true, Ordering::Relaxed);
    }
    /// Remembers where the compiler did not agree. Called once at most.
    pub(crate) fn set_disagreements(&self, found: Disagreements) {
        let _ = self.disagreements.set(found);
    }
    /// Size and alignment that the compiler gives to a record on which it does not agree.
    pub(crate) fn size_in_c(&self, id: RecordId) -> Option<(isize, u32)> {
        if let Some(found) = self.disagreements.get() {
            found.records.get(&id)?;
            return found.sizes.get(&id).copied();
        }
        let declarations = self.read();
        let given = declarations.types.record(id).given_layout.as_ref()?;
        given.whole.map(|(size, align)| (size as isize, align))
    }
    /// Why the value of a constant is not to be trusted.
    pub(crate) fn wrong_value(&self, name: &str) -> Option<&str> {
        let found = self.disagreements.get()?;
        found.values.get(name).map(String::as_str)
    }
    /// The ctypes of records that were made so far.
    pub(crate) fn known_records(&self) -> Vec<Ref> {
        let nominal = self.nominal.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = nominal.records.iter().flatten();
        // SAFETY: the lock of the table that `forget_nominal` takes types out of is held.
        entries
            .filter_map(|entry| unsafe { entry.revive() })
            .collect()
    }
    /// The ctype of a record or enum, if there is one.
    pub(crate) fn nominal(&self, id: NominalId) -> Option<Ref> {
        let mut nominal = self.nominal.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: the lock of the table that `forget_nominal` takes types out of is held.
        unsafe { nominal.place(id).as_ref()?.revive() }
    }
    /// The scope that a record or enum was included from, and its id there.
    pub(crate) fn included(&self, id: NominalId) -> Option<(Arc<Scope>, NominalId)> {
        let nominal = self.nominal.lock().unwrap_or_else(PoisonError::into_inner);
        if nominal.included.is_empty() {
            None
        } else {
            nominal.included.get(&id).cloned()
        }
    }
    /// Makes the types and constants of `theirs` visible in `ours`: `ffi.include()`. Their records and enums keep their
    /// ctypes, so that values of one FFI are good in the other.
    pub fn include(ours: &Arc<Scope>, theirs: &Arc<Scope>) -> Res<()> {
        theirs.need_all()?;
        // The declarations are copied first, so that never two scopes are locked at once: of two threads, each may include
        // the other's scope.
        let copy = theirs.read().clone();
        let result = ours.write().include(&copy);
        match result {
            Ok(included) => {
                Self::set_all_included(ours, theirs, &included);
                Ok(())
            }
            Err(diagnostic) => Err(crate::errors::raise_diagnostics(&[*diagnostic])),
        }
    }
    /// Sets the scopes of the modules that this one, of ABI mode, includes. Once.
    pub(crate) fn set_elsewhere(&self, scopes: Vec<Arc<Scope>>) {
        let _ = self.elsewhere.set(scopes);
    }
    /// The scopes of the modules that a module of ABI mode includes.
    pub(super) fn elsewhere(&self) -> &[Arc<Scope>] {
        match (self.tables.get(), self.elsewhere.get()) {
            (Some(lazy), _) => lazy.included(),
            (None, Some(scopes)) => scopes,
            (None, None) => &[],
        }
    }
    /// Records where the records and enums of an inclusion are from.
    pub(super) fn set_all_included(ours: &Scope, theirs: &Arc<Scope>, included: &Included) {
        for &(there, here) in &included.records {
            ours.set_included(
                NominalId::Record(here),
                theirs.clone(),
                NominalId::Record(there),
            );
        }
        for &(there, here) in &included.enums {
            ours.set_included(
                NominalId::Enum(here),
                theirs.clone(),
                NominalId::Enum(there),
            );
        }
    }
    /// Of a module whose declarations are complete: finds the included records that are opaque in their own module. They
    /// are one type with two meanings, and refused as in CFFI.
    pub fn find_completed(&self) {
        let included: Vec<_> = {
            let nominal = self.nominal.lock().unwrap_or_else(PoisonError::into_inner);
            let pairs = nominal.included.iter();
            pairs.map(|(&id, origin)| (id, origin.clone())).collect()
        };
        let is_complete = |scope: &Scope, id: NominalId| match id {
            NominalId::Record(id) => scope.read().types.record(id).fields.is_some(),
            NominalId::Enum(_) => true,
        };
        for (id, (scope, theirs)) in included {
            if is_complete(self, id) && !is_complete(&scope, theirs) {
                let mut nominal = self.nominal.lock().unwrap_or_else(PoisonError::into_inner);
                nominal.completed.push(id);
            }
        }
    }
    /// Whether [`find_completed`](Self::find_completed) found it.
    pub(crate) fn is_completed(&self, id: NominalId) -> bool {
        let nominal = self.nominal.lock().unwrap_or_else(PoisonError::into_inner);
        nominal.completed.contains(&id)
    }
    /// Records that `id` is `theirs` of `scope`: `ffi.include()`.
    pub(crate) fn set_included(&self, id: NominalId, scope: Arc<Scope>, theirs: NominalId) {
        self.nominal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .included
            .insert(id, (scope, theirs));
    }
    /// Remembers the new ctype of a record or enum. If another thread has put one there meanwhile, that one counts.
    pub(crate) fn settle_nominal(&self, id: NominalId, made: Ref) -> Ref {
        let mut nominal = self.nominal.lock().unwrap_or_else(PoisonError::into_inner);
        let place = nominal.place(id);
        // SAFETY: the lock of the table that `forget_nominal` takes types out of is held.
        let theirs = place.as_ref().and_then(|entry| unsafe { entry.revive() });
        if theirs.is_none() {
            *place = Some(Weak::of(&made));
        }
        drop(nominal);
        theirs.unwrap_or(made)
    }
    /// Takes a ctype that is being freed out, unless a new one has its place already. Before Python code can run: see
    /// [`Weak`].
    pub(crate) fn forget_nominal(&self, id: NominalId, ctype: Obj) {
        let mut nominal = self.nominal.lock().unwrap_or_else(PoisonError::into_inner);
        let place = nominal.place(id);
        if place.as_ref().is_some_and(|entry| entry.is_of(ctype)) {
            *place = None;
        }
    }
}

impl Nominal {
    fn place(&mut self, id: NominalId) -> &mut Option<Weak<ffi::PyObject>> {
        let (list, index) = match id {
            NominalId::Record(id) => (&mut self.records, id.index()),
            NominalId::Enum(id) => (&mut self.enums, id.index()),
        };
        if list.len() <= index {
            list.resize_with(index + 1, || None);
        }
        &mut list[index]
    }
}
