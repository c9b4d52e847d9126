//! The messages of RFC 8120 §4, read and written.

use super::*;
use crate::algorithm::Algorithm;
use alloc::format;
use alloc::string::ToString as _;

const INIT: &str = "Mutual version=1, algorithm=iso-kam3-ec-p256-sha256, validation=host, \
                    auth-scope=\"example.com\", realm=\"a realm\", reason=initial";

fn read(line: &str) -> Result<Option<ServerMessage>, MessageError> {
    ServerMessage::read([line.as_bytes()])
}

fn init(line: &str) -> Init {
    match read(line) {
        Ok(Some(ServerMessage::Init(init))) => init,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn init_is_written_as_it_is_read() {
    let message = init(INIT);
    assert_eq!(message.terms().algorithm, Algorithm::EcP256Sha256);
    assert_eq!(message.terms().realm.as_str(), "a realm");
    assert_eq!(message.to_field(Role::OriginServer).value, INIT);
    assert_eq!(message.to_field(Role::OriginServer).name, "WWW-Authenticate");
    assert_eq!(message.to_field(Role::Proxy).name, "Proxy-Authenticate");
}

#[test]
fn every_reason_is_understood() {
    for (token, reason) in [
        ("initial", Reason::Initial),
        ("auth-failed", Reason::AuthFailed),
        ("reauth-needed", Reason::ReauthNeeded),
        ("invalid-parameters", Reason::InvalidParameters),
        ("internal-error", Reason::InternalError),
        ("user-unknown", Reason::UserUnknown),
        ("invalid-credential", Reason::InvalidCredential),
        ("authz-failed", Reason::AuthzFailed),
    ] {
        let message = init(&INIT.replace("initial", &token.to_uppercase()));
        assert_eq!(*message.reason(), reason);
        assert_eq!(message.reason().to_string(), token);
        assert_eq!(message.reason().may_be_optional(), token == "initial");
    }
    let unknown = init(&INIT.replace("initial", "-full-moon.example.com"));
    assert!(matches!(unknown.reason(), Reason::Other(token) if token.as_str() == "-full-moon.example.com"));
    assert!(unknown.reason().may_be_optional());
    let stale = read(&INIT.replace("initial", "Stale-Session"));
    assert!(matches!(stale, Ok(Some(ServerMessage::Stale(_)))));
}

#[test]
fn the_parameters_that_exclude_each_other() {
    let vks = "0".repeat(64);
    for more in ["ks1=00", "ks2=00", "ks10=00", &format!("vks={vks}"), "kc1=00", "kc99=00", "vkc=00"] {
        let error = read(&format!("{INIT}, {more}")).unwrap_err();
        assert!(matches!(error, MessageError::Exclusive(_)), "{more}: {error}");
    }
    // These only look like them.
    for more in ["ks=1", "kc=1", "ksx=1", "kc1x=1", "reasons=1", "user=1", "nc=1"] {
        assert!(read(&format!("{INIT}, {more}")).is_ok(), "{more}");
    }
}

#[test]
fn no_other_version_is_accepted() {
    for version in ["2", "0", "01", "1.0", "\"1 \"", "one"] {
        assert!(read(&INIT.replace("version=1", &format!("version={version}"))).is_err(), "{version}");
    }
    assert!(read(&INIT.replace("version=1", "version=\"1\"")).is_ok());
    let error = read(&INIT.replace("version=1", "version=2")).unwrap_err();
    assert_eq!(error, MessageError::Version("2".into()));
}

#[test]
fn a_realm_is_sent_plain_whatever_it_holds() {
    let japanese = init(&INIT.replace("a realm", "会員 \\\"x\\\" \\\\"));
    assert_eq!(japanese.terms().realm.as_str(), "会員 \"x\" \\");
    assert_eq!(init(&japanese.to_field(Role::OriginServer).value), japanese);
    assert!(japanese.to_field(Role::OriginServer).value.contains("realm=\"会員 \\\"x\\\" \\\\\""));
    let latin1 = INIT.replace("a realm", "caf").replace("caf\"", "caf\u{1}\"");
    let mut octets = latin1.into_bytes();
    for octet in &mut octets {
        if *octet == 1 {
            *octet = 0xe9;
        }
    }
    assert!(matches!(ServerMessage::read([&octets[..]]), Err(MessageError::Param(_))), "not UTF-8");
}

#[test]
fn token68_is_no_form_of_this_scheme() {
    assert_eq!(read("Mutual dGVzdA==").unwrap_err(), MessageError::Token68);
    assert!(matches!(ClientMessage::read([&b"Mutual dGVzdA=="[..]]), Err(MessageError::Token68)));
}

#[test]
fn no_challenge_of_ours_is_no_message() {
    for other in ["Basic realm=\"x\"", "", "Negotiate, NTLM", "Mutual2 version=1"] {
        assert!(matches!(read(other), Ok(None)), "{other}");
    }
}

#[test]
fn a_challenge_without_a_kind_is_refused() {
    let bare = INIT.replace(", reason=initial", "");
    assert!(matches!(read(&bare).unwrap_err(), MessageError::Kind(_)));
    assert!(
        matches!(read(&format!("{bare}, ks2=00")).unwrap_err(), MessageError::Kind(text) if text.contains("ks#"))
    );
}

#[test]
fn errors_say_what_is_wrong() {
    for (from, to, text) in [
        ("realm=\"a realm\", ", "", "parameter \"realm\" is missing"),
        ("iso-kam3-ec-p256-sha256", "none", "the algorithm \"none\" is not supported"),
        ("validation=host", "validation=wish", "the validation method \"wish\" is not supported"),
        ("\"example.com\"", "\"Example.com\"", "parameter \"auth-scope\" is not one of the three types"),
        ("reason=initial", "reason=initial; x", "expected a comma between parameters at octet 127"),
        ("reason=initial", "reason", "no parameter tells which message this is"),
    ] {
        let error = read(&INIT.replace(from, to)).unwrap_err().to_string();
        assert!(error.contains(text), "{to}: {error}");
    }
}

#[test]
fn sids_have_a_bound() {
    let octets = |length| Sid::from_octets(&alloc::vec![7; length]);
    assert!(octets(0).is_none());
    assert!(octets(MAX_SID_LEN).is_some());
    assert!(octets(MAX_SID_LEN + 1).is_none());
    assert_eq!(format!("{:?}", octets(16).unwrap()), "Sid(0707..)");
}
