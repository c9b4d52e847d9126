//! Lists of challenges, single credentials, and information fields (RFC 9110 §11.3 and §11.4, RFC 7615 §3).

use super::cursor::Cursor;
use super::{MAX_CHALLENGES, MAX_FIELD_LEN, Params, SyntaxError};
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

/// One `challenge` or `credentials`: an authentication scheme with its parameters or its `token68`.
///
/// ```abnf
/// challenge   = auth-scheme [ 1*SP ( token68 / #auth-param ) ]
/// credentials = auth-scheme [ 1*SP ( token68 / #auth-param ) ]
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    scheme: String,
    token68: Option<String>,
    params: Params,
}

impl Challenge {
    /// The scheme's name as it was sent; names are case-insensitive, see [`Challenge::is`].
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Whether this is of the scheme `name`.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(name)
    }

    /// The `token68`, for schemes that use it instead of parameters. Mutual does not.
    #[must_use]
    pub fn token68(&self) -> Option<&str> {
        self.token68.as_deref()
    }

    /// The parameters.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Reads one at the cursor. In a list, the comma after a parameter may start the next parameter or the next
    /// challenge; only what follows the token tells.
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, SyntaxError> {
        let scheme = String::from_utf8_lossy(cursor.token("an authentication scheme")?).into_owned();
        let mut challenge = Self { scheme, token68: None, params: Params::default() };
        if !cursor.white_space() {
            return challenge.end(cursor);
        }
        if let Some(token68) = cursor.token68() {
            challenge.token68 = Some(String::from_utf8_lossy(token68).into_owned());
            return challenge.end(cursor);
        }
        let mut next = *cursor;
        next.list_gap();
        while at_param(next) {
            challenge.params.read_param(&mut next)?;
            next.white_space();
            *cursor = next;
            if !matches!(next.peek(), None | Some(b',')) {
                return Err(next.expected("a comma between parameters"));
            }
            next.list_gap();
        }
        challenge.end(cursor)
    }

    fn end(self, cursor: &mut Cursor<'_>) -> Result<Self, SyntaxError> {
        cursor.white_space();
        match cursor.peek() {
            None | Some(b',') => Ok(self),
            Some(_) => Err(cursor.expected("parameters, a comma or the end")),
        }
    }
}

/// Whether a parameter, and not the next challenge, starts here.
fn at_param(mut cursor: Cursor<'_>) -> bool {
    cursor.token("").is_ok() && {
        cursor.white_space();
        cursor.peek() == Some(b'=')
    }
}

/// The lines of a field as one value (RFC 9110 §5.3).
fn join<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Result<Cow<'a, [u8]>, SyntaxError> {
    let mut lines = lines.into_iter();
    let mut value = Cow::Borrowed(lines.next().unwrap_or_default());
    for line in lines {
        let joined = value.to_mut();
        joined.extend_from_slice(b", ");
        joined.extend_from_slice(line);
        if joined.len() > MAX_FIELD_LEN {
            break;
        }
    }
    if value.len() > MAX_FIELD_LEN { Err(SyntaxError::TooLong) } else { Ok(value) }
}

/// Parses the challenges of `WWW-Authenticate`, `Proxy-Authenticate`, `Optional-WWW-Authenticate` or
/// `Authentication-Control`: any number of schemes, in one line or in many.
///
/// `lines` are the values of all the field's lines in order.
///
/// # Errors
/// [`SyntaxError`] if any of it does not match the grammar: half-understood challenges are not used.
pub fn parse_challenges<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Challenge>, SyntaxError> {
    let value = join(lines)?;
    let mut cursor = Cursor::new(&value);
    let mut challenges = Vec::new();
    cursor.list_gap();
    while !cursor.is_done() {
        if challenges.len() >= MAX_CHALLENGES {
            return Err(SyntaxError::TooMany);
        }
        challenges.push(Challenge::read(&mut cursor)?);
        cursor.list_gap();
    }
    Ok(challenges)
}

/// Parses the credentials of one `Authorization` or `Proxy-Authorization` line.
///
/// # Errors
/// [`SyntaxError`] if the value is not exactly one `credentials`.
pub fn parse_credentials(value: &[u8]) -> Result<Challenge, SyntaxError> {
    let value = join([value])?;
    let mut cursor = Cursor::new(&value);
    cursor.white_space();
    let credentials = Challenge::read(&mut cursor)?;
    cursor.list_gap();
    if cursor.is_done() { Ok(credentials) } else { Err(cursor.expected("the end: credentials are no list")) }
}

/// Parses the parameters of `Authentication-Info` or `Proxy-Authentication-Info`.
///
/// RFC 7615 has bare parameters; figure 1 of RFC 8120 draws a scheme before them. Both are read, if the scheme is
/// `scheme`; what we send is bare.
///
/// # Errors
/// [`SyntaxError`] if the value is neither.
pub fn parse_info<'a>(
    lines: impl IntoIterator<Item = &'a [u8]>,
    scheme: &'static str,
) -> Result<Params, SyntaxError> {
    let value = join(lines)?;
    let mut cursor = Cursor::new(&value);
    cursor.list_gap();
    if !cursor.is_done() && !at_param(cursor) {
        let start = cursor;
        let found = cursor.token("a parameter")?;
        if !found.eq_ignore_ascii_case(scheme.as_bytes()) || !cursor.white_space() {
            return Err(start.expected("a parameter"));
        }
    }
    let mut params = Params::default();
    cursor.list_gap();
    while !cursor.is_done() {
        params.read_param(&mut cursor)?;
        cursor.white_space();
        if !matches!(cursor.peek(), None | Some(b',')) {
            return Err(cursor.expected("a comma between parameters"));
        }
        cursor.list_gap();
    }
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::super::Param;
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    fn challenges(line: &str) -> Vec<Challenge> {
        parse_challenges([line.as_bytes()]).unwrap()
    }

    fn text(challenge: &Challenge, name: &str) -> Option<String> {
        challenge.params().get(name).and_then(Param::text)
    }

    #[test]
    fn several_schemes_in_one_line() {
        // The notorious example of RFC 9110 §11.6.1, and token68 among them.
        let all = challenges(
            r#"Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"", Negotiate, NTLM TlRM=="#,
        );
        let schemes: Vec<_> = all.iter().map(Challenge::scheme).collect();
        assert_eq!(schemes, ["Basic", "Newauth", "Negotiate", "NTLM"]);
        assert_eq!(text(&all[1], "title").as_deref(), Some("Login to \"apps\""));
        assert_eq!(text(&all[1], "type").as_deref(), Some("1"));
        assert_eq!(all[3].token68(), Some("TlRM=="));
    }

    #[test]
    fn many_lines_mean_the_same_as_one() {
        let lines = ["Basic realm=\"a\"", "Mutual version=1", "realm=\"b\""];
        let split = parse_challenges(lines.iter().map(|line| line.as_bytes())).unwrap();
        assert_eq!(split, challenges("Basic realm=\"a\", Mutual version=1, realm=\"b\""));
        assert_eq!(text(&split[1], "realm").as_deref(), Some("b"));
    }

    #[test]
    fn white_space_empty_elements_and_quoting_do_not_matter() {
        let plain = challenges("Mutual version=1, realm=staff");
        for same in [
            "Mutual version=1,realm=staff",
            ", ,Mutual  version = 1 ,, \trealm=\"staff\",",
            "Mutual version=\"1\", realm=\"st\\aff\"",
            "Mutual , VERSION=1, Realm=staff",
        ] {
            let other = challenges(same);
            assert_eq!(text(&other[0], "version"), text(&plain[0], "version"), "{same}");
            assert_eq!(text(&other[0], "realm"), text(&plain[0], "realm"), "{same}");
            assert!(other[0].is("mutual"));
        }
    }

    #[test]
    fn no_parameter_twice_in_either_spelling() {
        for twice in [
            "Mutual a=1, a=1",
            "Mutual a=1, A=2",
            "Mutual user=\"r\", user*=UTF-8''r%C3%89",
            "Mutual user*=UTF-8''r%C3%89, b=1, user*=UTF-8''r%C3%89",
        ] {
            let error = parse_challenges([twice.as_bytes()]).unwrap_err();
            assert!(matches!(error, SyntaxError::Duplicate { .. }), "{twice}: {error}");
            assert!(parse_credentials(twice.as_bytes()).is_err());
            assert!(parse_info([&twice.as_bytes()[7..]], "Mutual").is_err());
        }
    }

    #[test]
    fn broken_syntax_is_named_by_its_octet() {
        for (bad, octet) in [
            ("Mutual realm=\"open", 18),
            ("Mutual a=1, realm=", 18),
            ("Mutual realm=a b", 15),
            ("Mutual \"realm\"=a", 7),
            ("=a", 0),
            ("Mutual a=\"x\\", 12),
            ("Mutual a=\"x\x01\"", 11),
            ("Mutual a=1;b=2", 10),
            ("Mutual/1", 6),
        ] {
            match parse_challenges([bad.as_bytes()]) {
                Err(SyntaxError::Expected { at, .. }) => assert_eq!(at, octet, "{bad}"),
                other => panic!("{bad}: {other:?}"),
            }
        }
    }

    #[test]
    fn credentials_are_not_a_list() {
        assert!(parse_credentials(b"Mutual a=1, b=2").is_ok());
        assert!(parse_credentials(b"Mutual a=1, Basic dTpw").is_err());
        assert!(parse_credentials(b"").is_err());
    }

    #[test]
    fn information_may_stand_bare_or_behind_its_scheme() {
        let bare = parse_info([&b"version=1, vks=\"00\""[..]], "Mutual").unwrap();
        let drawn = parse_info([&b"Mutual version=1, vks=\"00\""[..]], "Mutual").unwrap();
        let lines = parse_info([&b"version=1"[..], &b"vks=\"00\""[..]], "Mutual").unwrap();
        assert_eq!(bare, drawn);
        assert_eq!(bare, lines);
        assert!(parse_info([&b"Digest version=1, vks=\"00\""[..]], "Mutual").is_err());
        assert_eq!(parse_info([&b""[..]], "Mutual").unwrap(), Params::default());
    }

    #[test]
    fn bounds_hold() {
        let long = vec![b'a'; MAX_FIELD_LEN + 1];
        assert_eq!(parse_challenges([&long[..]]), Err(SyntaxError::TooLong));
        assert_eq!(
            parse_challenges([&long[..MAX_FIELD_LEN / 2 + 1], &long[..MAX_FIELD_LEN / 2]]),
            Err(SyntaxError::TooLong)
        );
        let many = "a,".repeat(MAX_CHALLENGES + 1);
        assert_eq!(parse_challenges([many.as_bytes()]), Err(SyntaxError::TooMany));
        let many: String = (0..=super::super::MAX_PARAMS).map(|n| alloc::format!("p{n}=1,")).collect();
        assert_eq!(parse_info([many.as_bytes()], "Mutual"), Err(SyntaxError::TooMany));
    }

    proptest! {
        #[test]
        fn arbitrary_octets_do_not_panic(octets: Vec<u8>) {
            let _ = parse_challenges([&octets[..]]);
            let _ = parse_credentials(&octets);
            let _ = parse_info([&octets[..]], "Mutual");
        }

        #[test]
        fn anything_printable_survives_quoting(value in "[\\t -~é\\p{Han}]*") {
            let mut line = String::from("Mutual realm=\"");
            for c in value.chars() {
                if c == '"' || c == '\\' { line.push('\\'); }
                line.push(c);
            }
            line.push('"');
            prop_assert_eq!(text(&challenges(&line)[0], "realm"), Some(value));
        }
    }
}
