//! Records where each declaration of a text is, what it declares, and which `extern` block and `#pragma pack` apply to
//! it, for `header`, which takes a text apart.

use crate::declarations::FunctionOrigin;
use crate::types::Symbol;

use super::Parser;

/// What a declaration names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PieceName {
    /// A typedef.
    Typedef(Symbol),
    /// A function, a variable or a constant.
    Object(Symbol),
    /// An enumerator.
    Enumerator(Symbol),
    /// A struct, union or enum that has its body here.
    Tag(Symbol),
}

/// One declaration of a text, at file level or in an `extern "..." { }` block.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// The start of the comment in front that may be its documentation; `start` if there is none.
    pub(crate) lead: u32,
    /// Its first byte.
    pub(crate) start: u32,
    /// One past its last byte.
    pub(crate) end: u32,
    /// The offset of the `{`, if it defines a function.
    pub(crate) body: Option<u32>,
    /// It is an old-style definition.
    pub(crate) old_style: bool,
    /// The origin that the block around it gives to functions.
    pub(crate) origin: FunctionOrigin,
    /// It has an error.
    pub(crate) failed: bool,
    /// The `#pragma pack` in force.
    pub(crate) pack: Option<u32>,
    /// The names that it declares.
    pub(crate) names: Vec<PieceName>,
}

/// The finished pieces, and the state of the current one.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    pub(crate) done: Vec<Piece>,
    /// Where the text may be taken apart: its start, and one past each declaration at file level; with the number of
    /// records and enums that have a number so far.
    pub(crate) cuts: Vec<(u32, u32)>,
    names: Vec<PieceName>,
    body: Option<u32>,
    old_style: bool,
}

/// The start of a piece.
pub(super) struct Begun {
    lead: u32,
    start: u32,
    pack: Option<u32>,
    origin: FunctionOrigin,
    /// How many pieces were finished before it.
    count: usize,
}

impl Parser<'_> {
    /// Notes that a declaration begins at the current token.
    pub(super) fn begin_piece(&mut self) -> Option<Begun> {
        let start = self.tok.start;
        let lead = self.doc().map_or(start, |doc| doc.start);
        let pieces = self.pieces.as_mut()?;
        pieces.names.clear();
        pieces.body = None;
        pieces.old_style = false;
        Some(Begun {
            lead,
            start,
            pack: self.pack_pragma,
            origin: self.origin,
            count: pieces.done.len(),
        })
    }

    /// Notes that the declaration ended in front of the current token.
    pub(super) fn end_piece(&mut self, begun: Option<Begun>, failed: bool) {
        let end = self.previous_end;
        let (Some(begun), Some(pieces)) = (begun, self.pieces.as_mut()) else {
            return;
        };
        // An `extern` block consists of its declarations, which are pieces already.
        if pieces.done.len() > begun.count && !failed {
            return;
        }
        pieces.done.truncate(begun.count);
        pieces.done.push(Piece {
            lead: begun.lead,
            start: begun.start,
            end,
            body: pieces.body.take(),
            old_style: pieces.old_style,
            failed,
            pack: begun.pack,
            origin: begun.origin,
            names: std::mem::take(&mut pieces.names),
        });
    }

    /// Notes that the text may be cut in front of the current token.
    pub(super) fn cut_here(&mut self) {
        let cut = (self.previous_end, self.decls.types.numbers());
        if let Some(pieces) = &mut self.pieces {
            pieces.cuts.push(cut);
        }
    }

    /// Adds a name to the current piece.
    pub(super) fn piece_names(&mut self, name: PieceName) {
        if let Some(pieces) = &mut self.pieces {
            pieces.names.push(name);
        }
    }

    /// Notes that the current token is the `{` of a function.
    pub(super) fn piece_has_body(&mut self) {
        if let Some(pieces) = &mut self.pieces {
            pieces.body = Some(self.tok.start);
        }
    }

    /// Notes that the current piece is an old-style definition.
    pub(super) fn piece_is_old_style(&mut self) {
        if let Some(pieces) = &mut self.pieces {
            pieces.old_style = true;
        }
    }
}
