//! A plugin's own modules (`--module`): which files go into the library.

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};

use keelback_codegen::OwnFile;

/// Why a path cannot be a plugin's own module.
#[derive(Debug)]
pub enum ModuleError {
    /// It cannot be read.
    CannotRead(PathBuf, std::io::Error),
    /// It is neither a directory nor a file that ends in `.py`.
    NoModule(PathBuf),
    /// It cannot be imported: its name is no identifier, or not UTF-8.
    Name(PathBuf),
    /// The plugin needs that name itself: `ffi`, `lib`, or its own.
    Taken(PathBuf, String),
    /// A module that was compiled from C: the operating system loads it from a file only.
    Compiled(PathBuf),
    /// Two of the paths are modules of one name.
    Twice(String),
    /// A package without anything in it.
    Empty(PathBuf),
    /// Neither a file nor a directory: a pipe, a socket, a device.
    Special(PathBuf),
    /// A directory with a link in it that leads back to the directory.
    Cycle(PathBuf),
}

impl ModuleError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoModule(_) => {
                Some("data files go along with the package whose directory they are in")
            }
            Self::Name(_) => {
                Some("the name of the file or directory is what Python code imports: rename it")
            }
            Self::Taken(..) => Some("`ffi`, `lib` and the plugin's own name are taken: rename it"),
            Self::Compiled(_) => Some(
                "install its package into the Python that the plugin uses, or bundle it (keelback bundle --include)",
            ),
            Self::CannotRead(..)
            | Self::Twice(_)
            | Self::Empty(_)
            | Self::Special(_)
            | Self::Cycle(_) => None,
        }
    }
}

impl fmt::Display for ModuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CannotRead(path, error) => {
                let text = error.to_string();
                let reason = text.split(" (os error").next().unwrap_or_default();
                write!(f, "cannot read the module {}: {reason}", path.display())
            }
            Self::NoModule(path) => write!(
                f,
                "{} is no module: neither a directory nor a file NAME.py",
                path.display()
            ),
            Self::Name(path) => write!(
                f,
                "{} cannot be imported: its name is no identifier of Python",
                path.display()
            ),
            Self::Taken(path, name) => write!(
                f,
                "the module {} has the name '{name}', which means something else in a plugin",
                path.display()
            ),
            Self::Compiled(path) => write!(
                f,
                "{} is compiled code, which cannot be loaded from inside a library",
                path.display()
            ),
            Self::Twice(name) => write!(f, "two modules have the name '{name}'"),
            Self::Special(path) => {
                write!(f, "{} is no file that a library can hold", path.display())
            }
            Self::Cycle(path) => write!(
                f,
                "{} leads back to a directory that it is in",
                path.display()
            ),
            Self::Empty(path) => write!(f, "there is no file in the package {}", path.display()),
        }
    }
}

/// A module or package that goes into the plugin.
#[derive(Clone, Debug)]
pub struct OwnModule {
    /// A file `NAME.py`, or a directory.
    pub path: PathBuf,
    /// Importable by its own name too.
    pub is_top_level: bool,
}

/// What [`collect`] found.
#[derive(Debug, Default)]
pub struct OwnFiles {
    /// What goes into the library.
    pub files: Vec<OwnFile>,
    /// The files that were read, which must not be outputs.
    pub read: Vec<PathBuf>,
    /// The directories that were listed: a new file in one of them would have gone into the library.
    pub listed: Vec<PathBuf>,
}

/// The files of modules and packages, in an order that depends on their names only. For a development library
/// (`is_dev`), only the places of the modules.
///
/// `plugin` is the name of the plugin's module: own modules cannot have this name, because importing it gives the
/// plugin.
///
/// Left out are what Python compiled (`__pycache__`, `.pyc`) and what begins with a dot.
pub fn collect(plugin: &str, modules: &[OwnModule], is_dev: bool) -> Result<OwnFiles, ModuleError> {
    let mut found = OwnFiles::default();
    let mut names = HashSet::new();
    for OwnModule { path, is_top_level } in modules {
        let cannot = |error| ModuleError::CannotRead(path.clone(), error);
        let is_dir = std::fs::metadata(path).map_err(cannot)?.is_dir();
        let name = name_of(path, is_dir)?;
        let own = plugin.split('.').next().unwrap_or_default();
        if [own, "ffi", "lib"].contains(&&*name) {
            return Err(ModuleError::Taken(path.clone(), name));
        }
        if !names.insert(name.clone()) {
            return Err(ModuleError::Twice(name));
        }
        let before = found.files.len();
        if is_dev {
            let place = std::path::absolute(path).map_err(cannot)?;
            let place = place
                .to_str()
                .ok_or_else(|| ModuleError::Name(path.clone()))?;
            found.files.push(OwnFile {
                path: name,
                place: Some(place.to_owned()),
                ..OwnFile::default()
            });
        } else if is_dir {
            walk(path, &name, &mut Vec::new(), &mut found)?;
        } else {
            found.read(path, format!("{name}.py"))?;
        }
        if found.files.len() == before {
            return Err(ModuleError::Empty(path.clone()));
        }
        for file in &mut found.files[before..] {
            file.is_top_level = *is_top_level;
        }
    }
    Ok(found)
}

/// The name by which Python code imports it.
fn name_of(path: &Path, is_dir: bool) -> Result<String, ModuleError> {
    // `.` and `..` have no name of their own.
    let whole = std::path::absolute(path)
        .ok()
        .filter(|_| path.file_name().is_none())
        .and_then(|_| path.canonicalize().ok());
    let named = whole.as_deref().unwrap_or(path);
    if !is_dir {
        let ending = named.extension().and_then(std::ffi::OsStr::to_str);
        match ending {
            Some("py") => {}
            Some("so" | "pyd" | "dylib") => return Err(ModuleError::Compiled(path.into())),
            _ => return Err(ModuleError::NoModule(path.into())),
        }
    }
    let name = if is_dir {
        named.file_name()
    } else {
        named.file_stem()
    };
    let name = name
        .and_then(std::ffi::OsStr::to_str)
        .ok_or_else(|| ModuleError::Name(path.into()))?;
    let mut letters = name.chars();
    let is_first = |c: char| c == '_' || c.is_alphabetic();
    if !letters.next().is_some_and(is_first) || !letters.all(|c| is_first(c) || c.is_numeric()) {
        return Err(ModuleError::Name(path.into()));
    }
    Ok(name.to_owned())
}

fn walk(
    directory: &Path,
    inside: &str,
    around: &mut Vec<PathBuf>,
    found: &mut OwnFiles,
) -> Result<(), ModuleError> {
    let cannot = |error| ModuleError::CannotRead(directory.into(), error);
    let real = directory.canonicalize().map_err(cannot)?;
    if around.contains(&real) {
        return Err(ModuleError::Cycle(directory.into()));
    }
    around.push(real);
    found.listed.push(directory.to_owned());
    let mut entries = std::fs::read_dir(directory)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(cannot)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            return Err(ModuleError::Name(path));
        };
        if name == "__pycache__" || name.starts_with('.') || name.ends_with(".pyc") {
            continue;
        }
        let about = std::fs::metadata(&path)
            .map_err(|error| ModuleError::CannotRead(path.clone(), error))?;
        let inside = format!("{inside}/{name}");
        if about.is_dir() {
            walk(&path, &inside, around, found)?;
        } else if is_compiled_module(name) {
            return Err(ModuleError::Compiled(path));
        } else {
            found.read(&path, inside)?;
        }
    }
    around.pop();
    Ok(())
}

/// `fast.abi3.so`, `fast.abi3t.so` and, from 3.15 on, `fast.abi3-x86_64-linux-gnu.so`, `fast.cpython-311-x86_64-linux-gnu.so`:
/// what Python would import. A library that Python code opens itself (`libfast.so`) is data.
fn is_compiled_module(name: &str) -> bool {
    let of_extension = |part: &str| {
        let kind = part.split('-').next();
        matches!(kind, Some("abi3" | "abi3t")) || part.starts_with("cpython-")
    };
    name.ends_with(".pyd")
        || name
            .strip_suffix(".so")
            .is_some_and(|rest| rest.split('.').skip(1).any(of_extension))
}

impl OwnFiles {
    fn read(&mut self, path: &Path, inside: String) -> Result<(), ModuleError> {
        let cannot = |error| ModuleError::CannotRead(path.into(), error);
        // Reading a pipe would block.
        if !std::fs::metadata(path).map_err(cannot)?.is_file() {
            return Err(ModuleError::Special(path.into()));
        }
        let data = std::fs::read(path).map_err(cannot)?;
        self.files.push(OwnFile {
            path: inside,
            data,
            ..OwnFile::default()
        });
        self.read.push(path.to_owned());
        Ok(())
    }
}
