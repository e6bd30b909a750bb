//! Finds keelback's runtime for the Python of a plugin, and checks that the versions fit.
use std::mem::offset_of;
use std::path::{Path, PathBuf};

use keelback_codegen::abi::{KEELBACK_ABI_VERSION, keelback_runtime_t};
use object::{Object, ObjectSymbol};

use crate::diagnostic::{Diagnostic, Error, Failure, Reporter, Result};
use crate::image::{Image, ImageFile};
use crate::python::Python;

/// The environment variable that names the runtime, at build time as at run time.
const VARIABLE: &str = "KEELBACK_RUNTIME";

/// The versions in a runtime's `keelback_runtime` symbol.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Identity {
    abi_version: u32,
    python: (u32, u32),
    free_threaded: bool,
    keelback_version: String,
}

/// The runtime for `python`: absolute path.
pub fn find(python: &Python, reporter: &Reporter) -> Result<PathBuf> {
    if let Some(given) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
        let path = std::path::absolute(&given).unwrap_or_else(|_| PathBuf::from(&given));
        let identity = identify(&path).map_err(|why| {
            Failure::Python.because(
                Diagnostic::error(
                    "bad-runtime",
                    format!(
                        "{VARIABLE} is {}, which is no keelback runtime: {why}",
                        path.display()
                    ),
                )
                .hint(format!("set {VARIABLE} to the runtime, or unset it")),
            )
        })?;
        check_version(&path, &identity)?;
        if !fits(&identity, python) {
            return Err(Failure::Python.because(
                Diagnostic::error(
                    "bad-runtime",
                    format!(
                        "{VARIABLE} is {}, which is for Python {}, and the plugin is for Python {}",
                        path.display(),
                        identity.python(),
                        spell(python.version, python.free_threaded)
                    ),
                )
                .hint(format!(
                    "choose the Python with --python, or the runtime with {VARIABLE}"
                )),
            ));
        }
        reporter.detail(format!("runtime: {} ({VARIABLE})", path.display()));
        return Ok(path);
    }

    let mut others = Vec::new();
    for path in candidates(python) {
        match identify(&path) {
            Ok(identity) if fits(&identity, python) => {
                check_version(&path, &identity)?;
                reporter.detail(format!("runtime: {}", path.display()));
                return Ok(path);
            }
            Ok(identity) => others.push(format!(
                "{} is for Python {}",
                path.display(),
                identity.python()
            )),
            Err(why) => others.push(format!("{} is no keelback runtime: {why}", path.display())),
        }
    }
    let version = spell(python.version, python.free_threaded);
    let mut diagnostic = Diagnostic::error(
        "no-runtime",
        format!("there is no keelback runtime for Python {version}"),
    );
    for other in others {
        diagnostic = diagnostic.note(other);
    }
    let ours = env!("CARGO_PKG_VERSION");
    let install = python.executable.as_ref().map_or_else(
        || format!("install the package `keelback` {ours} into that Python"),
        |executable| {
            let pip = format!("{} -m pip install", executable.display());
            format!("install keelback into that Python with `{pip} keelback=={ours}` (in a checkout: `{pip} .`)")
        },
    );
    Err(Failure::Python.because(diagnostic.hint(format!(
        "{install}, set {VARIABLE} to the runtime, choose another Python with --python, or build with --no-runtime-check: then the plugin looks for the runtime when it starts"
    ))))
}

/// The extension modules of an installed package `keelback`, of which one is the runtime.
fn libraries_of(package: &Path) -> Vec<PathBuf> {
    let mut libraries: Vec<PathBuf> = std::fs::read_dir(package)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "so"))
        .collect();
    libraries.sort();
    libraries
}

/// Files that may be the runtime, the best first.
fn candidates(python: &Python) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for package in &python.packages {
        found.append(&mut libraries_of(package));
    }
    let tag = format!(
        "cp{}{}{}",
        python.version.0,
        python.version.1,
        if python.free_threaded { "t" } else { "" }
    );
    // Follow a link (in ~/bin, say) to the place where keelback is installed.
    let executable = std::env::current_exe().and_then(std::fs::canonicalize);
    if let Some(beside) = executable.ok().as_deref().and_then(Path::parent) {
        let installed = beside.join("../lib/keelback");
        let installed = std::fs::canonicalize(&installed).unwrap_or(installed);
        for directory in [beside, &installed] {
            found.push(directory.join(format!("keelback_runtime-{tag}.so")));
            found.push(directory.join("libkeelback_runtime.so"));
        }
        // In a wheel: keelback/bin/keelback. Its runtime is good for every Python of that version.
        if let Some(package) = beside
            .parent()
            .filter(|above| above.join("__init__.py").is_file())
        {
            found.append(&mut libraries_of(package));
        }
    }
    found.retain(|path| path.is_file());
    found
}

fn fits(identity: &Identity, python: &Python) -> bool {
    identity.python == python.version && identity.free_threaded == python.free_threaded
}

fn check_version(path: &Path, identity: &Identity) -> Result<()> {
    if identity.abi_version == KEELBACK_ABI_VERSION
        && identity.keelback_version == env!("CARGO_PKG_VERSION")
    {
        return Ok(());
    }
    Err(wrong_version(path, identity))
}

fn wrong_version(path: &Path, identity: &Identity) -> Box<Error> {
    Failure::Python.because(
        Diagnostic::error(
            "runtime-version",
            format!(
                "the runtime {} is keelback {} (plugin ABI {}), and this is keelback {} (plugin ABI {KEELBACK_ABI_VERSION})",
                path.display(),
                identity.keelback_version,
                identity.abi_version,
                env!("CARGO_PKG_VERSION"),
            ),
        )
        .hint("install the two in the same version"),
    )
}

impl Identity {
    fn python(&self) -> String {
        spell(self.python, self.free_threaded)
    }
}

fn spell((major, minor): (u32, u32), free_threaded: bool) -> String {
    let suffix = if free_threaded {
        " (free-threaded)"
    } else {
        ""
    };
    format!("{major}.{minor}{suffix}")
}

/// Reads the `keelback_runtime` symbol out of the file. Loading the library instead would need a libpython in
/// this process, and run the library's code.
fn identify(path: &Path) -> std::result::Result<Identity, String> {
    let file = ImageFile::open(path)?;
    let image = Image::of(&file)?;
    let address = image
        .file()
        .dynamic_symbols()
        .find(|symbol| symbol.is_definition() && symbol.name() == Ok("keelback_runtime"))
        .ok_or("it has no symbol keelback_runtime")?
        .address();
    let damaged = || "its keelback_runtime is damaged".to_owned();
    let number = |offset: usize| image.u32(address + offset as u64).ok_or_else(damaged);
    let abi_version = number(offset_of!(keelback_runtime_t, abi_version))?;
    let python_version = number(offset_of!(keelback_runtime_t, python_version))?;
    let free_threaded = number(offset_of!(keelback_runtime_t, free_threaded))?;
    let keelback_version = image
        .text(address + offset_of!(keelback_runtime_t, keelback_version) as u64)
        .flatten()
        .filter(|text| !text.is_empty())
        .ok_or_else(damaged)?;
    Ok(Identity {
        abi_version,
        python: (python_version >> 8, python_version & 0xff),
        free_threaded: free_threaded != 0,
        keelback_version,
    })
}
