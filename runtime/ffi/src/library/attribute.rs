//! `lib.name`.

use std::cell::UnsafeCell;

use pyo3::ffi;

use super::find::{Found, Which};
use super::function::module_class;
use super::variable::Variable;
use super::{Lib, Source};
use crate::py::{Live, Obj, Raised, Ref, Res, intern, make, str_from, str_from_c};
use crate::{exception, raise};

/// The attributes asked for last, by the address of the name: names in code are interned, so the same name is the same
/// object. The names are owned: the lib's dict may have another object of the same text. The values are borrowed from the
/// dict, which keeps its entries until it is cleared.
///
/// Only used with a GIL, which is its lock.
pub(super) struct Recent(UnsafeCell<[(Obj, Obj); RECENT]>);

// SAFETY: only used under the GIL (and not at all on a free-threaded Python).
unsafe impl Send for Recent {}
// SAFETY: as above.
unsafe impl Sync for Recent {}

/// A power of two.
const RECENT: usize = 64;

impl Recent {
    pub(super) const fn new() -> Self {
        Self(UnsafeCell::new(
            [(std::ptr::null_mut(), std::ptr::null_mut()); RECENT],
        ))
    }
    fn place(name: Obj) -> usize {
        // Objects are 16 bytes apart; small strings 48 to 64.
        let address = name as usize >> 4;
        (address ^ (address >> 6)) & (RECENT - 1)
    }
    #[inline(always)]
    fn get(&self, name: Obj) -> Option<Obj> {
        if cfg!(Py_GIL_DISABLED) {
            return None;
        }
        // SAFETY: the GIL is held, and nothing below lets go of it.
        let (key, value) = unsafe { (*self.0.get())[Self::place(name)] };
        (key == name).then_some(value)
    }
    fn put(&self, name: Live, value: Obj) {
        if cfg!(Py_GIL_DISABLED) {
            return;
        }
        let name = name.to_ref().into_ptr();
        // SAFETY: as in `get`; the reference to the name that was there is given up when it is there no more. It is a str
        // of no subclass: its end runs no code.
        unsafe {
            let place = &mut (*self.0.get())[Self::place(name)];
            let (old, _) = std::mem::replace(place, (name, value));
            ffi::Py_XDECREF(old);
        }
    }
    /// To be called before entries leave the dict, and before the lib goes.
    pub(super) fn clear(&self) {
        if cfg!(Py_GIL_DISABLED) {
            return;
        }
        // SAFETY: as in `put`.
        unsafe {
            let nothing = [(std::ptr::null_mut(), std::ptr::null_mut()); RECENT];
            for (name, _) in std::mem::replace(&mut *self.0.get(), nothing) {
                ffi::Py_XDECREF(name);
            }
        }
    }
}

impl Lib {
    /// `lib.name`
    #[inline(always)]
    pub(super) fn get_attribute(&self, name: Live) -> Res<Ref> {
        match self.recent.get(name.ptr()) {
            // SAFETY: an entry of the dict, which keeps it alive.
            Some(found) => Self::value_of(unsafe { Live::new(found) }),
            None => self.get_attribute_slowly(name),
        }
    }

    /// What an entry of the dict stands for.
    #[inline(always)]
    fn value_of(found: Live) -> Res<Ref> {
        match Variable::of(found) {
            Some(variable) => variable.get(),
            None => Ok(found.to_ref()),
        }
    }

    #[inline(never)]
    fn get_attribute_slowly(&self, name: Live) -> Res<Ref> {
        match self.entry(name) {
            Ok(entry) => Self::value_of(entry.live()),
            Err(raised) => self.special(name, raised),
        }
    }

    /// The dict's entry of a name, found now if it is asked for the first time.
    fn entry(&self, name: Live) -> Res<Ref> {
        // SAFETY: the lib's dict, or NULL once it was cleared.
        let known = unsafe { Live::or_null(self.found.get()) };
        let Some(known) = known.filter(|_| name.is_exact_str()) else {
            return Err(self.no_such_name(name.text()?.unwrap_or("?")));
        };
        if let Some(found) = known.dict_item(name)? {
            self.remember(name, &found);
            return Ok(found);
        }
        let text = name.text()?.unwrap_or("");
        let (Found::Object(made) | Found::Variable(made)) = self.find(text)?;
        known.set_dict_item(name, made.live())?;
        self.remember(name, &made);
        Ok(made)
    }

    /// What an including lib shares with this one.
    pub(super) fn entry_of(&self, name: &str) -> Res<Found> {
        let key = intern(name)?;
        let entry = self.entry(key.live())?;
        Ok(if Variable::of(entry.live()).is_some() {
            Found::Variable(entry)
        } else {
            Found::Object(entry)
        })
    }

    /// Remembers an entry of the dict, if the name can be asked for again: names in code are interned.
    fn remember(&self, name: Live, found: &Ref) {
        if !cfg!(Py_GIL_DISABLED) && is_interned(name) {
            self.recent.put(name, found.obj());
        }
    }

    /// The attributes that every module has, for names that are not declared.
    #[cold]
    fn special(&self, name: Live, raised: Raised) -> Res<Ref> {
        raised.clear_if(exception!(AttributeError))?;
        let text = name.text()?.unwrap_or("");
        let missing = || {
            let found = self.find(text);
            found.err().unwrap_or_else(|| self.no_such_name(text))
        };
        match text {
            "__name__" => str_from(&format!("{}.lib", self.name)),
            "__class__" => Ok(module_class()),
            "__loader__" | "__spec__" => Ok(crate::py::none()),
            "__all__" => self.name_list(Which::NotVariables),
            "__dict__" => self.everything(),
            // The lib of an out-of-line module looks like a module, and has nothing else of its own, as in CFFI.
            _ if !self.is_out_of_line() && text.starts_with("__") && text.ends_with("__") => {
                // SAFETY: live objects.
                let object = unsafe { ffi::PyObject_GenericGetAttr(self.obj(), name.ptr()) };
                // SAFETY: a new reference, or NULL with an exception.
                unsafe { Ref::steal(object) }.map_err(|raised| {
                    raised.clear();
                    missing()
                })
            }
            _ => Err(missing()),
        }
    }

    /// `lib.name = value`
    pub(super) fn set_attribute(&self, name: Live, value: Option<Live>) -> Res<()> {
        if let Source::Dynamic(handle) = &self.source
            && handle.is_closed()
        {
            return Err(self.closed());
        }
        let entry = self.entry(name)?;
        let Some(value) = value else {
            return Err(raise!(AttributeError, "C attribute cannot be deleted"));
        };
        let Some(variable) = Variable::of(entry.live()) else {
            let text = name.text()?.unwrap_or("?");
            return Err(raise!(
                AttributeError,
                "cannot write to function or constant '{text}'"
            ));
        };
        variable.set(value)
    }

    /// The names as a list.
    pub(super) fn name_list(&self, which: Which) -> Res<Ref> {
        if let Source::Compiled(tables) = &self.source {
            if which == Which::All {
                return make::full_list(tables.names().map(|(name, _)| str_from_c(name)));
            }
            let names = tables.names().filter(|(_, code)| !code.is_variable());
            return make::list(names.map(|(name, _)| str_from_c(name)));
        }
        make::list(self.names(which).iter().map(|name| str_from(name)))
    }

    /// `lib.__dict__`: a new dict of everything that is there. Declared names that the library lacks are left out; an
    /// out-of-line module says what is wrong with its first such name, as in CFFI.
    fn everything(&self) -> Res<Ref> {
        let dict = make::dict([])?;
        for name in self.names(Which::All) {
            let name = intern(&name)?;
            match self.entry(name.live()) {
                Ok(entry) => dict.live().set_dict_item(name.live(), entry.live())?,
                Err(raised) if self.is_out_of_line() => return Err(raised),
                Err(raised) => raised.clear(),
            }
        }
        Ok(dict)
    }
}

/// Whether a str, of no subclass, is interned.
#[cfg(not(any(Py_3_14, Py_GIL_DISABLED)))]
fn is_interned(name: Live) -> bool {
    // SAFETY: a live str starts so.
    unsafe { (*name.ptr().cast::<ffi::PyASCIIObject>()).interned() != 0 }
}

/// Whether a str, of no subclass, is interned, or is now.
#[cfg(any(Py_3_14, Py_GIL_DISABLED))]
fn is_interned(name: Live) -> bool {
    // SAFETY: a live str; a reference goes in, and comes back if it is the interned one.
    unsafe {
        let mut object = name.to_ref().into_ptr();
        ffi::PyUnicode_InternInPlace(&mut object);
        let same = name.is(object);
        ffi::Py_DECREF(object);
        same
    }
}
