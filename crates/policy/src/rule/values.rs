//! What may stand behind each key.

use super::lexer::TokenKind;
use std::net::IpAddr;

/// What is wrong, and what to do.
pub(super) type Wrong = (String, Option<String>);

/// Text with wildcards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Literal text; between two pieces stands a `*`, for any characters, even none.
    pub pieces: Vec<String>,
}

impl Pattern {
    pub(super) fn new(token: &TokenKind) -> Self {
        let mut pieces = vec![String::new()];
        let mut push = |c: char, escaped: bool| {
            if c == '*' && !escaped {
                // Several of them mean the same as one.
                if pieces.len() == 1 || pieces.last().is_some_and(|last| !last.is_empty()) {
                    pieces.push(String::new());
                }
            } else if let Some(last) = pieces.last_mut() {
                last.push(c);
            }
        };
        match token {
            TokenKind::Bare(text) => text.chars().for_each(|c| push(c, false)),
            TokenKind::Quoted(text) => text.iter().for_each(|(c, escaped)| push(*c, *escaped)),
            TokenKind::Bar => {}
        }
        Self { pieces }
    }

    pub(super) fn lower(self) -> Self {
        Self { pieces: self.pieces.iter().map(|piece| piece.to_ascii_lowercase()).collect() }
    }

    /// Whether `pieces` is one text, without wildcards.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        self.pieces.len() == 1
    }
}

/// The text of a word.
pub(super) fn text(token: &TokenKind) -> String {
    match token {
        TokenKind::Bare(text) => text.clone(),
        TokenKind::Quoted(text) => text.iter().map(|(c, _)| c).collect(),
        TokenKind::Bar => "|".into(),
    }
}

/// An address or a network, as Cedar reads it; or what is wrong with it, and advice.
pub(super) fn network(text: &str) -> Result<String, Wrong> {
    let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let wrong =
        || (format!("{text:?} is no address or network"), Some("such as 10.0.0.0/8 or 2001:db8::/32".to_owned()));
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    if let IpAddr::V4(plain) = address.to_canonical()
        && address.is_ipv6()
    {
        return Err((
            format!("{text:?} is IPv4 in IPv6"),
            Some(format!("clients are compared as IPv4: write {plain}")),
        ));
    }
    let bits: u8 = if address.is_ipv4() { 32 } else { 128 };
    let Some(prefix) = prefix else { return Ok(address.to_string()) };
    let is_number = prefix.bytes().all(|octet| octet.is_ascii_digit()) && (prefix == "0" || !prefix.starts_with('0'));
    let length: u8 = prefix.parse().ok().filter(|length| is_number && *length <= bits).ok_or_else(wrong)?;
    let first: IpAddr = match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            std::net::Ipv4Addr::from(u32::from(v4) & mask).into()
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            std::net::Ipv6Addr::from(u128::from(v6) & mask).into()
        }
    };
    if first != address {
        let help = format!("the network is {first}/{length}; the host alone is {address}");
        return Err((format!("{text:?} is an address within a network"), Some(help)));
    }
    Ok(format!("{address}/{length}"))
}

/// A method of HTTP (RFC 9110 section 9.1).
pub(super) fn method(text: &str) -> Result<String, Wrong> {
    let is_token = !text.is_empty()
        && text.len() <= 32
        && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet));
    if !is_token {
        return Err((format!("{text:?} is no HTTP method"), Some("such as GET".into())));
    }
    if text.bytes().any(|octet| octet.is_ascii_lowercase()) {
        return Err((
            format!("{text:?} is no method that is known"),
            Some(format!("write {}", text.to_ascii_uppercase())),
        ));
    }
    Ok(text.to_owned())
}
