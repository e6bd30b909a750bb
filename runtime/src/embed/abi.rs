//! `keelback_runtime`: what the loader inside a plugin finds.

use std::ffi::CStr;

use keelback_codegen::abi::{KEELBACK_ABI_VERSION, keelback_runtime_t};

use super::{dispatch, errors, import, prefix, start};

/// A runtime table in static memory.
#[repr(transparent)]
pub struct Exported(keelback_runtime_t);

// SAFETY: never changes; what it points to is static.
unsafe impl Sync for Exported {}

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(text) => text,
        Err(_) => c"",
    };

/// What plugins look up in this library. Reading it needs no Python.
#[unsafe(no_mangle)]
pub static keelback_runtime: Exported = Exported(keelback_runtime_t {
    abi_version: KEELBACK_ABI_VERSION,
    python_version: (prefix::VERSION.0 as u32) << 8 | prefix::VERSION.1 as u32,
    free_threaded: cfg!(Py_GIL_DISABLED) as u32,
    keelback_version: VERSION.as_ptr(),
    start: Some(start::start),
    dispatch: Some(dispatch::dispatch),
    last_error: Some(errors::last_error),
    set_error_handler: Some(errors::set_error_handler),
    import: Some(import::import),
});
