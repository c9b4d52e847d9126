//! The octets of a client's file of sessions: records of parts (see `tagai_fuzz::parts`), with a line `=` between them.
//!
//! - What is read is written back octet for octet the same; there are not more sessions than a file may hold.
//! - A file that was cut off or has a changed octet is damaged.
//! - Arbitrary octets are no file, unless they are what would be written.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tagai_client::{MAX_SESSIONS, session_file_door as door};
use tagai_fuzz::parts;

const MAGIC: &[u8] = b"tagai sessions 1\n";

fuzz_target!(|input: &[u8]| {
    check(input);
    let lines: Vec<&[u8]> = input.split(|octet| *octet == b'\n').collect();
    let mut file = MAGIC.to_vec();
    for record in lines.split(|line| line == b"=") {
        let octets = parts(record.iter().copied());
        file.extend_from_slice(&u32::try_from(octets.len()).expect("a short input").to_be_bytes());
        file.extend_from_slice(&octets);
    }
    let sum = file
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |sum: u64, octet| (sum ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3));
    file.extend_from_slice(&sum.to_be_bytes());
    if !check(&file) {
        return;
    }
    let place = usize::from(input.first().copied().unwrap_or(0)) * 7 % file.len();
    assert!(!check(&file[..place]), "cut off after {place} octets");
    file[place] ^= 1 << (place % 8);
    assert!(!check(&file), "octet {place} was changed");
});

/// Whether it is a file of sessions.
fn check(octets: &[u8]) -> bool {
    let Some(sessions) = door::parse(octets) else { return false };
    assert!(sessions.len() <= MAX_SESSIONS);
    assert_eq!(*door::serialise(&sessions), octets);
    true
}
