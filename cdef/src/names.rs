//! Interned identifiers. Keywords and predefined type names have fixed symbols, so they are told from other names by
//! comparing integers.

use std::hash::Hasher;

use crate::hash_index::{HashIndex, hash_of};
use crate::keyword;
use crate::predefined;
use crate::types::{Symbol, copy_with_room};

/// The texts of all symbols, one behind the other.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    text: String,
    /// Where each symbol's text ends; it starts where the text of the symbol before ends.
    ends: Vec<u32>,
    /// Symbols by their hashes.
    table: HashIndex,
}

fn hash(text: &str) -> u32 {
    hash_of(|hasher| hasher.write(text.as_bytes()))
}

fn text_of<'a>(text: &'a str, ends: &[u32], symbol: Symbol) -> &'a str {
    let index = symbol.index();
    let start = if index == 0 {
        0
    } else {
        ends[index - 1] as usize
    };
    &text[start..ends[index] as usize]
}

impl Names {
    /// A table with the keywords and the predefined names in it.
    pub(crate) fn with_reserved() -> Self {
        let count = keyword::TABLE.len() + predefined::TABLE.len();
        let mut names = Self {
            text: String::with_capacity(count * 16),
            ends: Vec::with_capacity(count),
            // With room for more: a copy has as much.
            table: HashIndex::with_capacity(count + count / 2),
        };
        for (text, _) in keyword::TABLE {
            names.intern(text);
        }
        for (text, _) in predefined::TABLE {
            names.intern(text);
        }
        names
    }

    /// A copy that need not grow at its first names.
    pub(crate) fn clone_with_room(&self) -> Self {
        const TEXT: usize = 512;
        let mut text = String::with_capacity(self.text.len() + TEXT);
        text.push_str(&self.text);
        Self {
            text,
            ends: copy_with_room(&self.ends),
            table: self.table.clone(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn text(&self, symbol: Symbol) -> &str {
        text_of(&self.text, &self.ends, symbol)
    }

    pub(crate) fn find(&self, text: &str) -> Option<Symbol> {
        let hashed = hash(text);
        self.table
            .find(hashed, |symbol| self.text(Symbol(symbol)) == text)
            .map(Symbol)
    }

    pub(crate) fn intern(&mut self, text: &str) -> Symbol {
        let hashed = hash(text);
        let (all, ends) = (&self.text, &self.ends);
        let found = self
            .table
            .find(hashed, |symbol| text_of(all, ends, Symbol(symbol)) == text);
        if let Some(symbol) = found {
            return Symbol(symbol);
        }
        let symbol = Symbol(self.ends.len() as u32);
        self.text.push_str(text);
        self.ends.push(self.text.len() as u32);
        self.table.insert(hashed, symbol.0);
        symbol
    }

    /// Makes room for that many more symbols.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.ends.reserve(more);
        self.table.reserve(more);
    }

    /// Forgets the symbols from number `len` on.
    pub(crate) fn roll_back(&mut self, len: usize) {
        for index in len..self.ends.len() {
            let symbol = Symbol(index as u32);
            let hashed = hash(self.text(symbol));
            self.table.remove(hashed, symbol.0);
        }
        self.ends.truncate(len);
        self.text
            .truncate(self.ends.last().map_or(0, |&end| end as usize));
    }
}
