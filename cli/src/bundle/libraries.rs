//! The C libraries that a bundle's files need: which are copied, and the search paths by which files find them.
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use super::write::unwritable;
use crate::diagnostic::{Diagnostic, Failure, Reporter, Result};
use crate::elf::{Elf, SearchPath};
use crate::input::reason;
use crate::interrupt;

/// What a file belongs to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Owner {
    /// Python itself.
    Python,
    /// An installed package.
    Package(String),
    /// A C library of this machine.
    System,
}

/// An ELF file of the bundle.
#[derive(Debug)]
pub struct Native {
    /// Its path from the bundle's top.
    pub within: PathBuf,
    /// Where it was copied from.
    pub source: PathBuf,
    /// What it belongs to.
    pub owner: Owner,
    /// The files of the bundle that it needs, and whether it finds them itself: through its own search path or the
    /// system's.
    needs: Vec<(PathBuf, bool)>,
}

impl Native {
    /// A file that has been copied.
    pub fn new(within: PathBuf, source: PathBuf, owner: Owner) -> Self {
        Self {
            within,
            source,
            owner,
            needs: Vec::new(),
        }
    }

    /// Its directory, from the bundle's top.
    fn directory(&self) -> &Path {
        self.within.parent().unwrap_or(Path::new(""))
    }
}

/// A directory of this machine, and the directory of the bundle that its files are copied to.
pub type Place = (PathBuf, PathBuf);

/// For each library name, the file that the dynamic linker finds on this machine, if any.
type Found = BTreeMap<String, Option<PathBuf>>;

/// Whether a name is one of the C library's or the compiler's own libraries: every machine has them, and two versions
/// must not be in one process.
fn is_of_the_system(name: &str) -> bool {
    const C: [&str; 13] = [
        "c",
        "m",
        "dl",
        "pthread",
        "rt",
        "util",
        "resolv",
        "nsl",
        "anl",
        "mvec",
        "BrokenLocale",
        "thread_db",
        "gcc_s",
    ];
    const BEGIN: [&str; 7] = [
        "linux-vdso",
        "linux-gate",
        "ld-linux",
        "ld-musl",
        "ld64",
        "libnss_",
        "libc.musl",
    ];
    BEGIN.iter().any(|begin| name.starts_with(begin))
        || name.starts_with("libstdc++.so")
        || name.starts_with("libpython3")
        || name
            .strip_prefix("lib")
            .and_then(|name| name.split_once(".so"))
            .is_some_and(|(name, _)| C.contains(&name))
}

/// Copies the libraries that the files need and the bundle lacks into `top`/lib, and adds them to the files.
pub fn copy_needed(
    top: &Path,
    mut natives: Vec<Native>,
    reporter: &Reporter,
) -> Result<Vec<Native>> {
    let (mut own, inherited) = ask_linker(&natives)?;
    let mut by_source: HashMap<PathBuf, PathBuf> = HashMap::new();
    let mut by_name: HashMap<String, PathBuf> = HashMap::new();
    for native in &natives {
        by_source.insert(real(&native.source), native.within.clone());
        by_name.insert(file_name(&native.within), native.within.clone());
    }
    let mut queue: VecDeque<Native> = natives.drain(..).collect();
    let nothing = Found::new();
    let mut done: Vec<Native> = Vec::new();
    while let Some(mut native) = queue.pop_front() {
        let Ok(bytes) = std::fs::read(top.join(&native.within)) else {
            continue;
        };
        let needed = match Elf::read(bytes).and_then(|elf| elf.needed()) {
            Ok(needed) => needed,
            Err(_) => continue,
        };
        let key = real(&native.source);
        if native.owner == Owner::System && !own.contains_key(&native.source) {
            // A library that was needed: the search path of what needs it is not its own.
            own.extend(ask_linker(std::slice::from_ref(&native))?.0);
        }
        let itself = own.get(&native.source).unwrap_or(&nothing);
        let through = inherited.get(&key).unwrap_or(&nothing);
        let mut missing = Vec::new();
        for name in needed {
            if is_of_the_system(&name) {
                continue;
            }
            let alone = itself.get(&name).and_then(Option::as_ref);
            let found = alone.or_else(|| through.get(&name).and_then(Option::as_ref));
            if let Some(path) = found {
                let within = match by_source.get(&real(path)) {
                    Some(within) => within.clone(),
                    None => {
                        let copied = copy(top, path, &name)?;
                        by_source.insert(real(path), copied.clone());
                        by_name.insert(name.clone(), copied.clone());
                        queue.push_back(Native::new(copied.clone(), path.clone(), Owner::System));
                        copied
                    }
                };
                native.needs.push((within, alone.is_some()));
            } else if let Some(within) = by_name.get(&name) {
                // Not found by this file itself, so the package must have loaded it before: by ctypes, or through
                // another module.
                native.needs.push((within.clone(), false));
            } else {
                missing.push(name);
            }
        }
        if missing.is_empty() {
            done.push(native);
        } else {
            lack(top, &native, &missing.join(", "), reporter)?;
        }
    }
    Ok(done)
}

/// Handles a file that needs a missing library. A module of Python's own, which does not load on this machine either,
/// is left out with a warning; for others this is an error.
fn lack(top: &Path, native: &Native, missing: &str, reporter: &Reporter) -> Result<()> {
    let shown = native.within.display();
    if native.owner == Owner::Python {
        reporter.report(
            &Diagnostic::warning(
                "bundle",
                format!(
                    "{} is left out: it needs {missing}, which this machine does not have",
                    shown_module(&native.within)
                ),
            )
            .hint("install the library, or leave the module out with --exclude"),
        );
        let path = top.join(&native.within);
        return std::fs::remove_file(&path).map_err(|error| unwritable(&path, &reason(&error)));
    }
    let of = match &native.owner {
        Owner::Package(name) => format!(" of the package '{name}'"),
        _ => String::new(),
    };
    Err(Failure::Python.because(
        Diagnostic::error(
            "bundle",
            format!("{shown}{of} needs {missing}, which this machine does not have"),
        )
        .hint(match module_of(&native.within) {
            Some(module) => {
                format!("install the library, or leave the file out with --exclude {module}")
            }
            None => "install the library".to_owned(),
        }),
    ))
}

/// What `--exclude` calls a file of a package: `torch.lib.libcaffe2_nvrtc`.
fn module_of(within: &Path) -> Option<String> {
    let text = within.to_str()?;
    let (_, below) = text.split_once("-packages/")?;
    let (folders, name) = below.rsplit_once('/').unwrap_or(("", below));
    let name = name.split('.').next().unwrap_or(name);
    let folders = folders.split('/').filter(|part| !part.is_empty());
    Some(folders.chain([name]).collect::<Vec<_>>().join("."))
}

/// The path of a module from the standard library's directory, for messages.
fn shown_module(within: &Path) -> std::path::Display<'_> {
    let mut parts = within.components();
    if parts.next() == Some(Component::Normal("lib".as_ref())) {
        parts.next();
        return parts.as_path().display();
    }
    within.display()
}

fn copy(top: &Path, path: &Path, name: &str) -> Result<PathBuf> {
    let within = Path::new("lib").join(Path::new(name).file_name().unwrap_or_default());
    let target = top.join(&within);
    std::fs::copy(path, &target)
        .and_then(|_| {
            std::fs::set_permissions(&target, std::os::unix::fs::PermissionsExt::from_mode(0o644))
        })
        .map_err(|error| unwritable(&target, &reason(&error)))?;
    Ok(within)
}

fn real(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The libraries that each file finds itself, and those that it finds through an inherited search path (DT_RPATH) of a
/// file that loads it.
fn ask_linker(natives: &[Native]) -> Result<(HashMap<PathBuf, Found>, HashMap<PathBuf, Found>)> {
    let mut own = HashMap::new();
    let mut inherited: HashMap<PathBuf, Found> = HashMap::new();
    for batch in natives.chunks(50) {
        for (source, found) in ldd(batch)? {
            for path in found.values().flatten() {
                let all = inherited.entry(real(path)).or_default();
                for (name, path) in found.iter().filter(|(_, path)| path.is_some()) {
                    all.entry(name.clone()).or_insert_with(|| path.clone());
                }
            }
            own.insert(source, found);
        }
    }
    Ok((own, inherited))
}

fn ldd(batch: &[Native]) -> Result<Vec<(PathBuf, Found)>> {
    let mut command = Command::new("ldd");
    command
        .args(batch.iter().map(|native| &native.source))
        // The first file twice: ldd prints the names of files only if there are several.
        .args(batch.first().map(|native| &native.source))
        .env("LC_ALL", "C")
        .stdin(Stdio::null());
    let output = interrupt::output(&mut command).map_err(|error| {
        Failure::Python.because(
            Diagnostic::error(
                "bundle",
                format!(
                    "the command ldd, which tells what C libraries the modules need, cannot be run: {}",
                    reason(&error)
                ),
            )
            .hint("install it: `libc-bin` on Debian and Ubuntu, `glibc-common` on Fedora"),
        )
    })?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut answers: Vec<(PathBuf, Found)> = Vec::new();
    for line in text.lines() {
        if !line.starts_with(char::is_whitespace) {
            answers.push((line.trim_end_matches(':').into(), Found::new()));
        } else if let Some((name, rest)) = line.trim().split_once(" => ")
            && let Some((_, found)) = answers.last_mut()
        {
            let path = rest.rsplit_once(" (").map_or(rest, |(path, _)| path);
            found.insert(
                name.to_owned(),
                path.starts_with('/').then(|| PathBuf::from(path)),
            );
        }
    }
    Ok(answers)
}

/// The search path that the file needs in the bundle; `None`: its present one is right.
pub fn search_path(
    native: &Native,
    elf: &Elf,
    places: &[Place],
) -> std::result::Result<Option<SearchPath>, String> {
    let old = elf.search_path()?;
    let mut entries: Vec<String> = Vec::new();
    let mut directories: Vec<PathBuf> = Vec::new();
    if let Some(old) = &old {
        for entry in old.text.split(|&byte| byte == b':') {
            let entry = String::from_utf8_lossy(entry);
            if let Some((text, directory)) = translated(native, &entry, places)
                && !entries.contains(&text)
            {
                entries.push(text);
                directories.push(directory);
            }
        }
    }
    let lacks = |within: &Path| {
        !directories
            .iter()
            .any(|each| Some(&**each) == within.parent())
    };
    if native
        .needs
        .iter()
        .any(|(within, alone)| *alone && lacks(within))
    {
        // A file with a DT_RUNPATH does not use the inherited search paths, so its own must have all directories.
        for (within, _) in &native.needs {
            let directory = within.parent().unwrap_or(Path::new(""));
            let text = from_origin(native.directory(), directory);
            if lacks(within) && !entries.contains(&text) {
                entries.push(text);
            }
        }
    }
    let new = SearchPath {
        is_inherited: old.as_ref().is_some_and(|old| old.is_inherited),
        text: entries.join(":").into_bytes(),
    };
    let is_same = match &old {
        Some(old) => old.text == new.text,
        None => new.text.is_empty(),
    };
    Ok((!is_same).then_some(new))
}

/// An entry of the file's search path, translated for the bundle, and the directory that it leads to, from the top.
fn translated(native: &Native, entry: &str, places: &[Place]) -> Option<(String, PathBuf)> {
    let origin = ["$ORIGIN", "${ORIGIN}"]
        .iter()
        .find_map(|origin| entry.strip_prefix(origin));
    if let Some(rest) = origin {
        // A library of the system was copied to another directory: what was beside it is not beside it now.
        if native.owner == Owner::System || !(rest.is_empty() || rest.starts_with('/')) {
            return None;
        }
        let directory = joined(native.directory(), Path::new(rest.trim_start_matches('/')))?;
        return Some((entry.to_owned(), directory));
    }
    if !entry.starts_with('/') {
        return None;
    }
    let path = real(Path::new(entry));
    let (place, within) = places
        .iter()
        .filter(|(place, _)| path.starts_with(place))
        .max_by_key(|(place, _)| place.components().count())?;
    let directory = within.join(path.strip_prefix(place).ok()?);
    Some((from_origin(native.directory(), &directory), directory))
}

/// `path` relative to `from`; `None` if it leads out of the bundle.
fn joined(from: &Path, path: &Path) -> Option<PathBuf> {
    let mut directory = from.to_owned();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                directory.pop().then_some(())?;
            }
            Component::Normal(name) => directory.push(name),
            _ => {}
        }
    }
    Some(directory)
}

/// The path from one directory of the bundle to another, with `$ORIGIN`.
fn from_origin(from: &Path, to: &Path) -> String {
    let shared = from
        .components()
        .zip(to.components())
        .take_while(|(one, other)| one == other)
        .count();
    let mut text = String::from("$ORIGIN");
    for _ in from.components().skip(shared) {
        text.push_str("/..");
    }
    for part in to.components().skip(shared) {
        text.push('/');
        text.push_str(&part.as_os_str().to_string_lossy());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn native(within: &str, owner: Owner) -> Native {
        Native::new(within.into(), "/source".into(), owner)
    }

    #[test]
    fn the_c_librarys_own() {
        for name in [
            "libc.so.6",
            "libm.so.6",
            "ld-linux-x86-64.so.2",
            "libstdc++.so.6",
            "libpython3.11.so.1.0",
            "libgcc_s.so.1",
        ] {
            assert!(is_of_the_system(name), "{name}");
        }
        for name in [
            "libcrypto.so.3",
            "libmpdec.so.3",
            "libc++.so.1",
            "libutil-x.so",
        ] {
            assert!(!is_of_the_system(name), "{name}");
        }
    }

    #[test]
    fn entries_lead_to_the_same_files_in_the_bundle() {
        let package = native(
            "lib/python3.11/site-packages/numpy/core/_x.so",
            Owner::Package("numpy".into()),
        );
        let places = [(
            PathBuf::from("/venv/site"),
            PathBuf::from("lib/python3.11/site-packages"),
        )];
        let text =
            |native: &Native, entry: &str| translated(native, entry, &places).map(|(text, _)| text);
        assert_eq!(
            text(&package, "$ORIGIN/../../numpy.libs").as_deref(),
            Some("$ORIGIN/../../numpy.libs")
        );
        assert_eq!(
            text(&package, "/venv/site/other.libs").as_deref(),
            Some("$ORIGIN/../../other.libs")
        );
        assert_eq!(text(&package, "/usr/local/lib"), None);
        assert_eq!(text(&package, "$ORIGIN/../../../../../../lib"), None);
        assert_eq!(text(&native("lib/libx.so", Owner::System), "$ORIGIN"), None);
        assert_eq!(text(&package, ""), None);
    }
}
