//! `keelback_runtime`: what the loader inside a plugin finds.

use std::ffi::{CStr, c_char};

use keelback_codegen::abi::{
    KEELBACK_ABI_VERSION, KEELBACK_NOTE_RUNTIME, keelback_note_t, keelback_runtime_t,
};

use super::{dispatch, fork, import, last_error, prefix, scope, start};

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

const PYTHON_VERSION: u32 = (prefix::VERSION.0 as u32) << 8 | prefix::VERSION.1 as u32;

const FREE_THREADED: u32 = cfg!(Py_GIL_DISABLED) as u32;

/// What plugins look up in this library. Reading it needs no Python.
#[unsafe(no_mangle)]
pub static keelback_runtime: Exported = Exported(keelback_runtime_t {
    abi_version: KEELBACK_ABI_VERSION,
    python_version: PYTHON_VERSION,
    free_threaded: FREE_THREADED,
    keelback_version: VERSION.as_ptr(),
    start: Some(start::start),
    dispatch: Some(dispatch::dispatch),
    last_error: Some(last_error::last_error),
    set_error_handler: Some(last_error::set_error_handler),
    import: Some(import::import),
    fork: Some(fork::fork),
    record: Some(last_error::record_of_loader),
    enter: Some(scope::enter),
    leave: Some(scope::leave),
});

/// An ELF note: the sizes of owner and contents, the type, then the two themselves, each at a multiple of 4.
#[repr(C)]
struct Note {
    owner_size: u32,
    contents_size: u32,
    kind: u32,
    owner: [u8; 12],
    contents: keelback_note_t,
}

const OWNER: &[u8; 9] = b"Keelback\0";

/// The same for those who cannot map this library: loaders that read the file.
#[cfg(target_os = "linux")]
#[used]
#[unsafe(link_section = ".note.keelback")]
static NOTE: Note = Note {
    owner_size: OWNER.len() as u32,
    contents_size: size_of::<keelback_note_t>() as u32,
    kind: KEELBACK_NOTE_RUNTIME,
    owner: {
        let mut owner = [0; 12];
        owner.split_at_mut(OWNER.len()).0.copy_from_slice(OWNER);
        owner
    },
    contents: keelback_note_t {
        abi_version: KEELBACK_ABI_VERSION,
        python_version: PYTHON_VERSION,
        free_threaded: FREE_THREADED,
        keelback_version: {
            let bytes = VERSION.to_bytes();
            let mut text = [0 as c_char; 32];
            let mut at = 0;
            // A version that leaves no room for the NUL does not compile.
            assert!(bytes.len() < text.len());
            while at < bytes.len() {
                text[at] = bytes[at] as c_char;
                at += 1;
            }
            text
        },
    },
};
