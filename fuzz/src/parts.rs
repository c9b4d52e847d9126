//! Stored sessions as text: a line for each part, so that seeds can be written by hand.

/// What a line of parts begins with, and what it gives:
///
/// - `t` the octets behind it as a part, `n` the decimal number as a part of eight octets;
/// - `z` a part of so many octets that are all alike, for keys;
/// - `r` the octets behind it as they are, without a length.
///
/// Anything else says nothing.
#[must_use]
pub fn parts<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = vec![1];
    for line in lines {
        let Some((kind, rest)) = line.split_first() else { continue };
        match kind {
            b't' => push(&mut out, rest),
            b'n' => push(&mut out, &number(rest).to_be_bytes()),
            b'z' => push(&mut out, &vec![7; usize::try_from(number(rest) % 2048).unwrap_or(0)]),
            b'r' => out.extend_from_slice(rest),
            _ => {}
        }
    }
    out
}

fn push(out: &mut Vec<u8>, part: &[u8]) {
    let length = part.len();
    let digits = (0..4).rev().map(|place| length >> (7 * place)).skip_while(|rest| *rest == 0);
    let mut digits: Vec<u8> = digits.map(|rest| (rest & 0x7f) as u8 | 0x80).collect();
    match digits.last_mut() {
        Some(last) => *last &= 0x7f,
        None => digits.push(0),
    }
    out.extend_from_slice(&digits);
    out.extend_from_slice(part);
}

fn number(digits: &[u8]) -> u64 {
    digits
        .iter()
        .filter(|octet| octet.is_ascii_digit())
        .fold(0, |number: u64, digit| number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')))
}

/// Takes the parts apart again. `None` if the octets are not in this form.
#[must_use]
pub fn take_apart(octets: &[u8]) -> Option<Vec<&[u8]>> {
    let mut rest = octets.strip_prefix(&[1])?;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let mut length = 0;
        loop {
            let (digit, behind) = rest.split_first()?;
            rest = behind;
            length = length << 7 | usize::from(digit & 0x7f);
            if digit & 0x80 == 0 {
                break;
            }
        }
        let (part, behind) = rest.split_at_checked(length)?;
        found.push(part);
        rest = behind;
    }
    Some(found)
}
