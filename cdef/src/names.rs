//! Interned identifiers. Keywords and predefined type names have fixed symbols, so telling them from
//! other names is comparing integers.

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
    /// Where each symbol's text ends; it starts where the one before ends.
    ends: Vec<u32>,
    table: HashTable<Symbol>,
}

fn hash(text: &str) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(text.as_bytes());
    hasher.finish()
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
        let mut names = Self {
            text: String::new(),
            ends: Vec::new(),
            table: HashTable::with_capacity(keyword::TABLE.len() + predefined::TABLE.len()),
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
        self.table
            .find(hash(text), |&symbol| self.text(symbol) == text)
            .copied()
    }

    pub(crate) fn intern(&mut self, text: &str) -> Symbol {
        let hashed = hash(text);
        let (all, ends) = (&self.text, &self.ends);
        if let Some(&symbol) = self
            .table
            .find(hashed, |&symbol| text_of(all, ends, symbol) == text)
        {
            return symbol;
        }
        let symbol = Symbol(self.ends.len() as u32);
        self.text.push_str(text);
        self.ends.push(self.text.len() as u32);
        let (all, ends) = (&self.text, &self.ends);
        self.table
            .insert_unique(hashed, symbol, |&symbol| hash(text_of(all, ends, symbol)));
        symbol
    }

    /// Forgets the symbols from number `len` on.
    pub(crate) fn roll_back(&mut self, len: usize) {
        for index in len..self.ends.len() {
            let symbol = Symbol(index as u32);
            let hashed = hash(self.text(symbol));
            if let Ok(entry) = self.table.find_entry(hashed, |&other| other == symbol) {
                entry.remove();
            }
        }
        self.ends.truncate(len);
        self.text
            .truncate(self.ends.last().map_or(0, |&end| end as usize));
    }
}
