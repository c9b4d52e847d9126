//! The window of nonce numbers against a model that forgets nothing.
//!
//! The first two octets are the size of the window. Then comes a list of numbers: two octets each for a step from the
//! largest number so far, or, after 0x80, eight octets for a number. Each is looked up, marked if it is fresh, and looked
//! up again with its neighbours.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::collections::BTreeSet;
use tagai_core::server::{NcState, NcWindow, ServerConfig};

fuzz_target!(|input: &[u8]| {
    let Some((size, mut rest)) = input.split_first_chunk() else { return };
    let size = u32::from(u16::from_be_bytes(*size)) % (ServerConfig::MAX_NC_WINDOW + 1);
    let mut window = NcWindow::new(size);
    let mut used = BTreeSet::new();
    while let Some((number, left)) = number(rest, used.last().copied().unwrap_or(0)) {
        rest = left;
        let state = window.state(number);
        assert_eq!(state, model(&used, size, number));
        if state == NcState::Fresh {
            window.mark(number);
            used.insert(number);
        }
        for nc in number.saturating_sub(2)..=number.saturating_add(2) {
            assert_eq!(window.state(nc), model(&used, size, nc));
        }
    }
});

fn number(input: &[u8], largest: u64) -> Option<(u64, &[u8])> {
    match input {
        [0x80, rest @ ..] => rest.split_first_chunk().map(|(number, rest)| (u64::from_be_bytes(*number), rest)),
        [high, low, rest @ ..] => {
            let step = i64::from(i16::from_be_bytes([*high, *low]));
            Some((largest.saturating_add_signed(step), rest))
        }
        _ => None,
    }
}

fn model(used: &BTreeSet<u64>, size: u32, nc: u64) -> NcState {
    let largest = used.last().copied().unwrap_or(0);
    if i128::from(nc) <= i128::from(largest) - i128::from(size.max(1)) {
        NcState::BelowWindow
    } else if used.contains(&nc) {
        NcState::Seen
    } else {
        NcState::Fresh
    }
}
