//! Which declarations stay in the plain cdef: those of the named files (or those that the patterns choose), and the
//! types that they need.

use rustc_hash::FxHashMap;

use super::reading::Reading;
use super::{HeaderFile, HeaderOptions, PartKind};
use crate::declarations::{Declarations, Item};
use crate::keyword::Keyword;
use crate::lexer::{Lexer, Tok};
use crate::parser::{ParseOptions, Piece, PieceName};
use crate::predefined::{self, Predefined};
use crate::types::Symbol;

/// What stays of a text.
#[derive(Debug, Default)]
pub(super) struct Cut {
    /// The kind of each piece; `None`: the piece is left out.
    pub(super) kinds: Vec<Option<PartKind>>,
    /// The kinds of the macros that stay, and their `#define` lines.
    pub(super) macros: Vec<(PartKind, MacroLine)>,
    /// The patterns that match no name of a declaration or macro that stays.
    pub(super) unmatched: Vec<String>,
}

/// A macro.
#[derive(Debug)]
pub(super) struct MacroLine {
    pub(super) file: String,
    pub(super) line: u32,
    pub(super) text: String,
    pub(super) is_integer: bool,
}

/// The pieces that declare each name: indexes by name.
#[derive(Default)]
struct Places {
    tags: FxHashMap<Symbol, usize>,
    types: FxHashMap<Symbol, usize>,
    objects: FxHashMap<Symbol, usize>,
}

pub(super) fn cut(
    files: &[HeaderFile<'_>],
    options: &HeaderOptions,
    reading: &Reading<'_>,
    pieces: &[Piece],
    declarations: &mut Declarations,
) -> Cut {
    let places = Places::of(pieces, declarations);
    let mut cut = Cut {
        kinds: vec![None; pieces.len()],
        ..Cut::default()
    };
    // For each named file: it is not exported itself, and an exported one includes it.
    let is_included: Vec<bool> = (0..files.len())
        .map(|main| {
            let is_exported = |main: usize| files[main].is_exported;
            !is_exported(main) && reading.result.is_included_by(main, is_exported)
        })
        .collect();
    let kinds: Vec<PartKind> = pieces
        .iter()
        .map(|piece| match reading.main_of(piece.start) {
            None => PartKind::Included,
            Some(main) if is_included[main] => PartKind::Included,
            // A function that the header defines itself (`static inline`) cannot be exported by the plugin.
            Some(main) if files[main].is_exported && piece.body.is_none() => PartKind::Exported,
            Some(_) => PartKind::Declared,
        })
        .collect();
    let mut waiting = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        let is_here = options.all
            || reading.main_of(piece.start).is_some()
            || options.is_own(reading.line_of(piece.start).0);
        if is_here && is_chosen(options, piece, declarations) && !is_known_anyway(piece) {
            cut.kinds[index] = Some(kinds[index]);
            waiting.push(index);
        }
    }
    macros(
        files,
        &is_included,
        options,
        reading,
        declarations,
        &mut cut,
    );
    // The text of a macro may use enumerators and, in `sizeof`, types: these are needed too.
    let mut needed = Vec::new();
    for (_, line) in &cut.macros {
        needed.extend(places.named_in(&line.text, declarations));
    }
    loop {
        for &index in &needed {
            if cut.kinds[index].is_none() && !is_known_anyway(&pieces[index]) {
                cut.kinds[index] = Some(kinds[index]);
                waiting.push(index);
            }
        }
        let Some(index) = waiting.pop() else {
            cut.unmatched = unmatched(options, pieces, &cut, declarations);
            return cut;
        };
        needed = places.needed_by(&pieces[index], reading, declarations);
    }
}

/// The names that a piece declares.
fn names<'a>(
    piece: &'a Piece,
    declarations: &'a Declarations,
) -> impl Iterator<Item = &'a str> + 'a {
    piece.names.iter().map(|&name| {
        let (PieceName::Typedef(name)
        | PieceName::Object(name)
        | PieceName::Enumerator(name)
        | PieceName::Tag(name)) = name;
        declarations.text(name)
    })
}

fn unmatched(
    options: &HeaderOptions,
    pieces: &[Piece],
    cut: &Cut,
    declarations: &Declarations,
) -> Vec<String> {
    let is_matched = |pattern: &String| {
        let mut kept = pieces.iter().zip(&cut.kinds);
        let mut lines = cut.macros.iter();
        kept.any(|(piece, kind)| {
            kind.is_some() && names(piece, declarations).any(|name| matches(pattern, name))
        }) || lines.any(|(_, line)| {
            let name = line.text.split(' ').nth(1);
            name.is_some_and(|name| matches(pattern, name))
        })
    };
    let only = options.only.iter();
    only.filter(|pattern| !is_matched(pattern))
        .cloned()
        .collect()
}

fn is_chosen(options: &HeaderOptions, piece: &Piece, declarations: &Declarations) -> bool {
    options.only.is_empty()
        || names(piece, declarations)
            .any(|name| options.only.iter().any(|pattern| matches(pattern, name)))
}

/// Whether a cdef has all the names that a piece declares without it: `typedef unsigned long size_t;`.
fn is_known_anyway(piece: &Piece) -> bool {
    !piece.names.is_empty()
        && piece.names.iter().all(|&name| match name {
            PieceName::Typedef(name) => matches!(
                predefined::lookup(name),
                Some(Predefined::Plain(_) | Predefined::File)
            ),
            _ => false,
        })
}

impl Places {
    fn of(pieces: &[Piece], declarations: &Declarations) -> Self {
        let mut places = Self::default();
        for (index, piece) in pieces.iter().enumerate() {
            for &name in &piece.names {
                let (map, name) = match name {
                    PieceName::Tag(name) => (&mut places.tags, name),
                    PieceName::Typedef(name) | PieceName::Enumerator(name) => {
                        (&mut places.types, name)
                    }
                    PieceName::Object(name) => match declarations.ordinary.get(&name) {
                        Some(Item::Constant(_)) => (&mut places.types, name),
                        _ => (&mut places.objects, name),
                    },
                };
                map.entry(name).or_insert(index);
            }
        }
        places
    }

    /// The pieces that may declare the names used in a piece.
    fn needed_by(
        &self,
        piece: &Piece,
        reading: &Reading<'_>,
        declarations: &mut Declarations,
    ) -> Vec<usize> {
        let end = piece.body.unwrap_or(piece.end) as usize;
        self.named_in(
            &reading.rendered.text[piece.start as usize..end],
            declarations,
        )
    }

    /// The pieces that may declare the names used in a text.
    fn named_in(&self, text: &str, declarations: &mut Declarations) -> Vec<usize> {
        let text = text.trim_start().strip_prefix("#define").unwrap_or(text);
        let mut lexer = Lexer::new(text);
        let mut needed = Vec::new();
        let (mut is_tag, mut asks_types) = (false, false);
        loop {
            let token = lexer.next(&mut declarations.types);
            match token.tok {
                Tok::Eof => return needed,
                Tok::Directive => {
                    let (at, all) = (lexer.directive_end(), lexer.end());
                    lexer.resume(at, all);
                }
                Tok::Keyword(Keyword::Struct | Keyword::Union | Keyword::Enum) => {
                    is_tag = true;
                    continue;
                }
                // `typeof(f)`, `sizeof(x)`: the name may be a function or a variable.
                Tok::Keyword(keyword) if is_typeof(keyword) => asks_types = true,
                Tok::Name => {
                    needed.extend(self.tags.get(&token.symbol).filter(|_| is_tag));
                    needed.extend(self.types.get(&token.symbol).filter(|_| !is_tag));
                    needed.extend(self.objects.get(&token.symbol).filter(|_| asks_types));
                }
                Tok::LBrace => {}
                // Attributes may stand between `struct` and its tag.
                _ if is_tag => continue,
                _ => {}
            }
            is_tag = false;
        }
    }
}

fn is_typeof(keyword: Keyword) -> bool {
    matches!(keyword, Keyword::Typeof | Keyword::Sizeof)
}

/// Collects the macros that stay, each with the value it expands to.
fn macros(
    files: &[HeaderFile<'_>],
    is_included: &[bool],
    options: &HeaderOptions,
    reading: &Reading<'_>,
    declarations: &mut Declarations,
    cut: &mut Cut,
) {
    let parse_options = ParseOptions {
        of_headers: true,
        other_macros: true,
        ..ParseOptions::default()
    };
    for (index, found) in reading.result.macros.iter().enumerate() {
        let name = reading.result.spelling(found.name);
        if found.tokens.is_empty() || !is_wanted(options, name) || is_declared(declarations, name) {
            continue;
        }
        let (file, line) = reading.result.line_of_use(found.name);
        let is_named = || reading.result.main_of(found.name).is_some();
        if !options.all && !options.own_dirs.is_empty() && !is_named() && !options.is_own(file) {
            continue;
        }
        let text = reading.result.render_macro(index);
        let known = declarations.macros.len();
        // A macro whose text does not parse as a constant is left out: it may stand for the name of a function or type,
        // which is declared itself.
        if declarations.parse(&text, &parse_options).is_err() {
            continue;
        }
        // CFFI accepts no character literal as a constant: write its number.
        let value = declarations
            .lookup_constant(name)
            .and_then(|found| found.value);
        let text = match value {
            Some(value) if text.contains('\'') => format!("#define {name} {value}"),
            _ => text,
        };
        let line = MacroLine {
            file: file.to_owned(),
            line,
            text,
            is_integer: declarations.macros.len() == known,
        };
        let main = reading.result.main_of(found.name);
        let kind = match main {
            Some(main) if files[main].is_exported => PartKind::Exported,
            Some(main) if !is_included[main] => PartKind::Declared,
            _ => PartKind::Included,
        };
        cut.macros.push((kind, line));
    }
}

fn is_wanted(options: &HeaderOptions, name: &str) -> bool {
    options.only.is_empty() || options.only.iter().any(|pattern| matches(pattern, name))
}

/// Whether something else than a macro has the name.
fn is_declared(declarations: &Declarations, name: &str) -> bool {
    declarations.types.find_symbol(name).is_some_and(|name| {
        declarations.ordinary.get(&name).is_some()
            || declarations.enumerators.get(&name).is_some()
            || declarations.typedef_names.get(&name).is_some()
    })
}

/// Whether a shell pattern matches a name: `*`, `?`, `[a-z]`, `[!a-z]`.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut in_name) = (0, 0);
    // After a mismatch, matching continues behind the last `*`, at the next character of the name.
    let mut star: Option<(usize, usize)> = None;
    while in_name < name.len() {
        let step = match pattern.get(at) {
            Some('*') => {
                star = Some((at + 1, in_name));
                at += 1;
                continue;
            }
            Some('?') => Some(at + 1),
            Some('[') => set_matches(&pattern, at, name[in_name]),
            Some(&c) if c == name[in_name] => Some(at + 1),
            _ => None,
        };
        match (step, star) {
            (Some(next), _) => {
                at = next;
                in_name += 1;
            }
            (None, Some((behind, from))) => {
                star = Some((behind, from + 1));
                at = behind;
                in_name = from + 1;
            }
            (None, None) => return false,
        }
    }
    pattern[at..].iter().all(|&c| c == '*')
}

/// If the `[...]` at `at` contains the character `c`: the index behind it.
fn set_matches(pattern: &[char], at: usize, c: char) -> Option<usize> {
    let negated = matches!(pattern.get(at + 1), Some('!' | '^'));
    let first = at + 1 + usize::from(negated);
    let length = pattern.get(first + 1..)?.iter().position(|&c| c == ']')?;
    let end = first + 1 + length;
    let mut found = false;
    let mut index = first;
    while index < end {
        if index + 2 < end && pattern[index + 1] == '-' {
            found |= (pattern[index]..=pattern[index + 2]).contains(&c);
            index += 3;
        } else {
            found |= pattern[index] == c;
            index += 1;
        }
    }
    (found != negated).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn shell_patterns() {
        for (pattern, name) in [
            ("sqlite3_*", "sqlite3_open"),
            ("*", ""),
            ("a?c", "abc"),
            ("*_t", "a_t_t"),
            ("[a-c]x[!0-9]", "bxy"),
            ("a*b*c", "aXbXbc"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("sqlite3_*", "sqlite_open"),
            ("a?c", "ac"),
            ("*_t", "a_tt"),
            ("[a-c]x", "dx"),
            ("[!0-9]", "5"),
            ("", "a"),
            ("[", "a"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }
}
