//! What a server sends: 401-INIT and 401-STALE (RFC 8120 §4.1), 401-KEX-S1 (§4.3), 200-VFY-S (§4.5).

use super::reason::STALE_SESSION;
use super::{
    Field, MessageError, Reason, Role, SCHEME, Sid, Terms, check_response, check_version, is_numbered, mandatory,
    params,
};
use crate::algorithm::Algorithm;
use crate::grammar::{ExtensiveToken, FieldWriter, Natural, Params, parse_challenges, parse_info};
use crate::kam3::{Ks1, Vks};
use crate::realm::Paths;
use alloc::string::ToString as _;

/// A 401-INIT message: the server asks for authentication, or says that it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Init {
    pub(crate) terms: Terms,
    pub(crate) reason: Reason,
    pub(crate) paths: Option<Paths>,
}

/// A 401-STALE message: the session is unknown or over, and a new key exchange is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    pub(crate) terms: Terms,
}

/// A 401-KEX-S1 message: the server's half of the key exchange.
#[derive(Debug, Clone)]
pub struct KexS1 {
    pub(crate) terms: Terms,
    pub(crate) sid: Sid,
    pub(crate) k_s1: Ks1,
    pub(crate) nc_max: Natural,
    pub(crate) nc_window: Natural,
    pub(crate) time: Natural,
    pub(crate) paths: Option<Paths>,
}

/// A 200-VFY-S message: the server proves that it holds the session secret.
#[derive(Debug, Clone)]
pub struct VfyS {
    pub(crate) sid: Sid,
    pub(crate) vk_s: Vks,
}

impl Init {
    /// The terms that the server asks for.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Why the server asks.
    #[must_use]
    pub const fn reason(&self) -> &Reason {
        &self.reason
    }

    /// Where the realm applies. RFC 8120 has this in 401-KEX-S1; RFC 8053 §3 wants it with an optional challenge too.
    #[must_use]
    pub const fn paths(&self) -> Option<&Paths> {
        self.paths.as_ref()
    }

    fn value(&self) -> alloc::string::String {
        let mut fields = FieldWriter::new(SCHEME);
        self.terms.write(&mut fields);
        fields.token("reason", &ExtensiveToken::known(self.reason.as_str()));
        if let Some(paths) = &self.paths {
            fields.string("path", &paths.to_string());
        }
        fields.finish()
    }

    /// The field to send with 401 or 407, or with 403 for `authz-failed`.
    #[must_use]
    pub fn to_field(&self, role: Role) -> Field {
        Field { name: role.challenge_field(), value: self.value() }
    }

    /// The field to send with a successful response instead (RFC 8053 §3). `None` if the reason does not allow it.
    #[must_use]
    pub(crate) fn to_optional_field(&self) -> Option<Field> {
        let name = crate::control::OPTIONAL_FIELD;
        self.reason.may_be_optional().then(|| Field { name, value: self.value() })
    }
}

impl Stale {
    /// The terms that the server asks for.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The field to send with 401 or 407.
    #[must_use]
    pub fn to_field(&self, role: Role) -> Field {
        let mut fields = FieldWriter::new(SCHEME);
        self.terms.write(&mut fields);
        fields.token("reason", &ExtensiveToken::known(STALE_SESSION));
        Field { name: role.challenge_field(), value: fields.finish() }
    }
}

impl KexS1 {
    /// The terms of the exchange.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The identifier of the session that the exchange began.
    #[must_use]
    pub const fn sid(&self) -> &Sid {
        &self.sid
    }

    /// The field to send with 401 or 407.
    #[must_use]
    pub fn to_field(&self, role: Role) -> Field {
        let mut fields = FieldWriter::new(SCHEME);
        self.terms.write(&mut fields);
        fields.hex("sid", self.sid.octets());
        self.k_s1.write(&mut fields);
        fields.integer("nc-max", self.nc_max);
        fields.integer("nc-window", self.nc_window);
        fields.integer("time", self.time);
        if let Some(paths) = &self.paths {
            fields.string("path", &paths.to_string());
        }
        Field { name: role.challenge_field(), value: fields.finish() }
    }
}

/// A message from a server that asks for something, in its challenge field.
#[derive(Debug, Clone)]
pub enum ServerMessage {
    /// 401-INIT.
    Init(Init),
    /// 401-STALE.
    Stale(Stale),
    /// 401-KEX-S1.
    KexS1(KexS1),
}

impl ServerMessage {
    /// Reads all lines of a challenge field. `None` if there is no Mutual challenge among them.
    ///
    /// # Errors
    /// [`MessageError`] if the field is broken, if there are two Mutual challenges, or if the one is no message.
    pub fn read<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Result<Option<Self>, MessageError> {
        let challenges = parse_challenges(lines)?;
        let mut mutual = challenges.iter().filter(|challenge| challenge.is(SCHEME));
        match (mutual.next(), mutual.next()) {
            (None, _) => Ok(None),
            (Some(challenge), None) => Self::from_params(params(challenge)?).map(Some),
            (Some(_), Some(_)) => Err(MessageError::TwoMessages),
        }
    }

    fn from_params(params: &Params) -> Result<Self, MessageError> {
        check_response(params)?;
        let terms = Terms::read(params)?;
        let paths = params.string("path")?.map(|list| Paths::parse(&list));
        if let Some(reason) = params.token("reason")? {
            return Ok(if reason.as_str() == STALE_SESSION {
                Self::Stale(Stale { terms })
            } else {
                Self::Init(Init { terms, reason: Reason::from_token(reason), paths })
            });
        }
        if let Some(k_s1) = Ks1::read(params, terms.algorithm)? {
            let sid = params.typed("sid", "an even number of up to 128 hexadecimal digits", Sid::read)?;
            return Ok(Self::KexS1(KexS1 {
                terms,
                sid: mandatory(sid, "sid")?,
                k_s1,
                nc_max: mandatory(params.integer("nc-max")?, "nc-max")?,
                nc_window: mandatory(params.integer("nc-window")?, "nc-window")?,
                time: mandatory(params.integer("time")?, "time")?,
                paths,
            }));
        }
        Err(MessageError::Kind(if params.iter().any(|param| is_numbered(param.name(), "ks")) {
            "ks# of another protocol"
        } else {
            "neither reason nor ks1"
        }))
    }
}

impl VfyS {
    /// The field to send with any response but 401 or 407, before the body and never in a trailer (RFC 8120 §4.5).
    ///
    /// If a 100 (Continue) response is sent, it belongs there instead.
    #[must_use]
    pub fn to_field(&self, role: Role) -> Field {
        let mut fields = FieldWriter::bare();
        fields.token("version", &ExtensiveToken::known("1"));
        fields.hex("sid", self.sid.octets());
        self.vk_s.write(&mut fields);
        Field { name: role.info_field(), value: fields.finish() }
    }

    /// Reads all lines of an information field that answers a session of `algorithm`. `None` if there is no field.
    ///
    /// # Errors
    /// [`MessageError`] if there is one and it is no 200-VFY-S message.
    pub fn read<'a>(
        lines: impl IntoIterator<Item = &'a [u8]>,
        algorithm: Algorithm,
    ) -> Result<Option<Self>, MessageError> {
        let mut lines = lines.into_iter().peekable();
        if lines.peek().is_none() {
            return Ok(None);
        }
        let params = parse_info(lines, SCHEME)?;
        check_response(&params)?;
        check_version(&params)?;
        let sid = params.typed("sid", "an even number of up to 128 hexadecimal digits", Sid::read)?;
        let sid = mandatory(sid, "sid")?;
        let vk_s = mandatory(Vks::read(&params, algorithm)?, "vks")?;
        Ok(Some(Self { sid, vk_s }))
    }
}
