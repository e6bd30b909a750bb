//! A bundle as one archive, whose bytes depend only on the bundle's files.
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};

/// The form of an archive, chosen by the ending of its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// `.tar.zst`
    Zstandard,
    /// `.tar.gz`, `.tgz`
    Gzip,
    /// `.tar`
    Plain,
}

/// Higher levels gain little: most of a bundle is machine code and bytecode.
const ZSTANDARD_LEVEL: i32 = 12;

impl Form {
    /// The form of an archive of that name; `None` for other endings.
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().into_owned();
        [
            (".tar.zst", Self::Zstandard),
            (".tar.gz", Self::Gzip),
            (".tgz", Self::Gzip),
            (".tar", Self::Plain),
        ]
        .into_iter()
        .find(|(ending, _)| name.ends_with(ending))
        .map(|(_, form)| form)
    }
}

/// Packs the files and directories at the paths, each under the given name.
pub fn pack(form: Form, entries: &[(PathBuf, &OsStr)]) -> io::Result<Vec<u8>> {
    match form {
        Form::Plain => fill(Vec::new(), entries),
        Form::Gzip => {
            let packed = flate2::GzBuilder::new().write(Vec::new(), flate2::Compression::best());
            fill(packed, entries)?.finish()
        }
        Form::Zstandard => {
            let packed = zstd::Encoder::new(Vec::new(), ZSTANDARD_LEVEL)?;
            fill(packed, entries)?.finish()
        }
    }
}

fn fill<W: Write>(out: W, entries: &[(PathBuf, &OsStr)]) -> io::Result<W> {
    let mut archive = Builder::new(out);
    for (path, name) in entries {
        add(&mut archive, path, Path::new(name))?;
    }
    archive.into_inner()
}

fn add<W: Write>(archive: &mut Builder<W>, path: &Path, name: &Path) -> io::Result<()> {
    let found = path.metadata()?;
    let mut header = Header::new_gnu();
    header.set_mtime(time());
    header.set_uid(0);
    header.set_gid(0);
    if found.is_dir() {
        header.set_entry_type(EntryType::Directory);
        header.set_mode(0o755);
        header.set_size(0);
        archive.append_data(&mut header, name, io::empty())?;
        let mut names = std::fs::read_dir(path)?
            .map(|entry| Ok(entry?.file_name()))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort();
        for each in names {
            add(archive, &path.join(&each), &name.join(&each))?;
        }
        return Ok(());
    }
    let may_run = std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o100 != 0;
    header.set_mode(if may_run { 0o755 } else { 0o644 });
    header.set_size(found.len());
    archive.append_data(&mut header, name, File::open(path)?)
}

/// The modification time of all entries: SOURCE_DATE_EPOCH, which reproducible builds set, or 0.
fn time() -> u64 {
    std::env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|seconds| seconds.parse().ok())
        .unwrap_or(0)
}
