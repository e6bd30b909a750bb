//! The Python half of the package `keelback`, carried inside the runtime.
//!
//! A plugin's Python need not have the package installed, and the one it has may be of another version. So a plugin
//! brings a finder: `import keelback`, and all that is in it, then gives the modules that this runtime was built with.
//! Their texts are those of python/keelback: nothing is written twice.

use std::ffi::CString;
use std::sync::OnceLock;

use pyo3::ffi;

use crate::py::finder::{create_module, name_argument, put_on_meta_path};
use crate::py::module::make_spec;
use crate::py::{
    END_OF_METHODS, Live, Methods, Obj, Raised, Ref, Res, guard, namespace, none, positional,
    simple, str_from,
};
use crate::raise;

struct Source {
    /// The module's full name.
    name: &'static str,
    /// Its file, in the package.
    file: &'static str,
    text: &'static str,
}

macro_rules! sources {
    ($($name:literal: $file:literal),* $(,)?) => {
        &[$(Source {
            name: $name,
            file: $file,
            text: include_str!(concat!("../../../python/", $file)),
        }),*]
    };
}

static SOURCES: &[Source] = sources! {
    "keelback": "keelback/__init__.py",
    "keelback.__main__": "keelback/__main__.py",
    "keelback._builder": "keelback/_builder.py",
    "keelback._cffi": "keelback/_cffi.py",
    "keelback._cffi_modules": "keelback/_cffi_modules.py",
    "keelback._files": "keelback/_files.py",
    "keelback._init_errors": "keelback/_init_errors.py",
    "keelback._own_imports": "keelback/_own_imports.py",
    "keelback._own_modules": "keelback/_own_modules.py",
    "keelback._parser": "keelback/_parser.py",
    "keelback._sites": "keelback/_sites.py",
    "keelback._setuptools": "keelback/_setuptools.py",
    "keelback._verify": "keelback/_verify.py",
    "keelback.micropython": "keelback/micropython.py",
};

fn source_of(name: &str) -> Option<&'static Source> {
    SOURCES.iter().find(|source| source.name == name)
}

impl Source {
    /// Where tracebacks say that the code is: below the runtime's own file, as for a module in a zip file. No such file
    /// can exist, so linecache asks the loader for the text.
    fn path(&self) -> String {
        let own: &'static [Source] = SOURCES;
        let runtime = crate::py::loaded::file_of(own.as_ptr().cast());
        let runtime =
            runtime.map_or_else(|| "<keelback>".into(), |path| path.display().to_string());
        format!("{runtime}/{}", self.file)
    }
}

static METHODS: Methods<6> = Methods::new([
    positional(
        c"find_spec",
        find_spec,
        c"The spec of a module of the package keelback.",
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
        c"get_source",
        get_source,
        ffi::METH_O,
        c"The text of a module.",
    ),
    simple(
        c"is_package",
        is_package,
        ffi::METH_O,
        c"Whether the module is the package itself.",
    ),
    END_OF_METHODS,
]);

/// The finder, which is its own loader.
static FINDER: OnceLock<Ref> = OnceLock::new();

/// Puts the finder on `sys.meta_path`, once: `first` before an installed package is looked for, else after.
///
/// The GIL is held.
pub fn install(first: bool) -> Res<()> {
    if FINDER.get().is_some() {
        return Ok(());
    }
    let finder = namespace(&METHODS)?;
    put_on_meta_path(&finder, first)?;
    let _ = FINDER.set(finder);
    Ok(())
}

/// `find_spec(name, path=None, target=None)`
///
/// # Safety
/// Called by Python, as a function.
unsafe extern "C" fn find_spec(_: Obj, args: *mut Obj, count: isize) -> Obj {
    guard(|| {
        // SAFETY: a FASTCALL function's arguments; live objects.
        unsafe {
            let name = name_argument(args, count)?;
            let (Some(source), Some(finder)) = (wanted(name)?, FINDER.get()) else {
                return Ok(none());
            };
            let path = str_from(&source.path())?;
            let search = if source.is_package() {
                Some(Ref::steal(ffi::PyList_New(0))?)
            } else {
                None
            };
            make_spec(&name.to_ref(), finder, Some(&path), search.as_ref())
        }
    })
}

impl Source {
    fn is_package(&self) -> bool {
        self.file.ends_with("__init__.py")
    }
}

/// The source of the module of this name; `None` if the module is not one of the package's.
fn wanted(name: Live) -> Res<Option<&'static Source>> {
    Ok(name.text()?.and_then(source_of))
}

/// As [`wanted`], but raises ImportError if the module is not one of the package's.
fn required(name: Live) -> Res<&'static Source> {
    wanted(name)?.ok_or_else(|| raise!(ImportError, "not a module of the package keelback"))
}

/// `exec_module` of the finder and loader.
///
/// # Safety
/// Called by Python, as a function.
unsafe extern "C" fn exec_module(_: Obj, module: Obj) -> Obj {
    guard(|| {
        // SAFETY: live objects; the dict is borrowed from the module.
        unsafe {
            let name: Ref = Ref::steal(ffi::PyObject_GetAttrString(module, c"__name__".as_ptr()))?;
            let source = required(name.live())?;
            let text = CString::new(source.text)
                .map_err(|_nul| raise!(ValueError, "source code contains a null byte"))?;
            let code: Ref = Ref::steal(ffi::Py_CompileStringObject(
                text.as_ptr(),
                str_from(&source.path())?.obj(),
                ffi::Py_file_input,
                std::ptr::null_mut(),
                -1,
            ))?;
            let globals = ffi::PyModule_GetDict(module);
            if globals.is_null() {
                return Err(Raised::already());
            }
            let result: Ref = Ref::steal(ffi::PyEval_EvalCode(code.obj(), globals, globals))?;
            Ok(result)
        }
    })
}

/// `get_source` of the finder and loader.
///
/// # Safety
/// Called by Python, as a function.
unsafe extern "C" fn get_source(_: Obj, name: Obj) -> Obj {
    // SAFETY: a live object.
    guard(|| str_from(unsafe { required(Live::new(name))? }.text))
}

/// `is_package` of the finder and loader.
///
/// # Safety
/// Called by Python, as a function.
unsafe extern "C" fn is_package(_: Obj, name: Obj) -> Obj {
    guard(|| {
        // SAFETY: a live object.
        let source = unsafe { required(Live::new(name))? };
        Ok(crate::py::bool_object(source.is_package()))
    })
}
