//! `lib`: a C library as a Python object, whether opened with dlopen or part of a plugin.

use std::sync::Arc;

use keelback_codegen::abi::keelback_plugin_t;
use pyo3::ffi;

use crate::cdata::CData;
use crate::py::{Obj, Ref, Res, StaticType};
use crate::raise;
use crate::scope::Scope;

/// The type object of `lib` objects (`_cffi_backend.Lib`).
pub static LIB_TYPE: StaticType = StaticType::new();

/// A `lib` object.
#[repr(C)]
pub struct Lib {
    ob_base: ffi::PyObject,
    scope: Arc<Scope>,
}

impl Lib {
    /// `dlopen(path, flags)`; `None`: the process's own symbols. `name` is what messages call it. Raises OSError with
    /// the system's text.
    pub fn from_dlopen(
        scope: Arc<Scope>,
        path: Option<&std::ffi::CStr>,
        flags: i32,
    ) -> Res<Ref<Lib>> {
        let _ = (scope, path, flags);
        Err(raise!(NotImplementedError, "lib lands next"))
    }
    /// Over a handle that somebody else opened, and closes.
    pub fn from_handle(
        scope: Arc<Scope>,
        name: &str,
        handle: *mut std::ffi::c_void,
    ) -> Res<Ref<Lib>> {
        let _ = (scope, name, handle);
        Err(raise!(NotImplementedError, "lib lands next"))
    }
    /// The `lib` of a plugin: its symbols and its functions.
    ///
    /// # Safety
    /// The plugin's tables are as abi.rs says, and stay as long as the process.
    pub unsafe fn from_plugin(
        scope: Arc<Scope>,
        plugin: *const keelback_plugin_t,
    ) -> Res<Ref<Lib>> {
        let _ = (scope, plugin);
        Err(raise!(NotImplementedError, "lib lands next"))
    }
    /// `ffi.dlclose(lib)`. Closing again does nothing.
    pub fn close(&self) -> Res<()> {
        Ok(())
    }
    /// Whose declarations it shows.
    pub fn scope(&self) -> &Arc<Scope> {
        &self.scope
    }
}

/// `object` as a lib, if it is one.
///
/// # Safety
/// `object` is live, and stays so while the result is used.
pub unsafe fn as_lib<'a>(object: Obj) -> Option<&'a Lib> {
    // SAFETY: the caller's contract.
    unsafe {
        if LIB_TYPE.is_exactly(object) {
            Some(&*object.cast::<Lib>())
        } else {
            None
        }
    }
}

/// `ffi.addressof(lib, name)`: a function pointer, or a pointer to a variable.
///
/// # Safety
/// `name` is a live object.
pub unsafe fn address_of(lib: &Lib, name: Obj) -> Res<Ref<CData>> {
    let _ = (lib, name);
    Err(raise!(NotImplementedError, "lib lands next"))
}

/// The function-pointer ctype of a plugin's `lib.function` object (`ffi.typeof(lib.f)`), and its address; `None` for any
/// other object.
///
/// # Safety
/// `object` is live.
pub unsafe fn function_object(object: Obj) -> Option<(Ref<crate::ctype::CType>, *mut u8)> {
    let _ = object;
    None
}
