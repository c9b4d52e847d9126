//! The sliding window of nonce numbers (RFC 8120 §6, §11).

use super::config::ServerConfig;
use crate::stored::{Reader, Writer};
use alloc::boxed::Box;

/// Which nonce numbers of a session were used, in memory that depends on the size of the window alone.
///
/// A number counts as used if it was marked, or if it is not larger than the largest marked one less the size.
pub struct NcWindow {
    size: u32,
    /// `largest-nc`, which starts at zero.
    largest: u64,
    /// One bit for each of the last numbers: that of `nc` is at `nc` modulo the number of bits.
    seen: Box<[u64]>,
}

/// What a window says of a nonce number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NcState {
    /// Never marked.
    Fresh,
    /// Marked before: a replay.
    Seen,
    /// Not larger than `largest-nc - nc-window`: it may have been marked, which is forgotten.
    BelowWindow,
}

impl NcWindow {
    /// An empty window over `size` numbers, at least one.
    #[must_use]
    pub fn new(size: u32) -> Self {
        let size = size.max(1);
        let words = usize::try_from(size.div_ceil(64)).unwrap_or(1);
        Self { size, largest: 0, seen: alloc::vec![0; words].into_boxed_slice() }
    }

    /// What is known of `nc`.
    #[must_use]
    pub fn state(&self, nc: u64) -> NcState {
        // nc > largest - size, in numbers that do not go below zero.
        if u128::from(nc) + u128::from(self.size) <= u128::from(self.largest) {
            NcState::BelowWindow
        } else if nc <= self.largest && self.bit(nc) {
            NcState::Seen
        } else {
            NcState::Fresh
        }
    }

    /// Marks `nc` as used. The caller has found it fresh.
    pub fn mark(&mut self, nc: u64) {
        if nc > self.largest {
            let steps = (nc - self.largest).min(self.bits());
            // The bits of the numbers between belonged to numbers that now leave the window.
            for forgotten in (0..steps).map(|back| nc - back) {
                self.set_bit(forgotten, false);
            }
            self.largest = nc;
        }
        self.set_bit(nc, true);
    }

    /// Writes the window down for a store of sessions.
    pub(super) fn write(&self, out: &mut Writer) {
        out.number(self.size.into());
        out.number(self.largest);
        for word in &self.seen {
            out.number(*word);
        }
    }

    /// Reads what [`NcWindow::write`] wrote.
    pub(super) fn read(parts: &mut Reader<'_>) -> Option<Self> {
        let size =
            u32::try_from(parts.number()?).ok().filter(|size| (1..=ServerConfig::MAX_NC_WINDOW).contains(size))?;
        let mut window = Self::new(size);
        window.largest = parts.number()?;
        for word in &mut window.seen {
            *word = parts.number()?;
        }
        Some(window)
    }

    fn bits(&self) -> u64 {
        64 * self.seen.len() as u64
    }

    fn place(&self, nc: u64) -> (usize, u64) {
        let bit = nc % self.bits();
        (usize::try_from(bit / 64).unwrap_or(0), 1 << (bit % 64))
    }

    fn bit(&self, nc: u64) -> bool {
        let (word, mask) = self.place(nc);
        self.seen.get(word).is_some_and(|word| word & mask != 0)
    }

    fn set_bit(&mut self, nc: u64, to: bool) {
        let (word, mask) = self.place(nc);
        if let Some(word) = self.seen.get_mut(word) {
            *word = if to { *word | mask } else { *word & !mask };
        }
    }
}

impl core::fmt::Debug for NcWindow {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("NcWindow").field("largest", &self.largest).field("size", &self.size).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_example_of_rfc8120_section_6() {
        let mut window = NcWindow::new(128);
        let used = [1..=120, 122..=122, 124..=124, 130..=238, 255..=360, 363..=372];
        for nc in used.clone().into_iter().flatten() {
            assert_eq!(window.state(nc), NcState::Fresh, "{nc}");
            window.mark(nc);
        }
        for nc in (245..=254).chain([361, 362]).chain(373..=400) {
            assert_eq!(window.state(nc), NcState::Fresh, "{nc}");
        }
        for nc in [0, 121, 123].into_iter().chain(125..=129).chain(239..=244) {
            assert_eq!(window.state(nc), NcState::BelowWindow, "{nc}");
        }
        for nc in (255..=360).chain(363..=372) {
            assert_eq!(window.state(nc), NcState::Seen, "{nc}");
        }
    }

    #[test]
    fn zero_is_a_nonce_number_like_any_other() {
        let mut window = NcWindow::new(128);
        assert_eq!(window.state(0), NcState::Fresh);
        window.mark(0);
        assert_eq!(window.state(0), NcState::Seen);
        assert_eq!(window.state(1), NcState::Fresh);
    }

    #[test]
    fn the_ends_of_the_range() {
        let mut window = NcWindow::new(1);
        window.mark(u64::MAX);
        assert_eq!(window.state(u64::MAX), NcState::Seen);
        assert_eq!(window.state(u64::MAX - 1), NcState::BelowWindow);
        assert_eq!(NcWindow::new(0).state(0), NcState::Fresh);
    }

    proptest! {
        #[test]
        fn it_is_the_window_of_the_rfc(
            size in 1u32..300,
            numbers in proptest::collection::vec(0u64..2000, 0..400),
        ) {
            let mut window = NcWindow::new(size);
            let mut used = BTreeSet::new();
            for nc in numbers {
                let largest = used.last().copied().unwrap_or(0);
                let expected = if i128::from(nc) <= i128::from(largest) - i128::from(size) {
                    NcState::BelowWindow
                } else if used.contains(&nc) {
                    NcState::Seen
                } else {
                    NcState::Fresh
                };
                prop_assert_eq!(window.state(nc), expected, "{} after {:?}", nc, used.iter().rev().take(3).collect::<Vec<_>>());
                if expected == NcState::Fresh {
                    window.mark(nc);
                    used.insert(nc);
                }
            }
        }
    }
}
