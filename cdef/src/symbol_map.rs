//! Maps from identifiers.

use std::marker::PhantomData;

use crate::types::{RecordKind, Symbol};

/// What a [`SymbolMap`] is asked with: an identifier, or one of a name space.
pub(crate) trait Key: Copy {
    /// Keys for each symbol.
    const PER_SYMBOL: usize;
    /// Its place.
    fn place(self) -> usize;
    /// The key of a place.
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

/// A tag: structs and unions are told apart.
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

/// A map by symbols, as an array: their numbers are dense, and in the order in which a text names them, so that
/// reading a text goes through the array from one end to the other, where a hash table would be hit all over.
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
    /// Gives back what was there.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.place(key).replace(value)
    }
    /// Puts back what [`insert`](Self::insert) gave.
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
    /// All, in the order of the symbols.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        let values = self.values.iter().enumerate();
        values.filter_map(|(place, value)| Some((K::at(place), value.as_ref()?)))
    }
    /// Forgets the symbols from number `len` on.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.values.truncate(len * K::PER_SYMBOL);
    }
}
