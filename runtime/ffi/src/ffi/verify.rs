//! verify: API mode without a module of its own. The work is done in Python, by `keelback._verify`; here is how what
//! it compiled meets the FFI that was verified.

use std::cell::Cell;
use std::ffi::{CString, c_void};
use std::sync::Arc;

use keelback_codegen::abi::keelback_plugin_t;
use pyo3::ffi;

use super::FfiObject;
use super::payload::complete;
use crate::library::{Handle, Lib};
use crate::py::{Live, Ref, Res, import, make, method};
use crate::raise;

thread_local! {
    /// The FFI that the module which is being loaded on this thread belongs to.
    static VERIFIED: Cell<*const FfiObject> = const { Cell::new(std::ptr::null()) };
}

/// `keelback._verify.verify(ffi, *args, **kwargs)`
pub fn verify(ffi: &FfiObject, args: Live, keywords: Option<Live>) -> Res<Ref> {
    let function = import(c"keelback._verify")?.live().attribute(c"verify")?;
    let all = [ffi.live()].into_iter().chain(args.tuple_items());
    let all: Vec<Ref> = all.map(Live::to_ref).collect();
    let all = make::tuple(all.into_iter().map(Ok))?;
    let keywords = keywords.map_or(std::ptr::null_mut(), Live::ptr);
    // SAFETY: a function, a tuple, and a dict or NULL.
    unsafe { Ref::steal(ffi::PyObject_Call(function.obj(), all.obj(), keywords)) }
}

method!(
    pub load_verified = "_load_verified",
    lib_of_module,
    (_module: Option<Live>, ffi: Live, path: Live, name: Live, flags: Live)
);

/// `_runtime._load_verified(ffi, path, name, flags)`: opens an extension module whose declarations are the FFI's own,
/// completes them with what the C compiler answered, and returns its lib. The library stays open.
fn lib_of_module(
    _module: Option<Live>,
    ffi: Live,
    path: Live,
    name: Live,
    flags: Live,
) -> Res<Ref> {
    let Some(this) = FfiObject::of(ffi) else {
        return Err(raise!(TypeError, "_load_verified() expects an FFI"));
    };
    let path = super::loading::file_system_path(path)?;
    let Some(name) = name.text()? else {
        return Err(raise!(TypeError, "a module has a name"));
    };
    let flags = super::text::ssize(flags)? as i32;
    let handle = Handle::open(Some(&path), flags, &path.to_string_lossy())?;
    let symbol = CString::new(format!("PyInit_{name}"))
        .map_err(|_| raise!(ValueError, "embedded null byte in the module's name"))?;
    let address = handle.kept_open().symbol(&symbol);
    let address = address
        .map_err(|_| raise!(ImportError, "there is no module '{name}' in {path:?}"))?
        .cast::<c_void>();
    // SAFETY: the library stays open; a function of this name has this type, by the rules of extension modules.
    let init = unsafe {
        std::mem::transmute::<*mut c_void, unsafe extern "C" fn() -> *mut c_void>(address)
    };
    let outer = VERIFIED.replace(this);
    // SAFETY: the init function of an extension module, called as Python calls it.
    let lib = unsafe { init() };
    VERIFIED.set(outer);
    // SAFETY: an init function returns a new reference, or NULL with an exception set.
    unsafe { Ref::steal(lib.cast()) }
}

/// What `keelback_runtime_t.import` does while [`load_verified`] runs on this thread: the lib of the plugin; else
/// None.
///
/// # Safety
/// `record` is a record by the ABI, which lives as long as the process.
pub unsafe fn import_verified(record: *mut keelback_plugin_t) -> Option<Res<Ref>> {
    let verified = VERIFIED.take();
    // SAFETY: set by `load_verified`, whose caller holds a reference for the time of this call.
    let ffi = unsafe { verified.as_ref() }?;
    // SAFETY: `record` is a record by the ABI (the caller's contract).
    Some(unsafe { lib_of(ffi, record) })
}

/// The lib of a plugin whose declarations are the FFI's own.
///
/// # Safety
/// `record` is a record by the ABI, which lives as long as the process.
unsafe fn lib_of(ffi: &FfiObject, record: *mut keelback_plugin_t) -> Res<Ref> {
    // SAFETY: `record` is a record by the ABI (the caller's contract).
    let included = unsafe { complete(&ffi.scope, record)? };
    ffi.clear_cache();
    crate::ctype::complete_records(&ffi.scope)?;
    // SAFETY: `record` is a record by the ABI, which lives as long as the process (the caller's contract).
    let lib = unsafe { Lib::from_plugin(Arc::clone(&ffi.scope), record)? };
    lib.include(included);
    let lib = lib.into_obj();
    let kept = lib.clone();
    // The lib lives as long as its FFI, as in CFFI.
    // SAFETY: attached to the interpreter; pushing to the list runs no Python code and drops no object.
    unsafe { ffi.libraries.with(|list| list.push(kept)) };
    Ok(lib)
}
