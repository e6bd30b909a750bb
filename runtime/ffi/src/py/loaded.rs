//! The files that code in this process is mapped from.

use std::ffi::{OsStr, c_char, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// The file that an address is mapped from. libloading has nothing for dladdr.
pub fn file_of(address: *const c_void) -> Option<PathBuf> {
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: dladdr may be asked about any address, and writes into a Dl_info of ours; one of all zeros is valid as well.
    let info = unsafe {
        if libc::dladdr(address, info.as_mut_ptr()) == 0 {
            return None;
        }
        info.assume_init()
    };
    path_of(info.dli_fname)
}

/// A path of C's; `None` for NULL and for an empty one.
pub fn path_of(text: *const c_char) -> Option<PathBuf> {
    // SAFETY: NULL, or one of the loader's and the ABI's paths: C strings, which stay while they are copied here.
    let bytes = unsafe { super::c_text(text) }?.to_bytes();
    (!bytes.is_empty()).then(|| PathBuf::from(OsStr::from_bytes(bytes)))
}
