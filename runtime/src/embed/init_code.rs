//! The init code: compiled and run once, in globals of its own.

use std::ffi::{CString, c_int};

use keelback_codegen::abi::KEELBACK_PLUGIN_DEV;
use pyo3::ffi;

use super::development;
use super::plugin::{self, Plugin};
use crate::py::{Obj, Raised, Ref, Res, guard, str_from};
use crate::raise;

/// Runs a plugin's init code.
pub fn run(plugin: &Plugin) -> Res<()> {
    let is_dev = development::is_dev(plugin);
    if is_dev {
        development::note_start(plugin);
    }
    let Some(source) = source(plugin)? else {
        return Ok(());
    };
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
            (c"__loader__", loader(plugin)?),
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
    // It may have imported linecache, through logging or inspect.
    tell_linecache_if_imported()
}

// CPython's PyCF_SOURCE_IS_UTF8 and PyCF_IGNORE_COOKIE.
const IS_UTF8: c_int = 0x0100;
const IGNORE_COOKIE: c_int = 0x0800;
const VERSION_MINOR: c_int = super::prefix::VERSION.1 as c_int;

/// The text of the init code; `None` for an extension module.
fn source(plugin: &Plugin) -> Res<Option<Vec<u8>>> {
    // SAFETY: the record is as abi.rs says.
    let (flags, frozen) = unsafe {
        let record = plugin.record();
        (
            (*record).flags,
            ((*record).init_code, (*record).init_code_length),
        )
    };
    if flags & KEELBACK_PLUGIN_DEV != 0 {
        // A byte order mark is not the code's.
        let file = plugin.init_file();
        return match std::fs::read(&file) {
            Ok(text) => Ok(Some(match text.strip_prefix(b"\xef\xbb\xbf") {
                Some(rest) => rest.to_vec(),
                None => text,
            })),
            Err(error) => {
                let error = error.to_string();
                let reason = error.split(" (os error").next().unwrap_or_default();
                Err(raise!(
                    OSError,
                    "cannot read the init code '{file}': {reason}"
                ))
            }
        };
    }
    if frozen.0.is_null() {
        return Ok(None);
    }
    // SAFETY: as above.
    Ok(Some(unsafe { plugin::bytes(frozen.0, frozen.1) }.to_vec()))
}

/// An object with `get_source`: where linecache, inspect and pdb look for the text of code without a file.
pub fn loader(plugin: &Plugin) -> Res<Ref> {
    /// A method table entry that lives for ever.
    struct Method(ffi::PyMethodDef);
    // SAFETY: never changed.
    unsafe impl Sync for Method {}
    static GET_SOURCE: Method = Method(ffi::PyMethodDef {
        ml_name: c"get_source".as_ptr(),
        ml_meth: ffi::PyMethodDefPointer {
            PyCFunction: get_source,
        },
        ml_flags: ffi::METH_O,
        ml_doc: std::ptr::null(),
    });
    // A file speaks for itself; that it cannot be read is the start's affair.
    let source = if development::is_dev(plugin) {
        Vec::new()
    } else {
        source(plugin)?.unwrap_or_default()
    };
    let text = str_from(&String::from_utf8_lossy(&source))?;
    // SAFETY: the GIL is held; the definition is static, and only read. sys.implementation is a types.SimpleNamespace.
    unsafe {
        let function = Ref::steal(ffi::PyCFunction_NewEx(
            (&raw const GET_SOURCE.0).cast_mut(),
            text.obj(),
            std::ptr::null_mut(),
        ))?;
        let implementation = ffi::PySys_GetObject(c"implementation".as_ptr());
        if implementation.is_null() {
            return Err(raise!(RuntimeError, "lost sys.implementation"));
        }
        let loader = Ref::steal(ffi::PyObject_CallNoArgs(
            ffi::Py_TYPE(implementation).cast(),
        ))?;
        if ffi::PyObject_SetAttrString(loader.obj(), c"get_source".as_ptr(), function.obj()) < 0 {
            return Err(Raised::already());
        }
        Ok(loader)
    }
}

unsafe extern "C" fn get_source(text: Obj, _module_name: Obj) -> Obj {
    // SAFETY: the function's self is the text.
    guard(|| Ok(unsafe { Ref::borrow(text) }))
}

/// Puts the init codes of all plugins into `linecache`, for the tracebacks that are about to be formatted.
pub fn tell_linecache() -> Res<()> {
    // SAFETY: the GIL is held.
    let module = unsafe { Ref::steal(ffi::PyImport_ImportModule(c"linecache".as_ptr()))? };
    fill_linecache(&module)
}

fn tell_linecache_if_imported() -> Res<()> {
    // SAFETY: the GIL is held; the result is borrowed from sys.modules.
    let module = unsafe {
        let module =
            ffi::PyDict_GetItemString(ffi::PyImport_GetModuleDict(), c"linecache".as_ptr());
        if module.is_null() {
            return Ok(());
        }
        Ref::borrow(module)
    };
    fill_linecache(&module)
}

fn fill_linecache(module: &Ref) -> Res<()> {
    // SAFETY: the GIL is held; objects are live.
    unsafe {
        let cache = Ref::steal(ffi::PyObject_GetAttrString(module.obj(), c"cache".as_ptr()))?;
        for plugin in plugin::all() {
            // A file that is there speaks for itself, and linecache notes when it changes.
            let flags = (*plugin.record()).flags;
            let Some(source) = (if flags & KEELBACK_PLUGIN_DEV != 0 {
                None
            } else {
                source(plugin)?
            }) else {
                continue;
            };
            let file = str_from(&plugin.init_file())?;
            let text = str_from(&String::from_utf8_lossy(&source))?;
            let lines = Ref::steal(ffi::PyUnicode_Splitlines(text.obj(), 1))?;
            // Without a modification time linecache keeps the entry.
            let entry = Ref::steal(ffi::Py_BuildValue(
                c"(nOOO)".as_ptr(),
                source.len() as ffi::Py_ssize_t,
                ffi::Py_None(),
                lines.obj(),
                file.obj(),
            ))?;
            if ffi::PyObject_SetItem(cache.obj(), file.obj(), entry.obj()) < 0 {
                return Err(Raised::already());
            }
        }
    }
    Ok(())
}
