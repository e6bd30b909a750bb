//! Packages of plugins that found Python started: each plugin's environment is there when its init code runs.

use std::path::{Path, PathBuf};

use keelback_codegen::abi::{KEELBACK_PLUGIN_NO_SITE, keelback_python_t};

use super::whose;
use keelback_ffi::py::loaded::path_of;
use keelback_ffi::py::module::call_function;
use keelback_ffi::py::{Raised, Res, str_from, sys};

/// Adds the site directories of the Python that a plugin records (which is of the same libpython, or was not claimed by
/// the loader) to the end of `sys.path`, with what their `.pth` files say. Nothing is done for the plugin that started
/// Python, nor in a process's own Python, whose path is its owner's. What fails leaves the path as it is.
///
/// The GIL is held.
pub fn add(python: Option<&keelback_python_t>, flags: u32) {
    let executable = python.and_then(|python| path_of(python.executable));
    let Some(executable) = executable.filter(|_| flags & KEELBACK_PLUGIN_NO_SITE == 0) else {
        return;
    };
    if whose::is_ours() {
        add_of(&executable).unwrap_or_else(Raised::clear);
    }
}

fn add_of(executable: &Path) -> Res<()> {
    let Some(prefix) = sys::object(c"prefix") else {
        return Ok(());
    };
    let prefix = prefix.live().text()?.map(PathBuf::from);
    let own = executable.parent().and_then(Path::parent);
    if own == prefix.as_deref() {
        return Ok(());
    }
    let executable = str_from(&executable.to_string_lossy())?;
    call_function(
        c"keelback._sites",
        c"add_site_directories",
        &[executable.obj()],
    )
    .map(drop)
}
