//! Reads an index.

use std::ops::Range;

pub(super) const VERSION: u32 = 1;
/// How many numbers there are in front of the ends of the texts.
pub(super) const HEAD: usize = 6;
/// More than fit into any text.
const MOST_NUMBERED: u32 = i32::MAX as u32;

/// An index. It is read where it lies; what it says beyond its end is zero, and nothing that it says is trusted to be a
/// place in a text.
#[derive(Clone, Copy)]
pub(super) struct Index<'a> {
    bytes: &'a [u8],
}

impl<'a> Index<'a> {
    /// `None` if it is of another version, or is not as long as it says.
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let index = Self { bytes };
        let [texts, segments, names, lists] = [1, 2, 3, 4].map(|at| index.number(at) as usize);
        let numbers = HEAD + texts + 3 * (segments + 1) + 3 * (names + 1) + lists;
        (index.number(0) == VERSION && bytes.len() == numbers * 4).then_some(index)
    }
    fn number(self, at: usize) -> u32 {
        let bytes = self.bytes.get(at * 4..at * 4 + 4);
        bytes.map_or(0, |bytes| {
            u32::from_le_bytes(bytes.try_into().unwrap_or_default())
        })
    }
    pub(super) fn texts(self) -> usize {
        self.number(1) as usize
    }
    pub(super) fn segments(self) -> usize {
        self.number(2) as usize
    }
    /// How many records and enums without a name there are.
    pub(super) fn numbered(self) -> u32 {
        self.number(5).min(MOST_NUMBERED)
    }
    fn first_segment(self) -> usize {
        HEAD + self.texts()
    }
    fn first_name(self) -> usize {
        self.first_segment() + 3 * (self.segments() + 1)
    }
    /// A list, whose beginning is a number, as is the beginning of the one behind it.
    fn list(self, begin: usize, next: usize) -> impl Iterator<Item = u32> + use<'a> {
        let first = self.first_name() + 3 * (self.number(3) as usize + 1);
        let range = self.number(begin)..self.number(next).min(self.number(4));
        range.map(move |at| self.number(first + at as usize))
    }
    /// The text that a segment is in.
    pub(super) fn text_of(self, segment: u32) -> usize {
        let ends = 0..self.texts();
        ends.filter(|text| self.number(HEAD + text) <= segment)
            .count()
    }
    /// The bytes of a segment, in a text of so many.
    pub(super) fn range(self, segment: u32, text: usize, length: usize) -> Range<usize> {
        let at = |segment: u32| self.number(self.first_segment() + 3 * segment as usize) as usize;
        let is_last = self.number(HEAD + text) == segment + 1;
        let end = if is_last { length } else { at(segment + 1) };
        let end = end.min(length);
        at(segment).min(end)..end
    }
    /// How many numbers were given in front of a segment.
    pub(super) fn numbered_before(self, segment: u32) -> u32 {
        let number = self.number(self.first_segment() + 3 * segment as usize + 1);
        number.min(MOST_NUMBERED)
    }
    /// What a segment needs.
    pub(super) fn needs(self, segment: u32) -> impl Iterator<Item = u32> + use<'a> {
        let begin = self.first_segment() + 3 * segment as usize + 2;
        self.list(begin, begin + 3)
    }
    /// The segments that declare a name.
    pub(super) fn find<'t>(self, name: &str, text: impl Fn(usize) -> &'t str) -> Option<Vec<u32>> {
        let (mut low, mut high) = (0, self.number(3) as usize);
        while low < high {
            let middle = low + (high - low) / 2;
            let entry = self.first_name() + 3 * middle;
            let first = self.list(entry + 2, entry + 5).next()?;
            let start = self.number(entry) as usize;
            let there = text(self.text_of(first))
                .as_bytes()
                .get(start..start + self.number(entry + 1) as usize)?;
            match there.cmp(name.as_bytes()) {
                std::cmp::Ordering::Equal => {
                    return Some(self.list(entry + 2, entry + 5).collect());
                }
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }
}
