//! The Python of a bundle, which is started without `site`: a third of CPython's start is that module, `os` and what they
//! import. What it does there is known: the names of the interactive mode, and one directory of packages.

use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use keelback_codegen::abi::{KEELBACK_PLUGIN_NO_SITE, keelback_python_t};
use pyo3::ffi;

use super::super::prefix::Prefix;
use keelback_ffi::py::loaded::path_of;
use keelback_ffi::py::module::add;
use keelback_ffi::py::{Raised, Ref, Res, import};

/// What is done in place of `site`.
pub struct InPlaceOfSite {
    /// The directory of packages.
    packages: PathBuf,
}

impl InPlaceOfSite {
    /// For the Python of a bundle, unless `site` has more to do: `.pth` files, a `sitecustomize`, a virtual environment.
    pub fn of(prefix: &Prefix, python: Option<&keelback_python_t>, flags: u32) -> Option<Self> {
        let bundle = python.and_then(|python| path_of(python.bundle))?;
        let is_as_made = flags & KEELBACK_PLUGIN_NO_SITE == 0
            && bundle == prefix.home
            && prefix.executable == prefix.base_executable
            && !bundle.join("pyvenv.cfg").exists();
        if !is_as_made {
            return None;
        }
        let library = prefix.standard_library();
        let packages = ["site-packages", "dist-packages"]
            .iter()
            .map(|name| library.join(name))
            .find(|directory| directory.is_dir())?;
        let is_plain =
            !library.join("sitecustomize.py").exists() && has_nothing_for_site(&packages);
        is_plain.then_some(Self { packages })
    }

    /// Does it: Python has just been started. What fails is left out.
    pub fn complete(&self) {
        append_to_path(&self.packages).unwrap_or_else(Raised::clear);
        add_names().unwrap_or_else(Raised::clear);
    }
}

/// Whether a directory of packages has no file that `site` runs or reads.
fn has_nothing_for_site(packages: &Path) -> bool {
    let Ok(mut entries) = std::fs::read_dir(packages) else {
        return false;
    };
    entries.all(|entry| {
        entry.is_ok_and(|entry| {
            let name = entry.file_name();
            let name = name.as_bytes();
            !name.ends_with(b".pth") && !name.starts_with(b"sitecustomize")
        })
    })
}

fn append_to_path(directory: &Path) -> Res<()> {
    let Ok(text) = CString::new(directory.as_os_str().as_bytes()) else {
        return Ok(());
    };
    // SAFETY: the GIL is held; a C string; sys.path is borrowed from sys.
    unsafe {
        let directory: Ref = Ref::steal(ffi::PyUnicode_DecodeFSDefault(text.as_ptr()))?;
        let path = ffi::PySys_GetObject(c"path".as_ptr());
        if path.is_null() || ffi::PyList_Check(path) == 0 {
            return Ok(());
        }
        Raised::if_negative(ffi::PyList_Append(path, directory.obj()))
    }
}

/// `exit`, `quit` and `help`. The three that print texts (`copyright`, `credits`, `license`) would need `os`.
fn add_names() -> Res<()> {
    let kinds = import(c"_sitebuiltins")?;
    let builtins = import(c"builtins")?;
    for name in [c"quit", c"exit"] {
        let end_of_file: &CStr = c"Ctrl-D (i.e. EOF)";
        // SAFETY: the GIL is held; C strings, and a live module.
        let made: Ref = unsafe {
            Ref::steal(ffi::PyObject_CallMethod(
                kinds.obj(),
                c"Quitter".as_ptr(),
                c"ss".as_ptr(),
                name.as_ptr(),
                end_of_file.as_ptr(),
            ))?
        };
        add(&builtins, name, &made)?;
    }
    let help = kinds.live().attribute(c"_Helper")?.live().call()?;
    add(&builtins, c"help", &help)
}
