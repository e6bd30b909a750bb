//! Imports of the standard library from a bundle's archive.
//!
//! The finders of the library's directories (`importlib`'s FileFinder, in `sys.path_importer_cache`) get a `find_spec` of
//! ours, which asks the archive first; what it does not have, the finder looks for as ever. Modules get the paths and a
//! loader of the class that they would have had, whose code comes from the archive. So all that asks for a module's file,
//! source, data or neighbours finds what is on disk.

use std::path::Path;
use std::sync::OnceLock;

use pyo3::ffi;

use super::archive::{Archive, Module};
use crate::encodings;
use keelback_ffi::py::finder::name_argument;
use keelback_ffi::py::module::{call_function, make_spec};
use keelback_ffi::py::{
    END_OF_METHODS, Live, Methods, Obj, Raised, Ref, Res, guard, import, make, positional, simple,
    str_from,
};
use keelback_ffi::raise;

struct Library {
    archive: Archive,
    /// The standard library's directory.
    directory: String,
    /// The class of the modules' loaders.
    loader: Ref,
}

static LIBRARY: OnceLock<Library> = OnceLock::new();

static FIND_SPEC: Methods<2> = Methods::new([
    positional(
        c"find_spec",
        find_spec,
        c"The spec of a module, from the bundle's archive or the directory.",
    ),
    END_OF_METHODS,
]);

static GET_CODE: Methods<2> = Methods::new([
    simple(
        c"get_code",
        get_code,
        ffi::METH_O,
        c"The code object of a module.",
    ),
    END_OF_METHODS,
]);

/// What Python imports before anything else can be arranged. To be called before Python is initialised.
pub fn freeze_encodings(archive: &Archive) {
    encodings::freeze(encodings::NAMES.into_iter().filter_map(|name| {
        let module = archive.module(name).ok().flatten()?;
        Some(encodings::Module {
            name,
            is_package: module.is_package,
            code: module.code,
        })
    }));
}

/// Leads imports to the archive. Python has just been initialised; the GIL is held.
pub fn install(archive: Archive, directory: &Path) -> Res<()> {
    let machinery = import(c"_frozen_importlib_external")?;
    let base = machinery.live().attribute(if archive.has_sources {
        c"SourceFileLoader"
    } else {
        c"SourcelessFileLoader"
    })?;
    let name = base.live().attribute(c"__name__")?;
    // A builtin function is no descriptor: it is called without the loader.
    let attributes = make::dict([Ok((str_from("get_code")?, GET_CODE.function(0, None)?))])?;
    // SAFETY: the GIL is held; live objects.
    let loader: Ref = unsafe {
        Ref::steal(ffi::PyObject_CallFunctionObjArgs(
            (&raw mut ffi::PyType_Type).cast(),
            name.obj(),
            make::tuple([Ok(base)].into_iter())?.obj(),
            attributes.obj(),
            std::ptr::null_mut::<ffi::PyObject>(),
        ))?
    };
    let module = str_from("_frozen_importlib_external")?;
    loader.live().set_attribute(c"__module__", module.live())?;
    let directory = directory.to_string_lossy().into_owned();
    let library = LIBRARY.get_or_init(|| Library {
        archive,
        directory,
        loader,
    });
    watch(&str_from(&library.directory)?)?;
    // The one package that is imported already.
    watch(&str_from(&format!("{}/encodings", library.directory))?)
}

/// Gives the finder of a directory our `find_spec`.
fn watch(directory: &Ref) -> Res<()> {
    // SAFETY: the GIL is held; both lists are borrowed from sys, and the hook is kept alive by its list.
    let (finder, cache) = unsafe {
        let hooks = ffi::PySys_GetObject(c"path_hooks".as_ptr());
        let cache = ffi::PySys_GetObject(c"path_importer_cache".as_ptr());
        if hooks.is_null() || cache.is_null() || ffi::PyList_Check(hooks) == 0 {
            return Ok(());
        }
        // The last hook is the one for directories.
        let hook = ffi::PyList_GetItem(hooks, ffi::PyList_Size(hooks) - 1);
        if hook.is_null() {
            return Err(Raised::already());
        }
        (
            Live::new(hook).call_with(directory.live())?,
            Ref::borrow(cache),
        )
    };
    let find = FIND_SPEC.function(0, Some(finder.live()))?;
    finder.live().set_attribute(c"find_spec", find.live())?;
    cache.live().set_dict_item(directory.live(), finder.live())
}

/// `find_spec(name, target=None)` of a finder.
///
/// # Safety
/// Called by Python, as a function; its self is the finder.
unsafe extern "C" fn find_spec(finder: Obj, args: *mut Obj, count: isize) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL function's arguments.
        let name = unsafe { name_argument(args, count)? };
        // SAFETY: the function keeps its self alive.
        let finder = unsafe { Live::new(finder) };
        if let Some(spec) = spec_of(finder, name)? {
            return Ok(spec);
        }
        // SAFETY: the class of a live object, and live arguments.
        unsafe {
            let of_class = Live::new(finder.class().cast()).attribute(c"find_spec")?;
            let target = if count > 1 {
                *args.add(1)
            } else {
                ffi::Py_None()
            };
            Ref::steal(ffi::PyObject_CallFunctionObjArgs(
                of_class.obj(),
                finder.ptr(),
                name.ptr(),
                target,
                std::ptr::null_mut::<ffi::PyObject>(),
            ))
        }
    })
}

/// The spec of a module of the archive that belongs into the finder's directory.
fn spec_of(finder: Live, name: Live) -> Res<Option<Ref>> {
    let (Some(library), Some(text)) = (LIBRARY.get(), name.text()?) else {
        return Ok(None);
    };
    let Some(module) = module(library, text)? else {
        return Ok(None);
    };
    let stem = format!("{}/{}", library.directory, text.replace('.', "/"));
    let place = finder.attribute(c"path")?;
    let parent = stem.rsplit_once('/').map(|(parent, _)| parent);
    if place.live().text()? != parent {
        // Somebody looks for a module of that name in another package's directory.
        return Ok(None);
    }
    let path = str_from(&path_of(library, &stem, module.is_package))?;
    // SAFETY: the GIL is held; live objects.
    let loader: Ref = unsafe {
        Ref::steal(ffi::PyObject_CallFunctionObjArgs(
            library.loader.obj(),
            name.ptr(),
            path.obj(),
            std::ptr::null_mut::<ffi::PyObject>(),
        ))?
    };
    let search = if module.is_package {
        let directory = str_from(&stem)?;
        watch(&directory)?;
        Some(make::list([Ok(directory)])?)
    } else {
        None
    };
    make_spec(&name.to_ref(), &loader, Some(&path), search.as_ref()).map(Some)
}

fn path_of(library: &Library, stem: &str, is_package: bool) -> String {
    let inside = if is_package { "/__init__" } else { "" };
    let ending = if library.archive.has_sources { "" } else { "c" };
    format!("{stem}{inside}.py{ending}")
}

fn module(library: &Library, name: &str) -> Res<Option<Module>> {
    library
        .archive
        .module(name)
        .map_err(|why| raise!(ImportError, "{}", why.trim_end()))
}

/// `get_code(name)` of a loader.
///
/// # Safety
/// Called by Python, as a function.
unsafe extern "C" fn get_code(_: Obj, name: Obj) -> Obj {
    guard(|| {
        // SAFETY: a live object.
        let name = unsafe { Live::new(name) };
        let text = name.text()?.unwrap_or("?");
        let found = match LIBRARY.get() {
            Some(library) => module(library, text)?.map(|module| (library, module)),
            None => None,
        };
        let Some((library, module)) = found else {
            return Err(raise!(ImportError, "the bundle has no module '{text}'"));
        };
        // SAFETY: the GIL is held; the bytes are mapped for ever.
        let code: Ref = unsafe {
            Ref::steal(ffi::PyMarshal_ReadObjectFromString(
                module.code.as_ptr().cast(),
                module.code.len() as isize,
            ))?
        };
        if library.archive.has_sources {
            // As importlib does: the bytecode has a path from the bundle's top.
            let stem = format!("{}/{}", library.directory, text.replace('.', "/"));
            let path = str_from(&path_of(library, &stem, module.is_package))?;
            call_function(c"_imp", c"_fix_co_filename", &[code.obj(), path.obj()])?;
        }
        Ok(code)
    })
}
