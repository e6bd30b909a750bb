//! The tables of program headers (segments) and of section headers.

use super::file::{Broken, Elf, broken};

/// `PT_LOAD`...
pub(super) const PT_LOAD: u32 = 1;
pub(super) const PT_DYNAMIC: u32 = 2;
pub(super) const PT_INTERP: u32 = 3;
pub(super) const PT_PHDR: u32 = 6;
pub(super) const SHT_NOBITS: u64 = 8;
pub(super) const SHT_DYNSYM: u64 = 11;

/// A program header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) kind: u32,
    pub(super) flags: u32,
    pub(super) offset: u64,
    pub(super) address: u64,
    /// Bytes in the file.
    pub(super) size: u64,
    /// Bytes in memory.
    pub(super) memory: u64,
    pub(super) align: u64,
}

/// A section header.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Section {
    pub(super) name: u64,
    pub(super) kind: u64,
    pub(super) flags: u64,
    pub(super) address: u64,
    pub(super) offset: u64,
    pub(super) size: u64,
    pub(super) link: u64,
    pub(super) info: u64,
    pub(super) align: u64,
    pub(super) entry: u64,
}

impl Segment {
    /// Its end in the file.
    pub(super) fn end(&self) -> u64 {
        self.offset.saturating_add(self.size)
    }
}

impl Section {
    /// From the numbers of a section header, in their order there.
    pub(super) fn of(numbers: [u64; 10]) -> Self {
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
    pub(super) fn numbers(&self) -> [u64; 10] {
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
    pub(super) fn is_loaded(&self) -> bool {
        self.flags & 2 != 0
    }

    /// Its end in the file.
    pub(super) fn end(&self) -> u64 {
        match self.kind {
            0 | SHT_NOBITS => 0,
            _ => self.offset.saturating_add(self.size),
        }
    }
}

impl Elf {
    /// The offset of the field (e_phoff or later) that is at `at` in a 64-bit header: in a 32-bit header it is
    /// elsewhere.
    pub(super) fn field(&self, at: u64) -> u64 {
        match (self.wide, at) {
            (true, _) => at,
            (false, 32) => 28,
            (false, 40) => 32,
            (false, _) => at - 12,
        }
    }

    pub(super) fn segment_widths(&self) -> [usize; 8] {
        if self.wide {
            [4, 4, 8, 8, 8, 8, 8, 8]
        } else {
            [4; 8]
        }
    }

    pub(super) fn section_widths(&self) -> [usize; 10] {
        let word = self.word();
        [4, 4, word, word, word, word, 4, 4, word, word]
    }

    /// The offset and number of the program headers.
    pub(super) fn segment_table(&self) -> Result<(u64, u64), Broken> {
        Ok((
            self.number(self.field(32), self.word())?,
            self.number(self.field(56), 2)?,
        ))
    }

    /// Bytes of a program header.
    pub(super) fn segment_size(&self) -> u64 {
        self.segment_widths().iter().sum::<usize>() as u64
    }

    pub(super) fn section_size(&self) -> u64 {
        self.section_widths().iter().sum::<usize>() as u64
    }

    pub(super) fn segments(&self) -> Result<Vec<Segment>, Broken> {
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

    pub(super) fn put_segment(&mut self, at: u64, segment: &Segment) -> Result<(), Broken> {
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
    pub(super) fn section_table(&self) -> Result<(u64, u64), Broken> {
        Ok((
            self.number(self.field(40), self.word())?,
            self.number(self.field(60), 2)?,
        ))
    }

    pub(super) fn sections(&self) -> Result<Vec<Section>, Broken> {
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

    pub(super) fn put_section(&mut self, at: u64, section: &Section) -> Result<(), Broken> {
        self.put_numbers(at, self.section_widths(), section.numbers())
    }

    /// The offset in the file of the byte at an address.
    pub(super) fn place_of(&self, address: u64) -> Result<u64, Broken> {
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
}
