//! Runs collect.py, with which a Python copies its files into a bundle.
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Serialize;

use super::fill::Wishes;
use super::libraries::{Native, Owner, Place};
use super::write::unwritable;
use crate::diagnostic::{Diagnostic, Failure, Reporter, Result};
use crate::input::reason;
use crate::interrupt;
use crate::python::Python;

const COLLECT: &str = include_str!("collect.py");

/// What collect.py copied.
#[derive(Default)]
pub struct Gathered {
    /// The files with machine code.
    pub natives: Vec<Native>,
    /// The directories that files came from, and what they are in the bundle.
    pub places: Vec<Place>,
    /// Paths of this machine, the longest first.
    pub machine: Vec<Vec<u8>>,
    /// The packages, as JSON objects.
    pub packages: Vec<serde_json::Value>,
    /// The description of Python, as a JSON object.
    pub python: serde_json::Value,
}

/// Copies Python and packages into the empty directory `target`.
pub fn gather(
    target: &Path,
    python: &Python,
    wishes: &Wishes<'_>,
    reporter: &Reporter,
) -> Result<Gathered> {
    let mut gathered = Gathered::default();
    for (key, value) in collect(target, python, wishes)? {
        let text = value.to_string_lossy();
        match key.as_str() {
            "error" => return Err(Failure::Python.because(advice(Diagnostic::error, &text))),
            "warning" => reporter.report(&advice(Diagnostic::warning, &text)),
            "package" => gathered.packages.push(json(&text, python)?),
            "python" => gathered.python = json(&text, python)?,
            "machine" => gathered.machine.push(value.into_vec()),
            "place" => {
                if let [place, within] = lines(&value)[..] {
                    gathered.places.push((place.into(), within.into()));
                }
            }
            "native" => {
                if let [within, source, package] = lines(&value)[..] {
                    let owner = match package.to_string_lossy() {
                        name if name.is_empty() => Owner::Python,
                        name => Owner::Package(name.into_owned()),
                    };
                    let native = Native::new(within.into(), source.into(), owner);
                    gathered.natives.push(native);
                }
            }
            _ => {}
        }
    }
    Ok(gathered)
}

fn lines(value: &OsStr) -> Vec<&OsStr> {
    value
        .as_bytes()
        .split(|&byte| byte == b'\n')
        .map(OsStr::from_bytes)
        .collect()
}

fn json(text: &str, python: &Python) -> Result<serde_json::Value> {
    serde_json::from_str(text).map_err(|error| failed(python, &error.to_string()))
}

fn failed(python: &Python, why: &str) -> Box<crate::diagnostic::Error> {
    let program = python.executable.as_deref().unwrap_or(&python.libpython);
    Failure::Python.because(Diagnostic::error(
        "no-python",
        format!("{} could not copy its files: {why}", program.display()),
    ))
}

/// The fields that Python answers with.
fn collect(target: &Path, python: &Python, wishes: &Wishes<'_>) -> Result<Vec<(String, OsString)>> {
    #[derive(Serialize)]
    struct Arguments<'a> {
        target: &'a Path,
        libpython: &'a Path,
        excluded: &'a [String],
        included: &'a [String],
        packages: &'a [String],
        all_packages: bool,
        sources: bool,
        trimmed_to: Option<&'a super::trace::Traced>,
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
        included: wishes.included,
        packages: wishes.packages,
        all_packages: wishes.all_packages,
        sources: wishes.sources,
        trimmed_to: wishes.trimmed_to.as_ref(),
    })
    .map_err(|error| unwritable(target, &error.to_string()))?;
    let mut command = Command::new(program);
    command
        .args(["-s", "-S", "-B", "-c", COLLECT])
        .arg(arguments)
        .stdin(Stdio::null());
    isolate(&mut command);
    let output =
        interrupt::output(&mut command).map_err(|error| failed(python, &reason(&error)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rfind(|line| !line.trim().is_empty());
        return Err(failed(
            python,
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

/// As Python's -I, but with a fixed PYTHONHASHSEED: some versions store sets in bytecode in the order of their hashes,
/// and the bytecode must be the same each time.
fn isolate(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.as_bytes().starts_with(b"PYTHON") {
            command.env_remove(name);
        }
    }
    command.env("PYTHONHASHSEED", "0");
}

/// A diagnostic from a message whose further lines are the hint.
fn advice(make: fn(&'static str, String) -> Diagnostic, text: &str) -> Diagnostic {
    match text.split_once('\n') {
        Some((message, hint)) => make("bundle", message.to_owned()).hint(hint.replace('\n', " ")),
        None => make("bundle", text.to_owned()),
    }
}
