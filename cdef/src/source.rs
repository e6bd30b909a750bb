//! Source texts and places in them.

use std::sync::{Arc, OnceLock};

/// The number of a source text of one [`Declarations`](crate::Declarations), in the order of parsing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, PartialOrd, Ord)]
pub struct SourceId(pub u32);

impl SourceId {
    /// The id for texts that are not kept: type strings, and the texts of included declarations.
    pub const NOT_KEPT: Self = Self(u32::MAX);
}

/// A half-open range of bytes in a source.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Span {
    /// Which source.
    pub source: SourceId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span of declarations that were included.
    pub(crate) const NOWHERE: Self = Self {
        source: SourceId::NOT_KEPT,
        start: 0,
        end: 0,
    };
    /// Whether what it is the place of is in no text: it is from other declarations, or from tables.
    pub fn is_nowhere(self) -> bool {
        self == Self::NOWHERE
    }
}

/// CFFI's name for a cdef's text in messages, used unless a text has a name.
pub const DEFAULT_FILE: &str = "<cdef source string>";

/// A line marker (`# 42 "api.h"` or `#line 42 "api.h"`), as a preprocessor leaves them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct LineMarker {
    /// First byte of the line that the marker numbers.
    pub(crate) offset: u32,
    /// That line's number.
    pub(crate) line: u32,
    pub(crate) file: Arc<str>,
}

/// One text that was parsed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    pub(crate) file: Arc<str>,
    pub(crate) text: Arc<str>,
    pub(crate) is_type_string: bool,
    pub(crate) markers: Vec<LineMarker>,
    pub(crate) lines_before: LinesBefore,
}

/// The number of lines that end in front of each block of a text, counted at the first use. They make the line numbers
/// of thousands of errors cheap.
#[derive(Clone, Debug, Default)]
pub(crate) struct LinesBefore(OnceLock<Box<[u32]>>);

/// The counts follow from the text: they do not matter when sources are compared.
impl PartialEq for LinesBefore {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for LinesBefore {}

impl LinesBefore {
    /// Bytes of a block.
    const BLOCK: usize = 4096;

    /// How many lines of `text` end before `offset`.
    pub(crate) fn count(&self, text: &[u8], offset: usize) -> u32 {
        let newlines = |bytes: &[u8]| bytes.iter().filter(|&&byte| byte == b'\n').count() as u32;
        let blocks = self.0.get_or_init(|| {
            let mut before = 0;
            let count = |block| {
                let after = before + newlines(block);
                std::mem::replace(&mut before, after)
            };
            text.chunks(Self::BLOCK).map(count).collect()
        });
        let block = offset / Self::BLOCK;
        // If the text ends at the end of a block, `offset` may be in the block behind the last.
        match blocks.get(block) {
            Some(before) => before + newlines(&text[block * Self::BLOCK..offset]),
            None => blocks.last().map_or(0, |before| {
                before + newlines(&text[(block - 1) * Self::BLOCK..])
            }),
        }
    }
}

/// A place in a source, with the numbers that people use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Location<'a> {
    /// Name of the file, as given or as a line marker says.
    pub file: &'a str,
    /// Line, from 1, as line markers say.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// Whether a line marker gave the file and line.
    pub marked: bool,
}

impl Source {
    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }
    /// The name it was given.
    pub fn file(&self) -> &str {
        &self.file
    }
    /// File, line and column of a byte.
    pub fn location(&self, offset: u32) -> Location<'_> {
        let offset = self.clamp(offset);
        let before = &self.text[..offset];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before[line_start..].chars().count() as u32 + 1;
        let is_before = |marker: &LineMarker| marker.offset as usize <= line_start;
        let marker = self.markers[..self.markers.partition_point(is_before)].last();
        let (file, first, from): (&str, u32, usize) = match marker {
            Some(marker) => (&marker.file, marker.line, marker.offset as usize),
            None => (&self.file, 1, 0),
        };
        let newlines = |offset| self.lines_before.count(self.text.as_bytes(), offset);
        Location {
            file,
            line: first.saturating_add(newlines(line_start) - newlines(from.min(line_start))),
            column,
            marked: marker.is_some(),
        }
    }
    /// An index of the lines, for the locations of many places.
    pub fn line_index(&self) -> LineIndex<'_> {
        let newlines = self.text.bytes().zip(1u32..);
        LineIndex {
            source: self,
            starts: newlines
                .filter(|&(byte, _)| byte == b'\n')
                .map(|(_, start)| start)
                .collect(),
        }
    }
    /// The line that a byte is in, without its end, and the offset at which it starts.
    pub fn line_at(&self, offset: u32) -> (&str, usize) {
        let offset = self.clamp(offset);
        let start = self.text[..offset].rfind('\n').map_or(0, |at| at + 1);
        let end = self.text[offset..]
            .find('\n')
            .map_or(self.text.len(), |at| offset + at);
        (self.text[start..end].trim_end_matches('\r'), start)
    }
    /// The nearest character boundary at or before `offset`.
    fn clamp(&self, offset: u32) -> usize {
        let mut offset = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }
    /// The text of a range, cut to the text's ends.
    pub(crate) fn slice(&self, start: u32, end: u32) -> &str {
        &self.text[self.clamp(start)..self.clamp(end).max(self.clamp(start))]
    }
}

/// Where the lines of a [`Source`] begin.
#[derive(Clone, Debug)]
pub struct LineIndex<'a> {
    source: &'a Source,
    /// First bytes of all lines but the first.
    starts: Vec<u32>,
}

impl<'a> LineIndex<'a> {
    /// File and line (from 1) of a byte, as [`Source::location`] tells them.
    pub fn file_and_line(&self, offset: u32) -> (&'a str, u32) {
        let line_of = |offset: u32| self.starts.partition_point(|&start| start <= offset);
        let at = line_of(offset);
        let line_start = at.checked_sub(1).map_or(0, |index| self.starts[index]);
        let markers = &self.source.markers;
        let (file, first, from) =
            match markers[..markers.partition_point(|marker| marker.offset <= line_start)].last() {
                Some(marker) => (&*marker.file, marker.line, line_of(marker.offset)),
                None => (&*self.source.file, 1, 0),
            };
        (file, first.saturating_add((at - from.min(at)) as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: String, markers: Vec<LineMarker>) -> Source {
        Source {
            file: "api.h".into(),
            text: text.into(),
            is_type_string: false,
            markers,
            lines_before: LinesBefore::default(),
        }
    }

    #[test]
    fn lines_of_long_texts_are_counted() {
        for last in ["", "\n", "x", &"y".repeat(200)] {
            let text = "int a;\n\n".repeat(1024) + last;
            let source = source(text, Vec::new());
            let text = source.text();
            for offset in (0..=text.len())
                .step_by(61)
                .chain([4095, 4096, 4097, 8192, text.len()])
            {
                let before = &text.as_bytes()[..offset];
                let newlines = before.iter().filter(|&&byte| byte == b'\n').count() as u32;
                assert_eq!(
                    source.location(offset as u32).line,
                    newlines + 1,
                    "at byte {offset}"
                );
            }
        }
    }

    #[test]
    fn an_index_finds_what_the_text_says() {
        let source = source(
            "int a;\n\nint b;\n# 40 \"other.h\"\nint c;\nint d;\n# 7 \"third.h\"\nint e;".into(),
            vec![
                LineMarker {
                    offset: 30,
                    line: 40,
                    file: "other.h".into(),
                },
                LineMarker {
                    offset: 58,
                    line: 7,
                    file: "third.h".into(),
                },
            ],
        );
        let index = source.line_index();
        for offset in 0..=source.text.len() as u32 + 2 {
            let place = source.location(offset);
            assert_eq!(
                index.file_and_line(offset.min(source.text.len() as u32)),
                (place.file, place.line),
                "at byte {offset}"
            );
        }
    }
}
