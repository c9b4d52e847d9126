//! RFC 8053: optional authentication, and the server's wishes for how a client handles it.

use crate::credential::Username;
use crate::grammar::{ExtensiveToken, FieldWriter, Natural, Params, parse_challenges};
use crate::message::{Field, SCHEME};
use crate::realm::RealmName;
use alloc::string::String;

/// The field that offers authentication without requiring it (RFC 8053 §3).
pub const OPTIONAL_FIELD: &str = "Optional-WWW-Authenticate";
/// The field with the server's wishes (RFC 8053 §4).
pub const CONTROL_FIELD: &str = "Authentication-Control";

/// How the user should be asked (RFC 8053 §4.2). For Mutual the default is non-modal (RFC 8120 §8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuthStyle {
    /// `modal`: ask before showing the content.
    Modal,
    /// `non-modal`: show the content, with the means to log in beside it.
    #[default]
    NonModal,
}

impl AuthStyle {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Modal => "modal",
            Self::NonModal => "non-modal",
        }
    }
}

/// Where a user may be sent (RFC 8053 §4.3, §4.5): a URL reference, to be resolved against the URL of the request.
///
/// It is relative, or has the scheme `http` or `https`: a response that proves nothing must not lead to `javascript:` or the
/// like. It is free of control characters, so that it can stand in a header field.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Location(String);

/// The text is no location to which a user may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a location is a relative URL or one of http or https, without spaces at its ends and control characters")]
pub struct LocationError;

impl Location {
    /// Checks a URL reference.
    ///
    /// # Errors
    /// [`LocationError`] if it is empty, of another scheme, or holds a control character.
    pub fn new(url: &str) -> Result<Self, LocationError> {
        let scheme_end = url.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c));
        let scheme = scheme_end.and_then(|at| url.split_at_checked(at)).filter(|(_, rest)| rest.starts_with(':'));
        let good_scheme =
            scheme.is_none_or(|(name, _)| ["http", "https"].iter().any(|s| name.eq_ignore_ascii_case(s)));
        let good = !url.is_empty() && url.trim() == url && !url.chars().any(char::is_control) && good_scheme;
        if good { Ok(Self(url.into())) } else { Err(LocationError) }
    }

    /// The URL reference.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The parameters of one entry of `Authentication-Control`, for Mutual and one realm (RFC 8053 §4).
///
/// They are wishes: nothing that has to be safe may hang on whether a client follows them (RFC 8053 §8).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuthControl {
    /// `auth-style` (§4.2).
    pub auth_style: Option<AuthStyle>,
    /// `location-when-unauthenticated` (§4.3).
    pub location_when_unauthenticated: Option<Location>,
    /// `no-auth` (§4.4): do not ask the user here.
    pub no_auth: bool,
    /// `location-when-logout` (§4.5).
    pub location_when_logout: Option<Location>,
    /// `logout-timeout` (§4.6), in seconds; zero means now.
    pub logout_timeout: Option<Natural>,
    /// `username` (§4.7): the only user that the server knows. Mind RFC 8053 §8.1.
    pub username: Option<Username>,
}

/// What kind of response an entry came with; it decides which parameters count (RFC 8053 §2.1, appendix A).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResponseKind {
    /// Asks for authentication that was not tried.
    Initializing,
    /// The same in `Optional-WWW-Authenticate`.
    Optional,
    /// Says that authentication succeeded.
    Successful,
    /// Says that authentication failed.
    Negative,
}

impl AuthControl {
    /// Reads the entry for Mutual and `realm`; other entries are not relevant and ignored (§4).
    ///
    /// The field can be ignored as a whole, so nothing in it is an error: what is unknown, malformed, or given twice
    /// counts as absent.
    #[must_use]
    pub fn read<'a>(lines: impl IntoIterator<Item = &'a [u8]>, realm: &RealmName) -> Self {
        let entries = parse_challenges(lines).unwrap_or_default();
        let mut relevant = entries.iter().filter(|entry| {
            entry.is(SCHEME)
                && entry.params().plain_string("realm").is_ok_and(|name| name.as_deref() == Some(realm.as_str()))
        });
        match (relevant.next(), relevant.next()) {
            (Some(entry), None) => Self::from_params(entry.params()),
            _ => Self::default(),
        }
    }

    fn from_params(params: &Params) -> Self {
        let token = |name| params.token(name).ok().flatten();
        let string = |name| params.string(name).ok().flatten();
        let location = |name| string(name).and_then(|url| Location::new(&url).ok());
        Self {
            auth_style: token("auth-style").and_then(|style| match style.as_str() {
                "modal" => Some(AuthStyle::Modal),
                "non-modal" => Some(AuthStyle::NonModal),
                _ => None,
            }),
            location_when_unauthenticated: location("location-when-unauthenticated"),
            no_auth: token("no-auth").is_some_and(|value| value.as_str() == "true"),
            location_when_logout: location("location-when-logout"),
            logout_timeout: params.integer("logout-timeout").ok().flatten(),
            username: string("username").and_then(|name| Username::prepare(&name).ok()),
        }
    }

    /// The field to send. It may go with any response; what does not apply to one is ignored by clients.
    #[must_use]
    pub fn to_field(&self, realm: &RealmName) -> Field {
        let mut fields = FieldWriter::new(SCHEME);
        fields.plain_string("realm", realm.as_str());
        if let Some(style) = self.auth_style {
            fields.token("auth-style", &ExtensiveToken::known(style.as_str()));
        }
        if let Some(url) = &self.location_when_unauthenticated {
            fields.string("location-when-unauthenticated", url.as_str());
        }
        if self.no_auth {
            fields.token("no-auth", &ExtensiveToken::known("true"));
        }
        if let Some(url) = &self.location_when_logout {
            fields.string("location-when-logout", url.as_str());
        }
        if let Some(seconds) = self.logout_timeout {
            fields.integer("logout-timeout", seconds);
        }
        if let Some(name) = &self.username {
            fields.string("username", name.as_str());
        }
        Field { name: CONTROL_FIELD, value: fields.finish() }
    }

    /// What counts with a response of this kind; the rest is as if it had not been sent.
    pub(crate) fn applicable(self, kind: ResponseKind) -> Self {
        let none = Self::default();
        match kind {
            ResponseKind::Initializing => Self { location_when_logout: None, logout_timeout: None, ..self },
            // §4.2: whatever is said, an optional challenge is non-modal.
            ResponseKind::Optional => Self {
                auth_style: Some(AuthStyle::NonModal),
                location_when_logout: None,
                logout_timeout: None,
                ..self
            },
            ResponseKind::Successful => {
                Self { location_when_logout: self.location_when_logout, logout_timeout: self.logout_timeout, ..none }
            }
            ResponseKind::Negative => Self { auth_style: self.auth_style, username: self.username, ..none },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn realm(name: &str) -> RealmName {
        RealmName::new(name).unwrap()
    }

    fn location(url: &str) -> Location {
        Location::new(url).unwrap()
    }

    #[test]
    fn locations_lead_to_the_web_and_nowhere_else() {
        for good in ["/", "a", "?q", "#f", "//host/x", "http://a", "HTTPS://a/b", "a/b:c", "./a:b", "ログイン"] {
            assert!(Location::new(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            " /",
            "/ ",
            "javascript:alert(1)",
            "JavaScript:x",
            "data:,x",
            "ftp://a",
            "/a\r\nSet-Cookie: x=1",
            "a\tb",
            "x-y+z.:1",
        ] {
            assert_eq!(Location::new(bad), Err(LocationError), "{bad:?}");
        }
    }

    fn read(line: &str) -> AuthControl {
        AuthControl::read([line.as_bytes()], &realm("auth-space-1"))
    }

    #[test]
    fn every_parameter_is_read() {
        let all = read(
            "Mutual realm=\"auth-space-1\", auth-style=modal, no-auth=true, logout-timeout=300, \
             location-when-unauthenticated=\"http://www.example.com/login.html\", \
             location-when-logout=\"/byebye.html\", username*=UTF-8''Ren%C3%A9%20of%20France",
        );
        assert_eq!(all.auth_style, Some(AuthStyle::Modal));
        assert!(all.no_auth);
        assert_eq!(all.logout_timeout, Some(Natural::from(300u32)));
        assert_eq!(all.location_when_unauthenticated, Some(location("http://www.example.com/login.html")));
        assert_eq!(all.location_when_logout, Some(location("/byebye.html")));
        assert_eq!(all.username.map(|name| String::from(name.as_str())).as_deref(), Some("René of France"));
    }

    #[test]
    fn entries_for_others_are_ignored() {
        let line = "Basic realm=\"auth-space-1\", no-auth=true, Mutual realm=\"other\", no-auth=true, \
                    Mutual no-auth=true, Mutual realm=\"auth-space-1\", logout-timeout=0";
        let entry = read(line);
        assert!(!entry.no_auth);
        assert_eq!(entry.logout_timeout, Some(Natural::ZERO));
    }

    #[test]
    fn quoted_and_unquoted_mean_the_same() {
        let quoted =
            read("Mutual realm=\"auth-space-1\", no-auth=\"true\", logout-timeout=\"5\", auth-style=\"MODAL\"");
        assert_eq!(quoted, read("Mutual realm=auth-space-1, no-auth=TRUE, logout-timeout=5, auth-style=modal"));
        assert!(quoted.no_auth);
    }

    #[test]
    fn what_is_wrong_counts_as_absent() {
        for line in [
            "Mutual realm=\"auth-space-1\", auth-style=purple, no-auth=yes, logout-timeout=-1, username=\" x\", unknown=1",
            "Mutual realm=\"auth-space-1\", no-auth=false, logout-timeout=soon, location-when-logout=\"\"",
            "Mutual realm=\"auth-space-1\", no-auth=true, no-auth=true",
            "Mutual realm=\"auth-space-1\", no-auth=true, Mutual realm=\"auth-space-1\", no-auth=true",
            "Mutual realm*=UTF-8''auth-space-1%C3%A9, no-auth=true",
            "no entry at all",
            "\"",
        ] {
            assert_eq!(read(line), AuthControl::default(), "{line}");
        }
    }

    #[test]
    fn each_kind_of_response_has_its_parameters() {
        let all = AuthControl {
            auth_style: Some(AuthStyle::Modal),
            location_when_unauthenticated: Some(location("/login")),
            no_auth: true,
            location_when_logout: Some(location("/bye")),
            logout_timeout: Some(Natural::ZERO),
            username: Some(Username::prepare("admin").unwrap()),
        };
        let initializing = all.clone().applicable(ResponseKind::Initializing);
        assert!(initializing.no_auth && initializing.username.is_some() && initializing.logout_timeout.is_none());
        assert_eq!(initializing.location_when_logout, None);
        let optional = all.clone().applicable(ResponseKind::Optional);
        assert_eq!(optional.auth_style, Some(AuthStyle::NonModal));
        let successful = all.clone().applicable(ResponseKind::Successful);
        assert!(!successful.no_auth && successful.username.is_none() && successful.auth_style.is_none());
        assert!(successful.location_when_logout.is_some() && successful.logout_timeout.is_some());
        let negative = all.applicable(ResponseKind::Negative);
        assert!(!negative.no_auth && negative.location_when_unauthenticated.is_none());
        assert!(negative.username.is_some() && negative.auth_style.is_some());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            style in proptest::option::of(any::<bool>()),
            login in proptest::option::of("/[a-zé\"\\\\ ]{0,20}x"),
            no_auth: bool,
            seconds in proptest::option::of(any::<u64>()),
            name in "[ -~é]{1,20}",
        ) {
            let control = AuthControl {
                auth_style: style.map(|modal| if modal { AuthStyle::Modal } else { AuthStyle::NonModal }),
                location_when_unauthenticated: login.as_deref().map(location),
                no_auth,
                location_when_logout: login.as_deref().map(location),
                logout_timeout: seconds.map(Natural::from),
                username: None,
            };
            let realm = realm(&name);
            let field = control.to_field(&realm);
            prop_assert_eq!(AuthControl::read([field.value.as_bytes()], &realm), control);
        }
    }
}
