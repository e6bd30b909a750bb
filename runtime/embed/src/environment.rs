//! Two variables that steer every Python, also an isolated one: they are out of its sight while it starts.

use std::ffi::{CStr, c_char};
use std::sync::atomic::{AtomicPtr, Ordering};

unsafe extern "C" {
    static mut environ: *mut *mut c_char;
}

/// CPython reads them whatever its configuration says (getpath), looks for a venv beside the executable that they name,
/// and runs what it finds there.
const NAMES: [&CStr; 2] = [c"PYTHONEXECUTABLE=", c"__PYVENV_LAUNCHER__="];

/// The entries that stand in their place meanwhile. Without a `=` they are no variables.
const NOTHING: [&CStr; 2] = [c"keelback-0", c"keelback-1"];

/// As long as this lives the variables cannot be found. The host's other threads may read the environment meanwhile:
/// nothing in it is moved or freed.
pub struct Hidden([*mut c_char; 2]);

impl Hidden {
    /// Hides them.
    pub fn begin() -> Self {
        let mut hidden = [std::ptr::null_mut(); 2];
        for (index, name) in NAMES.iter().enumerate() {
            hidden[index] = exchange(
                |entry| {
                    // SAFETY: an entry of the environment is a C string.
                    let entry = unsafe { CStr::from_ptr(entry) };
                    entry.to_bytes().starts_with(name.to_bytes())
                },
                NOTHING[index].as_ptr().cast_mut(),
            );
        }
        Self(hidden)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        for (index, &entry) in self.0.iter().enumerate() {
            if !entry.is_null() {
                let nothing = NOTHING[index].as_ptr();
                exchange(|entry| std::ptr::eq(entry, nothing), entry);
            }
        }
    }
}

/// Puts another entry in the place of the first one for which `is_wanted` is true; returns the old one, or NULL.
fn exchange(is_wanted: impl Fn(*mut c_char) -> bool, new: *mut c_char) -> *mut c_char {
    // SAFETY: the environment ends with NULL; its places are pointers, which other threads only read.
    unsafe {
        let mut place = environ;
        while !place.is_null() && !(*place).is_null() {
            if is_wanted(*place) {
                return AtomicPtr::from_ptr(place).swap(new, Ordering::AcqRel);
            }
            place = place.add(1);
        }
        std::ptr::null_mut()
    }
}
