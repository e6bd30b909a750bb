//! Fills a bundle: what `keelback bundle` puts into the directory, in the order in which it does.

use std::path::{Path, PathBuf};

use crate::diagnostic::{Reporter, Result};
use crate::input::reason;
use crate::python::Python;

use super::description::{DESCRIPTION, Description};
use super::libraries::{self, Native, Owner};
use super::natives::{self, Treatment};
use super::place::RUNTIME;
use super::trace::Traced;
use super::write::{unwritable, write, write_json};
use super::{components, gather};

/// What is in the bundle, for programs that look for known flaws and licences.
const SBOM: &str = "sbom.cdx.json";

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
