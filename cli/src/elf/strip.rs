//! Removes what is not loaded: symbol tables, debug information, comments.
use super::file::{Broken, Elf};
use super::tables::{PT_LOAD, Section, Segment};

impl Elf {
    /// Removes the sections that are not loaded. What is loaded stays where it is, in the file and in memory, and the
    /// other sections keep their numbers, which symbols refer to. A file with data behind its sections, which only its
    /// own program understands, is not changed.
    pub fn strip(&mut self) -> Result<(), Broken> {
        // An object that is yet to be linked needs all it has.
        if !self
            .segments()?
            .iter()
            .any(|segment| segment.kind == PT_LOAD)
        {
            return Ok(());
        }
        let sections = self.sections()?;
        let (table, count) = self.section_table()?;
        let Some(last) = sections.iter().rposition(Section::is_loaded) else {
            return Ok(());
        };
        if sections[last + 1..].len() <= 1 {
            // Only the table of section names is not loaded: nothing to remove.
            return Ok(());
        }
        let (headers, segments) = self.segment_table()?;
        let known = sections
            .iter()
            .map(Section::end)
            .chain(self.segments()?.iter().map(Segment::end))
            .chain([
                table + count * self.section_size(),
                headers + segments * self.segment_size(),
            ])
            .max()
            .unwrap_or(0);
        if known + 16 < self.bytes.len() as u64 || known > self.bytes.len() as u64 {
            return Ok(());
        }
        let end = sections
            .iter()
            .filter(|section| section.is_loaded())
            .map(Section::end)
            .chain(self.segments()?.iter().map(Segment::end))
            .chain([headers + segments * self.segment_size()])
            .max()
            .unwrap_or(0);
        self.forget(&sections, end)?;
        let kept = self.kept_sections(&sections, last)?;
        self.bytes.truncate(end as usize);
        self.put_sections(kept)
    }

    /// Overwrites removed sections that lie between loaded ones with zeros.
    fn forget(&mut self, sections: &[Section], end: u64) -> Result<(), Broken> {
        let loaded: Vec<(u64, u64)> = self
            .segments()?
            .iter()
            .map(|segment| (segment.offset, segment.end()))
            .collect();
        for section in sections.iter().filter(|section| !section.is_loaded()) {
            let (start, stop) = (section.offset, section.end().min(end));
            if stop > start && !loaded.iter().any(|&(from, to)| from < stop && start < to) {
                self.bytes[start as usize..stop as usize].fill(0);
            }
        }
        Ok(())
    }

    /// The section headers that are kept, each with its name.
    fn kept_sections(
        &self,
        sections: &[Section],
        last: usize,
    ) -> Result<Vec<(Section, Vec<u8>)>, Broken> {
        let names = sections
            .get(self.number(self.field(62), 2)? as usize)
            .copied()
            .unwrap_or_default();
        let is_kept = |index: u64| sections.get(index as usize).is_some_and(Section::is_loaded);
        Ok(sections[..=last]
            .iter()
            .map(|section| {
                if !section.is_loaded() {
                    return (Section::default(), Vec::new());
                }
                let text = self
                    .bytes
                    .get((names.offset + section.name) as usize..)
                    .and_then(|rest| rest.split(|&byte| byte == 0).next())
                    .unwrap_or_default();
                let mut section = *section;
                if !is_kept(section.link) {
                    section.link = 0;
                }
                (section, text.to_vec())
            })
            .collect())
    }

    /// Writes the section headers and a table of their names at the end of the file.
    fn put_sections(&mut self, mut sections: Vec<(Section, Vec<u8>)>) -> Result<(), Broken> {
        sections.push((
            Section {
                kind: 3,
                align: 1,
                ..Section::default()
            },
            b".shstrtab".to_vec(),
        ));
        let mut names = vec![0];
        for (section, name) in &mut sections {
            if !name.is_empty() {
                section.name = names.len() as u64;
                names.extend_from_slice(name);
                names.push(0);
            }
        }
        let place = self.bytes.len() as u64;
        if let Some((section, _)) = sections.last_mut() {
            (section.offset, section.size) = (place, names.len() as u64);
        }
        self.bytes.extend_from_slice(&names);
        let table = (self.bytes.len() as u64).next_multiple_of(8);
        let size = sections.len() as u64 * self.section_size();
        self.bytes.resize((table + size) as usize, 0);
        self.put(self.field(40), self.word(), table)?;
        self.put(self.field(60), 2, sections.len() as u64)?;
        self.put(self.field(62), 2, sections.len() as u64 - 1)?;
        for (index, (section, _)) in sections.iter().enumerate() {
            self.put_section(table + index as u64 * self.section_size(), section)?;
        }
        Ok(())
    }
}
