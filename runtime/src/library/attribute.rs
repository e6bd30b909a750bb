//! `lib.name`.

use std::cell::UnsafeCell;

use pyo3::ffi;

use super::find::{Found, Which};
use super::variable::{VARIABLE_TYPE, Variable};
use super::{Lib, Source};
use crate::py::{Obj, Raised, Ref, Res, intern, str_from, str_text};
use crate::raise;

/// The attributes asked for last, by the address of the name: names in code are interned, so the same name is the same
/// object. Both pointers are borrowed from the lib's dict, which keeps its entries until it is cleared.
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
    fn put(&self, name: Obj, value: Obj) {
        if cfg!(Py_GIL_DISABLED) {
            return;
        }
        // SAFETY: as in `get`.
        unsafe { (*self.0.get())[Self::place(name)] = (name, value) }
    }
    /// To be called before entries leave the dict.
    pub(super) fn clear(&self) {
        if cfg!(Py_GIL_DISABLED) {
            return;
        }
        // SAFETY: as in `get`.
        unsafe { *self.0.get() = [(std::ptr::null_mut(), std::ptr::null_mut()); RECENT] }
    }
}

impl Lib {
    /// # Safety
    /// `name` is live.
    #[inline(always)]
    pub(super) unsafe fn get_attribute(&self, name: Obj) -> Res<Ref> {
        // SAFETY: the caller's contract; the entry is alive in the dict.
        unsafe {
            match self.recent.get(name) {
                Some(found) => Self::value_of(found),
                None => self.get_attribute_slowly(name),
            }
        }
    }

    /// # Safety
    /// `found` is live: an entry of the dict.
    #[inline(always)]
    unsafe fn value_of(found: Obj) -> Res<Ref> {
        // SAFETY: the caller's contract.
        unsafe {
            if VARIABLE_TYPE.is_exactly(found) {
                (*found.cast::<Variable>()).get()
            } else {
                Ok(Ref::borrow(found))
            }
        }
    }

    #[inline(never)]
    unsafe fn get_attribute_slowly(&self, name: Obj) -> Res<Ref> {
        // SAFETY: the caller's contract.
        unsafe {
            match self.entry(name) {
                Ok(entry) => Self::value_of(entry.obj()),
                Err(raised) => self.special(name, raised),
            }
        }
    }

    /// The dict's entry of a name, found now if it is asked for the first time.
    unsafe fn entry(&self, name: Obj) -> Res<Ref> {
        // SAFETY: live objects.
        unsafe {
            if ffi::PyUnicode_CheckExact(name) == 0 || self.found.get().is_null() {
                return Err(self.no_such_name(str_text(name)?.unwrap_or("?")));
            }
            let mut found = std::ptr::null_mut();
            match ffi::compat::PyDict_GetItemRef(self.found.get(), name, &mut found) {
                1 => {
                    let found = Ref::steal(found)?;
                    self.remember(name, &found);
                    return Ok(found);
                }
                0 => {}
                _ => return Err(Raised::already()),
            }
            let text = str_text(name)?.unwrap_or("");
            let (Found::Object(made) | Found::Variable(made)) = self.find(text)?;
            // Code asks by interned names: so is the key.
            let key = intern(text)?;
            if ffi::PyDict_SetItem(self.found.get(), key.obj(), made.obj()) < 0 {
                return Err(Raised::already());
            }
            self.remember(key.obj(), &made);
            Ok(made)
        }
    }

    /// What an including lib shares with this one.
    pub(super) fn entry_of(&self, name: &str) -> Res<Found> {
        let key = intern(name)?;
        // SAFETY: live.
        unsafe {
            let entry = self.entry(key.obj())?;
            Ok(if VARIABLE_TYPE.is_exactly(entry.obj()) {
                Found::Variable(entry)
            } else {
                Found::Object(entry)
            })
        }
    }

    /// Remembers an entry of the dict, if the name is the very key.
    unsafe fn remember(&self, name: Obj, found: &Ref) {
        // SAFETY: a live str. An interned name is the key itself: keys are interned, and there is only one of a text.
        unsafe {
            if !cfg!(Py_GIL_DISABLED) && is_interned(name) {
                self.recent.put(name, found.obj());
            }
        }
    }

    /// What a module has, unless the declarations have it.
    #[cold]
    unsafe fn special(&self, name: Obj, raised: Raised) -> Res<Ref> {
        let missing = crate::exception!(AttributeError);
        raised.clear_if(missing)?;
        // SAFETY: live objects.
        unsafe {
            let text = str_text(name)?.unwrap_or("");
            match text {
                "__name__" => str_from(&format!("{}.lib", self.name)),
                "__class__" => Ok(Ref::borrow((&raw mut ffi::PyModule_Type).cast())),
                "__loader__" | "__spec__" => Ok(crate::py::none()),
                "__all__" => self.name_list(Which::NotVariables),
                "__dict__" => self.everything(),
                _ if text.starts_with("__") && text.ends_with("__") => {
                    let object = ffi::PyObject_GenericGetAttr(self.obj(), name);
                    if object.is_null() {
                        Raised::already().clear();
                        return Err(self
                            .find(text)
                            .err()
                            .unwrap_or_else(|| self.no_such_name(text)));
                    }
                    Ref::steal(object)
                }
                _ => Err(self
                    .find(text)
                    .err()
                    .unwrap_or_else(|| self.no_such_name(text))),
            }
        }
    }

    /// `lib.name = value`
    ///
    /// # Safety
    /// `name` is live, `value` is live or NULL.
    pub(super) unsafe fn set_attribute(&self, name: Obj, value: Obj) -> Res<()> {
        // SAFETY: the caller's contract.
        unsafe {
            if let Source::Dynamic(handle) = &self.source
                && handle.is_closed()
            {
                return Err(self.closed());
            }
            let entry = self.entry(name)?;
            if value.is_null() {
                return Err(raise!(AttributeError, "C attribute cannot be deleted"));
            }
            if !VARIABLE_TYPE.is_exactly(entry.obj()) {
                let text = str_text(name)?.unwrap_or("?");
                return Err(raise!(
                    AttributeError,
                    "cannot write to function or constant '{text}'"
                ));
            }
            (*entry.obj().cast::<Variable>()).set(value)
        }
    }

    /// The names as a list.
    pub(super) fn name_list(&self, which: Which) -> Res<Ref> {
        // SAFETY: a new list of our own.
        unsafe {
            let list = Ref::steal(ffi::PyList_New(0))?;
            for name in self.names(which) {
                if ffi::PyList_Append(list.obj(), str_from(&name)?.obj()) < 0 {
                    return Err(Raised::already());
                }
            }
            Ok(list)
        }
    }

    /// `lib.__dict__`: a new dict of everything that is there. Declared names that the library lacks are left out.
    fn everything(&self) -> Res<Ref> {
        // SAFETY: a new dict of our own.
        unsafe {
            let dict = Ref::steal(ffi::PyDict_New())?;
            for name in self.names(Which::All) {
                let name = intern(&name)?;
                match self.entry(name.obj()) {
                    Ok(entry) => {
                        if ffi::PyDict_SetItem(dict.obj(), name.obj(), entry.obj()) < 0 {
                            return Err(Raised::already());
                        }
                    }
                    Err(raised) => raised.clear(),
                }
            }
            Ok(dict)
        }
    }
}

/// Whether a str is interned.
unsafe fn is_interned(name: Obj) -> bool {
    // SAFETY: a live str; a borrowed reference goes in, and comes back if it is the interned one.
    unsafe {
        let mut object = name;
        ffi::Py_INCREF(object);
        ffi::PyUnicode_InternInPlace(&mut object);
        let same = object == name;
        ffi::Py_DECREF(object);
        same
    }
}
