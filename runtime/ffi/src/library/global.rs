//! The global scope of the dynamic linker, where plugins' loaders look for a runtime.

use std::ffi::c_void;
use std::sync::Once;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
use std::sync::OnceLock;

use libloading::os::unix::Library;

use crate::py::loaded::file_of;

/// Makes this library's symbols visible to the loaders of all plugins, so that all use this one: a process has one set
/// of types. An importing Python and most loaders open it RTLD_LOCAL.
pub fn make_runtime_global() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // The handle is not closed, so the library is never unmapped.
        std::mem::forget(open_again(possible(libc::RTLD_GLOBAL)));
    });
}

/// `flags` for dlopen, without RTLD_GLOBAL where there is no global scope: in a namespace of dlmopen's glibc crashes over
/// it.
pub fn possible(flags: i32) -> i32 {
    if flags & libc::RTLD_GLOBAL != 0 && is_elsewhere() {
        flags & !libc::RTLD_GLOBAL
    } else {
        flags
    }
}

/// This library once more, which is mapped already; `None` with another platform's linker.
fn open_again(flags: i32) -> Option<Library> {
    let own: fn() = make_runtime_global;
    let path = file_of(own as *const c_void)?;
    let flags = libc::RTLD_LAZY | libc::RTLD_NOLOAD | flags;
    // SAFETY: no constructor runs, as the library is mapped.
    unsafe { Library::open(Some(path.as_os_str()), flags) }.ok()
}

/// Whether this library is in another namespace than the program. libloading does not know of namespaces: dlinfo is asked
/// for the number of ours.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn is_elsewhere() -> bool {
    static KNOWN: OnceLock<bool> = OnceLock::new();
    *KNOWN.get_or_init(|| {
        let Some(library) = open_again(0) else {
            return false;
        };
        let handle = library.into_raw();
        let mut namespace: libc::c_long = 0;
        // SAFETY: an open handle, and a place for what RTLD_DI_LMID gives: Lmid_t is a long. The handle goes back to
        // its owner.
        unsafe {
            libc::dlinfo(handle, libc::RTLD_DI_LMID, (&raw mut namespace).cast());
            drop(Library::from_raw(handle));
        }
        namespace != 0
    })
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn is_elsewhere() -> bool {
    false
}
