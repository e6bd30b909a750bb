//! Reads the SONAME of an ELF library.
use object::elf::{DT_SONAME, FileHeader32, FileHeader64};
use object::read::elf::{Dyn, FileHeader};
use object::{Endianness, FileKind};

/// The properties of a library that are needed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Library {
    /// The name that programs look for.
    pub soname: Option<String>,
    /// The bytes of a pointer.
    pub pointer: u8,
}

impl Library {
    /// Reads a library in memory; `None` if it is not an ELF file.
    pub fn read(data: &[u8]) -> Option<Self> {
        let (soname, pointer) = match FileKind::parse(data).ok()? {
            FileKind::Elf64 => (soname::<FileHeader64<Endianness>>(data), 8),
            FileKind::Elf32 => (soname::<FileHeader32<Endianness>>(data), 4),
            _ => return None,
        };
        Some(Self {
            soname: soname.ok()?,
            pointer,
        })
    }
}

fn soname<Elf: FileHeader>(data: &[u8]) -> object::Result<Option<String>> {
    let header = Elf::parse(data)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, data)?;
    let Some((entries, strings)) = sections.dynamic(endian, data)? else {
        return Ok(None);
    };
    let strings = sections.strings(endian, data, strings)?;
    let entry = entries.iter().find(|entry| entry.tag(endian) == DT_SONAME);
    let name = entry.and_then(|entry| strings.get(entry.val32(endian)?).ok());
    Ok(name.map(|name| String::from_utf8_lossy(name).into_owned()))
}
