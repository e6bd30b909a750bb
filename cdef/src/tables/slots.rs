//! What was found so far, by the indexes of the tables.

/// A place of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Slot {
    /// An operation or entry that nobody asked for yet.
    Unseen,
    /// An array's length.
    Length,
    /// What it means: the index of its id.
    Known(usize),
}

/// A slot for each place of a table. There are pages for those that were asked for alone: a large table costs next to
/// nothing before it is used.
pub(super) struct Slots {
    count: usize,
    pages: Vec<Option<Box<[u32; PAGE]>>>,
}

const PAGE: usize = 64;
const LENGTH: u32 = 1;
const FIRST_KNOWN: u32 = 2;

impl Slots {
    /// So many, that nobody asked for.
    pub(super) fn new(count: usize) -> Self {
        let mut pages = Vec::new();
        pages.resize_with(count.div_ceil(PAGE), || None);
        Self { count, pages }
    }
    pub(super) fn len(&self) -> usize {
        self.count
    }
    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<Slot> {
        if index >= self.count {
            return None;
        }
        let page = self.pages[index / PAGE].as_ref();
        Some(match page.map_or(0, |page| page[index % PAGE]) {
            0 => Slot::Unseen,
            LENGTH => Slot::Length,
            known => Slot::Known((known - FIRST_KNOWN) as usize),
        })
    }
    /// The index of what a place means, if somebody asked.
    #[inline]
    pub(super) fn known(&self, index: usize) -> Option<usize> {
        match self.get(index)? {
            Slot::Known(id) => Some(id),
            _ => None,
        }
    }
    pub(super) fn set(&mut self, index: usize, slot: Slot) {
        assert!(index < self.count, "the table has no such place");
        let page = self.pages[index / PAGE].get_or_insert_with(|| Box::new([0; PAGE]));
        page[index % PAGE] = match slot {
            Slot::Unseen => 0,
            Slot::Length => LENGTH,
            // Ids are numbers of 32 bits, and far fewer than there are.
            Slot::Known(id) => id as u32 + FIRST_KNOWN,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_what_it_was_set_to() {
        let mut slots = Slots::new(PAGE + 3);
        assert_eq!(slots.get(PAGE + 2), Some(Slot::Unseen));
        assert_eq!((slots.get(PAGE + 3), slots.known(PAGE + 3)), (None, None));
        for slot in [
            Slot::Known(0),
            Slot::Known(70_000),
            Slot::Length,
            Slot::Unseen,
        ] {
            slots.set(1, slot);
            assert_eq!(slots.get(1), Some(slot));
        }
        slots.set(0, Slot::Known(5));
        slots.set(PAGE, Slot::Known(6));
        assert_eq!((slots.known(0), slots.known(1)), (Some(5), None));
        assert_eq!((slots.known(PAGE), slots.len()), (Some(6), PAGE + 3));
    }
}
