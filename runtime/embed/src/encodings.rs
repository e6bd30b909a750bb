//! The modules that Python imports from files before anything else of it is there: `encodings`, and two of its own. They
//! are handed to it as frozen modules.
//!
//! The import system would look through the directories of the standard library for them: forty system calls, and a tenth
//! of the instructions of a start. An installed Python has their code in `__pycache__`; it is taken from there where
//! importlib would take it too, and is what CPython since 3.11 has of `os` or `site`: frozen, with a `__file__`.

use std::ffi::{CString, c_int};

use pyo3::ffi;

#[cfg(all(Py_3_11, not(Py_GIL_DISABLED)))]
pub use of_files::read;

pub const NAMES: [&str; 3] = ["encodings", "encodings.aliases", "encodings.utf_8"];

/// A module's code, as `marshal` writes it.
pub struct Module {
    pub name: &'static str,
    #[cfg_attr(
        not(Py_3_11),
        expect(dead_code, reason = "frozen modules of 3.10 have no such field")
    )]
    pub is_package: bool,
    pub code: &'static [u8],
}

/// Has Python import these. To be called before it is initialised. A table that the host has set stays.
pub fn freeze(modules: impl Iterator<Item = Module>) {
    let mut table: Vec<ffi::_frozen> = modules.filter_map(frozen).collect();
    // SAFETY: all zeros is the entry that ends a table. The pointer is the embedder's to set before the initialisation;
    // the new table is never freed.
    unsafe {
        table.push(std::mem::zeroed());
        if ffi::PyImport_FrozenModules.is_null() {
            ffi::PyImport_FrozenModules = table.leak().as_ptr();
        }
    }
}

fn frozen(module: Module) -> Option<ffi::_frozen> {
    let size = c_int::try_from(module.code.len()).ok()?;
    // SAFETY: all zeros is valid: null pointers and numbers.
    let mut entry: ffi::_frozen = unsafe { std::mem::zeroed() };
    entry.name = CString::new(module.name).ok()?.into_raw();
    entry.code = module.code.as_ptr();
    entry.size = size;
    #[cfg(Py_3_11)]
    {
        entry.is_package = module.is_package.into();
    }
    Some(entry)
}

/// From the files of an installed Python.
#[cfg(all(Py_3_11, not(Py_GIL_DISABLED)))]
mod of_files {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;

    use super::{Module, NAMES};
    use crate::prefix::VERSION;

    const HEADER: usize = 16;

    /// The magic number of the bytecode of a minor version's final releases, which cannot be asked for before Python is
    /// initialised; `None` where it is not known.
    fn magic(version: u32) -> Option<u16> {
        let is_final = version >> 4 & 0xf == 0xf;
        let minor = (version >> 16) as u8;
        let magic = match minor {
            11 => 3495,
            12 => 3531,
            13 => 3571,
            14 => 3627,
            _ => return None,
        };
        (is_final && version >> 24 == 3 && minor == VERSION.1).then_some(magic)
    }

    /// The three modules of the standard library in that directory; `None` if one of them has to be imported in the usual
    /// way. `version` is `Py_Version` of the libpython.
    pub fn read(directory: &Path, version: u32) -> Option<[Module; 3]> {
        let magic = magic(version)?;
        // The archive is before the directory in sys.path.
        let zip = format!("python{}{}.zip", VERSION.0, VERSION.1);
        if directory.with_file_name(zip).exists() {
            return None;
        }
        let [package, aliases, utf_8] = NAMES;
        let folder = directory.join("encodings");
        let module = |name, stem| {
            let code = code_of(&folder, stem, magic)?;
            Some(Module {
                name,
                is_package: stem == "__init__",
                code,
            })
        };
        Some([
            module(package, "__init__")?,
            module(aliases, "aliases")?,
            module(utf_8, "utf_8")?,
        ])
    }

    /// What `__pycache__` has of a file, if that is what importlib would use: code of the same file, by this Python, and
    /// with the path that the file has now.
    fn code_of(folder: &Path, stem: &str, magic: u16) -> Option<&'static [u8]> {
        let source = folder.join(format!("{stem}.py"));
        let source_is = std::fs::metadata(&source).ok()?;
        let cached = format!("__pycache__/{stem}.cpython-{}{}.pyc", VERSION.0, VERSION.1);
        let bytes = std::fs::read(folder.join(cached)).ok()?;
        let (header, code) = bytes.split_first_chunk()?;
        let (time, size) = (source_is.mtime() as u32, source_is.size() as u32);
        let path = source.as_os_str().as_bytes();
        // Near the end; most places differ from it in their first byte.
        let mut places = code.windows(path.len()).rev();
        let is_usable = *header == header_of(magic, time, size)
            && places.any(|part| part[0] == path[0] && part == path);
        is_usable.then(|| &bytes.leak()[HEADER..])
    }

    /// How a .pyc begins whose source is checked by its time and size.
    fn header_of(magic: u16, time: u32, size: u32) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        header[..2].copy_from_slice(&magic.to_le_bytes());
        header[2..4].copy_from_slice(b"\r\n");
        header[8..12].copy_from_slice(&time.to_le_bytes());
        header[12..].copy_from_slice(&size.to_le_bytes());
        header
    }

    #[cfg(test)]
    mod tests {
        use std::path::PathBuf;

        use super::*;

        const FINAL: u32 = 0x0300_00f0 | (VERSION.1 as u32) << 16;

        /// A library with the three modules, compiled; what it is made of can be changed.
        fn library(test: &str) -> PathBuf {
            let home = std::env::temp_dir().join(format!("keelback-{test}-{}", std::process::id()));
            let directory = home.join("python");
            let _ = std::fs::remove_dir_all(&home);
            std::fs::create_dir_all(directory.join("encodings/__pycache__")).unwrap();
            for stem in ["__init__", "aliases", "utf_8"] {
                let source = directory.join(format!("encodings/{stem}.py"));
                std::fs::write(&source, stem).unwrap();
                let is = std::fs::metadata(&source).unwrap();
                let magic = magic(FINAL).unwrap();
                let header = header_of(magic, is.mtime() as u32, is.size() as u32);
                let code = [b"code of ", source.as_os_str().as_bytes()].concat();
                std::fs::write(compiled(&directory, stem), [&header[..], &code].concat()).unwrap();
            }
            directory
        }

        fn compiled(directory: &Path, stem: &str) -> PathBuf {
            let name = format!("{stem}.cpython-{}{}.pyc", VERSION.0, VERSION.1);
            directory.join("encodings/__pycache__").join(name)
        }

        #[test]
        fn compiled_files_are_taken() {
            let directory = library("taken");
            let modules = read(&directory, FINAL).unwrap();
            assert_eq!(modules.each_ref().map(|module| module.name), NAMES);
            let packages = modules.each_ref().map(|module| module.is_package);
            assert_eq!(packages, [true, false, false]);
            let source = directory.join("encodings/utf_8.py");
            let code = format!("code of {}", source.display());
            assert_eq!(modules[2].code, code.as_bytes());
            std::fs::remove_dir_all(directory.parent().unwrap()).unwrap();
        }

        #[test]
        fn what_importlib_would_not_take_is_left_to_it() {
            let refuses = |test: &str, version: u32, change: &dyn Fn(&Path)| {
                let directory = library(test);
                change(&directory);
                assert!(read(&directory, version).is_none(), "{test}");
                std::fs::remove_dir_all(directory.parent().unwrap()).unwrap();
            };
            let byte = |stem: &'static str, at: usize| {
                move |directory: &Path| {
                    let file = compiled(directory, stem);
                    let mut bytes = std::fs::read(&file).unwrap();
                    bytes[at] ^= 1;
                    std::fs::write(file, bytes).unwrap();
                }
            };
            refuses("not a final release", FINAL - 0x10, &|_| {});
            refuses("another magic number", FINAL, &byte("utf_8", 0));
            refuses("checked by a hash", FINAL, &byte("aliases", 4));
            refuses("another time", FINAL, &byte("__init__", 8));
            refuses("another path", FINAL, &byte("utf_8", HEADER + 9));
            refuses("another size", FINAL, &|directory| {
                std::fs::write(directory.join("encodings/aliases.py"), "changed since").unwrap();
            });
            refuses("not compiled", FINAL, &|directory| {
                std::fs::remove_file(compiled(directory, "aliases")).unwrap();
            });
            refuses("cut off", FINAL, &|directory| {
                std::fs::write(compiled(directory, "utf_8"), "12").unwrap();
            });
            refuses("no source", FINAL, &|directory| {
                std::fs::remove_file(directory.join("encodings/utf_8.py")).unwrap();
            });
            refuses("an archive before it", FINAL, &|directory| {
                let zip = format!("python{}{}.zip", VERSION.0, VERSION.1);
                std::fs::write(directory.with_file_name(zip), "").unwrap();
            });
        }
    }
}
