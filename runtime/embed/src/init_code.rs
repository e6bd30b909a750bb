//! The init code: compiled and run once, as the code of the plugin's module.

use std::ffi::{CStr, CString, c_int};

use pyo3::ffi;

use super::plugin::Plugin;
use super::{development, namespace, own_modules, sources};
use keelback_ffi::py::{Exception, Raised, Ref, Res, str_from, sys};
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
    let file = plugin.init_file();
    let source = CString::new(source)
        .map_err(|_nul| raise!(ValueError, "the init code '{file}' contains a null byte"))?;
    let (Some(module), Some((ffi, lib))) = (plugin.module(), plugin.ffi_and_lib()) else {
        return Err(raise!(SystemError, "{}: no module", plugin.name()));
    };
    namespace::add_own(&module, ffi, lib)?;
    let code = if own_modules::has_any(plugin) {
        import_warnings();
        own_modules::init_code(plugin, source.to_bytes(), &file)?
    } else {
        compile(&source, &file, is_dev)?
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

/// Compiles the init code. Where the module `warnings` is not imported, C code prints the parser's warnings, with a line from
/// whatever file has the init code's name; but its import takes a twentieth of a start, and most code gives no warning. So
/// warnings for that file are errors at first, and what fails is compiled again, with the module.
fn compile(source: &CStr, file: &str, is_dev: bool) -> Res<Ref> {
    let name = str_from(file)?;
    if !is_dev && !is_imported(c"warnings") {
        // The name that the warnings' module has where none is known.
        let filter = Filter::begin(&str_from(file.strip_suffix(".py").unwrap_or(file))?)?;
        let quiet = compile_text(source, &name);
        drop(filter);
        match quiet {
            Ok(code) => return Ok(code),
            Err(raised) => raised.clear(),
        }
    }
    import_warnings();
    compile_text(source, &name)
}

fn import_warnings() {
    let warnings: Res<Ref> = keelback_ffi::py::import(c"warnings");
    warnings.map_or_else(Raised::clear, drop);
}

fn compile_text(source: &CStr, file: &Ref) -> Res<Ref> {
    // The text is UTF-8 whatever a coding comment in it says: the build has decoded it.
    let mut flags = ffi::PyCompilerFlags {
        cf_flags: IS_UTF8 | IGNORE_COOKIE,
        cf_feature_version: VERSION_MINOR,
    };
    // SAFETY: the GIL is held; a C string and a live str.
    unsafe {
        Ref::steal(ffi::Py_CompileStringObject(
            source.as_ptr(),
            file.obj(),
            ffi::Py_file_input,
            &mut flags,
            -1,
        ))
    }
}

fn is_imported(name: &CStr) -> bool {
    sys::loaded(name).is_some()
}

/// A filter that makes the warnings of one module errors, in the list that C code goes by: other threads' warnings are not
/// concerned.
struct Filter {
    filters: Ref,
    filter: Ref,
}

impl Filter {
    fn begin(module: &Ref) -> Res<Self> {
        let filters = keelback_ffi::py::import(c"_warnings")?
            .live()
            .attribute(c"filters")?;
        // SAFETY: the GIL is held; live objects. PyExc_Warning is the class of all warnings.
        unsafe {
            let filter = Ref::steal(ffi::Py_BuildValue(
                c"(sOOOi)".as_ptr(),
                c"error".as_ptr(),
                ffi::Py_None(),
                ffi::PyExc_Warning,
                module.obj(),
                0 as c_int,
            ))?;
            Raised::if_negative(ffi::PyList_Insert(filters.obj(), 0, filter.obj()))?;
            Ok(Self { filters, filter })
        }
    }
}

impl Drop for Filter {
    fn drop(&mut self) {
        // An exception may be set: it is put aside.
        let raised = Exception::fetch_if_set();
        // SAFETY: the GIL is held; live objects.
        unsafe {
            let removed = ffi::PyObject_CallMethod(
                self.filters.obj(),
                c"remove".as_ptr(),
                // In brackets: the one argument is a tuple.
                c"(O)".as_ptr(),
                self.filter.obj(),
            );
            ffi::Py_XDECREF(removed);
            ffi::PyErr_Clear();
        }
        if let Some(raised) = raised {
            let _ = raised.restore();
        }
    }
}

// CPython's PyCF_SOURCE_IS_UTF8 and PyCF_IGNORE_COOKIE.
const IS_UTF8: c_int = 0x0100;
const IGNORE_COOKIE: c_int = 0x0800;
const VERSION_MINOR: c_int = super::prefix::VERSION.1 as c_int;
