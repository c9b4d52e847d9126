//! Inputs as text: lines of a header field, and scripts of one command a line.
//!
//! Text with separators keeps its shape when a fuzzer inserts words of a dictionary, and seeds can be written by hand.

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

/// The lines of a field; an empty input is a field that is not there.
#[must_use]
pub fn lines(input: &[u8]) -> Vec<&[u8]> {
    if input.is_empty() { Vec::new() } else { input.split(|octet| *octet == b'\n').collect() }
}

/// Splits a script into a generator, seeded with the first line, and the commands of the other lines.
pub fn script(input: &[u8]) -> (ChaCha20Rng, impl Iterator<Item = Command<'_>>) {
    let mut lines = input.split(|octet| *octet == b'\n');
    let mut seed = [0; 32];
    for (slot, octet) in seed.iter_mut().zip(lines.next().unwrap_or_default()) {
        *slot = *octet;
    }
    let commands = lines.filter_map(|line| line.split_first()).map(|(name, rest)| Command { name: *name, rest });
    (ChaCha20Rng::from_seed(seed), commands)
}

/// One line of a script: a letter and what follows it.
#[derive(Debug, Clone, Copy)]
pub struct Command<'a> {
    /// The letter.
    pub name: u8,
    /// The rest of the line, as far as it has not been taken.
    pub rest: &'a [u8],
}

impl Command<'_> {
    /// Takes an octet; zero at the end.
    pub fn octet(&mut self) -> u8 {
        let (first, rest) = self.rest.split_first().unwrap_or((&0, &[]));
        self.rest = rest;
        *first
    }

    /// Takes one of `items` by an octet, counted from `'0'` so that it can be written by hand. `None` if there are none.
    pub fn pick<'i, T>(&mut self, items: &'i [T]) -> Option<&'i T> {
        let index = usize::from(self.octet().wrapping_sub(b'0'));
        items.get(index % items.len().max(1))
    }

    /// Takes the digits that come next, as a number that wraps around.
    pub fn number(&mut self) -> u64 {
        let length = self.rest.iter().take_while(|octet| octet.is_ascii_digit()).count();
        let (digits, rest) = self.rest.split_at(length);
        self.rest = rest;
        digits.iter().fold(0, |number: u64, digit| number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')))
    }
}
