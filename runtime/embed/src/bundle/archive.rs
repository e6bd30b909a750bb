//! The code of the standard library in one file of a bundle, `lib/stdlib.code`, which is mapped. collect.py writes it; all
//! numbers are little-endian:
//!
//! - `KEELBACK`, the version of this form, sys.hexversion, the number of modules, flags ([`HAS_SOURCES`]), the file's size;
//! - for each module, sorted by name: where its name is, its length, flags ([`IS_PACKAGE`]), where its code is, its length;
//! - the names and the codes, as `marshal` writes them.

#![cfg_attr(
    not(Py_3_11),
    expect(dead_code, reason = "bundles of 3.10 have no archive: see `finder`")
)]

use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// The source files are in the bundle too.
const HAS_SOURCES: u32 = 1;
/// The module is a package.
const IS_PACKAGE: u16 = 1;
const FORM: u32 = 1;
const MARK: &[u8; 8] = b"KEELBACK";
const HEADER: usize = 32;
const ENTRY: usize = 16;

/// The mapped file.
pub struct Archive {
    bytes: &'static [u8],
    file: PathBuf,
    count: usize,
    /// Whether the source files are there.
    pub has_sources: bool,
}

/// A module of it.
pub struct Module {
    pub is_package: bool,
    /// What `marshal` wrote.
    pub code: &'static [u8],
}

impl Archive {
    /// The archive of the bundle at `home`; `None` if it has none. `version` is `Py_Version` of the libpython.
    pub fn open(home: &Path, version: u32) -> Result<Option<Self>, String> {
        let file = home.join("lib/stdlib.code");
        let Ok(opened) = std::fs::File::open(&file) else {
            return Ok(None);
        };
        let bytes = map(&opened).ok_or_else(|| told(&file, "it cannot be mapped"))?;
        Self::of(bytes, file.clone(), version)
            .map(Some)
            .map_err(|why| told(&file, &why))
    }

    fn of(bytes: &'static [u8], file: PathBuf, version: u32) -> Result<Self, String> {
        let archive = Self {
            bytes,
            file,
            count: number(bytes, 16).unwrap_or(0) as usize,
            has_sources: number(bytes, 20).unwrap_or(0) & HAS_SOURCES != 0,
        };
        let is_whole = bytes.starts_with(MARK)
            && bytes.len() >= HEADER + archive.count.saturating_mul(ENTRY)
            && number(bytes, 24) == u32::try_from(bytes.len()).ok();
        if !is_whole {
            return Err("it is damaged".into());
        }
        if number(bytes, 8) != Some(FORM) {
            return Err("another version of keelback made it".into());
        }
        let made_for = number(bytes, 12).unwrap_or(0);
        if !is_same_bytecode(made_for, version) {
            return Err(format!(
                "it is for Python {}, and this is {}",
                name_of(made_for),
                name_of(version)
            ));
        }
        Ok(archive)
    }

    /// The module of that name: `Err` if the file is damaged.
    pub fn module(&self, name: &str) -> Result<Option<Module>, String> {
        let damaged = || told(&self.file, "it is damaged");
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = usize::midpoint(low, high);
            let entry = self.entry(middle).ok_or_else(damaged)?;
            match entry.name.cmp(name.as_bytes()) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Ok(Some(entry.module)),
            }
        }
        Ok(None)
    }

    fn entry(&self, index: usize) -> Option<Entry> {
        let at = HEADER + index * ENTRY;
        let shape = number(self.bytes, at + 4)?;
        Some(Entry {
            name: part(self.bytes, number(self.bytes, at)?, shape & 0xffff)?,
            module: Module {
                is_package: (shape >> 16) as u16 & IS_PACKAGE != 0,
                code: part(
                    self.bytes,
                    number(self.bytes, at + 8)?,
                    number(self.bytes, at + 12)?,
                )?,
            },
        })
    }
}

struct Entry {
    name: &'static [u8],
    module: Module,
}

fn told(file: &Path, why: &str) -> String {
    format!(
        "the bundle's {} cannot be used: {why}. Make the bundle again.\n",
        file.display()
    )
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}

fn part(bytes: &'static [u8], at: u32, length: u32) -> Option<&'static [u8]> {
    let at = at as usize;
    bytes.get(at..at.checked_add(length as usize)?)
}

/// Whether two versions, as sys.hexversion has them, read each other's bytecode: final releases of one minor version do.
fn is_same_bytecode(one: u32, other: u32) -> bool {
    let is_final = |version: u32| version >> 4 & 0xf == 0xf;
    one == other || (one >> 16 == other >> 16 && is_final(one) && is_final(other))
}

fn name_of(version: u32) -> String {
    let [major, minor, micro, _] = version.to_be_bytes();
    format!("{major}.{minor}.{micro}")
}

/// The whole file, mapped until the process ends.
fn map(file: &std::fs::File) -> Option<&'static [u8]> {
    let length = usize::try_from(file.metadata().ok()?.len()).ok()?;
    if length == 0 {
        return Some(&[]);
    }
    // SAFETY: a new private mapping, which is never unmapped or written to. Who changes the file of a bundle in use changes
    // the program, as with its libraries.
    unsafe {
        let start = libc::mmap(
            std::ptr::null_mut(),
            length,
            libc::PROT_READ,
            libc::MAP_PRIVATE,
            file.as_raw_fd(),
            0,
        );
        if start == libc::MAP_FAILED {
            return None;
        }
        Some(std::slice::from_raw_parts(start.cast(), length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: u32 = 0x030b_07f0;

    /// What collect.py writes.
    fn made(modules: &[(&str, u16, &[u8])]) -> Vec<u8> {
        let mut bytes = MARK.to_vec();
        for number in [FORM, VERSION, modules.len() as u32, HAS_SOURCES, 0, 0] {
            bytes.extend(number.to_le_bytes());
        }
        let mut at = HEADER + ENTRY * modules.len();
        let mut contents: Vec<u8> = Vec::new();
        for (name, flags, code) in modules {
            bytes.extend((at as u32).to_le_bytes());
            bytes.extend((name.len() as u16).to_le_bytes());
            bytes.extend(flags.to_le_bytes());
            bytes.extend(((at + name.len()) as u32).to_le_bytes());
            bytes.extend((code.len() as u32).to_le_bytes());
            contents.extend(name.as_bytes());
            contents.extend(*code);
            at += name.len() + code.len();
        }
        bytes.extend(contents);
        let size = bytes.len() as u32;
        bytes[24..28].copy_from_slice(&size.to_le_bytes());
        bytes
    }

    fn open(bytes: Vec<u8>, version: u32) -> Result<Archive, String> {
        Archive::of(bytes.leak(), "stdlib.code".into(), version)
    }

    #[test]
    fn modules_are_found_by_name() {
        let bytes = made(&[
            ("abc", 0, b"A"),
            ("json", 1, b"JS"),
            ("json.decoder", 0, b"D"),
        ]);
        let archive = open(bytes, VERSION).unwrap();
        assert!(archive.has_sources);
        let found = |name| {
            let module = archive.module(name).unwrap()?;
            Some((module.is_package, module.code))
        };
        assert_eq!(found("abc"), Some((false, &b"A"[..])));
        assert_eq!(found("json"), Some((true, &b"JS"[..])));
        assert_eq!(found("json.decoder"), Some((false, &b"D"[..])));
        assert_eq!(
            (found("a"), found("json.d"), found("zlib")),
            (None, None, None)
        );
        assert!(
            open(made(&[]), VERSION)
                .unwrap()
                .module("x")
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn what_cannot_be_used_is_told() {
        let whole = made(&[("abc", 0, b"A")]);
        let refused = |bytes: Vec<u8>, version| open(bytes, version).err().unwrap();
        for length in 0..whole.len() {
            assert_eq!(refused(whole[..length].to_vec(), VERSION), "it is damaged");
        }
        assert_eq!(
            refused(whole.clone(), 0x030c_01f0),
            "it is for Python 3.11.7, and this is 3.12.1"
        );
        assert!(
            open(whole.clone(), 0x030b_0cf0).is_ok(),
            "another patch release"
        );
        assert!(open(whole.clone(), 0x030b_00a1).is_err(), "not a final one");
        let mut newer = whole.clone();
        newer[8] = 2;
        assert_eq!(
            refused(newer, VERSION),
            "another version of keelback made it"
        );
        let mut outside = whole;
        outside[HEADER + 3] = 0xff;
        assert_eq!(
            open(outside, VERSION).unwrap().module("abc").err().unwrap(),
            "the bundle's stdlib.code cannot be used: it is damaged. Make the bundle again.\n"
        );
    }
}
