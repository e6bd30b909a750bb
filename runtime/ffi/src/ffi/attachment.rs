//! The plugin behind an `ffi`, as far as this layer needs to know it: a trait, which the layer above implements.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::py::{Live, Ref, Res};

/// A plugin, for its `ffi` and for modules that include it.
pub trait Attachment: Sync {
    /// The decorator that `ffi.def_extern(name=None, error=None, onerror=None, batch=False)` returns.
    fn def_extern(
        &'static self,
        name: Option<Live>,
        error: Option<Live>,
        onerror: Option<Live>,
        batch: bool,
    ) -> Res<Ref>;
    /// Whether it is the plugin's module.
    fn has_module(&self, module: &Ref) -> bool;
    /// The file of its library.
    fn library_path(&self) -> Option<PathBuf>;
    /// Its `ffi` and `lib`.
    fn ffi_and_lib(&self) -> Option<(&Ref, &Ref)>;
}

/// All plugins that are attached.
static ALL: Mutex<Vec<&'static dyn Attachment>> = Mutex::new(Vec::new());

/// Makes a plugin known to those that include its module.
pub fn attach(plugin: &'static dyn Attachment) {
    ALL.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(plugin);
}

/// The `ffi` and `lib` of the plugin whose module it is, whatever its init code calls so.
pub fn ffi_and_lib_of(module: &Ref) -> Option<(Ref, Ref)> {
    let all = ALL.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let plugin = all.into_iter().find(|plugin| plugin.has_module(module))?;
    let (ffi, lib) = plugin.ffi_and_lib()?;
    Some((ffi.clone(), lib.clone()))
}
