//! Where a library looks for the ones that it needs: DT_RPATH or DT_RUNPATH.
use super::dynamic::{DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_SONAME, DT_VERDEF, DT_VERNEED};
use super::file::{Broken, Elf, broken};
use super::tables::SHT_DYNSYM;

/// A search path, and whether it is inherited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchPath {
    /// It is a DT_RPATH: the libraries that this file loads, directly or indirectly, search there too.
    pub is_inherited: bool,
    /// The directories, separated by colons.
    pub text: Vec<u8>,
}

impl Elf {
    /// The search path that the dynamic linker uses: DT_RUNPATH, otherwise DT_RPATH.
    pub fn search_path(&self) -> Result<Option<SearchPath>, Broken> {
        for (tag, is_inherited) in [(DT_RUNPATH, false), (DT_RPATH, true)] {
            if let Some(value) = self.value(tag)? {
                return Ok(Some(SearchPath {
                    is_inherited,
                    text: self.string(value)?.to_vec(),
                }));
            }
        }
        Ok(None)
    }

    /// Replaces the search path: in place if there is room, otherwise in a new segment at the end of the file. The old
    /// text is erased. An empty path removes the entry.
    pub fn set_search_path(&mut self, path: &SearchPath) -> Result<(), Broken> {
        let tag = if path.is_inherited {
            DT_RPATH
        } else {
            DT_RUNPATH
        };
        let entries = self.dynamic()?;
        let is_path = |&&(tag, _): &&(u64, u64)| matches!(tag, DT_RPATH | DT_RUNPATH);
        let old: Vec<(u64, u64)> = entries.iter().filter(is_path).copied().collect();
        let mut kept: Vec<(u64, u64)> = entries
            .iter()
            .filter(|entry| !is_path(entry))
            .copied()
            .collect();
        let mut rooms = Vec::new();
        for &(_, offset) in &old {
            rooms.push((offset, self.room_at(offset)?));
        }
        rooms.dedup();
        for &(offset, room) in &rooms {
            self.blank(offset, room)?;
        }
        if path.text.is_empty() {
            return self.put_dynamic(&kept);
        }
        // The terminating zero needs a byte too.
        if let Some(&(offset, _)) = rooms
            .iter()
            .find(|&&(_, room)| room > path.text.len() as u64)
        {
            let start = self.strings()?.checked_add(offset).ok_or_else(broken)?;
            self.bytes[start as usize..][..path.text.len()].copy_from_slice(&path.text);
            kept.push((tag, offset));
            return self.put_dynamic(&kept);
        }
        self.grow(kept, tag, &path.text)
    }

    fn blank(&mut self, offset: u64, room: u64) -> Result<(), Broken> {
        let start = self.strings()?.checked_add(offset).ok_or_else(broken)?;
        for at in start..start + room {
            self.put(at, 1, 0)?;
        }
        Ok(())
    }

    /// How many bytes (with the terminating zero) of the string at `offset` no other string uses. Linkers let strings
    /// share their tails: `lib` may be the end of `/usr/lib`.
    fn room_at(&self, offset: u64) -> Result<u64, Broken> {
        let length = self.string(offset)?.len() as u64;
        let Some(used) = self.used_strings()? else {
            return Ok(0);
        };
        // A longer string may end with this one.
        let before = self.strings()?.saturating_add(offset).wrapping_sub(1);
        if offset > 0 && self.number(before, 1)? != 0 {
            return Ok(0);
        }
        let shared = used
            .iter()
            .copied()
            .filter(|&other| (offset..=offset + length).contains(&other))
            .min();
        // Our string must end in front of the shared part.
        Ok(shared.map_or(length + 1, |other| other - offset))
    }

    /// The offsets of all strings in use except the search paths; `None` if they cannot be determined.
    fn used_strings(&self) -> Result<Option<Vec<u64>>, Broken> {
        let mut used: Vec<u64> = Vec::new();
        for (tag, value) in self.dynamic()? {
            // The numbers are the tags of filters and auditors, whose values are strings too.
            if matches!(tag, DT_NEEDED | DT_SONAME | 0x6fff_fefa..=0x6fff_fefc | 0x7fff_fffd..=0x7fff_ffff)
            {
                used.push(value);
            }
        }
        let Some(symbols) = self
            .sections()?
            .into_iter()
            .find(|section| section.kind == SHT_DYNSYM)
        else {
            return Ok(None);
        };
        let size = if self.wide { 24 } else { 16 };
        for index in 0..symbols.size / size {
            used.push(self.number(symbols.offset + index * size, 4)?);
        }
        for (tag, is_need) in [(DT_VERNEED, true), (DT_VERDEF, false)] {
            if let Some(address) = self.value(tag)? {
                self.strings_of_versions(self.place_of(address)?, is_need, &mut used)?;
            }
        }
        Ok(Some(used))
    }

    fn strings_of_versions(
        &self,
        table: u64,
        is_need: bool,
        used: &mut Vec<u64>,
    ) -> Result<(), Broken> {
        // The offsets of the fields of Verneed and Vernaux, or of Verdef and Verdaux: the first auxiliary record, the next
        // record; the auxiliary record's name, the next one.
        let (first, next, text, follows) = if is_need {
            (8, 12, 8, 12)
        } else {
            (12, 16, 0, 4)
        };
        for at in self.version_records(table, next)? {
            if is_need {
                used.push(self.number(at + 4, 4)?);
            }
            for name in self.version_records(at + self.number(at + first, 4)?, follows)? {
                used.push(self.number(name + text, 4)?);
            }
        }
        Ok(())
    }

    /// Writes the dynamic entries in place: there are no more than before.
    pub(super) fn put_dynamic(&mut self, entries: &[(u64, u64)]) -> Result<(), Broken> {
        let Some(segment) = self.dynamic_segment()? else {
            return Ok(());
        };
        let word = self.word();
        for index in 0..segment.size / (2 * word as u64) {
            let (tag, value) = entries.get(index as usize).copied().unwrap_or((0, 0));
            let at = segment.offset + index * 2 * word as u64;
            self.put_numbers(at, [word, word], [tag, value])?;
        }
        Ok(())
    }
}
