//! The finder of own modules, which is their loader too: what `import`, `importlib.resources`, `inspect` and `pkgutil`
//! ask for.

use std::sync::OnceLock;

use pyo3::ffi;

use super::super::plugin;
use super::code;
use super::find::{Content, Found, data_of, files, module, path_of, root};
use keelback_ffi::py::finder::{create_module, name_argument, put_on_meta_path};
use keelback_ffi::py::module::{call_function, make_spec};
use keelback_ffi::py::{
    END_OF_METHODS, Live, Methods, Obj, Raised, Ref, Res, guard, make, namespace, none, positional,
    simple, str_from, str_text,
};
use keelback_ffi::raise;

static METHODS: Methods<10> = Methods::new([
    positional(
        c"find_spec",
        find_spec,
        c"The spec of a module that is inside a plugin.",
    ),
    simple(
        c"create_module",
        create_module,
        ffi::METH_O,
        c"None: the import system makes it.",
    ),
    simple(
        c"exec_module",
        exec_module,
        ffi::METH_O,
        c"Runs the module's code.",
    ),
    simple(
        c"get_code",
        get_code,
        ffi::METH_O,
        c"The code object of a module.",
    ),
    simple(
        c"get_source",
        get_source,
        ffi::METH_O,
        c"The text of a module.",
    ),
    simple(
        c"get_filename",
        get_filename,
        ffi::METH_O,
        c"The __file__ of a module.",
    ),
    simple(
        c"get_data",
        get_data,
        ffi::METH_O,
        c"The bytes of a file, by its path below the plugin's own.",
    ),
    simple(
        c"is_package",
        is_package,
        ffi::METH_O,
        c"Whether the module is a package.",
    ),
    simple(
        c"get_resource_reader",
        get_resource_reader,
        ffi::METH_O,
        c"What importlib.resources reads a package's files by.",
    ),
    END_OF_METHODS,
]);

static FINDER: OnceLock<Ref> = OnceLock::new();

/// Puts the finder in front of the others, once. The GIL is held.
pub fn install() -> Res<()> {
    if FINDER.get().is_some() {
        return Ok(());
    }
    let finder = namespace(&METHODS)?;
    put_on_meta_path(&finder, true)?;
    let _ = FINDER.set(finder);
    Ok(())
}

/// `find_spec(name, path=None, target=None)`
///
/// # Safety
/// Called by Python, as a function.
unsafe extern "C" fn find_spec(_: Obj, args: *mut Obj, count: isize) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL function's arguments.
        let name = unsafe { name_argument(args, count)? };
        let found = name.text()?.and_then(module);
        let (Some(found), Some(finder)) = (found, FINDER.get()) else {
            return Ok(none());
        };
        let search = if found.is_package {
            let directory = str_from(found.directory())?;
            // SAFETY: the GIL is held; a live object.
            Some(unsafe {
                let list: Ref = Ref::steal(ffi::PyList_New(0))?;
                if ffi::PyList_Append(list.obj(), directory.obj()) < 0 {
                    return Err(Raised::already());
                }
                list
            })
        } else {
            None
        };
        let place = match found.content {
            Content::Nothing => None,
            _ => Some(str_from(&found.place)?),
        };
        make_spec(&name.to_ref(), finder, place.as_ref(), search.as_ref())
    })
}

/// `exec_module` of the finder and loader.
///
/// # Safety
/// Called by Python, as a function.
unsafe extern "C" fn exec_module(_: Obj, object: Obj) -> Obj {
    guard(|| {
        // SAFETY: live objects; the dict is borrowed from the module.
        unsafe {
            let name: Ref = Ref::steal(ffi::PyObject_GetAttrString(object, c"__name__".as_ptr()))?;
            let found = required(name.live())?;
            if matches!(found.content, Content::Nothing) {
                return Ok(none());
            }
            let code = code::code(&found)?;
            let globals = ffi::PyModule_GetDict(object);
            if globals.is_null() {
                return Err(Raised::already());
            }
            Ref::steal(ffi::PyEval_EvalCode(code.obj(), globals, globals))
        }
    })
}

/// The module of that name.
fn required(name: Live) -> Res<Found> {
    let text = name.text()?.unwrap_or("?");
    module(text).ok_or_else(|| raise!(ImportError, "no plugin has a module '{text}'"))
}

/// `get_code` of the finder and loader.
///
/// # Safety
/// Called by Python, as a function.
unsafe extern "C" fn get_code(_: Obj, name: Obj) -> Obj {
    // SAFETY: a live object.
    guard(|| code::code(&unsafe { required(Live::new(name))? }))
}

/// `get_source` of the finder and loader.
///
/// # Safety
/// Called by Python, as a function.
unsafe extern "C" fn get_source(_: Obj, name: Obj) -> Obj {
    guard(|| {
        // SAFETY: a live object.
        let text = code::text(&unsafe { required(Live::new(name))? })?;
        let bytes = make::bytes(&text)?;
        // The bytes may be of any encoding that the file's first two lines name.
        call_function(
            c"_frozen_importlib_external",
            c"decode_source",
            &[bytes.obj()],
        )
    })
}

/// `get_filename` of the finder and loader.
///
/// # Safety
/// Called by Python, as a function.
unsafe extern "C" fn get_filename(_: Obj, name: Obj) -> Obj {
    // SAFETY: a live object.
    guard(|| str_from(&unsafe { required(Live::new(name))? }.place))
}

/// `is_package` of the finder and loader.
///
/// # Safety
/// Called by Python, as a function.
unsafe extern "C" fn is_package(_: Obj, name: Obj) -> Obj {
    guard(|| {
        // SAFETY: a live object.
        let found = unsafe { required(Live::new(name))? };
        Ok(keelback_ffi::py::bool_object(found.is_package))
    })
}

/// `get_data(path)`: of a file inside a library, or on disk.
///
/// # Safety
/// Called by Python, as a function.
unsafe extern "C" fn get_data(_: Obj, path: Obj) -> Obj {
    guard(|| {
        // SAFETY: a live object.
        let path = unsafe { str_text(path)? }
            .ok_or_else(|| raise!(TypeError, "get_data(): a path is a str"))?;
        for plugin in plugin::all().into_iter().filter(|plugin| !plugin.is_dev()) {
            let root = root(plugin);
            let inside = path
                .strip_prefix(&*root)
                .and_then(|rest| rest.strip_prefix('/'));
            let Some(inside) = inside else { continue };
            if let Some(file) = files(plugin).iter().find(|file| path_of(file) == inside) {
                return make::bytes(data_of(file));
            }
        }
        call_function(
            c"keelback._own_modules",
            c"read_on_disk",
            &[str_from(path)?.obj()],
        )
    })
}

/// `get_resource_reader(name)`: None for a module that is no package.
///
/// # Safety
/// Called by Python, as a function.
unsafe extern "C" fn get_resource_reader(_: Obj, name: Obj) -> Obj {
    guard(|| {
        // SAFETY: a live object.
        let found = unsafe { required(Live::new(name))? };
        if !found.is_package {
            return Ok(none());
        }
        let directory = str_from(found.directory())?;
        if found.plugin.is_dev() {
            return call_function(
                c"keelback._own_modules",
                c"reader_on_disk",
                &[directory.obj()],
            );
        }
        let prefix = format!("{}/", found.directory());
        let root = root(found.plugin);
        let contents = {
            let contents: Ref = keelback_ffi::py::make::dict([])?;
            for file in files(found.plugin) {
                let path = format!("{root}/{}", path_of(file));
                let Some(inside) = path.strip_prefix(&prefix) else {
                    continue;
                };
                let data = make::bytes(data_of(file))?;
                contents
                    .live()
                    .set_dict_item(str_from(inside)?.live(), data.live())?;
            }
            contents
        };
        call_function(
            c"keelback._own_modules",
            c"Reader",
            &[directory.obj(), contents.obj()],
        )
    })
}
