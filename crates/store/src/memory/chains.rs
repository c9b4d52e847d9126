//! Values in slots that do not move, and doubly linked lists through them: each step costs the same however many
//! there are.

/// The place of a value.
pub(super) type Slot = u32;

const NOWHERE: Slot = Slot::MAX;
/// Slots are made so many at a time, so that growth never copies what is there.
const CHUNK: usize = 1024;

/// The lists that a value can be in at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chain {
    /// All of a class, the one to go first in front.
    Age,
    /// Those of one user.
    User,
    /// Those of one owner.
    Owner,
    /// Those that are over in the same second.
    Due,
}

#[derive(Debug, Clone, Copy)]
struct Link {
    before: Slot,
    after: Slot,
}

const LOOSE: Link = Link { before: NOWHERE, after: NOWHERE };

#[derive(Debug)]
struct Cell<T> {
    links: [Link; 4],
    value: Option<T>,
}

/// One list: its ends, and how many are in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct List {
    first: Slot,
    last: Slot,
    len: u32,
}

impl Default for List {
    fn default() -> Self {
        Self { first: NOWHERE, last: NOWHERE, len: 0 }
    }
}

impl List {
    pub(super) fn first(&self) -> Option<Slot> {
        (self.first != NOWHERE).then_some(self.first)
    }

    pub(super) const fn len(&self) -> u32 {
        self.len
    }
}

/// The slots.
#[derive(Debug)]
pub(super) struct Slots<T> {
    chunks: Vec<Vec<Cell<T>>>,
    /// The first free slot; each knows the next by its first link.
    free: Slot,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), free: NOWHERE }
    }
}

fn position(slot: Slot) -> (usize, usize) {
    let slot = slot as usize;
    (slot / CHUNK, slot % CHUNK)
}

impl<T> Slots<T> {
    fn cell(&mut self, slot: Slot) -> Option<&mut Cell<T>> {
        let (chunk, place) = position(slot);
        self.chunks.get_mut(chunk)?.get_mut(place)
    }

    fn link(&mut self, slot: Slot, chain: Chain) -> Option<&mut Link> {
        self.cell(slot)?.links.get_mut(chain as usize)
    }

    pub(super) fn get(&self, slot: Slot) -> Option<&T> {
        let (chunk, place) = position(slot);
        self.chunks.get(chunk)?.get(place)?.value.as_ref()
    }

    pub(super) fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        self.cell(slot)?.value.as_mut()
    }

    /// Puts a value into a slot. `None` if there are 2^32 already.
    pub(super) fn put(&mut self, value: T) -> Option<Slot> {
        let free = self.free;
        if let Some(cell) = self.cell(free) {
            let next = cell.links.first().map_or(NOWHERE, |link| link.after);
            *cell = Cell { links: [LOOSE; 4], value: Some(value) };
            self.free = next;
            return Some(free);
        }
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let full = self.chunks.len().checked_sub(1)?.checked_mul(CHUNK)?;
        let chunk = self.chunks.last_mut()?;
        let slot = Slot::try_from(full.checked_add(chunk.len())?).ok().filter(|slot| *slot != NOWHERE)?;
        chunk.push(Cell { links: [LOOSE; 4], value: Some(value) });
        Some(slot)
    }

    /// Empties a slot that is in no list any more.
    pub(super) fn take(&mut self, slot: Slot) -> Option<T> {
        let free = self.free;
        let cell = self.cell(slot)?;
        let value = cell.value.take()?;
        cell.links = [Link { before: NOWHERE, after: free }, LOOSE, LOOSE, LOOSE];
        self.free = slot;
        Some(value)
    }

    /// Appends a slot that is not in this kind of list to one.
    pub(super) fn append(&mut self, list: &mut List, chain: Chain, slot: Slot) {
        let before = list.last;
        if let Some(link) = self.link(slot, chain) {
            *link = Link { before, after: NOWHERE };
        }
        match self.link(before, chain) {
            Some(link) => link.after = slot,
            None => list.first = slot,
        }
        list.last = slot;
        list.len = list.len.saturating_add(1);
    }

    /// Takes a slot out of the list it is in.
    pub(super) fn unlink(&mut self, list: &mut List, chain: Chain, slot: Slot) {
        let Some(Link { before, after }) = self.link(slot, chain).map(|link| std::mem::replace(link, LOOSE)) else {
            return;
        };
        match self.link(before, chain) {
            Some(link) => link.after = after,
            None => list.first = after,
        }
        match self.link(after, chain) {
            Some(link) => link.before = before,
            None => list.last = before,
        }
        list.len = list.len.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    fn walk(slots: &mut Slots<u32>, list: &List) -> Vec<u32> {
        let mut out = Vec::new();
        let mut next = list.first;
        while let Some(value) = slots.get(next).copied() {
            out.push(value);
            next = slots.link(next, Chain::Age).unwrap().after;
        }
        out
    }

    #[test]
    fn a_list_is_what_a_queue_would_be() {
        let (mut slots, mut list, mut model) = (Slots::default(), List::default(), VecDeque::new());
        let mut seed = 7_u32;
        for value in 0..5000 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if seed >> 30 != 0 {
                let slot = slots.put(value).unwrap();
                slots.append(&mut list, Chain::Age, slot);
                model.push_back((slot, value));
            } else if !model.is_empty() {
                let (slot, value) = model.remove(seed as usize % model.len()).unwrap();
                slots.unlink(&mut list, Chain::Age, slot);
                assert_eq!(slots.take(slot), Some(value));
                assert_eq!(slots.take(slot), None);
            }
            assert_eq!(list.len() as usize, model.len());
        }
        assert_eq!(walk(&mut slots, &list), model.iter().map(|(_, value)| *value).collect::<Vec<_>>());
        assert!(slots.chunks.len() <= 4, "free slots are used again");
    }
}
