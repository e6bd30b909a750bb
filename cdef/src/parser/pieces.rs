//! Where each declaration of a text is, what it declares and what it is under: for who takes a text apart.

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

/// A declaration of a text, at the outermost level or in an `extern "..." { }`.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// The comment in front of it, if that may be its documentation.
    pub(crate) lead: u32,
    /// Its first byte.
    pub(crate) start: u32,
    /// One past its last.
    pub(crate) end: u32,
    /// The `{` of the function that it defines.
    pub(crate) body: Option<u32>,
    /// That function's parameters are declared in the old way.
    pub(crate) old_style: bool,
    /// What the block around it says of its functions.
    pub(crate) origin: FunctionOrigin,
    /// It has a mistake.
    pub(crate) failed: bool,
    /// What `#pragma pack` says of it.
    pub(crate) pack: Option<u32>,
    /// What it declares.
    pub(crate) names: Vec<PieceName>,
}

/// The pieces so far, and what is known of the one at hand.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    pub(crate) done: Vec<Piece>,
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
    /// How many there were.
    count: usize,
}

impl Parser<'_> {
    /// A declaration begins at the current token.
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

    /// It ended before the current token.
    pub(super) fn end_piece(&mut self, begun: Option<Begun>, failed: bool) {
        let end = self.previous_end;
        let (Some(begun), Some(pieces)) = (begun, self.pieces.as_mut()) else {
            return;
        };
        // A block is its declarations.
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

    /// The declaration at hand declares that.
    pub(super) fn piece_names(&mut self, name: PieceName) {
        if let Some(pieces) = &mut self.pieces {
            pieces.names.push(name);
        }
    }

    /// The current token is the `{` of a function.
    pub(super) fn piece_has_body(&mut self) {
        if let Some(pieces) = &mut self.pieces {
            pieces.body = Some(self.tok.start);
        }
    }

    /// The function at hand has its parameters declared in the old way.
    pub(super) fn piece_is_old_style(&mut self) {
        if let Some(pieces) = &mut self.pieces {
            pieces.old_style = true;
        }
    }
}
