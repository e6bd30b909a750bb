//! Parses segments when what they declare is asked for.

use std::sync::Arc;

use super::index::Index;
use crate::declarations::Declarations;
use crate::diagnostic::Diagnostic;
use crate::parser::ParseOptions;
use crate::source::{DEFAULT_FILE, Source, SourceId};

/// A text, and how it is to be read.
#[derive(Clone, Debug)]
pub struct SegmentText {
    source: Arc<Source>,
    packed: bool,
    pack: Option<u32>,
    as_cffi: bool,
}

impl SegmentText {
    /// A text without errors. Of the options, those that say how it is read are kept.
    pub fn new(text: impl Into<Arc<str>>, options: &ParseOptions<'_>) -> Self {
        Self {
            source: Arc::new(Source {
                file: options.file.unwrap_or(DEFAULT_FILE).into(),
                text: text.into(),
                is_type_string: false,
                markers: Vec::new(),
                lines_before: Default::default(),
            }),
            packed: options.packed,
            pack: options.pack,
            as_cffi: options.as_cffi,
        }
    }
    /// The text.
    pub fn text(&self) -> &str {
        &self.source.text
    }
    /// The options for its segments.
    pub(crate) fn options(&self) -> ParseOptions<'_> {
        ParseOptions {
            file: Some(&self.source.file),
            packed: self.packed,
            pack: self.pack,
            as_cffi: self.as_cffi,
            of_headers: true,
            other_macros: true,
            ..ParseOptions::default()
        }
    }
}

/// Texts with their index, and what of them was parsed so far. `B` has the bytes of the index.
pub struct Segments<B> {
    texts: Vec<SegmentText>,
    bytes: B,
    /// By segment; empty before the first one is parsed.
    parsed: Vec<bool>,
    /// How many are not parsed yet.
    left: usize,
}

impl<B: AsRef<[u8]>> Segments<B> {
    /// `None` if the index is not one that this version reads, or has another number of texts.
    pub fn new(texts: Vec<SegmentText>, bytes: B) -> Option<Self> {
        let index = Index::new(bytes.as_ref())?;
        let left = index.segments();
        (index.texts() == texts.len()).then_some(Self {
            texts,
            bytes,
            parsed: Vec::new(),
            left,
        })
    }

    fn index(&self) -> Index<'_> {
        Index::new(self.bytes.as_ref()).expect("`new` has looked")
    }

    /// Whether everything is declared.
    pub fn is_done(&self) -> bool {
        self.left == 0
    }

    /// Declares what a name means, with all that this needs; nothing, if no text declares it. `declarations` are those
    /// that all other calls get.
    ///
    /// # Errors
    /// The texts have errors, or the index is not theirs.
    pub fn declare(
        &mut self,
        declarations: &mut Declarations,
        name: &str,
    ) -> Result<(), Vec<Diagnostic>> {
        let found = self.index().find(name, |text| {
            self.texts.get(text).map_or("", SegmentText::text)
        });
        self.declare_segments(declarations, found.unwrap_or_default())
    }

    /// Declares what the names in a type string mean.
    ///
    /// # Errors
    /// As [`declare`](Self::declare).
    pub fn declare_words(
        &mut self,
        declarations: &mut Declarations,
        text: &str,
    ) -> Result<(), Vec<Diagnostic>> {
        crate::tables::words(text).try_for_each(|word| self.declare(declarations, word))
    }

    /// Declares everything.
    ///
    /// # Errors
    /// As [`declare`](Self::declare).
    pub fn declare_all(&mut self, declarations: &mut Declarations) -> Result<(), Vec<Diagnostic>> {
        let all = (0..self.index().segments() as u32).collect();
        self.declare_segments(declarations, all)
    }

    /// Parses these segments, and what they need, in the order of the texts, if they were not parsed yet.
    fn declare_segments(
        &mut self,
        declarations: &mut Declarations,
        mut wanted: Vec<u32>,
    ) -> Result<(), Vec<Diagnostic>> {
        if wanted.is_empty() {
            return Ok(());
        }
        if self.parsed.is_empty() {
            let index = self.index();
            declarations.types.set_numbers(index.numbered());
            let sources = self.texts.iter().map(|text| Arc::clone(&text.source));
            declarations.sources.extend(sources);
            self.parsed = vec![false; self.index().segments()];
        }
        let mut found = Vec::new();
        while let Some(segment) = wanted.pop() {
            match self.parsed.get_mut(segment as usize) {
                Some(parsed) if !*parsed => *parsed = true,
                _ => continue,
            }
            found.push(segment);
            wanted.extend(self.index().needs(segment));
        }
        self.left -= found.len();
        found.sort_unstable();
        found
            .into_iter()
            .try_for_each(|segment| self.parse(declarations, segment))
    }

    fn parse(&self, declarations: &mut Declarations, segment: u32) -> Result<(), Vec<Diagnostic>> {
        let index = self.index();
        let number = index.text_of(segment);
        let Some(text) = self.texts.get(number) else {
            return Ok(());
        };
        let range = index.range(segment, number, text.text().len());
        let all_numbers = declarations.types.numbers();
        declarations
            .types
            .set_numbers(index.numbered_before(segment));
        let source = SourceId(number as u32);
        let result = declarations.parse_segment(text.text(), range, source, &text.options());
        declarations.types.set_numbers(all_numbers);
        result
    }
}
