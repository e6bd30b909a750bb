//! Adds a string for which the file has no room: a new segment at the end of the file gets a longer string table.
use super::dynamic::{DT_STRSZ, DT_STRTAB};
use super::file::{Broken, Elf, broken};
use super::tables::{PT_DYNAMIC, PT_LOAD, PT_PHDR, SHT_NOBITS, Segment};

/// The segment that is added: the program headers (there is one more), the dynamic entries if they do not fit where they
/// are, and the strings.
struct Added {
    /// Its offset in the file, and its address.
    place: u64,
    base: u64,
    /// Bytes of the program headers, which come first.
    headers: u64,
    /// The dynamic entries, from the segment's beginning, and their bytes: 0 if they stay where they are.
    dynamic_at: u64,
    dynamic: u64,
    /// The strings, from the segment's beginning.
    strings_at: u64,
    size: u64,
}

impl Elf {
    /// Adds the string `text`, and a dynamic entry with `tag` for it. `entries` are all other dynamic entries.
    ///
    /// Everything but what [`Added`] has keeps its place, in the file and in memory.
    pub(super) fn grow(
        &mut self,
        mut entries: Vec<(u64, u64)>,
        tag: u64,
        text: &[u8],
    ) -> Result<(), Broken> {
        if self.is_program() {
            return Err("a program's search path cannot grow".into());
        }
        let mut strings = self.all_strings()?;
        entries.push((tag, strings.len() as u64));
        strings.extend_from_slice(text);
        strings.push(0);

        let dynamic = self.dynamic_segment()?.ok_or_else(broken)?;
        let mut segments = self.segments()?;
        let added = self.added(&segments, &dynamic, entries.len(), strings.len())?;
        let old_strings = self.strings()?;
        self.bytes.resize((added.place + added.size) as usize, 0);
        let new_strings = added.place + added.strings_at;
        self.bytes[new_strings as usize..].copy_from_slice(&strings);
        let (address, length) = (added.base + added.strings_at, strings.len() as u64);
        self.follow(old_strings, new_strings, address, length)?;
        for (tag, value) in &mut entries {
            match *tag {
                DT_STRTAB => *value = address,
                DT_STRSZ => *value = length,
                _ => {}
            }
        }
        if added.dynamic > 0 {
            let place = added.place + added.dynamic_at;
            let address = added.base + added.dynamic_at;
            self.follow(dynamic.offset, place, address, added.dynamic)?;
        }
        added.enter(&mut segments, self.page())?;
        self.put_segments(added.place, &segments)?;
        self.put_dynamic(&entries)
    }

    /// The dynamic string table.
    fn all_strings(&self) -> Result<Vec<u8>, Broken> {
        let start = self.strings()?;
        let size = self.value(DT_STRSZ)?.ok_or_else(broken)?;
        usize::try_from(size)
            .ok()
            .and_then(|size| self.bytes.get(start as usize..)?.get(..size))
            .map(<[u8]>::to_vec)
            .ok_or_else(broken)
    }

    /// Where everything goes, for so many dynamic entries and bytes of strings.
    fn added(
        &self,
        segments: &[Segment],
        dynamic: &Segment,
        entries: usize,
        strings: usize,
    ) -> Result<Added, Broken> {
        // The table must still end with a DT_NULL.
        let needed = (entries as u64 + 1) * 2 * self.word() as u64;
        let moved = if needed <= dynamic.size { 0 } else { needed };
        let headers = (segments.len() as u64 + 1) * self.segment_size();
        let end = segments
            .iter()
            .filter(|segment| segment.kind == PT_LOAD)
            .map(|segment| segment.address.saturating_add(segment.memory))
            .max()
            .ok_or_else(broken)?;
        let place = (self.bytes.len() as u64).next_multiple_of(16);
        let page = self.page();
        let dynamic_at = headers.next_multiple_of(16);
        let strings_at = dynamic_at + moved;
        Ok(Added {
            place,
            base: end.next_multiple_of(page) + place % page,
            headers,
            dynamic_at,
            dynamic: moved,
            strings_at,
            size: strings_at + strings as u64,
        })
    }

    /// Writes the program headers to `place`, and leads the file header to them.
    fn put_segments(&mut self, place: u64, segments: &[Segment]) -> Result<(), Broken> {
        self.put(self.field(32), self.word(), place)?;
        self.put(self.field(56), 2, segments.len() as u64)?;
        for (index, segment) in segments.iter().enumerate() {
            self.put_segment(place + index as u64 * self.segment_size(), segment)?;
        }
        Ok(())
    }

    /// The largest page size of this kind of machine.
    fn page(&self) -> u64 {
        // x86 and x86-64 have one size.
        match self.number(18, 2) {
            Ok(3 | 62) => 0x1000,
            _ => 0x10000,
        }
    }

    /// Updates the section header of the section at `from` in the file to the new place of its contents.
    fn follow(&mut self, from: u64, offset: u64, address: u64, size: u64) -> Result<(), Broken> {
        let (table, _) = self.section_table()?;
        for (index, mut section) in self.sections()?.into_iter().enumerate() {
            if section.offset == from
                && section.is_loaded()
                && section.size > 0
                && section.kind != SHT_NOBITS
            {
                (section.offset, section.address, section.size) = (offset, address, size);
                self.put_section(table + index as u64 * self.section_size(), &section)?;
            }
        }
        Ok(())
    }
}

impl Added {
    /// Enters it in the table of segments, and there what moves into it.
    fn enter(&self, segments: &mut Vec<Segment>, page: u64) -> Result<(), Broken> {
        for segment in segments.iter_mut() {
            match segment.kind {
                PT_PHDR => {
                    (segment.offset, segment.address) = (self.place, self.base);
                    (segment.size, segment.memory) = (self.headers, self.headers);
                }
                PT_DYNAMIC if self.dynamic > 0 => {
                    segment.offset = self.place + self.dynamic_at;
                    segment.address = self.base + self.dynamic_at;
                    (segment.size, segment.memory) = (self.dynamic, self.dynamic);
                }
                _ => {}
            }
        }
        // PT_LOAD segments must be in the order of their addresses.
        let last = segments
            .iter()
            .rposition(|segment| segment.kind == PT_LOAD)
            .ok_or_else(broken)?;
        let added = Segment {
            kind: PT_LOAD,
            // The dynamic linker writes to the dynamic section, so its segment must be writable.
            flags: if self.dynamic > 0 { 6 } else { 4 },
            offset: self.place,
            address: self.base,
            size: self.size,
            memory: self.size,
            align: page,
        };
        segments.insert(last + 1, added);
        Ok(())
    }
}
