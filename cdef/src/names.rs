//! Interned identifiers. Keywords and predefined type names have fixed symbols, so they are told from other names by
//! comparing integers.

use std::hash::Hasher;

use hashbrown::HashTable;
use rustc_hash::FxHasher;

use crate::keyword;
use crate::predefined;
use crate::types::Symbol;

/// The texts of all symbols, one behind the other.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    text: String,
    /// Where each symbol's text ends; it starts where the text of the symbol before ends.
    ends: Vec<u32>,
    /// Symbols with their hashes, so that growing the table need not read the texts.
    table: HashTable<(u32, Symbol)>,
}

/// hashbrown takes the bucket from the low bits of a hash and the tag from the high ones: the 32 bits are used for
/// both.
fn spread(hash: u32) -> u64 {
    u64::from(hash) | u64::from(hash) << 32
}

fn hash(text: &str) -> u32 {
    let mut hasher = FxHasher::default();
    hasher.write(text.as_bytes());
    let hash = hasher.finish();
    (hash ^ (hash >> 32)) as u32
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
            // With room for more: a copy has as much, and need not grow at its first names.
            table: HashTable::with_capacity(count + count / 2),
        };
        for (text, _) in keyword::TABLE {
            names.intern(text);
        }
        for (text, _) in predefined::TABLE {
            names.intern(text);
        }
        names
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
            .find(spread(hashed), |&(other, symbol)| {
                other == hashed && self.text(symbol) == text
            })
            .map(|&(_, symbol)| symbol)
    }

    pub(crate) fn intern(&mut self, text: &str) -> Symbol {
        let hashed = hash(text);
        let (all, ends) = (&self.text, &self.ends);
        let found = self.table.find(spread(hashed), |&(other, symbol)| {
            other == hashed && text_of(all, ends, symbol) == text
        });
        if let Some(&(_, symbol)) = found {
            return symbol;
        }
        let symbol = Symbol(self.ends.len() as u32);
        self.text.push_str(text);
        self.ends.push(self.text.len() as u32);
        self.table
            .insert_unique(spread(hashed), (hashed, symbol), |&(hashed, _)| {
                spread(hashed)
            });
        symbol
    }

    /// Makes room for that many more symbols.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.ends.reserve(more);
        self.table.reserve(more, |&(hashed, _)| spread(hashed));
    }

    /// Forgets the symbols from number `len` on.
    pub(crate) fn roll_back(&mut self, len: usize) {
        for index in len..self.ends.len() {
            let symbol = Symbol(index as u32);
            let hashed = hash(self.text(symbol));
            if let Ok(entry) = self
                .table
                .find_entry(spread(hashed), |&(_, other)| other == symbol)
            {
                entry.remove();
            }
        }
        self.ends.truncate(len);
        self.text
            .truncate(self.ends.last().map_or(0, |&end| end as usize));
    }
}
