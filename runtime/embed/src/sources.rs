//! Where Python's tools find the text of init codes, which are no files: tracebacks, warnings, inspect, pdb.
//!
//! All of them ask `linecache`. It is filled as soon as somebody has imported it (which takes longer than many a start,
//! so it is not done here): a finder of ours waits for that. Before it is filled, linecache would take any file for the
//! source that has the init code's name and happens to be there.

use keelback_codegen::abi::KEELBACK_PLUGIN_DEV;
use pyo3::ffi;

use super::plugin::{self, Plugin};
use keelback_ffi::ffi::payload;
use keelback_ffi::py::finder::put_on_meta_path;
use keelback_ffi::py::{
    END_OF_METHODS, Live, Methods, Obj, Raised, Ref, Res, guard, make, namespace, none, positional,
    simple, str_from, sys,
};
use keelback_ffi::raise;

/// The text of the init code; `None` for an extension module.
pub fn bytes(plugin: &Plugin) -> Res<Option<Vec<u8>>> {
    // SAFETY: the record is as abi.rs says.
    let (flags, frozen) = unsafe {
        let record = plugin.record();
        (
            (*record).flags,
            ((*record).init_code, (*record).init_code_length),
        )
    };
    if flags & KEELBACK_PLUGIN_DEV != 0 {
        // A byte order mark at the start of the file is not part of the code.
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
    Ok(Some(unsafe { payload::bytes(frozen.0, frozen.1) }.to_vec()))
}

/// The same as text whose lines end as Python counts them: at `\n`, `\r\n` and `\r`, and the last one too.
fn text(plugin: &Plugin) -> Res<Option<String>> {
    let Some(bytes) = bytes(plugin)? else {
        return Ok(None);
    };
    let mut text = String::from_utf8_lossy(&bytes)
        .replace("\r\n", "\n")
        .replace('\r', "\n");
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(Some(text))
}

/// An object with `get_source`: where linecache, inspect and pdb look for the text of code without a file.
pub fn loader(plugin: &Plugin) -> Res<Ref> {
    static GET_SOURCE: Methods<2> = Methods::new([
        simple(
            c"get_source",
            get_source,
            ffi::METH_O,
            c"The text of the init code.",
        ),
        END_OF_METHODS,
    ]);
    // A development library's text is in its file, where the tools read it; the start reports a file that cannot be read.
    let text = if plugin.is_dev() {
        String::new()
    } else {
        text(plugin)?.unwrap_or_default()
    };
    let text = str_from(&text)?;
    let function = GET_SOURCE.function(0, Some(text.live()))?;
    let loader = sys::simple_namespace()?;
    loader
        .live()
        .set_attribute(c"get_source", function.live())?;
    Ok(loader)
}

/// `get_source` of a loader that has the text.
///
/// # Safety
/// Called by Python, as a function.
unsafe extern "C" fn get_source(text: Obj, _module_name: Obj) -> Obj {
    // SAFETY: the function's self is the text.
    guard(|| Ok(unsafe { Ref::borrow(text) }))
}

/// Puts the init codes of all plugins into `linecache`, for a traceback that is about to be formatted. Does nothing where
/// somebody has replaced the module.
pub fn tell_linecache() {
    let module = keelback_ffi::py::import(c"linecache");
    module
        .and_then(|module| fill(&module))
        .unwrap_or_else(Raised::clear);
}

/// Likewise, if it is imported.
pub fn tell_linecache_if_imported() {
    let module = sys::loaded(c"linecache").filter(|module| !module.live().is_none());
    let Some(module) = module else {
        return;
    };
    fill(&module).unwrap_or_else(Raised::clear);
}

fn fill(module: &Ref) -> Res<()> {
    let cache = module.live().attribute(c"cache")?;
    for plugin in plugin::all() {
        // The text of a development library is in a file, which linecache reads itself, and again when it changes.
        if plugin.is_dev() {
            continue;
        }
        let Some(text) = text(plugin)? else {
            continue;
        };
        let file = str_from(&plugin.init_file())?;
        let lines = make::list(text.split_inclusive('\n').map(str_from))?;
        // None for the modification time makes linecache keep the entry.
        let parts = [make::int(text.len() as isize)?, none(), lines, file.clone()];
        let entry = make::tuple(parts.into_iter().map(Ok))?;
        // SAFETY: the references keep all three objects alive.
        Raised::if_negative(unsafe {
            ffi::PyObject_SetItem(cache.obj(), file.obj(), entry.obj())
        })?;
    }
    Ok(())
}

static FINDER: Methods<2> = Methods::new([
    positional(
        c"find_spec",
        find_spec,
        c"Waits for the import of linecache.",
    ),
    END_OF_METHODS,
]);

/// Has linecache filled when somebody imports it. Failures leave all as it is.
///
/// The GIL is held, the interpreter is ours.
pub fn watch_linecache() {
    namespace(&FINDER)
        .and_then(|finder| put_on_meta_path(&finder, true))
        .unwrap_or_else(Raised::clear);
}

/// `find_spec(name, path=None, target=None)`
///
/// # Safety
/// Called by Python, as a function.
unsafe extern "C" fn find_spec(_: Obj, args: *mut Obj, count: isize) -> Obj {
    guard(|| {
        if count < 1 {
            return Ok(none());
        }
        // SAFETY: the first of `count` arguments, which Python keeps alive until the function returns.
        let name = unsafe { Live::new(*args) };
        if name.text()? != Some("linecache") {
            return Ok(none());
        }
        let machinery = keelback_ffi::py::import(c"_frozen_importlib_external")?;
        let finder = machinery.live().attribute(c"PathFinder")?;
        let spec = finder
            .live()
            .attribute(c"find_spec")?
            .live()
            .call_with(name)?;
        if !spec.live().is_none() {
            let loader = spec.live().attribute(c"loader")?;
            let execute = EXECUTE.function(0, Some(loader.live()))?;
            // `loader` is a new object for this module, so that changing it changes no other module's loading.
            loader
                .live()
                .set_attribute(c"exec_module", execute.live())?;
        }
        Ok(spec)
    })
}

static EXECUTE: Methods<2> = Methods::new([
    simple(
        c"exec_module",
        exec_module,
        ffi::METH_O,
        c"As the class has it; then init codes are told.",
    ),
    END_OF_METHODS,
]);

/// `exec_module` of a loader.
///
/// # Safety
/// Called by Python, as a function.
unsafe extern "C" fn exec_module(loader: Obj, module: Obj) -> Obj {
    guard(|| {
        // SAFETY: live objects.
        unsafe {
            let of_class: Ref = Ref::steal(ffi::PyObject_GetAttrString(
                ffi::Py_TYPE(loader).cast(),
                c"exec_module".as_ptr(),
            ))?;
            let done: Ref = Ref::steal(ffi::PyObject_CallFunctionObjArgs(
                of_class.obj(),
                loader,
                module,
                std::ptr::null_mut::<ffi::PyObject>(),
            ))?;
            fill(&Ref::borrow(module)).unwrap_or_else(Raised::clear);
            Ok(done)
        }
    })
}
