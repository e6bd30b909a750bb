//! The whole text: which pieces go into it, and what they need.

use std::collections::{BTreeSet, HashSet};

use keelback_cdef::{Declarations, SourceId};

use crate::c_text::TokenKind;
use crate::spec::CdefText;

use super::destination::Destination;
use super::piece::{Content, Piece, Places, names_of, pieces};
use super::words::{collapse_blank_lines, includes};
use super::writer::Writer;

/// C text, and what it needs to compile.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct DeclaredText {
    /// The text; ends with a newline unless empty.
    pub(crate) text: String,
    /// Standard headers, without brackets.
    pub(crate) includes: BTreeSet<&'static str>,
    /// The text uses `KEELBACK_EXTENSION`.
    pub(crate) uses_extension: bool,
}

/// The C text of the declarations. `sources` gives each cdef's id in `declarations`.
pub(crate) fn declared_text(
    declarations: &Declarations,
    cdefs: &[(SourceId, &CdefText)],
    destination: Destination<'_>,
) -> DeclaredText {
    let places = Places::new(declarations);
    let cdefs: Vec<_> = (cdefs.iter().copied())
        // A plain header includes nothing: what the interface needs of other headers stands in it.
        .filter(|(_, cdef)| !cdef.included || destination == Destination::Plain)
        .collect();
    let cdefs = &*cdefs;
    let parsed: Vec<Vec<(Piece, Content)>> = cdefs
        .iter()
        .map(|(source, cdef)| {
            pieces(&cdef.text)
                .into_iter()
                .map(|piece| {
                    let content = places.content(declarations, *source, &piece.body);
                    (piece, content)
                })
                .collect()
        })
        .collect();
    let needed = match destination {
        Destination::Header { .. } | Destination::Plain => {
            needed_words(cdefs, &parsed, declarations)
        }
        Destination::Source => HashSet::new(),
    };
    let mut writer = Writer {
        declarations,
        destination,
        out: String::new(),
        known_tags: HashSet::new(),
        uses_extension: false,
        pack: None,
    };
    for ((_, cdef), pieces) in cdefs.iter().zip(&parsed) {
        writer.cdef(cdef, pieces, &needed);
    }
    let mut text = collapse_blank_lines(&writer.out);
    if !text.is_empty() {
        text.push('\n');
    }
    DeclaredText {
        includes: includes(declarations, &text),
        uses_extension: writer.uses_extension,
        text,
    }
}

/// The words that the text of the API uses, and, transitively, the words in the declarations of these.
fn needed_words<'a>(
    cdefs: &[(SourceId, &'a CdefText)],
    parsed: &[Vec<(Piece, Content)>],
    declarations: &Declarations,
) -> HashSet<&'a str> {
    let mut needed = HashSet::new();
    let mut rest = Vec::new();
    for ((_, cdef), pieces) in cdefs.iter().zip(parsed) {
        for (piece, content) in pieces {
            if piece.extern_python {
                continue;
            }
            let words = piece
                .tokens
                .iter()
                .filter(|token| token.kind == TokenKind::Word)
                .map(|token| &cdef.text[token.range.clone()]);
            if cdef.embedding_api {
                needed.extend(words);
            } else if content.functions.is_empty() && content.variables.is_empty() {
                rest.push((names_of(declarations, content), words.collect::<Vec<_>>()));
            }
        }
    }
    loop {
        let before = rest.len();
        rest.retain(|(names, words)| {
            let is_needed = names.iter().any(|name| needed.contains(name.as_str()));
            if is_needed {
                needed.extend(words);
            }
            !is_needed
        });
        if rest.len() == before {
            return needed;
        }
    }
}
