//! A cdef's text cut into pieces, and what the parser found in each.

use std::collections::BTreeMap;
use std::ops::Range;

use keelback_cdef::{Declarations, FunctionOrigin, Item, SourceId};

use crate::c_text::{Token, TokenKind, tokens};

/// One declaration or directive of a text.
pub(super) struct Piece {
    /// Where the comments directly in front of it start; `body.start` when there are none.
    pub(super) lead: usize,
    /// The declaration with its semicolon, or the directive.
    pub(super) body: Range<usize>,
    /// The end of the piece, or of the comment behind it on the same line.
    pub(super) tail: usize,
    /// Its tokens without comments.
    pub(super) tokens: Vec<Token>,
    pub(super) extern_python: bool,
    pub(super) directive: bool,
}

/// Cuts a text into pieces. Between the pieces are only blank lines and comments that belong to no piece.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let all = tokens(text);
    let mut pieces = Vec::new();
    let mut at = 0;
    let mut last_end = 0;
    while at < all.len() {
        let token = &all[at];
        if token.kind == TokenKind::Comment {
            at += 1;
            continue;
        }
        let first = at;
        let extern_python = text[token.range.clone()] == *"extern"
            && all[first + 1..]
                .iter()
                .find(|next| next.kind != TokenKind::Comment)
                .is_some_and(|next| text[next.range.clone()].starts_with("\"Python"));
        let operator = matches!(&text[token.range.clone()], "_Pragma" | "__pragma");
        let directive = token.kind == TokenKind::Directive || operator;
        at = match (directive, operator) {
            (true, false) => at + 1,
            _ => end_of_piece(text, &all, first, operator, extern_python),
        };
        let body = all[first].range.start..all[at - 1].range.end;
        let lead = lead_of(text, &all[..first], last_end, body.start);
        let tail = match comment_behind(text, all.get(at), body.end) {
            Some(end) => {
                at += 1;
                end
            }
            None => body.end,
        };
        last_end = tail;
        let own = all[first..at]
            .iter()
            .filter(|token| token.kind != TokenKind::Comment && token.range.end <= body.end)
            .cloned()
            .collect();
        pieces.push(Piece {
            lead,
            body,
            tail,
            tokens: own,
            extern_python,
            directive,
        });
    }
    pieces
}

/// The index behind the last token of the declaration (or of the `_Pragma` operator) that begins at `first`.
pub(super) fn end_of_piece(
    text: &str,
    all: &[Token],
    first: usize,
    operator: bool,
    extern_python: bool,
) -> usize {
    let mut depth = 0usize;
    for (at, token) in all.iter().enumerate().skip(first) {
        let is_last = match token.kind {
            TokenKind::Punctuation(b'(' | b'[' | b'{') => {
                depth += 1;
                false
            }
            TokenKind::Punctuation(b')' | b']') => {
                depth = depth.saturating_sub(1);
                operator && depth == 0
            }
            TokenKind::Punctuation(b'}') => {
                depth = depth.saturating_sub(1);
                depth == 0 && extern_python && block_of_extern(text, &all[first..=at])
            }
            TokenKind::Punctuation(b';') => depth == 0,
            _ => false,
        };
        if is_last {
            return at + 1;
        }
    }
    all.len()
}

/// The end of a comment that stands behind a piece on the same line. A comment with another piece behind it on the line
/// belongs to that piece.
pub(super) fn comment_behind(text: &str, next: Option<&Token>, end: usize) -> Option<usize> {
    let comment = next.filter(|next| next.kind == TokenKind::Comment)?;
    let is_on_the_line = !text[end..comment.range.start].contains('\n');
    let rest = text[comment.range.end..].trim_start_matches([' ', '\t', '\r']);
    let line_ends = rest.is_empty() || rest.starts_with('\n');
    (is_on_the_line && line_ends).then_some(comment.range.end)
}

/// Whether the tokens are `extern "Python" { ... }` rather than a declaration with braces in it.
pub(super) fn block_of_extern(text: &str, tokens: &[Token]) -> bool {
    tokens
        .iter()
        .filter(|token| token.kind != TokenKind::Comment)
        .nth(2)
        .is_some_and(|token| &text[token.range.clone()] == "{")
}

/// The start of the comments that stand directly in front of `start`, with no blank line between.
pub(super) fn lead_of(text: &str, before: &[Token], last_end: usize, start: usize) -> usize {
    let mut lead = start;
    for token in before.iter().rev() {
        if token.kind != TokenKind::Comment || token.range.start < last_end {
            break;
        }
        let between = &text[token.range.end..lead];
        if between.bytes().filter(|&byte| byte == b'\n').count() > 1 {
            break;
        }
        lead = token.range.start;
    }
    lead
}

/// What the parser found in a piece.
#[derive(Default)]
pub(super) struct Content {
    pub(super) functions: Vec<u32>,
    pub(super) exported: bool,
    pub(super) variables: Vec<u32>,
    pub(super) read_only_variables: bool,
    pub(super) constants: Vec<u32>,
    pub(super) records: Vec<keelback_cdef::RecordId>,
    pub(super) enums: Vec<keelback_cdef::EnumId>,
    pub(super) typedefs: Vec<u32>,
}

impl Content {
    pub(super) fn is_empty(&self) -> bool {
        self.functions.is_empty()
            && self.variables.is_empty()
            && self.constants.is_empty()
            && self.records.is_empty()
            && self.enums.is_empty()
            && self.typedefs.is_empty()
    }
}

pub(super) struct Places {
    by_start: BTreeMap<(u32, u32), Vec<Item>>,
}

impl Places {
    pub(super) fn new(declarations: &Declarations) -> Self {
        let mut by_start: BTreeMap<(u32, u32), Vec<Item>> = BTreeMap::new();
        for &item in &declarations.items {
            let span = match item {
                Item::Function(index) => declarations.functions[index as usize].span,
                Item::Variable(index) => declarations.variables[index as usize].span,
                Item::Constant(index) => declarations.constants[index as usize].span,
                Item::Typedef(index) => declarations.typedefs[index as usize].span,
                Item::Record(id) | Item::Forward(id) => declarations.types.record(id).span,
                Item::Enum(id) => declarations.types.enumeration(id).span,
            };
            let items = by_start.entry((span.source.0, span.start)).or_default();
            if !items.contains(&item) {
                items.push(item);
            }
        }
        Self { by_start }
    }

    pub(super) fn content(
        &self,
        declarations: &Declarations,
        source: SourceId,
        range: &Range<usize>,
    ) -> Content {
        let mut content = Content::default();
        let range = (source.0, range.start as u32)..(source.0, range.end as u32);
        for &item in self.by_start.range(range).flat_map(|(_, items)| items) {
            match item {
                Item::Function(index) => {
                    content.exported |=
                        declarations.functions[index as usize].origin == FunctionOrigin::Exported;
                    content.functions.push(index);
                }
                Item::Variable(index) => {
                    content.read_only_variables |=
                        declarations.variables[index as usize].is_constant;
                    content.variables.push(index);
                }
                Item::Constant(index) => content.constants.push(index),
                Item::Typedef(index) => content.typedefs.push(index),
                Item::Record(id) => content.records.push(id),
                Item::Forward(_) => {}
                Item::Enum(id) => content.enums.push(id),
            }
        }
        content
    }
}

/// Every name that a piece of types or constants declares.
pub(super) fn names_of(declarations: &Declarations, content: &Content) -> Vec<String> {
    let types = &declarations.types;
    let text = |symbol| types.text(symbol).to_owned();
    let mut names = Vec::new();
    for &id in &content.records {
        names.extend(types.record(id).tag.map(text));
    }
    for &id in &content.enums {
        let enumeration = types.enumeration(id);
        names.extend(enumeration.tag.map(text));
        for enumerator in enumeration.enumerators.iter().flatten() {
            names.push(text(enumerator.name));
        }
    }
    for &index in &content.typedefs {
        names.push(text(declarations.typedefs[index as usize].name));
    }
    for &index in &content.constants {
        names.push(text(declarations.constants[index as usize].name));
    }
    names
}
