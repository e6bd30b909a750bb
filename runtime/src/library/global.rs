//! The global scope of the dynamic linker, where plugins' loaders look for a runtime.

use std::sync::Once;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
use std::sync::OnceLock;

/// Makes this library's symbols visible to the loaders of all plugins, so that all use this one: a process has one set
/// of types. An importing Python and most loaders open it RTLD_LOCAL.
pub fn make_runtime_global() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // The handle stays open: the library is not unmapped any more.
        let _handle = open_again(possible(libc::RTLD_GLOBAL));
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

/// A handle of this library, which is mapped already.
fn open_again(flags: i32) -> Option<*mut libc::c_void> {
    let own: fn() = make_runtime_global;
    // SAFETY: C calls with valid pointers; all zeros is a valid Dl_info. No constructor runs, as the library is mapped.
    let handle = unsafe {
        let mut info: libc::Dl_info = std::mem::zeroed();
        if libc::dladdr(own as *const libc::c_void, &mut info) == 0 || info.dli_fname.is_null() {
            return None;
        }
        let flags = libc::RTLD_LAZY | libc::RTLD_NOLOAD | flags;
        libc::dlopen(info.dli_fname, flags)
    };
    // NULL: another platform's linker. The scope stays what it was.
    (!handle.is_null()).then_some(handle)
}

/// Whether this library is in another namespace than the program.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn is_elsewhere() -> bool {
    static KNOWN: OnceLock<bool> = OnceLock::new();
    *KNOWN.get_or_init(|| {
        let Some(handle) = open_again(0) else {
            return false;
        };
        let mut namespace: libc::c_long = 0;
        // SAFETY: a handle of dlopen's, and a place for what RTLD_DI_LMID gives: Lmid_t is a long.
        unsafe {
            libc::dlinfo(handle, libc::RTLD_DI_LMID, (&raw mut namespace).cast());
            libc::dlclose(handle);
        }
        namespace != 0
    })
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn is_elsewhere() -> bool {
    false
}
