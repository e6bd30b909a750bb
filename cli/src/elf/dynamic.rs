//! What the dynamic linker reads: the entries of the dynamic section, and their strings.

use super::file::{Broken, Elf, broken};
use super::tables::{PT_DYNAMIC, Segment};

pub(super) const DT_NULL: u64 = 0;
pub(super) const DT_NEEDED: u64 = 1;
pub(super) const DT_STRTAB: u64 = 5;
pub(super) const DT_STRSZ: u64 = 10;
pub(super) const DT_SONAME: u64 = 14;
pub(super) const DT_RPATH: u64 = 15;
pub(super) const DT_RUNPATH: u64 = 29;
pub(super) const DT_VERDEF: u64 = 0x6fff_fffc;
pub(super) const DT_VERNEED: u64 = 0x6fff_fffe;

impl Elf {
    /// The places of the records of a list of versions (Verneed, Vernaux, Verdef or Verdaux): the field `next` of each
    /// has the distance to the next one, 0 in the last.
    pub(super) fn version_records(&self, first: u64, next: u64) -> Result<Vec<u64>, Broken> {
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

    pub(super) fn dynamic_segment(&self) -> Result<Option<Segment>, Broken> {
        Ok(self
            .segments()?
            .into_iter()
            .find(|segment| segment.kind == PT_DYNAMIC))
    }

    /// The tags and values of the dynamic section up to DT_NULL; empty in a statically linked file.
    pub(super) fn dynamic(&self) -> Result<Vec<(u64, u64)>, Broken> {
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

    pub(super) fn value(&self, tag: u64) -> Result<Option<u64>, Broken> {
        Ok(self
            .dynamic()?
            .into_iter()
            .find(|&(each, _)| each == tag)
            .map(|(_, value)| value))
    }

    /// The offset in the file of the dynamic string table.
    pub(super) fn strings(&self) -> Result<u64, Broken> {
        self.place_of(self.value(DT_STRTAB)?.ok_or_else(broken)?)
    }

    pub(super) fn string(&self, offset: u64) -> Result<&[u8], Broken> {
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
