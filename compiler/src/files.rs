//! The files of one run: what is read and what is written. No file is both, and none is written twice, however it is
//! spelled: through links, other paths or second names. The command line and the builders in Python ask here.
use std::ffi::OsString;
use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// Every file that the run reads or writes, so far.
#[derive(Default)]
pub struct Files {
    written: Vec<(Identity, PathBuf)>,
    read: Vec<Identity>,
}

/// A file that would be written, and may not be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Conflict {
    /// It is read as well.
    IsRead(PathBuf),
    /// It is two outputs, whose paths these are.
    Twice(PathBuf, PathBuf),
}

impl fmt::Display for Conflict {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IsRead(path) => {
                write!(
                    to,
                    "{} would be overwritten: it is read as well",
                    path.display()
                )
            }
            Self::Twice(one, other) if one == other => {
                write!(to, "{} is given for two outputs", one.display())
            }
            Self::Twice(one, other) => write!(
                to,
                "{} and {} are the same file, and both would be written",
                one.display(),
                other.display()
            ),
        }
    }
}

/// What makes two paths the same file.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Identity {
    /// Device and inode: a hard link has the same.
    There(u64, u64),
    /// What is not there yet: the directory that is, and the names from it on.
    Missing(PathBuf, Vec<OsString>),
}

impl Files {
    /// Notes that the run reads the file at `path` (`-`: standard input).
    ///
    /// # Errors
    /// It is an output.
    pub fn reads(&mut self, path: &Path) -> Result<(), Conflict> {
        let Some(identity) = Identity::of(path) else {
            return Ok(());
        };
        if let Some((_, output)) = self.written.iter().find(|(known, _)| *known == identity) {
            return Err(Conflict::IsRead(output.clone()));
        }
        self.read.push(identity);
        Ok(())
    }

    /// Notes that the run puts a link at `path`, in place of what is there.
    ///
    /// # Errors
    /// What is there is read.
    pub fn links(&self, path: &Path) -> Result<(), Conflict> {
        match Identity::of(path) {
            Some(identity) if self.read.contains(&identity) => {
                Err(Conflict::IsRead(path.to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Whether the run writes the file at `path`.
    pub fn is_written(&self, path: &Path) -> bool {
        Identity::of(path)
            .is_some_and(|identity| self.written.iter().any(|(known, _)| *known == identity))
    }

    /// Notes that the run writes the file at `path`.
    ///
    /// # Errors
    /// It is read, or is another output.
    pub fn writes(&mut self, path: &Path) -> Result<(), Conflict> {
        let Some(identity) = Identity::of(path) else {
            return Ok(());
        };
        if self.read.contains(&identity) {
            return Err(Conflict::IsRead(path.to_owned()));
        }
        if let Some((_, other)) = self.written.iter().find(|(known, _)| *known == identity) {
            return Err(Conflict::Twice(other.clone(), path.to_owned()));
        }
        self.written.push((identity, path.to_owned()));
        Ok(())
    }
}

impl Identity {
    /// `None`: nothing that is replaced when it is written (a device, a pipe, a directory).
    fn of(path: &Path) -> Option<Self> {
        let path = if path == Path::new("-") {
            Path::new("/dev/stdin")
        } else {
            path
        };
        if let Ok(found) = std::fs::metadata(path) {
            return found
                .is_file()
                .then(|| Self::There(found.dev(), found.ino()));
        }
        let absolute = std::path::absolute(resolve(path)).ok()?;
        let there = absolute
            .ancestors()
            .find_map(|ancestor| Some((ancestor, std::fs::canonicalize(ancestor).ok()?)));
        let (ancestor, real) = there?;
        let mut names = Vec::new();
        // The directories on the way will be plain ones, so that `..` leads back.
        for component in absolute.strip_prefix(ancestor).ok()?.components() {
            match component {
                Component::Normal(name) => names.push(name.to_owned()),
                Component::ParentDir => drop(names.pop()),
                _ => {}
            }
        }
        Some(Self::Missing(real, names))
    }
}

/// Through symbolic links to the file that is meant, whether it is there or not: a link stays a link.
pub fn resolve(path: &Path) -> PathBuf {
    /// As many as Linux follows.
    const LINKS: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        if let Ok(real) = std::fs::canonicalize(&path) {
            return real;
        }
        // A pipe under /proc/self/fd is there, though its link names no file.
        if path.exists() {
            break;
        }
        let Ok(target) = std::fs::read_link(&path) else {
            break;
        };
        path = match path.parent() {
            // An absolute target replaces all of it.
            Some(parent) => parent.join(target),
            None => target,
        };
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_file_has_one_identity() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("a"), "").unwrap();
        std::fs::write(at("b"), "").unwrap();
        std::fs::create_dir(at("sub")).unwrap();
        symlink("a", at("soft")).unwrap();
        symlink("sub/new", at("dangling")).unwrap();
        symlink("dangling", at("twice")).unwrap();
        symlink("sub", at("through")).unwrap();
        std::fs::hard_link(at("a"), at("hard")).unwrap();
        let same = |one: &str, other: &str| Identity::of(&at(one)) == Identity::of(&at(other));
        for other in ["soft", "hard", "sub/../a", "./a", "through/../a"] {
            assert!(same("a", other), "{other}");
        }
        assert!(!same("a", "b"));
        for other in ["dangling", "twice", "through/new", "sub/x/../new"] {
            assert!(same("sub/new", other), "{other}");
        }
        assert!(!same("sub/new", "sub/newer") && !same("sub/new", "new"));
        assert_eq!(Identity::of(Path::new("/dev/null")), None);
    }

    #[test]
    fn a_circle_of_links_ends() {
        let dir = tempfile::tempdir().unwrap();
        let (one, other) = (dir.path().join("one"), dir.path().join("other"));
        symlink(&other, &one).unwrap();
        symlink(&one, &other).unwrap();
        assert!(resolve(&one).is_symlink());
    }
}
