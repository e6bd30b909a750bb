//! What `keelback bundle` puts beside a plugin: a Python that needs no other.
pub mod plugin;
mod runpath;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Diagnostic, Error, Failure, Reporter, Result};
use crate::input::reason;
use crate::interrupt;
use crate::python::Python;

const COLLECT: &str = include_str!("collect.py");

/// The file at the top of a bundle that says what is in it.
const DESCRIPTION: &str = "bundle.json";

/// What goes into a bundle besides Python.
pub struct Wishes<'a> {
    /// Installed packages, by name.
    pub packages: &'a [String],
    /// All of them.
    pub all_packages: bool,
    /// Modules of the standard library that stay out.
    pub excluded: &'a [String],
}

/// What a bundle says of itself.
#[derive(Serialize, Deserialize)]
pub struct Description {
    /// Version of keelback.
    pub keelback: String,
    /// `3.11.7`
    pub python: String,
    /// Name and version of each package.
    pub packages: Vec<String>,
    /// The C libraries that came along.
    pub libraries: Vec<String>,
}

/// Fills the empty directory `target`.
pub fn fill(
    target: &Path,
    python: &Python,
    runtime: &Path,
    wishes: &Wishes<'_>,
    reporter: &Reporter,
) -> Result<Description> {
    let mut description = Description {
        keelback: env!("CARGO_PKG_VERSION").into(),
        python: python.full_version.clone(),
        packages: Vec::new(),
        libraries: Vec::new(),
    };
    for (key, value) in collect(target, python, wishes)? {
        let text = value.to_string_lossy().into_owned();
        match key.as_str() {
            "error" => return Err(Failure::Python.because(advice(Diagnostic::error, &text))),
            "warning" => reporter.report(&advice(Diagnostic::warning, &text)),
            "package" => description.packages.push(text),
            "library" => description.libraries.push(text),
            "links" => {
                let file = target.join(&value);
                runpath::add(&file, Path::new(&value))
                    .map_err(|why| unwritable(&file, &format!("its DT_RUNPATH: {why}")))?;
            }
            _ => {}
        }
    }
    description.packages.sort();
    description.libraries.sort();
    let copy = target.join("lib/libkeelback_runtime.so");
    std::fs::copy(runtime, &copy).map_err(|error| unwritable(&copy, &reason(&error)))?;
    let told = target.join(DESCRIPTION);
    let mut text = serde_json::to_string_pretty(&description).expect("strings become JSON");
    text.push('\n');
    std::fs::write(&told, text).map_err(|error| unwritable(&told, &reason(&error)))?;
    Ok(description)
}

/// Whether there is a bundle at `directory`: nothing else may be replaced.
pub fn is_bundle(directory: &Path) -> bool {
    std::fs::read(directory.join(DESCRIPTION))
        .is_ok_and(|text| serde_json::from_slice::<Description>(&text).is_ok())
}

/// Has Python copy its files; the fields that it answers with.
fn collect(target: &Path, python: &Python, wishes: &Wishes<'_>) -> Result<Vec<(String, OsString)>> {
    #[derive(Serialize)]
    struct Arguments<'a> {
        target: &'a Path,
        libpython: &'a Path,
        excluded: &'a [String],
        packages: &'a [String],
        all_packages: bool,
    }
    let Some(program) = &python.executable else {
        return Err(Failure::Python.because(
            Diagnostic::error(
                "no-python",
                format!(
                    "no python executable is near {}: it has to copy its standard library",
                    python.libpython.display()
                ),
            )
            .hint("give --python the executable"),
        ));
    };
    let arguments = serde_json::to_string(&Arguments {
        target,
        libpython: &python.libpython,
        excluded: wishes.excluded,
        packages: wishes.packages,
        all_packages: wishes.all_packages,
    })
    .map_err(|error| unwritable(target, &error.to_string()))?;
    let failed = |why: &str| {
        Failure::Python.because(Diagnostic::error(
            "no-python",
            format!("{} could not copy its files: {why}", program.display()),
        ))
    };
    let mut command = Command::new(program);
    command
        .args(["-I", "-S", "-B", "-c", COLLECT])
        .arg(arguments)
        .stdin(Stdio::null());
    let output = interrupt::output(&mut command).map_err(|error| failed(&reason(&error)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rfind(|line| !line.trim().is_empty());
        return Err(failed(
            last.unwrap_or(&format!("it gave no answer ({})", output.status)),
        ));
    }
    Ok(output
        .stdout
        .split(|&byte| byte == 0)
        .filter_map(|field| {
            let equals = field.iter().position(|&byte| byte == b'=')?;
            let key = String::from_utf8(field[..equals].to_vec()).ok()?;
            Some((key, OsString::from_vec(field[equals + 1..].to_vec())))
        })
        .collect())
}

/// A message whose further lines say what to do.
fn advice(make: fn(&'static str, String) -> Diagnostic, text: &str) -> Diagnostic {
    match text.split_once('\n') {
        Some((message, hint)) => make("bundle", message.to_owned()).hint(hint.replace('\n', " ")),
        None => make("bundle", text.to_owned()),
    }
}

/// A file of the bundle cannot be made.
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
