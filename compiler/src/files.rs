//! The files that one run reads and writes. No file may be both read and written, or written twice, whatever its path
//! is: symbolic links and hard links are recognised. The command line and the builders in Python use this.
use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// The files that the run has read or written so far.
#[derive(Default)]
pub struct Files {
    written: Vec<(Identity, PathBuf)>,
    read: Vec<Identity>,
}

/// Why a file must not be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Conflict {
    /// The run reads it as well.
    IsRead(PathBuf),
    /// It is the same file as another output; these are the two paths.
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
    /// A file that does not exist yet: its path without links and `..`, which stays the same when the run makes directories
    /// on the way to it.
    Missing(PathBuf),
}

impl Files {
    /// Notes that the run reads the file at `path` (`-`: standard input).
    ///
    /// # Errors
    /// The file is an output.
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
    /// The file that the link replaces is read.
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

    /// Whether the run writes a file into the directory.
    pub fn writes_into(&self, directory: &Path) -> bool {
        let Ok(directory) = directory.canonicalize() else {
            return false;
        };
        let parent = |path: &PathBuf| {
            std::path::absolute(path)
                .ok()?
                .parent()?
                .canonicalize()
                .ok()
        };
        let mut written = self.written.iter();
        written.any(|(_, path)| parent(path).is_some_and(|parent| parent == directory))
    }

    /// The run does not write the file that was noted as this path after all.
    pub fn forget_written(&mut self, path: &Path) {
        self.written.retain(|(_, known)| known != path);
    }

    /// Notes that the run writes the file at `path`.
    ///
    /// # Errors
    /// The file is read, or is another output as well.
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
    /// `None`: writing does not replace it (a device, a pipe, a directory).
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
        let mut whole = real;
        // The missing directories will be made as ordinary ones (no links), so `..` leads back.
        for component in absolute.strip_prefix(ancestor).ok()?.components() {
            match component {
                Component::Normal(name) => whole.push(name),
                Component::ParentDir => drop(whole.pop()),
                _ => {}
            }
        }
        Some(Self::Missing(whole))
    }
}

/// Follows symbolic links to the file to be written, which need not exist, so that a link is kept instead of being
/// replaced.
pub fn resolve(path: &Path) -> PathBuf {
    /// The number of links that Linux follows.
    const LINKS: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        if let Ok(real) = std::fs::canonicalize(&path) {
            return real;
        }
        // The link of a pipe under /proc/self/fd names no file, but the pipe exists.
        if path.exists() {
            break;
        }
        let Ok(target) = std::fs::read_link(&path) else {
            break;
        };
        path = match path.parent() {
            // `join` with an absolute target gives the target.
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
