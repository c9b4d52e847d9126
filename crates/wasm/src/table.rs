//! What waits for its next call, under a number.

use crate::error::EngineError;
use std::collections::BTreeMap;

/// A bounded table. Of too many entries the oldest makes room: whoever comes for it is refused.
#[derive(Debug)]
pub(crate) struct Table<T> {
    what: &'static str,
    most: usize,
    entries: BTreeMap<u32, T>,
}

impl<T> Table<T> {
    pub(crate) const fn new(what: &'static str, most: usize) -> Self {
        Self { what, most, entries: BTreeMap::new() }
    }

    /// Numbers have to rise.
    pub(crate) fn put(&mut self, id: u32, entry: T) {
        while self.entries.len() >= self.most && self.entries.pop_first().is_some() {}
        self.entries.insert(id, entry);
    }

    pub(crate) fn get_mut(&mut self, id: u32) -> Result<&mut T, EngineError> {
        self.entries.get_mut(&id).ok_or(EngineError::Gone { what: self.what, id })
    }

    pub(crate) fn take(&mut self, id: u32) -> Result<T, EngineError> {
        self.entries.remove(&id).ok_or(EngineError::Gone { what: self.what, id })
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.entries.values()
    }
}

/// Numbers for all tables: none is given out twice.
#[derive(Debug)]
pub(crate) struct Numbers(u32);

impl Numbers {
    pub(crate) const fn new() -> Self {
        Self(0)
    }

    pub(crate) fn next(&mut self) -> Result<u32, EngineError> {
        self.0 = self.0.checked_add(1).ok_or(EngineError::Argument("one more number"))?;
        Ok(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room_and_is_gone() {
        let mut table = Table::new("thing", 2);
        for id in 1..=3 {
            table.put(id, id);
        }
        assert_eq!(table.take(1), Err(EngineError::Gone { what: "thing", id: 1 }));
        assert_eq!(table.get_mut(2), Ok(&mut 2));
        assert_eq!(table.take(3), Ok(3));
        assert_eq!(table.take(3), Err(EngineError::Gone { what: "thing", id: 3 }), "once only");
    }

    #[test]
    fn numbers_end_before_they_repeat() {
        let mut numbers = Numbers(u32::MAX - 1);
        assert_eq!(numbers.next(), Ok(u32::MAX));
        assert!(numbers.next().is_err());
    }
}
