//! What Python calls by its name: the import of the extension module.

use crate::py::{Obj, guard};
use crate::{embed, library, module};

/// What `import keelback._runtime` calls.
///
/// # Safety
/// Called by CPython's import system.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInit__runtime() -> Obj {
    library::make_runtime_global();
    guard(|| module::create(embed::when_made))
}
