//! Which files of development libraries have run as modules, and whether they have changed since.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use pyo3::ffi;

use super::super::plugin::Plugin;
use super::find::names;
use keelback_ffi::py::{Raised, Ref, Res, str_from, str_text};

/// Files, when each was changed, and of which plugin (by address) it is.
pub struct Ran(Vec<(usize, PathBuf, Option<SystemTime>)>);

static RAN: Mutex<Ran> = Mutex::new(Ran(Vec::new()));

/// Looked at outside of Python; taken over a fork.
pub fn lock_ran() -> MutexGuard<'static, Ran> {
    RAN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn changed_at(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}

/// Notes a file that is about to run.
pub(super) fn note(plugin: &Plugin, path: &Path) {
    let key = std::ptr::from_ref(plugin).addr();
    let now = changed_at(path);
    let ran = &mut lock_ran().0;
    match ran
        .iter_mut()
        .find(|(of, known, _)| *of == key && known == path)
    {
        Some(known) => known.2 = now,
        None => ran.push((key, path.to_owned(), now)),
    }
}

/// Whether a module's file has changed since it ran. A file that is gone has not: an editor may be replacing it.
pub fn have_changed(plugin: &Plugin) -> bool {
    let key = std::ptr::from_ref(plugin).addr();
    lock_ran().0.iter().any(|(of, path, then)| {
        *of == key
            && match changed_at(path) {
                Some(now) => Some(now) != *then,
                None => false,
            }
    })
}

/// What [`forget_modules`] took away.
pub struct Forgotten {
    /// Of `sys.modules`.
    modules: Ref,
    /// Of the plugin's module.
    attributes: Ref,
}

/// Takes the plugin's own modules out of `sys.modules`, and out of its module: the next import runs their files. In
/// Python.
pub fn forget_modules(plugin: &Plugin) -> Res<Forgotten> {
    let key = std::ptr::from_ref(plugin).addr();
    for (of, path, then) in &mut lock_ran().0 {
        if *of == key {
            *then = changed_at(path);
        }
    }
    let (inside, top_level) = (names(plugin, false), names(plugin, true));
    let is_own = |name: &str| {
        let root = |path: &str| path.split('.').next().unwrap_or_default().to_owned();
        let below = name
            .strip_prefix(plugin.name())
            .and_then(|rest| rest.strip_prefix('.'));
        below.is_some_and(|path| inside.contains(&root(path))) || top_level.contains(&root(name))
    };
    // SAFETY: the GIL is held; the module's dict is alive with it.
    unsafe {
        let modules: Ref = Ref::borrow(ffi::PyImport_GetModuleDict());
        let attributes = match plugin.module() {
            Some(module) => {
                let dict: Ref = Ref::borrow(ffi::PyModule_GetDict(module.obj()));
                let is_module = |name: &str| {
                    let full = str_from(&format!("{}.{name}", plugin.name()))?;
                    let known = ffi::PyDict_GetItemWithError(modules.obj(), full.obj());
                    let here = ffi::PyDict_GetItemWithError(dict.obj(), str_from(name)?.obj());
                    Ok(!known.is_null() && known == here)
                };
                take(&dict, |name| Ok(inside.contains(name) && is_module(name)?))?
            }
            None => keelback_ffi::py::make::dict([])?,
        };
        Ok(Forgotten {
            modules: take(&modules, |name| Ok(is_own(name)))?,
            attributes,
        })
    }
}

/// Takes the items whose keys are wanted out of a dict, into another.
///
/// # Safety
/// The GIL is held; `from` is a dict.
unsafe fn take(from: &Ref, is_wanted: impl Fn(&str) -> Res<bool>) -> Res<Ref> {
    // SAFETY: the GIL is held and `from` is a dict (the caller's contract). The list of keys is nobody else's, so the keys
    // that are borrowed from it stay; the new dict takes a reference to a value before the old one gives its own up.
    unsafe {
        let taken: Ref = keelback_ffi::py::make::dict([])?;
        let keys: Ref = Ref::steal(ffi::PyDict_Keys(from.obj()))?;
        for index in 0..ffi::PyList_Size(keys.obj()) {
            let key = ffi::PyList_GetItem(keys.obj(), index);
            // A key that is not a str is the name of no module.
            if ffi::PyUnicode_Check(key) == 0 || !str_text(key)?.map_or(Ok(false), &is_wanted)? {
                continue;
            }
            let value = ffi::PyDict_GetItemWithError(from.obj(), key);
            if value.is_null() {
                continue;
            }
            if ffi::PyDict_SetItem(taken.obj(), key, value) < 0
                || ffi::PyDict_DelItem(from.obj(), key) < 0
            {
                return Err(Raised::already());
            }
        }
        Ok(taken)
    }
}

impl Forgotten {
    /// Puts all back: what should have taken its place has failed. No exception is set.
    pub fn restore(self, plugin: &Plugin) {
        // SAFETY: the GIL is held; the module's dict is alive with it.
        unsafe {
            let mut done = ffi::PyDict_Update(ffi::PyImport_GetModuleDict(), self.modules.obj());
            if let Some(module) = plugin.module() {
                done |=
                    ffi::PyDict_Update(ffi::PyModule_GetDict(module.obj()), self.attributes.obj());
            }
            if done < 0 {
                ffi::PyErr_Clear();
            }
        }
    }
}
