//! Look-up of interned names by identity.

use std::mem::MaybeUninit;

use super::Obj;

/// A table from interned names to values, for look-ups that come from code: the attribute names in code are interned, so
/// the address says which name it is. A name that is not found by its address may still be in it by its text: whoever
/// asks with another str has to look elsewhere.
///
/// The table does not own the names: its maker keeps them alive.
pub struct NameTable<T> {
    /// A power of two, at least half of them empty, so that every search ends at a name or at an empty one.
    slots: Box<[Slot<T>]>,
    /// What addresses are multiplied with: odd.
    factor: usize,
    /// How far the product is shifted down.
    shift: u32,
}

/// The factor that is tried first.
const FACTOR: usize = 0x9E37_79B9_7F4A_7C15_u64 as usize;
/// Of so many names it is tried that each gets the place that its address says, so that what a look-up costs does not depend
/// on where Python's memory is.
const FEW: usize = 16;
/// How many factors are tried: eight names have a one in eight chance each time.
const TRIES: usize = 128;

struct Slot<T> {
    /// NULL: empty.
    name: Obj,
    value: MaybeUninit<T>,
}

impl<T: Copy> NameTable<T> {
    /// A table of these names. None may come twice.
    pub fn new(names: impl ExactSizeIterator<Item = (Obj, T)>) -> Self {
        let names: Vec<(Obj, T)> = names.collect();
        let size = (names.len() * 2).next_power_of_two().max(2);
        let shift = usize::BITS - size.trailing_zeros();
        let mut table = Self {
            factor: best_factor(&names, shift),
            slots: (0..size)
                .map(|_| Slot {
                    name: std::ptr::null_mut(),
                    value: MaybeUninit::uninit(),
                })
                .collect(),
            shift,
        };
        for (name, value) in names {
            let mut index = table.first(name);
            while !table.slots[index].name.is_null() {
                index = table.after(index);
            }
            table.slots[index] = Slot {
                name,
                value: MaybeUninit::new(value),
            };
        }
        table
    }
    /// Where the search for a name begins: the upper bits of a product depend on all bits of the address.
    #[inline(always)]
    fn first(&self, name: Obj) -> usize {
        place(name, self.factor, self.shift)
    }
    #[inline(always)]
    fn after(&self, index: usize) -> usize {
        (index + 1) & (self.slots.len() - 1)
    }
    /// The value of a name, if `name` is the very object that the table was made with.
    #[inline(always)]
    pub fn get(&self, name: Obj) -> Option<&T> {
        let mut index = self.first(name);
        loop {
            // SAFETY: the shift and the mask leave only numbers below the table's size.
            let slot = unsafe { self.slots.get_unchecked(index) };
            if slot.name == name {
                // SAFETY: a slot with a name has a value; `name` is a live object, so it is not NULL.
                return Some(unsafe { slot.value.assume_init_ref() });
            }
            if slot.name.is_null() {
                return None;
            }
            index = self.after(index);
        }
    }
}

/// Where a search begins.
#[inline(always)]
fn place(name: Obj, factor: usize, shift: u32) -> usize {
    (name as usize).wrapping_mul(factor) >> shift
}

/// A factor that gives each of a few names a place of its own, if one is found soon.
fn best_factor<T>(names: &[(Obj, T)], shift: u32) -> usize {
    if names.len() > FEW {
        return FACTOR;
    }
    let keeps_apart = |&factor: &usize| {
        let mut taken = 0u32;
        names.iter().all(|(name, _)| {
            let bit = 1u32 << place(*name, factor, shift);
            let is_free = taken & bit == 0;
            taken |= bit;
            is_free
        })
    };
    let factors = (0..TRIES).map(|index| FACTOR.wrapping_mul(2 * index + 1));
    factors.into_iter().find(keeps_apart).unwrap_or(FACTOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the addresses are, the names of a small struct are found at once.
    #[test]
    fn a_few_names_have_places_of_their_own() {
        for start in 0..200 {
            for count in 1..=6 {
                let names = (0..count).map(|number| name(start * 7 + number * (start % 5 + 1)));
                let table = NameTable::new(names.clone().map(|name| (name, ())));
                for name in names {
                    assert_eq!(table.slots[table.first(name)].name, name, "{start} {count}");
                }
            }
        }
    }

    /// A name is its address: the table never looks at the object.
    fn name(number: usize) -> Obj {
        std::ptr::without_provenance_mut(0x7f00_0000_0000 + number * 48)
    }

    #[test]
    fn every_name_is_found_and_no_other() {
        for count in [0, 1, 2, 3, 31, 32, 33, 1000] {
            let table = NameTable::new((0..count).map(|number| (name(number), number)));
            for number in 0..count {
                assert_eq!(table.get(name(number)), Some(&number), "of {count}");
            }
            for number in count..count + 100 {
                assert_eq!(table.get(name(number)), None, "of {count}");
            }
        }
    }
}
