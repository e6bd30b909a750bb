//! Which file of which plugin has a module.

use std::collections::BTreeSet;
use std::ffi::CStr;
use std::path::{Path, PathBuf};

use keelback_codegen::abi::{KEELBACK_FILE_TOP_LEVEL, keelback_file_t};

use super::super::plugin::{self, Plugin};
use keelback_ffi::ffi::payload::{bytes, text};
use keelback_ffi::py::loaded::file_of;

/// A module, or package, that a plugin has.
pub struct Found {
    pub(super) plugin: &'static Plugin,
    /// Its `__file__`: on disk, or below the library's own path, where no file can be.
    pub(super) place: String,
    pub(super) is_package: bool,
    pub(super) content: Content,
}

/// Where its text is.
pub enum Content {
    /// In the library.
    Inside {
        text: &'static [u8],
        code: Option<&'static [u8]>,
    },
    /// A development library reads it there.
    OnDisk(PathBuf),
    /// A directory without `__init__.py`.
    Nothing,
}

/// The plugin's files.
pub(super) fn files(plugin: &Plugin) -> &'static [keelback_file_t] {
    let record = plugin.record();
    // SAFETY: the record is as abi.rs says, and lives as long as the process.
    unsafe {
        let (files, count) = ((*record).files, (*record).file_count);
        if files.is_null() {
            return &[];
        }
        std::slice::from_raw_parts(files, count)
    }
}

/// Whether the plugin has modules of its own.
pub fn has_any(plugin: &Plugin) -> bool {
    !files(plugin).is_empty()
}

/// The path among the modules.
pub(super) fn path_of(file: &'static keelback_file_t) -> &'static str {
    // SAFETY: the record is as abi.rs says: a C string, which lives as long as the process. The generator takes UTF-8.
    unsafe { CStr::from_ptr(file.path) }
        .to_str()
        .unwrap_or_default()
}

/// The contents, in a library that has them inside.
pub(super) fn data_of(file: &keelback_file_t) -> &'static [u8] {
    // SAFETY: as above.
    unsafe { bytes(file.data, file.length) }
}

fn root_of(path: &str) -> &str {
    let end = path.find(['/', '.']).unwrap_or(path.len());
    &path[..end]
}

/// The names of the modules and packages: of those that are inside the plugin's module, or of the top-level ones.
pub(super) fn names(plugin: &Plugin, top_level: bool) -> BTreeSet<String> {
    files(plugin)
        .iter()
        .filter(|file| is_top_level(file) == top_level)
        .map(|file| root_of(path_of(file)).to_owned())
        .collect()
}

fn is_top_level(file: &keelback_file_t) -> bool {
    file.flags & KEELBACK_FILE_TOP_LEVEL != 0
}

/// Below which path the files seem to be.
pub(super) fn root(plugin: &Plugin) -> String {
    file_of(plugin.record().cast_const().cast()).map_or_else(
        || format!("<{}>", plugin.name()),
        |path| path.display().to_string(),
    )
}

/// The module of a full name, if it is one of a plugin's.
pub(super) fn module(name: &str) -> Option<Found> {
    let (plugin, below) = owner(name)?;
    below_root(plugin, &below)
}

/// Whose a module of that name is, and its path among the modules.
fn owner(name: &str) -> Option<(&'static Plugin, String)> {
    plugin::all().into_iter().find_map(|plugin| {
        let all = files(plugin);
        if all.is_empty() {
            return None;
        }
        let inside = name
            .strip_prefix(plugin.name())
            .and_then(|rest| rest.strip_prefix('.'));
        let has = |below: &str, top_level: bool| {
            let root = below.split('.').next().unwrap_or_default();
            all.iter()
                .any(|file| is_top_level(file) == top_level && root_of(path_of(file)) == root)
        };
        let below = match inside {
            Some(below) if has(below, false) => below,
            _ if has(name, true) => name,
            _ => return None,
        };
        Some((plugin, below.replace('.', "/")))
    })
}

fn below_root(plugin: &'static Plugin, below: &str) -> Option<Found> {
    if plugin.is_dev() {
        return on_disk(plugin, below);
    }
    let root = root(plugin);
    let inside = |path: String, is_package: bool| {
        let file = files(plugin).iter().find(|file| path_of(file) == path)?;
        // SAFETY: the record is as abi.rs says.
        let code = unsafe { bytes(file.code, file.code_length) };
        Some(Found {
            plugin,
            place: format!("{root}/{path}"),
            is_package,
            content: Content::Inside {
                text: data_of(file),
                code: (!code.is_empty()).then_some(code),
            },
        })
    };
    inside(format!("{below}/__init__.py"), true)
        .or_else(|| inside(format!("{below}.py"), false))
        .or_else(|| {
            let directory = format!("{below}/");
            files(plugin)
                .iter()
                .any(|file| path_of(file).starts_with(&directory))
                .then(|| Found {
                    plugin,
                    place: format!("{root}/{below}"),
                    is_package: true,
                    content: Content::Nothing,
                })
        })
}

fn on_disk(plugin: &'static Plugin, below: &str) -> Option<Found> {
    let (first, rest) = below.split_once('/').unwrap_or((below, ""));
    let file = files(plugin).iter().find(|file| path_of(file) == first)?;
    // SAFETY: the record is as abi.rs says.
    let start = PathBuf::from(unsafe { text(file.place) });
    let found = |path: PathBuf, is_package: bool, content: fn(PathBuf) -> Content| Found {
        plugin,
        place: path.display().to_string(),
        is_package,
        content: content(path),
    };
    if rest.is_empty() && !start.is_dir() {
        return Some(found(start, false, Content::OnDisk));
    }
    let path = start.join(rest);
    let package = path.join("__init__.py");
    let module = PathBuf::from(format!("{}.py", path.display()));
    if package.is_file() {
        Some(found(package, true, Content::OnDisk))
    } else if !rest.is_empty() && module.is_file() {
        Some(found(module, false, Content::OnDisk))
    } else if path.is_dir() {
        Some(found(path, true, |_| Content::Nothing))
    } else {
        None
    }
}

impl Found {
    /// The directory that a package's modules and data seem to be in, or are.
    pub(super) fn directory(&self) -> &str {
        match self.content {
            Content::Nothing => &self.place,
            _ => Path::new(&self.place)
                .parent()
                .and_then(Path::to_str)
                .unwrap_or(&self.place),
        }
    }
}
