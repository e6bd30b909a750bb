//! Finds the modules that are used, by running the init code once on this machine.
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::plugin;
use super::write::unwritable;
use crate::diagnostic::{Diagnostic, Failure, Result};
use crate::input::reason;
use crate::interrupt;
use crate::python::Python;

const TRACE: &str = include_str!("trace.py");

/// The names of the modules that are used.
#[derive(Deserialize, serde::Serialize, Debug)]
pub struct Traced {
    error: Option<String>,
    /// The `--include` that `error` is about.
    including: Option<String>,
    /// The modules that were imported.
    modules: Vec<String>,
    /// The modules that functions of the init code import when they are called.
    later: Vec<String>,
}

/// The names of all modules that are imported after the plugins have started, and `included` and the packages are
/// imported.
pub fn trace(
    plugins: &[PathBuf],
    included: &[String],
    packages: &[String],
    python: &Python,
    runtime: &Path,
) -> Result<Traced> {
    let failed = |why: &str| {
        Failure::Python.because(
            Diagnostic::error("trim", format!("--trim: the init code does not run here: {why}"))
                .hint("it is run once to see what it imports; choose with --python the environment that it runs in"),
        )
    };
    let program = python.executable.as_deref().unwrap_or(Path::new("python3"));
    let place = tempfile::NamedTempFile::new()
        .map_err(|error| unwritable(&std::env::temp_dir(), &reason(&error)))?;
    let mut command = Command::new(program);
    command
        .args(["-B", "-c", TRACE])
        .arg(place.path())
        .env("KEELBACK_RUNTIME", runtime)
        .stdin(Stdio::null());
    for path in plugins {
        let (Ok(name), Ok(whole)) = (plugin::module_name(path), std::fs::canonicalize(path)) else {
            continue;
        };
        let mut word = OsString::from(format!("plugin={name}="));
        word.push(whole);
        command.arg(word);
    }
    command.args(included.iter().map(|name| format!("include={name}")));
    command.args(packages.iter().map(|name| {
        // Without extras.
        let name = name.split('[').next().unwrap_or_default().trim_end();
        format!("package={name}")
    }));
    let output = interrupt::output(&mut command).map_err(|error| failed(&reason(&error)))?;
    let text = std::fs::read_to_string(place.path()).unwrap_or_default();
    let Ok(told) = serde_json::from_str::<Traced>(&text) else {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rfind(|line| !line.trim().is_empty());
        return Err(failed(last.unwrap_or(&output.status.to_string())));
    };
    match &told.error {
        Some(error) => Err(match &told.including {
            Some(name) => Failure::Python.because(
                Diagnostic::error(
                    "trim",
                    format!("--include '{name}' cannot be imported here: {error}"),
                )
                .hint(format!(
                    "it is the full name of a module that {} can import",
                    program.display()
                )),
            ),
            None => failed(error),
        }),
        None => Ok(told),
    }
}
