//! What is wrong with a name.

/// Why a text is no credential, no name, or no other part of a principal. It says what the text should look like, and
/// never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// No kind of credential in front.
    #[error("a credential is user:REALM/NAME, x509:CLIENT-CA/KIND:NAME or key:sha256:BASE64")]
    CredentialKind,
    /// A user without a realm, or a certificate without a client CA.
    #[error("the id of a realm or client CA comes first, and then \"/\", as in user:staff/alice")]
    NoAuthority,
    /// The id of a realm or client CA is none.
    #[error(
        "the id of a realm or client CA has 1 to 64 ASCII letters, digits, \"-\", \"_\" and \".\", and no \"-\" in front"
    )]
    Authority,
    /// The name of a user is none.
    #[error("a user name has 1 to 1024 octets, and no control characters")]
    UserName,
    /// No kind of name in front of the name in a certificate.
    #[error("the name in a certificate has its kind in front: dns:, uri:, email: or cn:")]
    CertificateNameKind,
    /// The name in a certificate is none.
    #[error(
        "a name in a certificate has 1 to 2048 octets, and no control characters; a DNS name, URI or e-mail address \
             also has no spaces and is ASCII"
    )]
    CertificateName,
    /// The pin of a key is none.
    #[error("a key is named by the SHA-256 of its SubjectPublicKeyInfo: sha256: and 44 characters of base64")]
    KeyPin,
    /// The name of a principal is none.
    #[error(
        "the name of a principal has 1 to 128 ASCII letters, digits, \".\", \"_\", \"@\", \"+\" and \"-\", and begins with a \
         letter or digit"
    )]
    PrincipalName,
    /// The name of a principal is none, not of an unregistered one either.
    #[error("this is neither the name of a registered principal, such as alice, nor of another, such as staff/alice")]
    SubjectName,
    /// The name of a group is none.
    #[error(
        "the name of a group has 1 to 128 ASCII letters, digits, \".\", \"_\", \"@\", \"+\" and \"-\", and begins with a \
         letter or digit"
    )]
    GroupName,
    /// The key of an attribute is none.
    #[error(
        "the key of an attribute has 1 to 64 ASCII letters, digits, \".\", \"_\" and \"-\", and begins with a letter"
    )]
    AttributeKey,
    /// The value of an attribute is none.
    #[error("the value of an attribute has at most 1024 octets, and no control characters")]
    AttributeValue,
    /// The serial number is none.
    #[error("a serial number is written in hexadecimal digits, 128 at most; colons between them may stay")]
    Serial,
    /// No such kind of principal.
    #[error("a principal is a person, a device or a service")]
    PrincipalKind,
    /// No such method of proof.
    #[error("the methods of proof are mutual, x509, raw-key and password-tls")]
    Method,
    /// The reason of a denial, or who gave it, is too long.
    #[error("a reason has at most 1024 octets and no control characters, and the name of who gave it at most 256")]
    Reason,
}
