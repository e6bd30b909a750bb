//! An ELF file in memory, and the numbers in it.

use super::tables::Segment;

/// Why a file cannot be read or changed.
pub type Broken = String;

/// A file of 64 or 32 bits, of either byte order.
#[derive(Clone)]
pub struct Elf {
    /// The contents of the file.
    pub bytes: Vec<u8>,
    pub(super) wide: bool,
    big: bool,
}

pub(super) fn broken() -> Broken {
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

    /// The number of `width` bytes at `at`.
    pub(super) fn number(&self, at: u64, width: usize) -> Result<u64, Broken> {
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

    pub(super) fn put(&mut self, at: u64, width: usize, number: u64) -> Result<(), Broken> {
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
    pub(super) fn numbers<const N: usize>(
        &self,
        at: u64,
        widths: [usize; N],
    ) -> Result<[u64; N], Broken> {
        let mut numbers = [0; N];
        let mut place = at;
        for (number, width) in numbers.iter_mut().zip(widths) {
            *number = self.number(place, width)?;
            place = place.checked_add(width as u64).ok_or_else(broken)?;
        }
        Ok(numbers)
    }

    pub(super) fn put_numbers<const N: usize>(
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
}
