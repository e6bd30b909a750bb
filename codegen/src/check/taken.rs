//! The names that the C library and libpython export. The process that loads a plugin has one table of symbols, in
//! which the first library wins: if a plugin exported `strlen`, every library might call it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use object::read::elf::{FileHeader, Sym};
use object::{Endianness, elf};

/// The names of the C library that this process uses.
pub(super) struct Taken {
    names: HashMap<String, &'static str>,
}

/// Libraries whose names are taken, by the start of their file's name.
const LIBRARIES: [(&str, &str); 4] = [
    ("libc.", "libc"),
    ("libm.", "libm"),
    ("libpthread", "libpthread"),
    ("ld-musl", "libc"),
];

impl Taken {
    /// Reads the names of the libraries. Files that cannot be read are skipped.
    pub(super) fn read() -> Self {
        let mut names = HashMap::new();
        for (path, library) in libraries() {
            for name in exported(&path).unwrap_or_default() {
                names.entry(name).or_insert(library);
            }
        }
        Self { names }
    }

    /// The library that exports a name; `None`: neither.
    pub(super) fn library_of(&self, name: &str) -> Option<&'static str> {
        // Everything that libpython exports begins with `Py` or `_Py`.
        let rest = name.strip_prefix('_').unwrap_or(name).strip_prefix("Py");
        if rest.is_some_and(|rest| rest.starts_with(|c: char| c == '_' || c.is_ascii_uppercase())) {
            return Some("libpython");
        }
        self.names.get(name).copied()
    }
}

/// The files of the C library: those loaded into this process, and those beside them.
fn libraries() -> Vec<(PathBuf, &'static str)> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let of = |path: &Path| {
        let name = path.file_name()?.to_str()?;
        let (_, library) = LIBRARIES
            .iter()
            .find(|(start, _)| name.starts_with(start))?;
        Some(*library)
    };
    let mut found: Vec<(PathBuf, &'static str)> = Vec::new();
    for line in maps.lines() {
        let Some(at) = line.find('/') else { continue };
        let path = Path::new(&line[at..]);
        if found.iter().any(|(known, _)| known == path) {
            continue;
        }
        if let Some(library) = of(path) {
            found.push((path.to_owned(), library));
            let math = path.with_file_name("libm.so.6");
            if library == "libc" && math.exists() {
                found.push((math, "libm"));
            }
        }
    }
    found
}

/// The names that a library exports to programs that are linked now (default symbol versions).
fn exported(path: &Path) -> Option<Vec<String>> {
    let data = std::fs::read(path).ok()?;
    match elf::FileClass(*data.get(4)?) {
        elf::ELFCLASS64 => names::<elf::FileHeader64<Endianness>>(&data),
        _ => names::<elf::FileHeader32<Endianness>>(&data),
    }
}

fn names<Header: FileHeader<Endian = Endianness>>(data: &[u8]) -> Option<Vec<String>> {
    let header = Header::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let sections = header.sections(endian, data).ok()?;
    let symbols = sections.symbols(endian, data, elf::SHT_DYNSYM).ok()?;
    let versions = sections.versions(endian, data).ok()?;
    let mut found = Vec::new();
    for (index, symbol) in symbols.enumerate() {
        let is_old = versions
            .as_ref()
            .is_some_and(|versions| versions.version_index(endian, index).is_hidden());
        if symbol.st_bind() == elf::STB_LOCAL || symbol.is_undefined(endian) || is_old {
            continue;
        }
        let name = symbols.symbol_name(endian, symbol).ok()?;
        if let Ok(name) = std::str::from_utf8(name) {
            found.push(name.to_owned());
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::Taken;

    #[test]
    fn names_of_the_c_library() {
        let taken = Taken::read();
        for (name, library) in [
            ("strlen", Some("libc")),
            ("cos", Some("libm")),
            ("PyList_New", Some("libpython")),
            ("_Py_Dealloc", Some("libpython")),
            ("Pyramid", None),
            ("add", None),
            // glibc has it only for old programs: not as a default version.
            ("advance", None),
        ] {
            assert_eq!(taken.library_of(name), library, "{name}");
        }
    }
}
