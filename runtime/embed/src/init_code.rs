//! The init code: compiled and run once, as the code of the plugin's module.

use std::ffi::{CString, c_int};

use pyo3::ffi;

use super::plugin::Plugin;
use super::{development, namespace, own_modules, sources};
use keelback_ffi::py::{Ref, Res, str_from};
use keelback_ffi::raise;

/// Runs a plugin's init code in its module, after `attach`. A development library may run it there again, as
/// `importlib.reload` does: names that the new code does not define stay.
pub fn run(plugin: &Plugin) -> Res<()> {
    let is_dev = plugin.is_dev();
    if is_dev {
        development::note_start(plugin);
    }
    let Some(source) = sources::bytes(plugin)? else {
        return Ok(());
    };
    sources::tell_linecache_if_imported();
    // Where the module `warnings` is not imported, C code prints the parser's warnings, with a line from whatever file has
    // the init code's name.
    let warnings: Res<Ref> = keelback_ffi::py::import(c"warnings");
    if let Err(raised) = warnings {
        raised.clear();
    }
    let file = plugin.init_file();
    let source = CString::new(source)
        .map_err(|_nul| raise!(ValueError, "the init code '{file}' contains a null byte"))?;
    let (Some(module), Some((ffi, lib))) = (plugin.module(), plugin.ffi_and_lib()) else {
        return Err(raise!(SystemError, "{}: no module", plugin.name()));
    };
    namespace::add_own(&module, ffi, lib)?;
    let file = str_from(&file)?;
    // The text is UTF-8 whatever a coding comment in it says: the build has decoded it.
    let mut flags = ffi::PyCompilerFlags {
        cf_flags: IS_UTF8 | IGNORE_COOKIE,
        cf_feature_version: VERSION_MINOR,
    };
    let code = if own_modules::has_any(plugin) {
        own_modules::init_code(plugin, source.to_bytes(), &plugin.init_file())?
    } else {
        // SAFETY: the GIL is held; a C string and a live str.
        unsafe {
            Ref::steal(ffi::Py_CompileStringObject(
                source.as_ptr(),
                file.obj(),
                ffi::Py_file_input,
                &mut flags,
                -1,
            ))?
        }
    };
    // SAFETY: the GIL is held; a live code object, and the dict of a module that `module` keeps alive.
    unsafe {
        let globals = ffi::PyModule_GetDict(module.obj());
        if is_dev {
            development::run_code(code.obj(), globals)?;
        } else {
            Ref::steal(ffi::PyEval_EvalCode(code.obj(), globals, globals))?;
        }
    }
    Ok(())
}

// CPython's PyCF_SOURCE_IS_UTF8 and PyCF_IGNORE_COOKIE.
const IS_UTF8: c_int = 0x0100;
const IGNORE_COOKIE: c_int = 0x0800;
const VERSION_MINOR: c_int = super::prefix::VERSION.1 as c_int;
