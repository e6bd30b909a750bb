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
    /// How far the hash is shifted down.
    shift: u32,
}

struct Slot<T> {
    /// NULL: empty.
    name: Obj,
    value: MaybeUninit<T>,
}

impl<T: Copy> NameTable<T> {
    /// A table of these names. None may come twice.
    pub fn new(names: impl ExactSizeIterator<Item = (Obj, T)>) -> Self {
        let size = (names.len() * 2).next_power_of_two().max(2);
        let mut table = Self {
            slots: (0..size)
                .map(|_| Slot {
                    name: std::ptr::null_mut(),
                    value: MaybeUninit::uninit(),
                })
                .collect(),
            shift: usize::BITS - size.trailing_zeros(),
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
        (name as usize).wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as usize) >> self.shift
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

#[cfg(test)]
mod tests {
    use super::*;

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
