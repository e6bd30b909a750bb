//! What `--python`, or its absence, means.
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Error, Failure, Result};
use crate::packages::Need;

use super::found::Python;

/// The oldest Python that keelback supports.
pub(super) const OLDEST: (u32, u32) = (3, 10);

/// What `--python`, or its absence, means.
pub(super) enum Choice {
    Executable(PathBuf),
    /// A libpython, and the executable that belongs to it.
    Library(PathBuf, Option<PathBuf>),
}

/// The python executable that `--python`, or its absence, means.
pub fn executable(choice: Option<&Path>) -> Result<PathBuf> {
    match choose(choice)? {
        Choice::Executable(program) | Choice::Library(_, Some(program)) => Ok(program),
        Choice::Library(library, None) => Err(Failure::Python.because(
            Diagnostic::error(
                "no-python",
                format!("no python executable is near {}", library.display()),
            )
            .hint("give --python the executable: it has to run a script"),
        )),
    }
}

pub(super) fn choose(choice: Option<&Path>) -> Result<Choice> {
    let Some(path) = choice else {
        // Set by `python -m keelback` and by the pip package's script: the Python that runs them.
        if let Some(program) = std::env::var_os("KEELBACK_BUILD_PYTHON").map(PathBuf::from)
            && program.is_file()
        {
            return Ok(Choice::Executable(program));
        }
        if let Some(venv) = std::env::var_os("VIRTUAL_ENV").filter(|venv| !venv.is_empty()) {
            let program = Path::new(&venv).join("bin/python");
            if program.is_file() {
                return Ok(Choice::Executable(program));
            }
        }
        return ["python3", "python"]
            .iter()
            .find_map(|name| on_path(OsStr::new(name)))
            .map(Choice::Executable)
            .ok_or_else(|| {
                Failure::Python.because(
                    Diagnostic::error(
                        "no-python",
                        "there is no Python: neither python3 nor python is on the PATH",
                    )
                    .need(Need::Python)
                    .hint("install Python 3.10 or later with its shared library (`python3` and `libpython3-dev` on Debian, `python3` on Fedora), or say where it is with --python"),
                )
            });
    };
    let not_found = |what: String| {
        Failure::Python.because(Diagnostic::error("no-python", what).hint(
            "--python takes a python executable, a virtual environment's directory or a libpython",
        ))
    };
    if path.is_dir() {
        return ["bin/python", "bin/python3"]
            .iter()
            .map(|program| path.join(program))
            .find(|program| program.is_file())
            .map(Choice::Executable)
            .ok_or_else(|| {
                not_found(format!(
                    "{} is no virtual environment: it has no bin/python",
                    path.display()
                ))
            });
    }
    if is_libpython(path) {
        if !path.is_file() {
            return Err(not_found(format!("there is no {}", path.display())));
        }
        let libpython = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let program = version_in_name(&libpython).and_then(|(major, minor, free_threaded)| {
            let suffix = if free_threaded { "t" } else { "" };
            prefixes_of(&libpython)
                .map(|prefix| prefix.join(format!("bin/python{major}.{minor}{suffix}")))
                .find(|program| program.is_file())
        });
        return Ok(Choice::Library(libpython, program));
    }
    if path.components().count() == 1 && !path.is_file() {
        return on_path(path.as_os_str())
            .map(Choice::Executable)
            .ok_or_else(|| not_found(format!("there is no {} on the PATH", path.display())));
    }
    if !path.is_file() {
        return Err(not_found(format!("there is no {}", path.display())));
    }
    Ok(Choice::Executable(
        std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
    ))
}

/// `/usr` of `/usr/lib/libpython3.11.so.1.0` and of `/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0`.
fn prefixes_of(libpython: &Path) -> impl Iterator<Item = &Path> {
    libpython
        .ancestors()
        .skip(1)
        .take(2)
        .filter(|directory| {
            directory
                .file_name()
                .is_some_and(|name| name.as_bytes().starts_with(b"lib"))
        })
        .filter_map(Path::parent)
}

/// The program that a shell would run.
pub fn on_path(name: &OsStr) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|dir| dir.join(name))
        .find(|path| {
            std::fs::metadata(path)
                .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
        })
}

fn is_libpython(path: &Path) -> bool {
    path.file_name().is_some_and(|name| {
        name.as_bytes().starts_with(b"libpython")
            && (name.to_string_lossy().contains(".so")
                || name.to_string_lossy().ends_with(".dylib"))
    })
}

/// The version in the name `libpython3.13t.so.1.0`, and whether it is free-threaded.
fn version_in_name(path: &Path) -> Option<(u32, u32, bool)> {
    let name = path.file_name()?.to_str()?.strip_prefix("libpython")?;
    let (major, rest) = name.split_once('.')?;
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    Some((
        major.parse().ok()?,
        rest[..end].parse().ok()?,
        rest[end..].starts_with('t'),
    ))
}

pub(super) fn library_alone(libpython: PathBuf) -> Result<Python> {
    let real = std::fs::canonicalize(&libpython).unwrap_or_else(|_| libpython.clone());
    let Some((major, minor, free_threaded)) =
        version_in_name(&libpython).or_else(|| version_in_name(&real))
    else {
        return Err(Failure::Python.because(
            Diagnostic::error(
                "no-python",
                format!(
                    "{} does not tell its version, and no python executable is near it",
                    libpython.display()
                ),
            )
            .hint("give --python the libpython3.X.so.1.0, or a python executable"),
        ));
    };
    if (major, minor) < OLDEST {
        return Err(too_old(&format!("{major}.{minor}"), &libpython));
    }
    Ok(Python {
        version: (major, minor),
        full_version: format!("{major}.{minor}"),
        libpython,
        base_prefix: None,
        executable: None,
        venv: None,
        free_threaded,
        packages: Vec::new(),
        code_magic: 0,
    })
}

/// The error for a Python older than [`OLDEST`].
pub(super) fn too_old(version: &str, program: &Path) -> Box<Error> {
    Failure::Python.because(
        Diagnostic::error(
            "old-python",
            format!("Python {version} ({}) is too old", program.display()),
        )
        .hint("keelback needs Python 3.10 or later; choose one with --python"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_libpython_tells_its_version() {
        let version = |name: &str| version_in_name(Path::new(name));
        assert_eq!(
            version("/usr/lib/libpython3.11.so.1.0"),
            Some((3, 11, false))
        );
        assert_eq!(version("libpython3.13t.so.1.0"), Some((3, 13, true)));
        assert_eq!(version("libpython3.so"), None);
        assert!(is_libpython(Path::new("lib/libpython3.12.so")));
        assert!(!is_libpython(Path::new("bin/python3.12")));
        assert!(!is_libpython(Path::new("libpython3.12.a")));
    }
}
