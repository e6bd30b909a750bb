//! The entrance of the extension module.

use keelback_ffi::py::{Obj, guard};
use keelback_ffi::{library, module};

/// What `import keelback._runtime` calls.
///
/// # Safety
/// Called by CPython's import system.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInit__runtime() -> Obj {
    library::make_runtime_global();
    guard(|| module::create(keelback_embed::when_made))
}
