//! What a client sends: req-KEX-C1 (RFC 8120 §4.2) and req-VFY-C (§4.4).

use super::{Field, MessageError, Role, SCHEME, Sid, Terms, check_request, is_numbered, mandatory, params};
use crate::credential::Username;
use crate::grammar::{FieldWriter, Natural, Params, parse_credentials};
use crate::kam3::{Kc1, Vkc};

/// A req-KEX-C1 message: the client starts a key exchange.
#[derive(Debug, Clone)]
pub struct KexC1 {
    pub(crate) terms: Terms,
    /// `None` if the text cannot be a user's name.
    pub(crate) user: Option<Username>,
    pub(crate) k_c1: Kc1,
}

/// A req-VFY-C message: the client proves that it holds the session secret.
#[derive(Debug, Clone)]
pub struct VfyC {
    pub(crate) terms: Terms,
    pub(crate) sid: Sid,
    pub(crate) nc: Natural,
    pub(crate) vk_c: Vkc,
}

impl KexC1 {
    /// The terms that the client agreed to.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The name that the client gave. `None` if it cannot be one, because of its length or of control characters: that is no
    /// error, but gets a fake session (RFC 8120 §11).
    #[must_use]
    pub const fn user(&self) -> Option<&Username> {
        self.user.as_ref()
    }

    /// `K_c1`, of natural length, not checked further.
    #[must_use]
    pub const fn k_c1(&self) -> &Kc1 {
        &self.k_c1
    }

    /// The field to send.
    #[must_use]
    pub fn to_field(&self, role: Role) -> Field {
        let mut fields = FieldWriter::new(SCHEME);
        self.terms.write(&mut fields);
        fields.string("user", self.user.as_ref().map_or("", Username::as_str));
        self.k_c1.write(&mut fields);
        Field { name: role.credentials_field(), value: fields.finish() }
    }
}

impl VfyC {
    /// The terms of the session.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The session that the client means.
    #[must_use]
    pub const fn sid(&self) -> &Sid {
        &self.sid
    }

    /// The nonce number of the request.
    #[must_use]
    pub const fn nc(&self) -> Natural {
        self.nc
    }

    /// The field to send.
    #[must_use]
    pub fn to_field(&self, role: Role) -> Field {
        let mut fields = FieldWriter::new(SCHEME);
        self.terms.write(&mut fields);
        fields.hex("sid", self.sid.octets());
        fields.integer("nc", self.nc);
        self.vk_c.write(&mut fields);
        Field { name: role.credentials_field(), value: fields.finish() }
    }
}

/// A message from a client.
#[derive(Debug, Clone)]
pub enum ClientMessage {
    /// req-KEX-C1.
    KexC1(KexC1),
    /// req-VFY-C.
    VfyC(VfyC),
}

impl ClientMessage {
    /// Reads the lines of the credentials field. `None` if there is no Mutual credential: the request is a normal one, as
    /// far as this protocol is concerned.
    ///
    /// # Errors
    /// [`MessageError`] if there is one and it is not a message of this protocol.
    pub fn read<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Result<Option<Self>, MessageError> {
        let mut message = None;
        for (position, line) in lines.into_iter().enumerate() {
            let mutual = is_mutual(line);
            // Authorization is no list field: a second line beside ours makes unclear who is meant.
            if position > 0 && (mutual || message.is_some()) {
                return Err(MessageError::TwoMessages);
            }
            if mutual {
                message = Some(Self::from_params(params(&parse_credentials(line)?)?)?);
            }
        }
        Ok(message)
    }

    fn from_params(params: &Params) -> Result<Self, MessageError> {
        check_request(params)?;
        let terms = Terms::read(params)?;
        let algorithm = terms.algorithm;
        if let Some(k_c1) = Kc1::read(params, algorithm)? {
            let user = Username::prepared(mandatory(params.string("user")?, "user")?).ok();
            return Ok(Self::KexC1(KexC1 { terms, user, k_c1 }));
        }
        if let Some(vk_c) = Vkc::read(params, algorithm)? {
            let sid = params.typed("sid", "an even number of up to 128 hexadecimal digits", Sid::read)?;
            let sid = mandatory(sid, "sid")?;
            let nc = mandatory(params.integer("nc")?, "nc")?;
            return Ok(Self::VfyC(VfyC { terms, sid, nc, vk_c }));
        }
        Err(MessageError::Kind(if params.iter().any(|param| is_numbered(param.name(), "kc")) {
            "kc# of another protocol"
        } else {
            "neither kc1 nor vkc"
        }))
    }
}

/// Whether credentials are of the scheme Mutual, however broken the rest may be.
fn is_mutual(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    line.split_at_checked(SCHEME.len()).is_some_and(|(scheme, rest)| {
        scheme.eq_ignore_ascii_case(SCHEME.as_bytes()) && matches!(rest.first(), None | Some(b' ' | b'\t' | b','))
    })
}
