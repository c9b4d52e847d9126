//! What comes from JavaScript, made into types.

use crate::error::EngineError;
use tagai_core::client::{Credential, Target};
use tagai_core::control::{CONTROL_FIELD, OPTIONAL_FIELD};
use tagai_core::credential::{Password, Username};
use tagai_core::message::{Role, SCHEME};
use tagai_core::realm::{AuthRealm, AuthScope, Origin, RealmName};
use zeroize::Zeroizing;

/// The longest path that is remembered with a sequence. Longer ones work; they are told apart by their beginning.
const MAX_PATH: usize = 8192;
/// The most octets of a response's fields, as JSON.
const MAX_FIELDS: usize = 1 << 20;

/// The parameter that a server's proof has, in a field that need not name the scheme.
const PROOF: &str = "vks";

/// What the user typed.
pub struct Typed {
    /// The user's name.
    pub user: String,
    /// The password in UTF-8. It is wiped.
    pub password: Zeroizing<Vec<u8>>,
}

impl Typed {
    /// Prepares both.
    pub(crate) fn prepare(&self) -> Result<(Username, Password), EngineError> {
        let user = Username::prepare(&self.user).map_err(EngineError::User)?;
        let password = std::str::from_utf8(&self.password).map_err(|_| EngineError::Argument("the password"))?;
        Ok((user, Password::prepare(password).map_err(EngineError::Password)?))
    }

    pub(crate) fn credential(&self) -> Result<Credential, EngineError> {
        self.prepare().map(|(user, password)| Credential::password(user, password))
    }
}

/// A response's head, without its fields' octets being text: a browser gives each octet as one character.
pub struct Head {
    pub(crate) status: u16,
    fields: Vec<(String, Vec<u8>)>,
    pub(crate) certificate: Option<Vec<u8>>,
}

impl Head {
    /// A head of its parts; `certificate` as DER.
    #[must_use]
    pub const fn new(status: u16, fields: Vec<(String, Vec<u8>)>, certificate: Option<Vec<u8>>) -> Self {
        Self { status, fields, certificate }
    }

    /// The same with the fields as JSON: an array of pairs of strings.
    ///
    /// # Errors
    /// [`EngineError::Argument`] if it is none, or too long.
    pub fn from_json(status: u16, fields: &str, certificate: Option<Vec<u8>>) -> Result<Self, EngineError> {
        let wrong = EngineError::Argument("the list of fields");
        if fields.len() > MAX_FIELDS {
            return Err(wrong);
        }
        let fields: Vec<(String, String)> = serde_json::from_str(fields).map_err(|_| wrong)?;
        let fields = fields.into_iter().map(|(name, value)| (name, octets(value))).collect();
        Ok(Self::new(status, fields, certificate))
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// Whether any field that the protocol reads speaks of it. Where none does, the answer to a request without credentials is an
    /// ordinary one, whatever other schemes say in those fields.
    pub(crate) fn concerns_us(&self) -> bool {
        let role = Role::OriginServer;
        let ours = [role.challenge_field(), role.info_field(), OPTIONAL_FIELD, CONTROL_FIELD];
        let says =
            |value: &[u8], word: &str| value.windows(word.len()).any(|at| at.eq_ignore_ascii_case(word.as_bytes()));
        self.fields
            .iter()
            .filter(|(name, _)| ours.iter().any(|our| our.eq_ignore_ascii_case(name)))
            .any(|(_, value)| says(value, SCHEME) || says(value, PROOF))
    }
}

/// The octets of a field's value. Text that has been decoded already is encoded again.
fn octets(value: String) -> Vec<u8> {
    let latin: Option<Vec<u8>> = value.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    latin.unwrap_or_else(|| value.into_bytes())
}

pub(crate) fn origin(text: &str) -> Result<Origin, EngineError> {
    Origin::parse(text).map_err(|_| EngineError::Argument("the origin"))
}

/// The connection is not known ahead: a browser shows the certificate with the response.
pub(crate) fn target(origin_text: &str, path: &str) -> Result<Target, EngineError> {
    let origin = origin(origin_text)?;
    let path = path.char_indices().take_while(|(at, c)| at + c.len_utf8() <= MAX_PATH).map(|(_, c)| c).collect();
    Ok(Target { origin, path, channel: None })
}

pub(crate) fn realm(name: &str, scope: &str, algorithm: &str) -> Result<AuthRealm, EngineError> {
    Ok(AuthRealm {
        algorithm: algorithm.parse().map_err(|_| EngineError::Argument("the realm's algorithm"))?,
        auth_scope: AuthScope::parse(scope).map_err(|_| EngineError::Argument("the realm's scope"))?,
        name: RealmName::new(name).map_err(|_| EngineError::Argument("the realm's name"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_is_an_octet_where_it_can_be_one() {
        let octets = |json: &str| {
            let head = Head::from_json(200, json, None).unwrap();
            head.fields().map(|(_, value)| value.to_vec()).collect::<Vec<_>>()
        };
        assert_eq!(octets(r#"[["a", "é"]]"#), [b"\xe9"], "one octet");
        assert_eq!(octets(r#"[["a", "Ã©"], ["b", "互い"]]"#), ["é".as_bytes(), "互い".as_bytes()]);
    }

    #[test]
    fn what_is_no_list_of_fields_is_refused() {
        for bad in
            ["", "null", "{}", "[1]", r#"["a", "b"]"#, r#"[["a"]]"#, r#"[["a", "b", "c"]]"#, r#"[["a", null]]"#]
        {
            assert!(Head::from_json(200, bad, None).is_err(), "{bad}");
        }
        let long = format!(r#"[["a", "{}"]]"#, "x".repeat(MAX_FIELDS));
        assert!(Head::from_json(200, &long, None).is_err());
    }

    #[test]
    fn only_some_fields_concern_the_protocol() {
        let head = |name: &str, value: &str| Head::new(200, vec![(name.to_owned(), value.into())], None);
        for ours in ["WWW-Authenticate", "authentication-info", "OPTIONAL-WWW-Authenticate", "authentication-control"]
        {
            for value in ["Mutual realm=\"x\"", "Basic realm=\"x\", mUTUAL", "vks=1", "VKS=1"] {
                assert!(head(ours, value).concerns_us(), "{ours}: {value}");
            }
            assert!(!head(ours, "Basic realm=\"x\"").concerns_us(), "{ours}");
        }
        assert!(!head("Content-Type", "mutual").concerns_us());
    }

    #[test]
    fn a_path_is_cut_between_characters() {
        let long = format!("/{}", "é".repeat(MAX_PATH));
        let path = target("http://example.com", &long).unwrap().path;
        assert_eq!(path.len(), MAX_PATH - 1);
        assert!(long.starts_with(&path));
    }
}
