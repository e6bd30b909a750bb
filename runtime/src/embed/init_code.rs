//! The init code: compiled and run once, in globals of its own.

use std::ffi::{CString, c_int};

use pyo3::ffi;

use super::plugin::Plugin;
use super::{development, sources};
use crate::py::{Raised, Ref, Res, str_from};
use crate::raise;

/// Runs a plugin's init code.
pub fn run(plugin: &Plugin) -> Res<()> {
    let is_dev = development::is_dev(plugin);
    if is_dev {
        development::note_start(plugin);
    }
    let Some(source) = sources::bytes(plugin)? else {
        return Ok(());
    };
    sources::tell_linecache_if_imported();
    // Without it a warning of the parser is printed by C, with the line of a file that has the name.
    // SAFETY: the GIL is held.
    let warnings: Res<Ref> =
        unsafe { Ref::steal(ffi::PyImport_ImportModule(c"warnings".as_ptr())) };
    if let Err(raised) = warnings {
        raised.clear();
    }
    let file = plugin.init_file();
    let source = CString::new(source)
        .map_err(|_nul| raise!(ValueError, "the init code '{file}' contains a null byte"))?;
    // SAFETY: the GIL is held; objects are live.
    unsafe {
        let file = str_from(&file)?;
        // UTF-8 whatever a coding comment says: the build has decoded it.
        let mut flags = ffi::PyCompilerFlags {
            cf_flags: IS_UTF8 | IGNORE_COOKIE,
            cf_feature_version: VERSION_MINOR,
        };
        let code = Ref::steal(ffi::Py_CompileStringObject(
            source.as_ptr(),
            file.obj(),
            ffi::Py_file_input,
            &mut flags,
            -1,
        ))?;
        let globals = Ref::steal(ffi::PyDict_New())?;
        let builtins = Ref::steal(ffi::PyImport_ImportModule(c"builtins".as_ptr()))?;
        for (key, value) in [
            (c"__builtins__", builtins),
            (c"__name__", str_from(plugin.name())?),
            (c"__loader__", sources::loader(plugin)?),
            (c"__doc__", crate::py::none()),
        ] {
            if ffi::PyDict_SetItemString(globals.obj(), key.as_ptr(), value.obj()) < 0 {
                return Err(Raised::already());
            }
        }
        if is_dev {
            // As in a file that Python itself runs.
            if ffi::PyDict_SetItemString(globals.obj(), c"__file__".as_ptr(), file.obj()) < 0 {
                return Err(Raised::already());
            }
            development::run_code(code.obj(), globals.obj())?;
        } else {
            Ref::steal(ffi::PyEval_EvalCode(
                code.obj(),
                globals.obj(),
                globals.obj(),
            ))?;
        }
    }
    Ok(())
}

// CPython's PyCF_SOURCE_IS_UTF8 and PyCF_IGNORE_COOKIE.
const IS_UTF8: c_int = 0x0100;
const IGNORE_COOKIE: c_int = 0x0800;
const VERSION_MINOR: c_int = super::prefix::VERSION.1 as c_int;
