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
///
/// The array begins at the first key that was set, behind the reserved names and most of what other maps have.
#[derive(Clone, Debug)]
pub(crate) struct SymbolMap<K, V> {
    /// The place of the first value.
    first: usize,
    values: Vec<Option<V>>,
    keys: PhantomData<K>,
}

impl<K, V> Default for SymbolMap<K, V> {
    fn default() -> Self {
        Self {
            first: 0,
            values: Vec::new(),
            keys: PhantomData,
        }
    }
}

impl<K: Key, V> SymbolMap<K, V> {
    #[inline]
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        // Below the first one this is far beyond the last one.
        let index = key.place().wrapping_sub(self.first);
        self.values.get(index)?.as_ref()
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
        if self.values.is_empty() {
            self.first = place;
        }
        if place < self.first {
            // As many more as there are: keys that come in falling order cost no more than others.
            let first = place.saturating_sub(self.values.len());
            let missing = std::iter::repeat_with(|| None).take(self.first - first);
            self.values.splice(0..0, missing);
            self.first = first;
        }
        let index = place - self.first;
        if index >= self.values.len() {
            self.values.resize_with(index + 1, || None);
        }
        &mut self.values[index]
    }
    /// All entries, in the order of the symbols.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        let values = self.values.iter().enumerate();
        let first = self.first;
        values.filter_map(move |(index, value)| Some((K::at(first + index), value.as_ref()?)))
    }
    /// Forgets the symbols from number `len` on.
    pub(crate) fn truncate(&mut self, len: usize) {
        let end = len * K::PER_SYMBOL;
        self.values.truncate(end.saturating_sub(self.first));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_may_come_in_any_order() {
        let at = Symbol::from_index;
        let mut map = SymbolMap::default();
        assert_eq!(map.get(&at(0)), None);
        for index in [500, 502, 499, 510, 3] {
            assert_eq!(map.insert(at(index), index), None);
        }
        let all: Vec<_> = map
            .iter()
            .map(|(key, &value)| (key.index(), value))
            .collect();
        assert_eq!(all, [3, 499, 500, 502, 510].map(|index| (index, index)));
        assert_eq!(
            (map.get(&at(2)), map.get(&at(501)), map.get(&at(511))),
            (None, None, None)
        );
        map.restore(at(499), None);
        map.truncate(501);
        assert_eq!(map.iter().count(), 2);
        map.truncate(2);
        assert_eq!(
            (map.iter().count(), map.insert(at(1), 1), map.get(&at(1))),
            (0, None, Some(&1))
        );
    }

    #[test]
    fn tags_of_structs_and_unions_are_two_name_spaces() {
        let key = |kind| (kind, Symbol::from_index(7));
        let mut map = SymbolMap::default();
        map.insert(key(RecordKind::Union), 'u');
        map.insert(key(RecordKind::Struct), 's');
        assert_eq!(map.get(&key(RecordKind::Struct)), Some(&'s'));
        assert_eq!(map.insert(key(RecordKind::Union), 'v'), Some('u'));
    }
}
