//! Base64 of 32 octets (RFC 4648 section 4), with padding: 44 characters, in one spelling.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(super) fn encode(octets: &[u8; 32]) -> String {
    let mut text = String::with_capacity(44);
    for group in octets.chunks(3) {
        let bits =
            group.iter().enumerate().fold(0, |bits, (index, octet)| bits | u32::from(*octet) << (16 - 8 * index));
        for index in 0..4 {
            let digit = (bits >> (18 - 6 * index) & 63) as usize;
            let character = ALPHABET.get(digit).filter(|_| index <= group.len());
            text.push(character.map_or('=', |character| char::from(*character)));
        }
    }
    text
}

pub(super) fn decode(text: &str) -> Option<[u8; 32]> {
    let digits = text.strip_suffix('=').filter(|digits| digits.len() == 43)?;
    let mut octets = [0; 32];
    let (mut bits, mut held, mut at) = (0_u32, 0, 0);
    for character in digits.bytes() {
        let digit = u32::try_from(ALPHABET.iter().position(|known| *known == character)?).ok()?;
        bits = bits << 6 | digit;
        held += 6;
        if held >= 8 {
            held -= 8;
            *octets.get_mut(at)? = (bits >> held & 0xff) as u8;
            at += 1;
        }
    }
    // 43 digits are 258 bits; the last two must be zero, or a pin had four spellings.
    (bits & 3 == 0).then_some(octets)
}
