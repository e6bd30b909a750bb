//! Finds the package of this system that a file belongs to.
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::interrupt;
use crate::packages::distribution;

/// A package of Debian's kind or of Fedora's.
pub struct SystemPackage {
    /// Its name.
    pub name: String,
    /// Its version there.
    pub version: String,
    /// As a package URL.
    pub origin: String,
    /// The short name of its licence; may be empty.
    pub licence: String,
    /// Files with the whole licence text.
    pub text: Vec<PathBuf>,
}

/// Asks dpkg once for all files, since each question takes it a while, then rpm. `None`: no package has the file.
pub fn find(files: &[&Path]) -> Vec<Option<SystemPackage>> {
    let all: Vec<PathBuf> = files.iter().flat_map(|file| names(file)).collect();
    let mut packages: HashMap<PathBuf, String> = HashMap::new();
    for line in ask("dpkg-query", &["-S"], &all).unwrap_or_default().lines() {
        // `libssl3:amd64: /usr/lib/x86_64-linux-gnu/libssl.so.3`
        if let Some((package, file)) = line.rsplit_once(": ") {
            packages.insert(file.into(), package.to_owned());
        }
    }
    files
        .iter()
        .map(|file| {
            names(file)
                .iter()
                .find_map(|name| of_dpkg(packages.get(name)?))
                .or_else(|| of_rpm(&std::fs::canonicalize(file).ok()?))
        })
        .collect()
}

/// The names under which the package database may have a file, where /lib and /usr/lib are one directory.
fn names(file: &Path) -> Vec<PathBuf> {
    let real = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let mut names = vec![real.clone(), file.to_owned()];
    for path in [real, file.to_owned()] {
        match path.strip_prefix("/usr") {
            Ok(rest) => names.push(Path::new("/").join(rest)),
            Err(_) => names.extend(
                path.strip_prefix("/")
                    .map(|rest| Path::new("/usr").join(rest)),
            ),
        }
    }
    names
}

/// What a program prints, also when it does not know all that it is asked for.
fn ask(program: &str, arguments: &[&str], files: &[PathBuf]) -> Option<String> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .args(files)
        .env("LC_ALL", "C")
        .stdin(Stdio::null());
    let output = interrupt::output(&mut command).ok()?;
    String::from_utf8(output.stdout)
        .ok()
        .filter(|text| !text.is_empty())
}

fn of_dpkg(package: &str) -> Option<SystemPackage> {
    let version = ask("dpkg-query", &["-W", "-f=${Version}", package], &[])?;
    let name = package.split(':').next()?.to_owned();
    let system = distribution().unwrap_or_else(|| "debian".to_owned());
    let text = Path::new("/usr/share/doc").join(&name).join("copyright");
    let licence = std::fs::read_to_string(&text)
        .map(|text| in_short(&text))
        .unwrap_or_default();
    Some(SystemPackage {
        origin: format!("pkg:deb/{system}/{name}@{version}"),
        name,
        version,
        licence,
        text: Some(text)
            .filter(|text| text.exists())
            .into_iter()
            .collect(),
    })
}

/// The licence of most of the files, if the copyright file is machine-readable.
fn in_short(copyright: &str) -> String {
    copyright
        .lines()
        .find_map(|line| line.strip_prefix("License:"))
        .map(|name| name.trim().to_owned())
        .unwrap_or_default()
}

fn of_rpm(file: &Path) -> Option<SystemPackage> {
    let format = "%{NAME}\n%{VERSION}-%{RELEASE}\n%{LICENSE}\n%{VENDOR}\n";
    let told = ask("rpm", &["-qf", "--qf", format], &[file.to_owned()])?;
    if told.starts_with("file ") {
        // "is not owned by any package"
        return None;
    }
    let mut lines = told.lines().map(str::to_owned);
    let (name, version, licence) = (lines.next()?, lines.next()?, lines.next()?);
    let folder = Path::new("/usr/share/licenses").join(&name);
    let mut text: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    text.sort();
    Some(SystemPackage {
        origin: format!("pkg:rpm/{name}@{version}"),
        name,
        version,
        licence,
        text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_file() {
        let names = names(Path::new("/lib/x/libz.so.1.2"));
        assert!(names.contains(&"/lib/x/libz.so.1.2".into()));
        assert!(names.contains(&"/usr/lib/x/libz.so.1.2".into()));
    }

    #[test]
    fn the_licence_in_short() {
        assert_eq!(in_short("Format: x\n\nFiles: *\nLicense: Zlib\n"), "Zlib");
        assert_eq!(in_short("This is free.\n"), "");
    }
}
