//! Reads, from its file, the memory of a library as it is after the dynamic linker has mapped it. None of the library's
//! code runs.
use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use object::{Object, ObjectSection, ObjectSegment, ReadCache, ReadRef};

use crate::input::reason;

/// The longest text that is read: longer ones mean that the file is damaged.
const LONGEST_NAME: u64 = 64 * 1024;

/// The file of a library. [`Image::of`] reads what is in it.
pub struct ImageFile(ReadCache<File>);

impl ImageFile {
    /// Opens a library. Only the parts that are used are read.
    pub fn open(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|error| reason(&error))?;
        Ok(Self(ReadCache::new(file)))
    }
}

/// What is in a library.
pub struct Image<'data> {
    file: object::File<'data, &'data ReadCache<File>>,
    /// For the address of each relocated pointer, the address it points to. Other pointers have their value in the
    /// file.
    pointers: HashMap<u64, u64>,
}

impl<'data> Image<'data> {
    /// Reads an open file; the error says why it is no library.
    pub fn of(file: &'data ImageFile) -> Result<Self, String> {
        let file = object::File::parse(&file.0).map_err(|_| "it is no library".to_owned())?;
        let relocations = file.dynamic_relocations().into_iter().flatten();
        let pointers = relocations
            .filter(|(_, relocation)| {
                matches!(relocation.target(), object::RelocationTarget::Absolute)
            })
            .filter_map(|(at, relocation)| Some((at, u64::try_from(relocation.addend()).ok()?)))
            .filter(|&(_, to)| to != 0)
            .collect();
        Ok(Self { file, pointers })
    }

    /// The library as the `object` crate parsed it.
    pub fn file(&self) -> &object::File<'data, impl ReadRef<'data>> {
        &self.file
    }

    /// The address and size of a section.
    pub fn section(&self, name: &str) -> Option<(u64, u64)> {
        let section = self.file.section_by_name(name)?;
        Some((section.address(), section.size()))
    }

    /// The bytes at an address; `None` if the file has no bytes for it.
    pub fn bytes(&self, address: u64, size: u64) -> Option<&'data [u8]> {
        if size == 0 {
            return Some(&[]);
        }
        self.file
            .segments()
            .find_map(|segment| segment.data_range(address, size).ok().flatten())
    }

    /// A `uint32_t`.
    pub fn u32(&self, address: u64) -> Option<u32> {
        let bytes = self.bytes(address, 4)?.try_into().ok()?;
        Some(if self.file.is_little_endian() {
            u32::from_le_bytes(bytes)
        } else {
            u32::from_be_bytes(bytes)
        })
    }

    /// A `size_t` of a machine with 64 bits.
    pub fn u64(&self, address: u64) -> Option<u64> {
        let bytes = self.bytes(address, 8)?.try_into().ok()?;
        Some(if self.file.is_little_endian() {
            u64::from_le_bytes(bytes)
        } else {
            u64::from_be_bytes(bytes)
        })
    }

    /// The address that the pointer at `address` points to; 0 for NULL. Relocations of the packed form (RELR) have that
    /// address in the pointer's place.
    pub fn pointer(&self, address: u64) -> Option<u64> {
        match self.pointers.get(&address) {
            Some(&to) => Some(to),
            None => self.u64(address),
        }
    }

    /// The text that the pointer at `address` points to; the inner `None`: the pointer is NULL.
    pub fn text(&self, address: u64) -> Option<Option<String>> {
        let from = self.pointer(address)?;
        if from == 0 {
            return Some(None);
        }
        let mut bytes = Vec::new();
        // Read byte by byte, as the text may end at the end of a segment.
        for at in from..from.checked_add(LONGEST_NAME)? {
            match self.bytes(at, 1)? {
                [0] => return Some(Some(String::from_utf8_lossy(&bytes).into_owned())),
                byte => bytes.extend_from_slice(byte),
            }
        }
        None
    }
}
