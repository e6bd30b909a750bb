//! A hash table of numbers: where things are that stand in arrays.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

/// The hash that a [`HashIndex`] takes.
pub(crate) fn hash_of(write: impl FnOnce(&mut FxHasher)) -> u32 {
    let mut hasher = FxHasher::default();
    write(&mut hasher);
    let hash = hasher.finish();
    (hash ^ (hash >> 32)) as u32
}

/// See [`hash_of`].
pub(crate) fn hash(value: &impl Hash) -> u32 {
    hash_of(|hasher| value.hash(hasher))
}

/// The hash of something, and its number plus one; zeros where nothing is.
type Entry = (u32, u32);

const EMPTY: Entry = (0, 0);

/// Numbers by the hashes of what they are the numbers of, with linear probing. Every FFI begins with a copy of one that has
/// the reserved names: its entries are plain numbers, so that copying it is copying bytes.
#[derive(Clone, Debug)]
pub(crate) struct HashIndex {
    /// As many as a power of two, more than there are numbers.
    entries: Vec<Entry>,
    len: usize,
}

impl HashIndex {
    /// With room for so many.
    pub(crate) fn with_capacity(count: usize) -> Self {
        Self {
            entries: vec![EMPTY; Self::places(count)],
            len: 0,
        }
    }
    /// How many places so many numbers need: two thirds are used at most.
    fn places(count: usize) -> usize {
        (count + count / 2 + 1).next_power_of_two()
    }
    /// Where a hash belongs. The high bits of an `FxHasher`'s product are its best; they were folded into the low ones.
    #[inline]
    fn home(&self, hash: u32) -> usize {
        hash as usize & (self.entries.len() - 1)
    }
    /// The number with that hash of which `is_it` is true.
    #[inline]
    pub(crate) fn find(&self, hash: u32, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let mut place = self.home(hash);
        loop {
            let (other, number) = self.entries[place];
            if number == 0 {
                return None;
            }
            if other == hash && is_it(number - 1) {
                return Some(number - 1);
            }
            place = (place + 1) & (self.entries.len() - 1);
        }
    }
    /// Adds a number that is not there.
    #[inline]
    pub(crate) fn insert(&mut self, hash: u32, number: u32) {
        if (self.len + 1) * 3 > self.entries.len() * 2 {
            self.reserve(self.len + 1);
        }
        self.len += 1;
        self.put((hash, number + 1));
    }
    fn put(&mut self, entry: Entry) {
        let mut place = self.home(entry.0);
        while self.entries[place].1 != 0 {
            place = (place + 1) & (self.entries.len() - 1);
        }
        self.entries[place] = entry;
    }
    /// Makes room for that many more.
    pub(crate) fn reserve(&mut self, more: usize) {
        let places = Self::places(self.len + more);
        if places <= self.entries.len() {
            return;
        }
        let old = std::mem::replace(&mut self.entries, vec![EMPTY; places]);
        for entry in old.into_iter().filter(|&(_, number)| number != 0) {
            self.put(entry);
        }
    }
    /// Takes a number away, if it is there.
    pub(crate) fn remove(&mut self, hash: u32, number: u32) {
        let mask = self.entries.len() - 1;
        let mut hole = self.home(hash);
        while self.entries[hole] != (hash, number + 1) {
            if self.entries[hole].1 == 0 {
                return;
            }
            hole = (hole + 1) & mask;
        }
        self.len -= 1;
        // Those behind it that would not be found behind a hole move up.
        let mut place = hole;
        loop {
            place = (place + 1) & mask;
            let entry = self.entries[place];
            if entry.1 == 0 {
                break;
            }
            let from_home = place.wrapping_sub(self.home(entry.0)) & mask;
            if from_home >= place.wrapping_sub(hole) & mask {
                self.entries[hole] = entry;
                hole = place;
            }
        }
        self.entries[hole] = EMPTY;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Few homes, so that what is taken away stands between others.
    fn hash_of_number(number: u32) -> u32 {
        number % 7 + (number % 3) * 60
    }

    #[test]
    fn what_was_put_in_is_found_until_it_is_taken_away() {
        let mut index = HashIndex::with_capacity(0);
        assert_eq!(index.find(0, |_| true), None);
        let mut here = Vec::new();
        // Numbers come and go in an order that has no pattern.
        let mut state = 1u32;
        for step in 0..3000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let number = (state >> 16) % 64;
            let hash = hash_of_number(number);
            match here.iter().position(|&one| one == number) {
                Some(at) => {
                    here.swap_remove(at);
                    index.remove(hash, number);
                }
                None => {
                    here.push(number);
                    index.insert(hash, number);
                }
            }
            if step % 50 == 0 {
                index.reserve(step);
            }
            for number in 0..64 {
                let found = index.find(hash_of_number(number), |other| other == number);
                assert_eq!(found.is_some(), here.contains(&number));
            }
        }
        index.remove(5, 1000);
        assert_eq!(index.len, here.len());
    }
}
