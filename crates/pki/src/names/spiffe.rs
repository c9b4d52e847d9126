//! SPIFFE ids (the SPIFFE-ID standard, section 2): `spiffe://trust-domain/path`.

/// Octets of a whole id.
const MAX_ID: usize = 2048;
const MAX_TRUST_DOMAIN: usize = 255;
const SCHEME: &str = "spiffe:";

/// Why a URI is not the SPIFFE id of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpiffeError {
    /// It does not start with `spiffe://`.
    #[error("it does not start with spiffe:// in lower case")]
    Scheme,
    /// More than 2048 octets, or a trust domain of more than 255.
    #[error("it is longer than 2048 octets, or its trust domain than 255")]
    Long,
    /// Empty, or with other characters.
    #[error("a trust domain has letters in lower case, digits, dots, hyphens and underscores, and no user or port")]
    TrustDomain,
    /// Without a path, it names a trust domain and no workload.
    #[error("it has no path, so it names a trust domain instead of a workload")]
    NoPath,
    /// An empty, `.` or `..` segment, or a slash at the end.
    #[error("its path has an empty segment, or one of dots")]
    Segment,
    /// A query, a fragment, percent encoding or another character.
    #[error("a segment of its path has letters, digits, dots, hyphens and underscores")]
    Character,
}

/// Whether a URI passes for a SPIFFE id with anyone.
pub(super) fn claims(uri: &str) -> bool {
    uri.as_bytes().get(..SCHEME.len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case(SCHEME.as_bytes()))
}

/// Whether `id` is the SPIFFE id of a workload.
///
/// # Errors
/// [`SpiffeError`]
pub fn check_spiffe_id(id: &str) -> Result<(), SpiffeError> {
    let rest = id.strip_prefix("spiffe://").ok_or(SpiffeError::Scheme)?;
    let (trust_domain, path) = match rest.split_once('/') {
        Some((trust_domain, path)) => (trust_domain, Some(path)),
        None => (rest, None),
    };
    if id.len() > MAX_ID || trust_domain.len() > MAX_TRUST_DOMAIN {
        return Err(SpiffeError::Long);
    }
    let lower = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || b".-_".contains(&octet);
    if trust_domain.is_empty() || !trust_domain.bytes().all(lower) {
        return Err(SpiffeError::TrustDomain);
    }
    let path = path.ok_or(SpiffeError::NoPath)?;
    for segment in path.split('/') {
        if matches!(segment, "" | "." | "..") {
            return Err(if path.is_empty() { SpiffeError::NoPath } else { SpiffeError::Segment });
        }
        if !segment.bytes().all(|octet| octet.is_ascii_alphanumeric() || b".-_".contains(&octet)) {
            return Err(SpiffeError::Character);
        }
    }
    Ok(())
}
