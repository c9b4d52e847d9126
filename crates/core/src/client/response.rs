//! A response as the client looks at it: a few fields in front of a closed box.

use crate::control::{CONTROL_FIELD, OPTIONAL_FIELD};
use crate::grammar::MAX_FIELD_LEN;
use crate::message::Role;
use crate::validation::Channel;
use alloc::vec::Vec;

/// The fields that the protocol reads.
const FIELDS: [&str; 6] = [
    Role::OriginServer.challenge_field(),
    Role::OriginServer.info_field(),
    Role::Proxy.challenge_field(),
    Role::Proxy.info_field(),
    OPTIONAL_FIELD,
    CONTROL_FIELD,
];

/// A final response (not 1xx). `B` is everything else of it: usually the response itself, with all its fields and its body.
///
/// What is put in here comes out in an [`super::Outcome`] or not at all.
pub struct Response<B> {
    pub(super) head: Head,
    pub(super) body: B,
}

/// The part that the machine reads.
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) channel: Channel,
    lines: Vec<(usize, Vec<u8>)>,
}

impl<B> Response<B> {
    /// A response with this status code and these fields, which came over `channel`.
    pub fn new<'a>(
        status: u16,
        fields: impl IntoIterator<Item = (&'a str, &'a [u8])>,
        channel: Channel,
        body: B,
    ) -> Self {
        Self { head: Head::new(status, fields, channel), body }
    }
}

impl Head {
    pub(super) fn new<'a>(
        status: u16,
        fields: impl IntoIterator<Item = (&'a str, &'a [u8])>,
        channel: Channel,
    ) -> Self {
        let lines = fields
            .into_iter()
            .filter_map(|(name, value)| {
                let field = FIELDS.iter().position(|known| known.eq_ignore_ascii_case(name))?;
                // One octet too many is enough for the parser to refuse the field.
                Some((field, value.get(..MAX_FIELD_LEN + 1).unwrap_or(value).to_vec()))
            })
            .collect();
        Self { status, channel, lines }
    }

    /// Whether a word stands anywhere in the fields, in any case of letters.
    pub(super) fn mentions(&self, word: &str) -> bool {
        let is_word = |octets: &[u8]| octets.eq_ignore_ascii_case(word.as_bytes());
        self.lines.iter().any(|(_, value)| value.windows(word.len()).any(is_word))
    }

    /// The values of all lines of a field, in order.
    pub(super) fn lines(&self, name: &str) -> impl Iterator<Item = &[u8]> + Clone {
        let wanted = FIELDS.iter().position(|known| *known == name);
        self.lines.iter().filter(move |(field, _)| Some(*field) == wanted).map(|(_, value)| value.as_slice())
    }
}

impl<B> core::fmt::Debug for Response<B> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Response").field("status", &self.head.status).finish_non_exhaustive()
    }
}
