//! Maps whose keys are identifiers.

use std::marker::PhantomData;

use crate::types::{RecordKind, Symbol};

/// A key of a [`SymbolMap`]: an identifier, or an identifier with its name space.
pub(crate) trait Key: Copy {
    /// The number of keys for each symbol.
    const PER_SYMBOL: usize;
    /// Its index in the array.
    fn place(self) -> usize;
    /// The key with this index.
    fn at(place: usize) -> Self;
}

impl Key for Symbol {
    const PER_SYMBOL: usize = 1;
    fn place(self) -> usize {
        self.index()
    }
    fn at(place: usize) -> Self {
        Self::from_index(place)
    }
}

/// A tag: struct and union tags are different keys.
impl Key for (RecordKind, Symbol) {
    const PER_SYMBOL: usize = 2;
    fn place(self) -> usize {
        self.1.index() * 2 + usize::from(self.0 == RecordKind::Union)
    }
    fn at(place: usize) -> Self {
        let kind = if place.is_multiple_of(2) {
            RecordKind::Struct
        } else {
            RecordKind::Union
        };
        (kind, Symbol::from_index(place / 2))
    }
}

/// A map from symbols, stored as an array. Symbols are numbered densely in the order of their first use, so parsing a
/// text walks through the array from one end to the other, where the accesses to a hash table would be scattered.
#[derive(Clone, Debug)]
pub(crate) struct SymbolMap<K, V> {
    values: Vec<Option<V>>,
    keys: PhantomData<K>,
}

impl<K, V> Default for SymbolMap<K, V> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            keys: PhantomData,
        }
    }
}

impl<K: Key, V> SymbolMap<K, V> {
    #[inline]
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.values.get(key.place())?.as_ref()
    }
    pub(crate) fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }
    /// Sets the value of a key; returns the old one.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.place(key).replace(value)
    }
    /// Sets a key back to the value that [`insert`](Self::insert) returned.
    pub(crate) fn restore(&mut self, key: K, old: Option<V>) {
        *self.place(key) = old;
    }
    fn place(&mut self, key: K) -> &mut Option<V> {
        let place = key.place();
        if place >= self.values.len() {
            self.values.resize_with(place + 1, || None);
        }
        &mut self.values[place]
    }
    /// All entries, in the order of the symbols.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        let values = self.values.iter().enumerate();
        values.filter_map(|(place, value)| Some((K::at(place), value.as_ref()?)))
    }
    /// Forgets the symbols from number `len` on.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.values.truncate(len * K::PER_SYMBOL);
    }
}
