//! Makes the bundle of a plugin: a complete Python in a directory beside it.
pub mod archive;
mod components;
mod gather;
mod libraries;
mod natives;
mod needs;
pub mod plugin;
mod system_package;
mod trace;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Diagnostic, Error, Failure, Reporter, Result};
use crate::input::reason;
use crate::python::Python;
use components::Component;
use libraries::{Native, Owner};
use natives::Treatment;
use needs::Needs;
pub use trace::{Traced, trace};

/// The file at the top of a bundle that says what is in it.
pub const DESCRIPTION: &str = "bundle.json";

/// The same for programs that look for known flaws and licences.
const SBOM: &str = "sbom.cdx.json";

/// The runtime in a bundle: the loader of a plugin (codegen/templates/loader/place.c) looks for it there.
const RUNTIME: &str = "lib/libkeelback_runtime.so";

/// The directory of a bundle that several plugins share, in theirs. The loader knows this name and that of [`name_of`].
pub const SHARED: &str = "keelback-bundle";

/// The directory of one plugin's bundle, in the plugin's.
pub fn name_of(module: &str) -> String {
    format!("{}.keelback", module.replace('.', "_"))
}

/// What goes into a bundle besides Python.
pub struct Wishes<'a> {
    /// What the bundle is called.
    pub name: &'a str,
    /// Installed packages, by name.
    pub packages: &'a [String],
    /// All installed packages.
    pub all_packages: bool,
    /// Modules that are left out.
    pub excluded: &'a [String],
    /// Modules that are copied although no import of them was seen, or although they need C libraries under the GPL.
    pub included: &'a [String],
    /// Keep Python source files beside their bytecode.
    pub sources: bool,
    /// Keep symbols and debug information in the libraries.
    pub keep_symbols: bool,
    /// The modules of the standard library that are used; `None`: all.
    pub trimmed_to: Option<Traced>,
}

/// The contents of bundle.json.
#[derive(Serialize, Deserialize)]
pub struct Description {
    /// Version of keelback.
    pub keelback: String,
    /// `3.11.7`
    pub python: String,
    /// Name and version of each package.
    pub packages: Vec<String>,
    /// The C libraries that were copied.
    pub libraries: Vec<String>,
    /// What it needs of the machine that it runs on.
    #[serde(default)]
    pub needs: Needs,
    /// All parts.
    #[serde(default)]
    pub components: Vec<Component>,
}

/// Fills the empty directory `target`.
pub fn fill(
    target: &Path,
    python: &Python,
    runtime: &Path,
    wishes: &Wishes<'_>,
    reporter: &Reporter,
) -> Result<Description> {
    let mut gathered = gather::gather(target, python, wishes, reporter)?;
    let within = Path::new(RUNTIME);
    let copy = target.join(within);
    std::fs::copy(runtime, &copy).map_err(|error| unwritable(&copy, &reason(&error)))?;
    let runtime = Native::new(within.into(), runtime.into(), Owner::Python);
    gathered.natives.push(runtime);
    let natives = std::mem::take(&mut gathered.natives);
    let natives = libraries::copy_needed(target, natives, reporter)?;
    gathered.machine.extend(own_paths());
    let needs = natives::treat(
        target,
        &natives,
        &Treatment {
            places: &gathered.places,
            machine: &gathered.machine,
            keep_symbols: wishes.keep_symbols,
        },
    )?;
    write(
        &target.join("lib/needs"),
        needs.for_loader(python).as_bytes(),
    )?;
    let name_and_version = |package: &serde_json::Value| {
        let text = |key| package[key].as_str().unwrap_or_default().to_owned();
        format!("{} {}", text("name"), text("version"))
    };
    let mut description = Description {
        keelback: env!("CARGO_PKG_VERSION").into(),
        python: python.full_version.clone(),
        packages: gathered.packages.iter().map(name_and_version).collect(),
        libraries: natives
            .iter()
            .filter(|native| native.owner == Owner::System)
            .filter_map(|native| Some(native.within.file_name()?.to_string_lossy().into_owned()))
            .collect(),
        needs,
        components: components::tell(target, python, &gathered, &natives, reporter)?,
    };
    description.packages.sort();
    description.libraries.sort();
    let sbom = components::cyclonedx(wishes.name, &description.components);
    write_json(&target.join(SBOM), &sbom)?;
    write_json(&target.join(DESCRIPTION), &description)?;
    Ok(description)
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_string_pretty(value).expect("strings become JSON");
    text.push('\n');
    write(path, text.as_bytes())
}

/// The directories of Keelback's build: the runtime contains names of its source files, for messages.
fn own_paths() -> Vec<Vec<u8>> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let cargo = option_env!("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")));
    workspace
        .map(Path::to_owned)
        .into_iter()
        .chain(cargo)
        .map(|path| path.into_os_string().into_encoded_bytes())
        .collect()
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).map_err(|error| unwritable(path, &reason(&error)))
}

/// Whether there is a bundle at `directory`: only a bundle may be replaced.
pub fn is_bundle(directory: &Path) -> bool {
    std::fs::read(directory.join(DESCRIPTION))
        .is_ok_and(|text| serde_json::from_slice::<Description>(&text).is_ok())
}

/// The error for a file of the bundle that cannot be written.
pub fn unwritable(path: &Path, why: &str) -> Box<Error> {
    Failure::Files.because(
        Diagnostic::error(
            "cannot-write",
            format!("cannot write {}: {why}", path.display()),
        )
        .hint("nothing was changed"),
    )
}

/// The bytes of all files under `directory`.
pub fn size_of_tree(directory: &Path) -> u64 {
    let entries: Vec<PathBuf> = std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    entries
        .iter()
        .map(|path| match path.symlink_metadata() {
            Ok(found) if found.is_dir() => size_of_tree(path),
            Ok(found) => found.len(),
            Err(_) => 0,
        })
        .sum()
}
