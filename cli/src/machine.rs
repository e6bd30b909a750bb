//! The machine that a library is for. All parts of a plugin must be for the same one.
use std::fmt;
use std::path::Path;

use object::{Architecture, BinaryFormat, Object, ReadCache, ReadRef};

use crate::diagnostic::{Diagnostic, Failure, Result};

/// Processor, word size, byte order and file format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Machine {
    architecture: Architecture,
    is_64: bool,
    is_little_endian: bool,
    format: BinaryFormat,
}

impl Machine {
    /// The machine of a library in memory; `None` if it is no library.
    pub fn of(library: &[u8]) -> Option<Self> {
        Self::read(library)
    }

    /// The machine of a library in a file.
    pub fn of_file(path: &Path) -> Option<Self> {
        let cache = ReadCache::new(std::fs::File::open(path).ok()?);
        Self::read(&cache)
    }

    fn read<'data>(data: impl ReadRef<'data>) -> Option<Self> {
        let file = object::File::parse(data).ok()?;
        Some(Self {
            architecture: file.architecture(),
            is_64: file.is_64(),
            is_little_endian: file.is_little_endian(),
            format: file.format(),
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.architecture {
            Architecture::X86_64 => f.write_str("x86-64")?,
            Architecture::I386 => f.write_str("x86 (32 bit)")?,
            Architecture::Aarch64 => f.write_str("AArch64")?,
            Architecture::Arm => f.write_str("ARM (32 bit)")?,
            Architecture::Riscv64 => f.write_str("RISC-V (64 bit)")?,
            Architecture::PowerPc64 => f.write_str("PowerPC (64 bit)")?,
            other => write!(f, "{other:?} ({} bit)", if self.is_64 { 64 } else { 32 })?,
        }
        if !self.is_little_endian {
            f.write_str(", big-endian")?;
        }
        if self.format != BinaryFormat::Elf {
            write!(f, ", {:?}", self.format)?;
        }
        Ok(())
    }
}

/// An error if a part (its description, and its file) is for another machine than the plugin. Files that are no
/// libraries, or are for several machines, are not checked.
pub fn check(plugin: Option<Machine>, name: &Path, parts: &[(&str, &Path)]) -> Result<()> {
    let Some(machine) = plugin else {
        return Ok(());
    };
    for &(what, path) in parts {
        match Machine::of_file(path) {
            Some(other) if other != machine => {
                return Err(Failure::Python.because(
                    Diagnostic::error(
                        "other-machine",
                        format!(
                            "{} is for {machine}, and {what} {} for {other}",
                            name.display(),
                            path.display()
                        ),
                    )
                    .hint(
                        "give --python the libpython of the other machine, and KEELBACK_RUNTIME the runtime for it; or `keelback build --no-runtime-check`: then the plugin looks for both where it is started",
                    ),
                ));
            }
            _ => {}
        }
    }
    Ok(())
}
