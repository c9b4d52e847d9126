//! What names of each kind look like.

use super::{NameError, spiffe};

const MAX_URI: usize = 2048;
const MAX_DNS: usize = 253;
const MAX_LABEL: usize = 63;
/// RFC 5321 section 4.5.3.1.
const MAX_LOCAL_PART: usize = 64;
const MAX_EMAIL: usize = 254;
/// `ub-common-name` of RFC 5280 appendix A is 64; certificates of some authorities have longer ones.
const MAX_COMMON_NAME: usize = 128;

fn bounded(name: &str, most: usize) -> Result<(), NameError> {
    match name.len() {
        0 => Err(NameError::Empty),
        length if length > most => Err(NameError::Long(most)),
        _ if name.bytes().any(|octet| !(octet.is_ascii_graphic() || octet == b' ')) => Err(NameError::Character),
        _ if name.contains('*') => Err(NameError::Pattern),
        _ => Ok(()),
    }
}

/// A host name, in lower case: labels of letters, digits, hyphens and underscores (RFC 1034 section 3.5; RFC 5280 section 7.2 has
/// international names in their ASCII form).
pub(super) fn dns(name: &str) -> Result<String, NameError> {
    bounded(name, MAX_DNS)?;
    for label in name.split('.') {
        if label.is_empty() || label.len() > MAX_LABEL || label.starts_with('-') || label.ends_with('-') {
            return Err(NameError::Form);
        }
        if !label.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_')) {
            return Err(NameError::Character);
        }
    }
    // Four numbers are an address to some readers, and a host to others.
    let numbers = name.rsplit('.').next().is_some_and(|label| label.bytes().all(|octet| octet.is_ascii_digit()));
    if numbers { Err(NameError::Form) } else { Ok(name.to_ascii_lowercase()) }
}

/// `local@host` with a local part without quotes (RFC 5321 section 4.1.2: Dot-string), the host in lower case.
pub(super) fn email(name: &str) -> Result<String, NameError> {
    bounded(name, MAX_EMAIL)?;
    let (local, host) = name.split_once('@').ok_or(NameError::Form)?;
    if local.len() > MAX_LOCAL_PART || local.split('.').any(str::is_empty) {
        return Err(NameError::Form);
    }
    let atom = |octet: u8| octet.is_ascii_alphanumeric() || b"!#$%&'+-/=?^_`{|}~.".contains(&octet);
    if !local.bytes().all(atom) {
        return Err(NameError::Character);
    }
    Ok(format!("{local}@{}", dns(host)?))
}

/// An absolute URI of the characters of RFC 3986, as it stands; SPIFFE ids are looked at closely.
pub(super) fn uri(name: &str) -> Result<String, NameError> {
    if spiffe::claims(name) {
        return spiffe::check_spiffe_id(name).map(|()| name.to_owned()).map_err(NameError::Spiffe);
    }
    bounded(name, MAX_URI)?;
    let (scheme, rest) = name.split_once(':').ok_or(NameError::Form)?;
    let letter = scheme.bytes().next().is_some_and(|octet| octet.is_ascii_alphabetic());
    let others = scheme.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet));
    if !letter || !others || rest.is_empty() {
        return Err(NameError::Form);
    }
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()+,;=%".contains(&octet);
    if !rest.bytes().all(plain) {
        return Err(NameError::Character);
    }
    for encoded in rest.split('%').skip(1) {
        if !encoded.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            return Err(NameError::Form);
        }
    }
    Ok(name.to_owned())
}

/// Visible ASCII, with spaces between, as it stands.
pub(super) fn common_name(name: &str) -> Result<String, NameError> {
    bounded(name, MAX_COMMON_NAME)?;
    if name.trim() == name { Ok(name.to_owned()) } else { Err(NameError::Form) }
}
