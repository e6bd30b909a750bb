//! From type strings to ctypes, fast.
//!
//! Constants of the calling code keep their identity, so the first look is by address, in a table that owns its keys
//! (an address can't come to mean another string while it is there). The second is by the string's hash, in a dict;
//! the third is the parser. Both tables are bounded: a program that makes up type strings (`"int[%d]" % n`) does not
//! fill memory.

use super::FfiObject;
use super::state::{DICT_LIMIT, TypeCache};
use crate::ctype::{CType, Kind};
use crate::errors::{Errors, raise_error};
use crate::py::{Obj, Raised, Ref, Res, str_text};
use pyo3::ffi;

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
