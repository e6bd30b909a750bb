//! Writes the results: all files completely, or none.
//!
//! Each file is first written beside its place under a temporary name, then all are renamed. The files that they
//! replace are kept under other names until the last rename has succeeded, and put back otherwise. Missing directories
//! are made, and removed again if they stay empty.
use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use keelback_compiler::files::resolve;
use tempfile::{NamedTempFile, TempPath};

use crate::diagnostic::{Diagnostic, Error, Failure, Reporter, Result};
use crate::input::{Inputs, reason};
use crate::interrupt;

/// Files that are ready to take their places.
#[derive(Default)]
pub struct Outputs {
    files: Vec<Pending>,
    /// Devices and pipes, which are written to instead of being replaced.
    streams: Vec<(PathBuf, Vec<u8>)>,
    /// Directories that were made, the outer before the inner.
    made: Vec<PathBuf>,
}

/// A regular file: `prepared` will be renamed to `target`.
struct Pending {
    prepared: TempPath,
    target: PathBuf,
    shown: PathBuf,
}

impl Outputs {
    /// Prepares for files at `paths`: checks early whether they can be written, before time is spent on their contents.
    pub fn for_paths(paths: &[&Path]) -> Result<Self> {
        let mut outputs = Self::default();
        for &path in paths {
            let target = resolve(path);
            match std::fs::metadata(&target) {
                Ok(found) if found.is_dir() => return Err(unwritable(path, "it is a directory")),
                Ok(found) if !found.is_file() => {}
                _ => {
                    outputs.make_directory(directory(&target), path)?;
                    prepare(&target, path, 0o666)?;
                }
            }
        }
        Ok(outputs)
    }

    /// The same for files that everybody is to read: directories that are made have mode 0755, whatever the umask.
    pub fn to_install(paths: &[&Path]) -> Result<Self> {
        let outputs = Self::for_paths(paths)?;
        for directory in &outputs.made {
            std::fs::set_permissions(directory, Permissions::from_mode(0o755))
                .map_err(|error| unwritable(directory, &reason(&error)))?;
        }
        Ok(outputs)
    }

    /// As [`Self::add`], in place of a link.
    pub fn replace(&mut self, path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
        self.add_file(path.to_owned(), path, bytes, mode)
    }

    /// Prepares the file at `path`, for everybody to read: mode 0644.
    pub fn install(&mut self, path: &Path, bytes: &[u8]) -> Result<()> {
        // A link of an earlier version leads to that version's file.
        self.add_file(path.to_owned(), path, bytes, 0o666)?;
        if let Some(file) = self.files.last() {
            std::fs::set_permissions(&file.prepared, Permissions::from_mode(0o644))
                .map_err(|error| unwritable(path, &reason(&error)))?;
        }
        Ok(())
    }

    fn make_directory(&mut self, wanted: &Path, shown: &Path) -> Result<()> {
        let missing: Vec<&Path> = wanted
            .ancestors()
            .take_while(|ancestor| !ancestor.as_os_str().is_empty() && !ancestor.exists())
            .collect();
        for directory in missing.into_iter().rev() {
            interrupt::make_directory(directory)
                .map_err(|error| unwritable(shown, &reason(&error)))?;
            self.made.push(directory.to_owned());
        }
        Ok(())
    }

    /// Prepares the file at `path`. `mode` is 0o666 or 0o777, reduced by the user's umask.
    pub fn add(&mut self, path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
        let target = resolve(path);
        match std::fs::metadata(&target) {
            Ok(found) if found.is_dir() => Err(unwritable(path, "it is a directory")),
            Ok(found) if !found.is_file() => {
                self.streams.push((path.to_owned(), bytes.to_owned()));
                Ok(())
            }
            _ => self.add_file(target, path, bytes, mode),
        }
    }

    fn add_file(&mut self, target: PathBuf, path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
        let mut file = prepare(&target, path, mode)?;
        file.write_all(bytes)
            .and_then(|()| file.flush())
            .map_err(|error| unwritable(path, &reason(&error)))?;
        self.files.push(Pending {
            prepared: file.into_temp_path(),
            target,
            shown: path.to_owned(),
        });
        Ok(())
    }

    /// Prepares a symbolic link at `path`, which replaces what is there: a link is not followed.
    pub fn link(&mut self, path: &Path, leads_to: &str) -> Result<()> {
        if std::fs::symlink_metadata(path).is_ok_and(|found| found.is_dir()) {
            return Err(unwritable(path, "it is a directory"));
        }
        let make = || {
            tempfile::Builder::new()
                .prefix(".keelback-")
                .make_in(directory(path), |place| symlink(leads_to, place))
        };
        let made = interrupt::temporary(make, NamedTempFile::path)
            .map_err(|error| unwritable(path, &reason(&error)))?;
        self.files.push(Pending {
            prepared: made.into_temp_path(),
            target: path.to_owned(),
            shown: path.to_owned(),
        });
        Ok(())
    }

    /// Puts every file in its place, or none.
    pub fn commit(mut self) -> Result<()> {
        for (shown, bytes) in std::mem::take(&mut self.streams) {
            std::fs::OpenOptions::new()
                .write(true)
                .open(&shown)
                .and_then(|mut stream| stream.write_all(&bytes))
                .map_err(|error| unwritable(&shown, &reason(&error)))?;
        }
        interrupt::whole(|| self.put_files())
    }

    fn put_files(&mut self) -> Result<()> {
        let mut done: Vec<(PathBuf, Option<TempPath>)> = Vec::new();
        let mut failed = None;
        for file in std::mem::take(&mut self.files) {
            let Pending {
                prepared,
                target,
                shown,
            } = file;
            let put = keep_old(&target).and_then(|old| {
                prepared.persist(&target).map_err(|error| error.error)?;
                done.push((target, old));
                Ok(())
            });
            if let Err(error) = put {
                failed = Some(unwritable(&shown, &reason(&error)));
                break;
            }
        }
        let Some(error) = failed else {
            self.made.clear();
            return Ok(());
        };
        for (target, old) in done {
            // Report the first error; if this fails too, nothing more can be done.
            let _ = match old {
                Some(old) => old.persist(&target).map_err(|error| error.error),
                None => std::fs::remove_file(&target),
            };
        }
        Err(error)
    }
}

impl Drop for Outputs {
    fn drop(&mut self) {
        self.files.clear();
        for directory in self.made.iter().rev() {
            // A directory that has files of others meanwhile is kept.
            let _ = std::fs::remove_dir(directory);
        }
    }
}

/// The one text that a command writes: to a file, or to standard output (no path, or `-`).
pub struct TextOutput<'a> {
    place: Option<&'a Path>,
    outputs: Outputs,
}

impl<'a> TextOutput<'a> {
    /// Prepares for the text, and for reading the run's inputs, none of which may be the same file.
    pub fn at(path: Option<&'a Path>) -> Result<(Self, Inputs)> {
        let place = path.filter(|path| !crate::is_dash(path.as_os_str()));
        let places: Vec<&Path> = place.into_iter().collect();
        let inputs = Inputs::beside(&places)?;
        let outputs = Outputs::for_paths(&places)?;
        Ok((Self { place, outputs }, inputs))
    }

    /// Prepares for another text, which is written to a file together with the first.
    pub fn prepare(&mut self, path: &Path, inputs: &mut Inputs) -> Result<()> {
        inputs.writes(path)?;
        let mut outputs = Outputs::for_paths(&[path])?;
        self.outputs.made.append(&mut outputs.made);
        Ok(())
    }

    /// Adds the other text.
    pub fn add(&mut self, path: &Path, text: &str) -> Result<()> {
        self.outputs.add(path, text.as_bytes(), 0o666)
    }

    /// Writes the text, unless there was a warning and `--strict` makes it an error.
    pub fn write(mut self, text: &str, reporter: &Reporter) -> Result<()> {
        reporter.settle()?;
        match self.place {
            Some(place) => self.outputs.add(place, text.as_bytes(), 0o666)?,
            None => print(text)?,
        }
        self.outputs.commit()
    }
}

/// Prints to standard output. A reader that went away (`| head`) is no error.
pub fn print(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(unwritable(Path::new("standard output"), &reason(&error)))
        }
        _ => Ok(()),
    }
}

fn directory(target: &Path) -> &Path {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn prepare(target: &Path, shown: &Path, mode: u32) -> Result<NamedTempFile> {
    let make = || {
        tempfile::Builder::new()
            .prefix(".keelback-")
            .permissions(Permissions::from_mode(mode))
            .tempfile_in(directory(target))
    };
    interrupt::temporary(make, NamedTempFile::path)
        .map_err(|error| unwritable(shown, &reason(&error)))
}

/// A second name for the file at `target`, if there is one.
fn keep_old(target: &Path) -> std::io::Result<Option<TempPath>> {
    let Ok(found) = std::fs::symlink_metadata(target) else {
        return Ok(None);
    };
    let made = tempfile::Builder::new()
        .prefix(".keelback-old-")
        .make_in(directory(target), |path| std::fs::hard_link(target, path));
    match made {
        Ok(file) => Ok(Some(file.into_temp_path())),
        // The file system may have no hard links: copy.
        Err(_) if found.is_symlink() => {
            let leads_to = std::fs::read_link(target)?;
            let copy = tempfile::Builder::new()
                .prefix(".keelback-old-")
                .make_in(directory(target), |place| symlink(&leads_to, place))?;
            Ok(Some(copy.into_temp_path()))
        }
        Err(_) => {
            let copy = tempfile::Builder::new()
                .prefix(".keelback-old-")
                .tempfile_in(directory(target))?
                .into_temp_path();
            std::fs::copy(target, &copy)?;
            Ok(Some(copy))
        }
    }
}

fn unwritable(path: &Path, reason: &str) -> Box<Error> {
    Failure::Files.because(
        Diagnostic::error(
            "cannot-write",
            format!("cannot write {}: {reason}", path.display()),
        )
        .hint("choose another place with -o and --header; nothing was changed"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_file_takes_the_others_back() {
        let dir = tempfile::tempdir().unwrap();
        let (first, second, third) = (
            dir.path().join("first"),
            dir.path().join("second"),
            dir.path().join("third"),
        );
        std::fs::write(&first, "old").unwrap();
        let mut outputs = Outputs::default();
        outputs.add(&first, b"new", 0o666).unwrap();
        outputs.add(&second, b"new", 0o666).unwrap();
        outputs.add(&third, b"new", 0o666).unwrap();
        // A directory appears at the place after the check.
        std::fs::create_dir(&third).unwrap();
        let error = outputs.commit().unwrap_err();
        assert_eq!(error.failure, Failure::Files);
        assert_eq!(std::fs::read_to_string(&first).unwrap(), "old");
        assert!(!second.exists());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_link_replaces_a_link_or_a_file_and_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("libv.so.1.0"), "old").unwrap();
        symlink("libv.so.1.0", at("libv.so")).unwrap();
        std::fs::write(at("libv.so.1"), "a file").unwrap();
        let prepare = || {
            let mut outputs = Outputs::default();
            outputs.add(&at("libv.so.1.1"), b"new", 0o777).unwrap();
            outputs.link(&at("libv.so.1"), "libv.so.1.1").unwrap();
            outputs.link(&at("libv.so"), "libv.so.1").unwrap();
            outputs
        };
        let mut failing = prepare();
        failing.add(&at("last"), b"", 0o666).unwrap();
        std::fs::create_dir(at("last")).unwrap();
        failing.commit().unwrap_err();
        assert_eq!(
            std::fs::read_link(at("libv.so")).unwrap(),
            Path::new("libv.so.1.0")
        );
        assert_eq!(std::fs::read_to_string(at("libv.so.1")).unwrap(), "a file");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 4);
        prepare().commit().unwrap();
        assert_eq!(
            std::fs::read_link(at("libv.so")).unwrap(),
            Path::new("libv.so.1")
        );
        assert_eq!(std::fs::read_to_string(at("libv.so")).unwrap(), "new");
        assert_eq!(std::fs::read_to_string(at("libv.so.1.0")).unwrap(), "old");
    }

    #[test]
    fn directories_are_made_and_taken_away() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("a/b");
        let file = inner.join("file");
        drop(Outputs::for_paths(&[&file]).unwrap());
        assert!(!dir.path().join("a").exists());
        let mut outputs = Outputs::for_paths(&[&file]).unwrap();
        outputs.add(&file, b"new", 0o666).unwrap();
        outputs.commit().unwrap();
        assert_eq!(std::fs::read_dir(inner).unwrap().count(), 1);
    }

    #[test]
    fn a_link_stays_a_link_and_the_umask_counts() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link, plain) = (
            dir.path().join("real"),
            dir.path().join("link"),
            dir.path().join("plain"),
        );
        std::fs::write(&real, "old").unwrap();
        std::fs::File::create(&plain).unwrap();
        symlink(&real, &link).unwrap();
        let mut outputs = Outputs::default();
        outputs.add(&link, b"new", 0o666).unwrap();
        outputs.commit().unwrap();
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(&real).unwrap(), "new");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&real), mode(&plain));
    }
}
