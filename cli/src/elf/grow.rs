//! Adds a string for which the file has no room: a new segment at the end of the file gets a longer string table.
use super::{
    Broken, DT_STRSZ, DT_STRTAB, Elf, PT_DYNAMIC, PT_LOAD, PT_PHDR, SHT_NOBITS, Segment, broken,
};

impl Elf {
    /// Adds the string `text`, and a dynamic entry with `tag` for it. `entries` are all other dynamic entries.
    ///
    /// The segment holds the program headers (there is one more), the strings, and the dynamic entries if they do not fit
    /// where they are. Everything else keeps its place, in the file and in memory.
    pub(super) fn grow(
        &mut self,
        mut entries: Vec<(u64, u64)>,
        tag: u64,
        text: &[u8],
    ) -> Result<(), Broken> {
        if self.is_program() {
            return Err("a program's search path cannot grow".into());
        }
        let old_strings = self.strings()?;
        let old_size = self.value(DT_STRSZ)?.ok_or_else(broken)?;
        let mut strings = usize::try_from(old_size)
            .ok()
            .and_then(|size| self.bytes.get(old_strings as usize..)?.get(..size))
            .ok_or_else(broken)?
            .to_vec();
        let offset = strings.len() as u64;
        strings.extend_from_slice(text);
        strings.push(0);
        entries.push((tag, offset));

        let dynamic = self.dynamic_segment()?.ok_or_else(broken)?;
        let entry = 2 * self.word() as u64;
        // The table must still end with a DT_NULL.
        let fits = (entries.len() as u64 + 1) * entry <= dynamic.size;
        let moved = if fits {
            0
        } else {
            (entries.len() as u64 + 1) * entry
        };
        let mut segments = self.segments()?;
        let headers = (segments.len() as u64 + 1) * self.segment_size();
        let page = self.page();
        let end = segments
            .iter()
            .filter(|segment| segment.kind == PT_LOAD)
            .map(|segment| segment.address.saturating_add(segment.memory))
            .max()
            .ok_or_else(broken)?;
        let place = (self.bytes.len() as u64).next_multiple_of(16);
        let base = end.next_multiple_of(page) + place % page;
        let dynamic_at = headers.next_multiple_of(16);
        let strings_at = dynamic_at + moved;
        let size = strings_at + strings.len() as u64;

        for (tag, value) in &mut entries {
            match *tag {
                DT_STRTAB => *value = base + strings_at,
                DT_STRSZ => *value = strings.len() as u64,
                _ => {}
            }
        }
        self.bytes.resize((place + size) as usize, 0);
        self.bytes[(place + strings_at) as usize..].copy_from_slice(&strings);
        self.follow(
            old_strings,
            place + strings_at,
            base + strings_at,
            strings.len() as u64,
        )?;
        if moved > 0 {
            self.follow(dynamic.offset, place + dynamic_at, base + dynamic_at, moved)?;
        }
        // The dynamic linker writes to the dynamic section, so its segment must be writable.
        let added = Segment {
            kind: PT_LOAD,
            flags: if moved > 0 { 6 } else { 4 },
            offset: place,
            address: base,
            size,
            memory: size,
            align: page,
        };
        for segment in &mut segments {
            match segment.kind {
                PT_PHDR => {
                    (segment.offset, segment.address) = (place, base);
                    (segment.size, segment.memory) = (headers, headers);
                }
                PT_DYNAMIC if moved > 0 => {
                    (segment.offset, segment.address) = (place + dynamic_at, base + dynamic_at);
                    (segment.size, segment.memory) = (moved, moved);
                }
                _ => {}
            }
        }
        // PT_LOAD segments must be in the order of their addresses.
        let last = segments
            .iter()
            .rposition(|segment| segment.kind == PT_LOAD)
            .ok_or_else(broken)?;
        segments.insert(last + 1, added);
        self.put(self.field(32), self.word(), place)?;
        self.put(self.field(56), 2, segments.len() as u64)?;
        for (index, segment) in segments.iter().enumerate() {
            self.put_segment(place + index as u64 * self.segment_size(), segment)?;
        }
        self.put_dynamic(&entries)
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
