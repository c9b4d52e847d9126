//! One key.

use super::MAX_KEY_ID_LEN;
use super::error::{KeysError, SealError};
use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64ct::{Base64, Encoding as _};
use zeroize::Zeroizing;

/// What sealed octets begin with. Another cipher would have another.
const FORMAT: u8 = 1;
const KEY_LEN: usize = 32;
const TAG_LEN: usize = 16;
const HEAD_LEN: usize = 1 + NONCE_LEN;

/// A key and its name.
pub(super) struct Key {
    pub(super) id: String,
    aead: RandomizedNonceKey,
}

fn is_id(id: &str) -> bool {
    (1..=MAX_KEY_ID_LEN).contains(&id.len())
        && id.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet))
}

impl Key {
    /// Reads `key-id:base64`.
    pub(super) fn parse(line: &str, number: usize) -> Result<Self, KeysError> {
        let wrong = |what| KeysError::Line { line: number, what };
        let (id, base64) = line.split_once(':').ok_or_else(|| wrong("there is no colon in it"))?;
        let id = id.trim();
        if !is_id(id) {
            return Err(wrong("the key id is not made of 1 to 64 letters, digits, '-', '_' and '.'"));
        }
        let mut octets = Zeroizing::new([0; KEY_LEN]);
        let length = match Base64::decode(base64.trim(), octets.as_mut_slice()) {
            Ok(octets) => octets.len(),
            Err(_) => return Err(wrong("what follows the colon is not the base64 of 32 octets")),
        };
        if length != KEY_LEN {
            return Err(wrong("the key is shorter than 32 octets"));
        }
        let aead = RandomizedNonceKey::new(&AES_256_GCM_SIV, octets.as_slice()).map_err(|_| KeysError::Backend)?;
        Ok(Self { id: id.to_owned(), aead })
    }

    /// The line of a new key, and its name: no two are the same.
    pub(super) fn generate() -> Result<(String, Zeroizing<String>), KeysError> {
        let mut name = [0; 6];
        let mut octets = Zeroizing::new([0; KEY_LEN]);
        aws_lc_rs::rand::fill(&mut name).map_err(|_| KeysError::Backend)?;
        aws_lc_rs::rand::fill(octets.as_mut_slice()).map_err(|_| KeysError::Backend)?;
        let id = name.iter().fold(String::from("key-"), |id, octet| format!("{id}{octet:02x}"));
        let base64 = Zeroizing::new(Base64::encode_string(octets.as_slice()));
        let line = Zeroizing::new(format!("{id}:{}\n", *base64));
        Ok((id, line))
    }

    /// `format | nonce | ciphertext | tag`.
    pub(super) fn seal(&self, bound: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let length = plain.len().saturating_add(HEAD_LEN).saturating_add(TAG_LEN);
        // Large enough from the start, so that no copy of the plain octets stays behind.
        let mut out = Zeroizing::new(Vec::with_capacity(length));
        out.push(FORMAT);
        out.extend_from_slice(&[0; NONCE_LEN]);
        out.extend_from_slice(plain);
        let (head, text) = out.split_at_mut_checked(HEAD_LEN).ok_or(SealError::Backend)?;
        let (nonce, tag) =
            self.aead.seal_in_place_separate_tag(Aad::from(bound), text).map_err(|_| SealError::Backend)?;
        for (place, octet) in head.iter_mut().skip(1).zip(nonce.as_ref()) {
            *place = *octet;
        }
        out.extend_from_slice(tag.as_ref());
        Ok(std::mem::take(&mut *out))
    }

    pub(super) fn open(&self, bound: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let misfit = || SealError::DoesNotFit(self.id.clone());
        let (head, text) = sealed.split_at_checked(HEAD_LEN).ok_or_else(misfit)?;
        let nonce = match head.split_first() {
            Some((&FORMAT, nonce)) => Nonce::try_assume_unique_for_key(nonce).map_err(|_| misfit())?,
            _ => return Err(misfit()),
        };
        let mut out = Zeroizing::new(text.to_vec());
        let length = self.aead.open_in_place(nonce, Aad::from(bound), &mut out).map_err(|_| misfit())?.len();
        out.truncate(length);
        Ok(out)
    }
}
