//! What an FFI object keeps: the types that it has parsed, the texts that it was given, what `init_once` has done.

use std::ffi::{c_int, c_void};

use crate::ctype::CType;
use crate::py::{Obj, Ref};
use pyo3::ffi;

use crate::py::{GilCell, NameTable};
use keelback_codegen::CdefText;

const SLOTS: usize = 64;
/// How many strings the dict may hold before it is emptied.
pub(super) const DICT_LIMIT: usize = 2048;

/// See the module's documentation. Never holds function types: those are not taken everywhere.
pub struct TypeCache {
    pub(super) slots: [Option<(Ref, Ref<CType>)>; SLOTS],
    pub(super) by_text: Option<Ref>,
}

fn slot_of(key: Obj) -> usize {
    // A str takes at least 48 bytes, and the low four bits of its address are always zero.
    let address = key as usize;
    ((address >> 4) ^ (address >> 10)) % SLOTS
}

impl TypeCache {
    pub fn new() -> Self {
        Self {
            slots: [const { None }; SLOTS],
            by_text: None,
        }
    }
    /// The types of strings, by the address of the string.
    #[inline(always)]
    pub fn get(&self, key: Obj) -> Option<Ref<CType>> {
        match &self.slots[slot_of(key)] {
            Some((known, ctype)) if known.obj() == key => Some(ctype.clone()),
            _ => None,
        }
    }
    /// Puts an entry in; gives back what it replaces, to be dropped outside.
    pub(super) fn put(&mut self, key: Ref, ctype: Ref<CType>) -> Option<(Ref, Ref<CType>)> {
        self.slots[slot_of(key.obj())].replace((key, ctype))
    }
    /// Takes everything out, to be dropped outside.
    pub fn take(&mut self) -> Self {
        std::mem::replace(self, Self::new())
    }
    /// Visits the objects it owns.
    ///
    /// # Safety
    /// Called from tp_traverse with its arguments.
    pub unsafe fn traverse(
        &self,
        visit: ffi::visitproc,
        arg: *mut std::ffi::c_void,
    ) -> std::ffi::c_int {
        for (_, ctype) in self.slots.iter().flatten() {
            // SAFETY: `visit` and `arg` are what Python passed to tp_traverse (the caller's contract); self owns the object.
            let stop = unsafe { visit(ctype.obj(), arg) };
            if stop != 0 {
                return stop;
            }
        }
        match &self.by_text {
            // SAFETY: as above.
            Some(dict) => unsafe { visit(dict.obj(), arg) },
            None => 0,
        }
    }
}

/// What an in-line FFI was given.
#[derive(Default)]
pub struct Recorded {
    /// Texts of cdef() and embedding_api().
    pub cdefs: Vec<CdefText>,
    /// For each of them: the Python file and line that it was given in.
    pub callers: Vec<(Ref, i32)>,
    /// For each include(): how many cdefs came before it.
    pub included_at: Vec<usize>,
    /// Names of the C library that an embedding library may export: embedding_api(export=...).
    pub exports: Vec<String>,
    /// The functions that get batches: embedding_api(batch=...).
    pub batches: Vec<String>,
    /// What header() took: the file, and the arguments beside its name.
    pub headers: Vec<(String, String)>,
}

/// What init_once has done on one FFI: two dicts by tag, made at the first use.
#[derive(Default)]
pub struct Once {
    /// Results.
    pub(super) done: Option<Ref>,
    /// For calls under way (or that failed): the lock under which the function runs.
    pub(super) locks: Option<Ref>,
}

impl Once {
    /// Whether init_once() was ever called.
    pub fn is_used(&self) -> bool {
        self.done.is_some()
    }
    /// Visits the objects it owns.
    ///
    /// # Safety
    /// Called from tp_traverse with its arguments.
    pub unsafe fn traverse(&self, visit: ffi::visitproc, arg: *mut c_void) -> c_int {
        for dict in [&self.done, &self.locks].into_iter().flatten() {
            // SAFETY: what Python passes to it.
            let stop = unsafe { visit(dict.obj(), arg) };
            if stop != 0 {
                return stop;
            }
        }
        0
    }
}

/// The bound methods that were asked for so far.
#[derive(Default)]
pub struct BoundMethods {
    /// Pairs of an attribute's interned name and the bound method, in order of first use.
    pub(super) kept: Vec<(Ref, Ref)>,
    /// The same by name.
    pub(super) table: Option<NameTable<Obj>>,
}

/// The table of an object.
pub type Cell = GilCell<BoundMethods>;

impl BoundMethods {
    /// The bound methods, for the garbage collector. Their references to the object make cycles.
    pub fn objects(&self) -> impl Iterator<Item = &Ref> {
        self.kept.iter().map(|(_, method)| method)
    }
}
