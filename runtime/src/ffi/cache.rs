//! From type strings to ctypes, fast.
//!
//! Constants of the calling code keep their identity, so the first look is by address, in a table that owns its keys
//! (an address can't come to mean another string while it is there). The second is by the string's hash, in a dict;
//! the third is the parser. Both tables are bounded: a program that makes up type strings (`"int[%d]" % n`) does not
//! fill memory.

use pyo3::ffi;

use super::FfiObject;
use crate::ctype::{CType, Kind};
use crate::errors::{Errors, raise_error};
use crate::py::{Obj, Raised, Ref, Res, str_text};

const SLOTS: usize = 64;
/// How many strings the dict may hold before it is emptied.
const DICT_LIMIT: isize = 2048;

/// See the module's documentation. Never holds function types: those are not taken everywhere.
pub struct TypeCache {
    slots: [Option<(Ref, Ref<CType>)>; SLOTS],
    by_text: Option<Ref>,
}

fn slot_of(key: Obj) -> usize {
    // Strings are at least 48 bytes apart; the low four bits are always zero.
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
    /// By address.
    #[inline(always)]
    pub fn get(&self, key: Obj) -> Option<Ref<CType>> {
        match &self.slots[slot_of(key)] {
            Some((known, ctype)) if known.obj() == key => Some(ctype.clone()),
            _ => None,
        }
    }
    /// Puts an entry in; gives back what it replaces, to be dropped outside.
    fn put(&mut self, key: Ref, ctype: Ref<CType>) -> Option<(Ref, Ref<CType>)> {
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
            // SAFETY: the caller's contract.
            let stop = unsafe { visit(ctype.obj(), arg) };
            if stop != 0 {
                return stop;
            }
        }
        match &self.by_text {
            // SAFETY: the caller's contract.
            Some(dict) => unsafe { visit(dict.obj(), arg) },
            None => 0,
        }
    }
}

impl FfiObject {
    /// The ctype of a string; raises for a function type.
    ///
    /// # Safety
    /// `text` is a live str.
    #[inline(never)]
    pub(super) unsafe fn ctype_of_string(&self, text: Obj) -> Res<Ref<CType>> {
        // SAFETY: the caller's contract; nothing in `with` calls Python or drops objects.
        unsafe {
            let dict = match self.cache.with(|cache| cache.by_text.clone()) {
                Some(dict) => dict,
                None => {
                    let made = Ref::steal(ffi::PyDict_New())?;
                    let kept = made.clone();
                    drop(self.cache.with(|cache| cache.by_text.replace(kept)));
                    made
                }
            };
            let mut found = std::ptr::null_mut();
            if ffi::compat::PyDict_GetItemRef(dict.obj(), text, &mut found) < 0 {
                return Err(Raised::already());
            }
            let ctype: Ref<CType> = if found.is_null() {
                let ctype = self.parse_string(text)?;
                if ctype.kind == Kind::Function {
                    return Err(self.raise_function_type(text, &ctype));
                }
                if ffi::PyDict_Size(dict.obj()) >= DICT_LIMIT {
                    ffi::PyDict_Clear(dict.obj());
                }
                if ffi::PyDict_SetItem(dict.obj(), text, ctype.obj()) < 0 {
                    return Err(Raised::already());
                }
                ctype
            } else {
                Ref::steal(found.cast())?
            };
            let (key, kept) = (Ref::borrow(text), ctype.clone());
            drop(self.cache.with(|cache| cache.put(key, kept)));
            Ok(ctype)
        }
    }

    /// Parses a string as a type; function types too.
    ///
    /// # Safety
    /// `text` is a live str.
    pub(super) unsafe fn parse_string(&self, text: Obj) -> Res<Ref<CType>> {
        // SAFETY: the caller's contract.
        let Some(string) = (unsafe { str_text(text) })? else {
            return Err(crate::raise!(TypeError, "expected a string"));
        };
        self.scope.need_types(string)?;
        let parsed = {
            let mut declarations = self.scope.write();
            if self.inline {
                declarations.parse_type(string)
            } else {
                declarations.parse_declared_type(string)
            }
        };
        match parsed {
            Ok(parsed) => crate::ctype::from_scope(&self.scope, parsed.ty),
            Err(diagnostic) => Err(crate::errors::raise_type_string(&diagnostic, self.inline)),
        }
    }

    /// The alignment that a typedef gives to the type of a string which [`Self::parse_string`] takes.
    ///
    /// # Safety
    /// `text` is a live str.
    pub(super) unsafe fn given_alignment(&self, text: Obj) -> Res<Option<usize>> {
        // SAFETY: the caller's contract.
        let Some(string) = (unsafe { str_text(text) })? else {
            return Ok(None);
        };
        let mut declarations = self.scope.write();
        let parsed = if self.inline {
            declarations.parse_type(string)
        } else {
            declarations.parse_declared_type(string)
        };
        let given = parsed.ok().and_then(|ty| declarations.given_alignment(ty));
        Ok(given.map(|bytes| bytes as usize))
    }

    /// As CFFI: an in-line FFI tells what it was given, the others what that means.
    fn raise_function_type(&self, text: Obj, ctype: &CType) -> Raised {
        // SAFETY: a live str.
        let text = unsafe { str_text(text) }.ok().flatten().unwrap_or("?");
        let (pick, text): (fn(&'static Errors) -> &'static Ref, &str) = if self.inline {
            (|errors| &errors.cdef_error, text)
        } else {
            (|errors| &errors.error, &ctype.name)
        };
        raise_error(
            pick,
            format_args!("the type '{text}' is a function type, not a pointer-to-function type"),
        )
    }

    /// Forgets what strings mean: after a cdef.
    pub(super) fn clear_cache(&self) {
        // SAFETY: the GIL is held; nothing is dropped inside.
        let old = unsafe { self.cache.with(TypeCache::take) };
        drop(old);
    }
}
