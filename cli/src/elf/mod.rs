//! Changes ELF files as little as possible: existing bytes keep their places, and what grows is moved to the end.
//!
//! Libraries of published packages have been through other tools already, which leave them in forms that a linker
//! never writes (sections at odd offsets, segments behind the section headers). So nothing is laid out anew here.
mod grow;
mod machine_paths;
mod search_path;
mod strip;
mod versions;

#[cfg(test)]
mod tests;

pub use machine_paths::hide;
pub use search_path::SearchPath;

/// Why a file cannot be read or changed.
pub type Broken = String;

/// `PT_LOAD`...
const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;
const PT_PHDR: u32 = 6;
const DT_NULL: u64 = 0;
const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;
const DT_STRSZ: u64 = 10;
const DT_SONAME: u64 = 14;
const DT_RPATH: u64 = 15;
const DT_RUNPATH: u64 = 29;
const DT_VERDEF: u64 = 0x6fff_fffc;
const DT_VERNEED: u64 = 0x6fff_fffe;
const SHT_NOBITS: u64 = 8;
const SHT_DYNSYM: u64 = 11;

/// A file of 64 or 32 bits, of either byte order.
#[derive(Clone)]
pub struct Elf {
    /// The contents of the file.
    pub bytes: Vec<u8>,
    wide: bool,
    big: bool,
}

/// A program header.
#[derive(Clone, Copy, Debug)]
struct Segment {
    kind: u32,
    flags: u32,
    offset: u64,
    address: u64,
    /// Bytes in the file.
    size: u64,
    /// Bytes in memory.
    memory: u64,
    align: u64,
}

/// A section header.
#[derive(Clone, Copy, Debug, Default)]
struct Section {
    name: u64,
    kind: u64,
    flags: u64,
    address: u64,
    offset: u64,
    size: u64,
    link: u64,
    info: u64,
    align: u64,
    entry: u64,
}

impl Segment {
    /// Its end in the file.
    fn end(&self) -> u64 {
        self.offset.saturating_add(self.size)
    }
}

impl Section {
    /// From the numbers of a section header, in their order there.
    fn of(numbers: [u64; 10]) -> Self {
        Self {
            name: numbers[0],
            kind: numbers[1],
            flags: numbers[2],
            address: numbers[3],
            offset: numbers[4],
            size: numbers[5],
            link: numbers[6],
            info: numbers[7],
            align: numbers[8],
            entry: numbers[9],
        }
    }

    /// The numbers that [`of`](Self::of) takes.
    fn numbers(&self) -> [u64; 10] {
        [
            self.name,
            self.kind,
            self.flags,
            self.address,
            self.offset,
            self.size,
            self.link,
            self.info,
            self.align,
            self.entry,
        ]
    }

    /// Whether the section is mapped when the file is loaded.
    fn is_loaded(&self) -> bool {
        self.flags & 2 != 0
    }

    /// Its end in the file.
    fn end(&self) -> u64 {
        match self.kind {
            0 | SHT_NOBITS => 0,
            _ => self.offset.saturating_add(self.size),
        }
    }
}

fn broken() -> Broken {
    "its ELF headers are damaged".into()
}

impl Elf {
    /// Whether it begins as ELF files do.
    pub fn is_elf(bytes: &[u8]) -> bool {
        bytes.starts_with(b"\x7fELF")
    }

    /// Checks the file: an error if it is no ELF file, or if its tables point out of it.
    pub fn read(bytes: Vec<u8>) -> Result<Self, Broken> {
        if !Self::is_elf(&bytes) || bytes.len() < 64 {
            return Err("it is no ELF file".into());
        }
        let elf = Self {
            wide: bytes[4] == 2,
            big: bytes[5] == 2,
            bytes,
        };
        elf.check()?;
        Ok(elf)
    }

    /// Checks that the tables, and what they refer to, are inside of the file. After that, sums of their numbers cannot
    /// overflow.
    fn check(&self) -> Result<(), Broken> {
        let length = self.bytes.len() as u64;
        let fits =
            |offset: u64, size: u64| offset.checked_add(size).is_some_and(|end| end <= length);
        let (headers, count) = self.segment_table()?;
        let (table, sections) = self.section_table()?;
        let are_tables = fits(headers, count * self.segment_size())
            && fits(table, sections * self.section_size());
        // The limits keep sums of addresses from overflowing; no program comes near them.
        let is_right = |segment: &Segment| {
            fits(segment.offset, segment.size)
                && segment.address < 1 << 62
                && segment.memory < 1 << 62
        };
        let is_there = are_tables
            && self.segments()?.iter().all(is_right)
            && self
                .sections()?
                .iter()
                .all(|section| section.end() == 0 || fits(section.offset, section.size));
        if is_there { Ok(()) } else { Err(broken()) }
    }

    // -- numbers --

    /// The number of `width` bytes at `at`.
    fn number(&self, at: u64, width: usize) -> Result<u64, Broken> {
        let start = usize::try_from(at).map_err(|_| broken())?;
        let bytes = start
            .checked_add(width)
            .and_then(|end| self.bytes.get(start..end))
            .ok_or_else(broken)?;
        let add = |number: u64, &byte: &u8| number << 8 | u64::from(byte);
        Ok(if self.big {
            bytes.iter().fold(0, add)
        } else {
            bytes.iter().rev().fold(0, add)
        })
    }

    fn put(&mut self, at: u64, width: usize, number: u64) -> Result<(), Broken> {
        let all = if self.big {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        };
        let part = if self.big {
            &all[8 - width..]
        } else {
            &all[..width]
        };
        let start = usize::try_from(at).map_err(|_| broken())?;
        start
            .checked_add(width)
            .and_then(|end| self.bytes.get_mut(start..end))
            .ok_or_else(broken)?
            .copy_from_slice(part);
        Ok(())
    }

    /// Bytes of an address.
    pub fn word(&self) -> usize {
        if self.wide { 8 } else { 4 }
    }

    /// Consecutive numbers of these widths.
    fn numbers<const N: usize>(&self, at: u64, widths: [usize; N]) -> Result<[u64; N], Broken> {
        let mut numbers = [0; N];
        let mut place = at;
        for (number, width) in numbers.iter_mut().zip(widths) {
            *number = self.number(place, width)?;
            place = place.checked_add(width as u64).ok_or_else(broken)?;
        }
        Ok(numbers)
    }

    fn put_numbers<const N: usize>(
        &mut self,
        at: u64,
        widths: [usize; N],
        numbers: [u64; N],
    ) -> Result<(), Broken> {
        let mut place = at;
        for (number, width) in numbers.into_iter().zip(widths) {
            self.put(place, width, number)?;
            place += width as u64;
        }
        Ok(())
    }

    // -- the fields of the file header --

    /// The offset of the field (e_phoff or later) that is at `at` in a 64-bit header: in a 32-bit header it is
    /// elsewhere.
    fn field(&self, at: u64) -> u64 {
        match (self.wide, at) {
            (true, _) => at,
            (false, 32) => 28,
            (false, 40) => 32,
            (false, _) => at - 12,
        }
    }

    fn segment_widths(&self) -> [usize; 8] {
        if self.wide {
            [4, 4, 8, 8, 8, 8, 8, 8]
        } else {
            [4; 8]
        }
    }

    fn section_widths(&self) -> [usize; 10] {
        let word = self.word();
        [4, 4, word, word, word, word, 4, 4, word, word]
    }

    /// The offset and number of the program headers.
    fn segment_table(&self) -> Result<(u64, u64), Broken> {
        Ok((
            self.number(self.field(32), self.word())?,
            self.number(self.field(56), 2)?,
        ))
    }

    /// Bytes of a program header.
    fn segment_size(&self) -> u64 {
        self.segment_widths().iter().sum::<usize>() as u64
    }

    fn section_size(&self) -> u64 {
        self.section_widths().iter().sum::<usize>() as u64
    }

    fn segments(&self) -> Result<Vec<Segment>, Broken> {
        let (table, count) = self.segment_table()?;
        (0..count)
            .map(|index| {
                let at = table
                    .checked_add(index * self.segment_size())
                    .ok_or_else(broken)?;
                let read = self.numbers(at, self.segment_widths())?;
                // In a 32-bit header the flags are in another position.
                let [kind, flags, offset, address, _, size, memory, align] = if self.wide {
                    read
                } else {
                    let [kind, offset, address, physical, size, memory, flags, align] = read;
                    [kind, flags, offset, address, physical, size, memory, align]
                };
                Ok(Segment {
                    kind: kind as u32,
                    flags: flags as u32,
                    offset,
                    address,
                    size,
                    memory,
                    align,
                })
            })
            .collect()
    }

    fn put_segment(&mut self, at: u64, segment: &Segment) -> Result<(), Broken> {
        let Segment {
            offset,
            address,
            size,
            memory,
            align,
            ..
        } = *segment;
        let (kind, flags) = (u64::from(segment.kind), u64::from(segment.flags));
        let numbers = if self.wide {
            [kind, flags, offset, address, address, size, memory, align]
        } else {
            [kind, offset, address, address, size, memory, flags, align]
        };
        self.put_numbers(at, self.segment_widths(), numbers)
    }

    /// The offset and number of the section headers. There may be none, as the loader does not need them.
    fn section_table(&self) -> Result<(u64, u64), Broken> {
        Ok((
            self.number(self.field(40), self.word())?,
            self.number(self.field(60), 2)?,
        ))
    }

    fn sections(&self) -> Result<Vec<Section>, Broken> {
        let (table, count) = self.section_table()?;
        (0..count)
            .map(|index| {
                let at = table
                    .checked_add(index * self.section_size())
                    .ok_or_else(broken)?;
                self.numbers(at, self.section_widths()).map(Section::of)
            })
            .collect()
    }

    fn put_section(&mut self, at: u64, section: &Section) -> Result<(), Broken> {
        self.put_numbers(at, self.section_widths(), section.numbers())
    }

    /// The offset in the file of the byte at an address.
    fn place_of(&self, address: u64) -> Result<u64, Broken> {
        self.segments()?
            .iter()
            .find(|segment| {
                segment.kind == PT_LOAD
                    && (segment.address..segment.address.saturating_add(segment.size))
                        .contains(&address)
            })
            .and_then(|segment| (address - segment.address).checked_add(segment.offset))
            .ok_or_else(broken)
    }

    /// Whether the file is a program, not a library.
    pub fn is_program(&self) -> bool {
        self.segments()
            .is_ok_and(|segments| segments.iter().any(|segment| segment.kind == PT_INTERP))
    }

    // -- what the dynamic linker reads --

    /// The places of the records of a list of versions (Verneed, Vernaux, Verdef or Verdaux): the field `next` of each
    /// has the distance to the next one, 0 in the last.
    fn version_records(&self, first: u64, next: u64) -> Result<Vec<u64>, Broken> {
        let mut records = vec![first];
        let mut at = first;
        loop {
            match self.number(at + next, 4)? {
                0 => return Ok(records),
                distance => at += distance,
            }
            records.push(at);
        }
    }

    fn dynamic_segment(&self) -> Result<Option<Segment>, Broken> {
        Ok(self
            .segments()?
            .into_iter()
            .find(|segment| segment.kind == PT_DYNAMIC))
    }

    /// The tags and values of the dynamic section up to DT_NULL; empty in a statically linked file.
    fn dynamic(&self) -> Result<Vec<(u64, u64)>, Broken> {
        let mut entries = Vec::new();
        if let Some(segment) = self.dynamic_segment()? {
            let word = self.word();
            for index in 0..segment.size / (2 * word as u64) {
                let at = segment.offset + index * 2 * word as u64;
                let [tag, value] = self.numbers(at, [word, word])?;
                if tag == DT_NULL {
                    break;
                }
                entries.push((tag, value));
            }
        }
        Ok(entries)
    }

    fn value(&self, tag: u64) -> Result<Option<u64>, Broken> {
        Ok(self
            .dynamic()?
            .into_iter()
            .find(|&(each, _)| each == tag)
            .map(|(_, value)| value))
    }

    /// The offset in the file of the dynamic string table.
    fn strings(&self) -> Result<u64, Broken> {
        self.place_of(self.value(DT_STRTAB)?.ok_or_else(broken)?)
    }

    fn string(&self, offset: u64) -> Result<&[u8], Broken> {
        let start = self.strings()?.checked_add(offset).ok_or_else(broken)?;
        let rest = usize::try_from(start)
            .ok()
            .and_then(|start| self.bytes.get(start..))
            .ok_or_else(broken)?;
        let length = rest.iter().position(|&byte| byte == 0).ok_or_else(broken)?;
        Ok(&rest[..length])
    }

    /// The name that programs look for (DT_SONAME).
    pub fn soname(&self) -> Result<Option<String>, Broken> {
        let Some(offset) = self.value(DT_SONAME)? else {
            return Ok(None);
        };
        Ok(Some(
            String::from_utf8_lossy(self.string(offset)?).into_owned(),
        ))
    }

    /// The names of the libraries that it needs (DT_NEEDED).
    pub fn needed(&self) -> Result<Vec<String>, Broken> {
        self.dynamic()?
            .into_iter()
            .filter(|&(tag, _)| tag == DT_NEEDED)
            .map(|(_, value)| Ok(String::from_utf8_lossy(self.string(value)?).into_owned()))
            .collect()
    }
}
