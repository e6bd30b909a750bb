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
use crate::py::{Live, Raised, Ref, Res, make};
use pyo3::ffi;

impl FfiObject {
    /// The ctype of a string; raises for a function type.
    #[inline(never)]
    pub(super) fn ctype_of_string(&self, text: Live) -> Res<Ref<CType>> {
        let dict = self.dict()?;
        let known = dict.live().dict_item(text)?;
        let ctype = match known.as_ref().and_then(|known| CType::of(known.live())) {
            Some(ctype) => ctype.to_ref(),
            None => {
                let ctype = self.parse_string(text)?;
                if ctype.kind == Kind::Function {
                    return Err(self.raise_function_type(text, &ctype));
                }
                if dict.live().dict_len() >= DICT_LIMIT {
                    // SAFETY: a dict.
                    unsafe { ffi::PyDict_Clear(dict.obj()) };
                }
                dict.live().set_dict_item(text, ctype.live())?;
                ctype
            }
        };
        let (key, kept) = (text.to_ref(), ctype.clone());
        // SAFETY: attached to the interpreter; nothing in `with` calls Python, what it gives is dropped outside.
        drop(unsafe { self.cache.with(|cache| cache.put(key, kept)) });
        Ok(ctype)
    }

    /// The dict of the types that strings mean.
    fn dict(&self) -> Res<Ref> {
        // SAFETY: attached to the interpreter; nothing in `with` calls Python or drops objects.
        if let Some(dict) = unsafe { self.cache.with(|cache| cache.by_text.clone()) } {
            return Ok(dict);
        }
        let made = make::dict([])?;
        let kept = made.clone();
        // SAFETY: as above; what was there is dropped outside.
        drop(unsafe { self.cache.with(|cache| cache.by_text.replace(kept)) });
        Ok(made)
    }

    /// Parses a string as a type; function types too.
    pub(super) fn parse_string(&self, text: Live) -> Res<Ref<CType>> {
        let Some(string) = text.text()? else {
            return Err(crate::raise!(TypeError, "expected a string"));
        };
        if let Some(known) = self.scope.plain_type(string)? {
            return crate::ctype::from_scope(&self.scope, known);
        }
        self.scope.need_types(string)?;
        let parse = || {
            let mut declarations = self.scope.write();
            if self.inline {
                declarations.parse_type(string)
            } else {
                declarations.parse_declared_type(string)
            }
        };
        let mut parsed = parse();
        if parsed.is_err() && self.scope.need_namesakes(string)? {
            parsed = parse();
        }
        match parsed {
            Ok(parsed) => crate::ctype::from_scope(&self.scope, parsed.ty),
            Err(diagnostic) => Err(crate::errors::raise_type_string(&diagnostic, self.inline)),
        }
    }

    /// The alignment that a typedef gives to the type of a string which [`Self::parse_string`] takes.
    pub(super) fn given_alignment(&self, text: Live) -> Res<Option<usize>> {
        let Some(string) = text.text()? else {
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

    /// Refuses a function type. As in CFFI, an in-line FFI shows the text that it was given, the others the type's name.
    fn raise_function_type(&self, text: Live, ctype: &CType) -> Raised {
        let text = text.text().ok().flatten().unwrap_or("?");
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
