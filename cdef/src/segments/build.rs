//! Makes an index.

use std::collections::{BTreeMap, HashMap};

use super::SegmentText;
use super::index::{HEAD, VERSION};
use crate::declarations::Declarations;
use crate::keyword::Keyword;
use crate::lexer::{Lexer, Tok};
use crate::parser::PieceName;
use crate::target::Target;
use crate::types::TypeTable;

/// A part of a text with one declaration or directive.
struct Segment {
    text: usize,
    start: u32,
    /// How many numbers were given before it.
    numbered: u32,
    /// The names and keywords in it, and where each is first.
    words: HashMap<String, u32>,
}

#[derive(Default)]
struct Builder {
    segments: Vec<Segment>,
    /// Where each text's segments end.
    ends: Vec<u32>,
    /// The segments that declare a name.
    names: BTreeMap<String, Vec<u32>>,
    /// Tags, and the segment that mentions each first.
    tags: BTreeMap<String, u32>,
}

/// The index of the texts, which have no errors and are parsed one after the other. `None`: they have to be parsed whole.
pub fn segment_index(texts: &[SegmentText]) -> Option<Vec<u8>> {
    let mut declarations = Declarations::new(Target::host());
    let mut builder = Builder::default();
    for (number, text) in texts.iter().enumerate() {
        let (taken, pieces, cuts) = declarations.parse_with_cuts(text.text(), &text.options());
        taken.ok()?;
        let first = builder.segments.len();
        builder.take_text(number, text.text(), &cuts)?;
        for piece in pieces {
            let after = builder.segments[first..].partition_point(|one| one.start <= piece.start);
            for name in piece.names {
                let (PieceName::Typedef(symbol)
                | PieceName::Object(symbol)
                | PieceName::Enumerator(symbol)
                | PieceName::Tag(symbol)) = name;
                builder.declares((first + after - 1) as u32, declarations.text(symbol));
            }
        }
    }
    builder.finish(declarations.types.numbers())
}

impl Builder {
    fn declares(&mut self, segment: u32, name: &str) {
        let list = self.names.entry(name.to_owned()).or_default();
        if let Err(place) = list.binary_search(&segment) {
            list.insert(place, segment);
        }
    }

    /// Cuts a text behind each declaration, and behind each directive between them.
    fn take_text(&mut self, text: usize, all: &str, cuts: &[(u32, u32)]) -> Option<()> {
        let mut start = if all.starts_with('\u{feff}') { 3 } else { 0 };
        let mut numbered = 0;
        if let Some(last) = self.segments.last() {
            numbered = last.numbered;
        }
        let end = (all.len() as u32, 0);
        for (index, &(cut, after)) in cuts.iter().chain([&end]).enumerate() {
            if index == 0 {
                numbered = after;
                start = start.max(cut);
                continue;
            }
            if cut > start {
                self.take_declaration(text, &all[..cut as usize], start, numbered)?;
            }
            (start, numbered) = (cut, after);
        }
        self.ends.push(self.segments.len() as u32);
        Some(())
    }

    /// Takes what is between two cuts: directives, and a declaration behind them. `all`: the text up to the second cut.
    fn take_declaration(
        &mut self,
        text: usize,
        all: &str,
        start: u32,
        numbered: u32,
    ) -> Option<()> {
        let mut names = TypeTable::default();
        let mut lexer = Lexer::new(all);
        lexer.position = start as usize;
        let mut segment = self.begin(text, start, numbered);
        let mut has_declaration = false;
        loop {
            let token = lexer.next(&mut names);
            match token.tok {
                Tok::Eof => return Some(()),
                // What follows cannot be told apart any more.
                Tok::Unterminated | Tok::Stray => return None,
                Tok::Directive => {
                    let end = lexer.directive_end();
                    let mut line = Lexer::new(&all[..end]);
                    line.position = token.end as usize;
                    self.take_define(&mut line, &mut names, segment)?;
                    lexer.resume(end, all.len());
                    if !has_declaration {
                        // Another one only if something is behind it.
                        let mut ahead = lexer;
                        if ahead.next(&mut names).tok == Tok::Eof {
                            return Some(());
                        }
                        segment = self.begin(text, end as u32, numbered);
                    }
                }
                Tok::Name | Tok::Keyword(_) => {
                    has_declaration = true;
                    let word = &all[token.start as usize..token.end as usize];
                    self.word(segment, word, token.start);
                    let is_tag = matches!(
                        token.tok,
                        Tok::Keyword(Keyword::Struct | Keyword::Union | Keyword::Enum)
                    );
                    let mut ahead = lexer;
                    let next = ahead.next(&mut names);
                    if is_tag && matches!(next.tok, Tok::Name | Tok::Keyword(_)) {
                        let tag = &all[next.start as usize..next.end as usize];
                        self.tags.entry(tag.to_owned()).or_insert(segment);
                    }
                }
                _ => has_declaration = true,
            }
        }
    }

    fn begin(&mut self, text: usize, start: u32, numbered: u32) -> u32 {
        self.segments.push(Segment {
            text,
            start,
            numbered,
            words: HashMap::new(),
        });
        self.segments.len() as u32 - 1
    }

    fn word(&mut self, segment: u32, word: &str, at: u32) {
        let words = &mut self.segments[segment as usize].words;
        words.entry(word.to_owned()).or_insert(at);
    }

    /// Takes the line of a directive, which must be `#define` or nothing.
    fn take_define(&mut self, line: &mut Lexer, names: &mut TypeTable, segment: u32) -> Option<()> {
        let text = line.text();
        let mut next = || {
            let token = line.next(names);
            (token, &text[token.start as usize..token.end as usize])
        };
        match next() {
            (token, _) if token.tok == Tok::Eof => return Some(()),
            (_, "define") => {}
            _ => return None,
        }
        let (name, word) = next();
        self.word(segment, word, name.start);
        self.declares(segment, word);
        loop {
            match next() {
                (token, _) if token.tok == Tok::Eof => return Some(()),
                (token, word) if matches!(token.tok, Tok::Name | Tok::Keyword(_)) => {
                    self.word(segment, word, token.start);
                }
                // The parser does not read further: the macro stands for something else than a number.
                (token, _) if matches!(token.tok, Tok::Unterminated | Tok::Stray) => {
                    return Some(());
                }
                _ => {}
            }
        }
    }

    fn finish(mut self, numbered: u32) -> Option<Vec<u8>> {
        for (tag, segment) in std::mem::take(&mut self.tags) {
            self.names.entry(tag).or_insert_with(|| vec![segment]);
        }
        let mut lists = Vec::new();
        let mut numbers = vec![
            VERSION,
            self.ends.len() as u32,
            self.segments.len() as u32,
            self.names.len() as u32,
            0,
            numbered,
        ];
        debug_assert_eq!(numbers.len(), HEAD);
        numbers.extend(&self.ends);
        for (own, segment) in self.segments.iter().enumerate() {
            numbers.extend([segment.start, segment.numbered, lists.len() as u32]);
            let mut needs: Vec<u32> = segment
                .words
                .keys()
                .filter_map(|word| self.names.get(word))
                .flatten()
                .copied()
                .filter(|&other| other as usize != own)
                .collect();
            needs.sort_unstable();
            needs.dedup();
            lists.extend(needs);
        }
        numbers.extend([0, 0, lists.len() as u32]);
        for (name, segments) in &self.names {
            let first = self.segments.get(*segments.first()? as usize)?;
            debug_assert!(first.text < self.ends.len());
            numbers.extend([
                *first.words.get(name)?,
                name.len() as u32,
                lists.len() as u32,
            ]);
            lists.extend(segments);
        }
        numbers.extend([0, 0, lists.len() as u32]);
        numbers[4] = lists.len() as u32;
        numbers.extend(lists);
        Some(numbers.into_iter().flat_map(u32::to_le_bytes).collect())
    }
}
