//! Where the files of a Python are, asked from the libpython that is loaded: neither PATH nor PYTHONHOME has a say.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use keelback_codegen::abi::keelback_python_t;
use keelback_ffi::py::loaded::{file_of, path_of};
use pyo3::ffi;

/// What Python is told about its files.
pub struct Prefix {
    /// sys.base_prefix: has the standard library.
    pub home: PathBuf,
    /// sys.executable; a venv's one makes `site` find the venv's packages.
    pub executable: PathBuf,
    /// The executable of `home` itself.
    pub base_executable: PathBuf,
}

impl Prefix {
    /// The directory of the standard library, in a Python that keeps it in `lib`.
    pub fn standard_library(&self) -> PathBuf {
        self.home.join("lib").join(directory_name())
    }
}

/// The prefix of the libpython that is loaded: the one that the loader names, if the standard library is there, else
/// the one around libpython.
pub fn find(python: Option<&keelback_python_t>) -> Result<Prefix, String> {
    let mut tried: Vec<PathBuf> = Vec::new();
    let named =
        python.and_then(|python| [python.home, python.bundle].into_iter().find_map(path_of));
    let loaded = loaded_libpython().or_else(|| python.and_then(|python| path_of(python.libpython)));
    let around = loaded
        .iter()
        .flat_map(|file| file.ancestors().skip(1).take(4).map(Path::to_path_buf));
    let home = named.into_iter().chain(around).find(|candidate| {
        has_standard_library(candidate) || (tried.push(candidate.clone()), false).1
    });
    let Some(home) = home else {
        let places: Vec<String> = tried
            .iter()
            .map(|place| format!("  {}: no lib/{}/os.py\n", place.display(), directory_name()))
            .collect();
        let library = loaded.map_or_else(|| "libpython".into(), |file| file.display().to_string());
        // Debian has no packages of free-threaded Pythons.
        let package = if cfg!(Py_GIL_DISABLED) {
            String::new()
        } else {
            format!(" (Debian, Ubuntu: libpython3.{}-stdlib)", VERSION.1)
        };
        return Err(format!(
            "{library} is loaded, but its standard library is nowhere to be found. Looked in:\n{}Install the whole of \
             Python {}{package}, or build the plugin again with --python.\n",
            places.concat(),
            directory_name().trim_start_matches("python")
        ));
    };
    let base_executable = home.join("bin").join(directory_name());
    let executable = python
        .and_then(|python| path_of(python.executable))
        .filter(|path| path.exists())
        .unwrap_or_else(|| base_executable.clone());
    Ok(Prefix {
        home,
        executable,
        base_executable,
    })
}

/// (3, 11): the Python that this runtime is built for.
pub const VERSION: (u8, u8) = (3, version_minor());

const fn version_minor() -> u8 {
    if cfg!(Py_3_15) {
        15
    } else if cfg!(Py_3_14) {
        14
    } else if cfg!(Py_3_13) {
        13
    } else if cfg!(Py_3_12) {
        12
    } else if cfg!(Py_3_11) {
        11
    } else {
        10
    }
}

/// `python3.11`: the name of the executable, and of the directory of the standard library.
fn directory_name() -> String {
    let suffix = if cfg!(Py_GIL_DISABLED) { "t" } else { "" };
    format!("python{}.{}{suffix}", VERSION.0, VERSION.1)
}

fn has_standard_library(home: &Path) -> bool {
    // Fedora's is in lib64, which is sys.platlibdir there; CPython knows that by itself.
    ["lib", "lib64"]
        .iter()
        .map(|lib| home.join(lib).join(directory_name()))
        // A bundle may have the bytecode alone.
        .any(|place| {
            ["os.py", "os.pyc"]
                .iter()
                .any(|file| place.join(file).exists())
        })
}

/// The file that Python's code is mapped from.
fn loaded_libpython() -> Option<PathBuf> {
    let address: unsafe extern "C" fn() -> std::ffi::c_int = ffi::Py_IsInitialized;
    real_path(&file_of(address as *const std::ffi::c_void)?)
}

/// The path without links. `std::fs::canonicalize` frees what the C library has allocated, perhaps by an allocator of the
/// host's that this library does not see (RTLD_DEEPBIND).
fn real_path(path: &Path) -> Option<PathBuf> {
    let path = CString::new(path.as_os_str().as_bytes()).ok()?;
    let mut resolved = [0; libc::PATH_MAX as usize];
    // SAFETY: a C string, and a buffer of the size that realpath() asks for; it is filled with a C string, or NULL comes.
    unsafe {
        if libc::realpath(path.as_ptr(), resolved.as_mut_ptr()).is_null() {
            return None;
        }
    }
    path_of(resolved.as_ptr())
}
