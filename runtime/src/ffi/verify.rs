//! verify: API mode without a module of its own. The work is done in Python, by `keelback._verify`; here is how what
//! it compiled meets the FFI that was verified.

use std::cell::Cell;
use std::ffi::{CStr, CString, c_void};
use std::sync::Arc;

use keelback_codegen::abi::keelback_plugin_t;
use pyo3::ffi;

use super::payload::complete;
use super::{FfiObject, as_ffi};
use crate::library::{Handle, Lib};
use crate::py::{Obj, Raised, Ref, Res, Signature, guard, str_text};
use crate::raise;

thread_local! {
    /// The FFI that the module which is being loaded on this thread belongs to.
    static VERIFIED: Cell<*const FfiObject> = const { Cell::new(std::ptr::null()) };
}

/// `keelback._verify.verify(ffi, *args, **kwargs)`
pub unsafe extern "C" fn verify(object: Obj, args: Obj, kwargs: Obj) -> Obj {
    guard(|| {
        // SAFETY: a method of an FFI object, with a tuple and NULL or a dict.
        unsafe {
            let module = Ref::<ffi::PyObject>::steal(ffi::PyImport_ImportModule(
                c"keelback._verify".as_ptr(),
            ))?;
            let function = Ref::<ffi::PyObject>::steal(ffi::PyObject_GetAttrString(
                module.obj(),
                c"verify".as_ptr(),
            ))?;
            let first = Ref::<ffi::PyObject>::steal(ffi::PyTuple_Pack(1, object))?;
            let all = Ref::<ffi::PyObject>::steal(ffi::PySequence_Concat(first.obj(), args))?;
            Ref::<ffi::PyObject>::steal(ffi::PyObject_Call(function.obj(), all.obj(), kwargs))
        }
    })
}

static LOAD_VERIFIED: Signature<4> =
    Signature::new("_load_verified", ["ffi", "path", "name", "flags"], 4);

/// `_runtime._load_verified(ffi, path, name, flags)`: opens an extension module whose declarations are the FFI's own,
/// completes them with what the C compiler answered, and returns its lib. The library stays open.
pub unsafe extern "C" fn load_verified(
    _module: Obj,
    args: *const Obj,
    count: isize,
    names: Obj,
) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL function's arguments.
        unsafe {
            let [object, path, name, flags] = LOAD_VERIFIED.parse(args, count, names)?;
            let Some(this) = as_ffi(object) else {
                return Err(raise!(TypeError, "_load_verified() expects an FFI"));
            };
            let path = super::loading::file_system_path(path)?;
            let Some(name) = str_text(name)? else {
                return Err(raise!(TypeError, "a module has a name"));
            };
            let flags = ffi::PyLong_AsLong(flags);
            if flags == -1 && !ffi::PyErr_Occurred().is_null() {
                return Err(Raised::already());
            }
            let handle = Handle::open(Some(&path), flags as i32, &path.to_string_lossy())?;
            let symbol = CString::new(format!("PyInit_{name}"))
                .map_err(|_| raise!(ValueError, "embedded null byte in the module's name"))?;
            let init = init_function(handle.kept_open().address(), &symbol)
                .ok_or_else(|| raise!(ImportError, "there is no module '{name}' in {path:?}"))?;
            let outer = VERIFIED.replace(this);
            let lib = init();
            VERIFIED.set(outer);
            Ref::<ffi::PyObject>::steal(lib.cast())
        }
    })
}

/// The PyInit function of an open library.
///
/// # Safety
/// A handle of dlopen.
unsafe fn init_function(
    handle: *mut c_void,
    symbol: &CStr,
) -> Option<unsafe extern "C" fn() -> *mut c_void> {
    // SAFETY: the caller's contract; a function of this name has this type, by the ABI.
    unsafe {
        let address = libc::dlsym(handle, symbol.as_ptr());
        (!address.is_null()).then(|| {
            std::mem::transmute::<*mut c_void, unsafe extern "C" fn() -> *mut c_void>(address)
        })
    }
}

/// What `keelback_runtime_t.import` does while [`load_verified`] runs on this thread: the lib of the plugin; else
/// None.
///
/// # Safety
/// A record by the ABI.
pub unsafe fn import_verified(record: *mut keelback_plugin_t) -> Option<Res<Ref>> {
    let verified = VERIFIED.take();
    // SAFETY: set by `load_verified`, whose caller holds a reference for the time of this call.
    let ffi = unsafe { verified.as_ref() }?;
    // SAFETY: the caller's contract.
    Some(unsafe { lib_of(ffi, record) })
}

unsafe fn lib_of(ffi: &FfiObject, record: *mut keelback_plugin_t) -> Res<Ref> {
    // SAFETY: the caller's contract.
    let included = unsafe { complete(&ffi.scope, record)? };
    ffi.clear_cache();
    crate::ctype::complete_records(&ffi.scope)?;
    // SAFETY: the caller's contract.
    let lib = unsafe { Lib::from_plugin(Arc::clone(&ffi.scope), record)? };
    lib.include(included);
    let lib = lib.into_obj();
    let kept = lib.clone();
    // SAFETY: attached. The lib is as old as its FFI, as in CFFI.
    unsafe { ffi.libraries.with(|list| list.push(kept)) };
    Ok(lib)
}
