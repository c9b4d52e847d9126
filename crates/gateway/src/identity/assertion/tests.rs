//! `jsonwebtoken` judges the tokens, by the keys as they are published.

use super::*;
use crate::identity::{ClientCertificate, Identified, Proven, RawKey};
use http::Method;
use jsonwebtoken::jwk::{JwkSet, ThumbprintHash};
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use serde_json::{Value, json};
use std::path::PathBuf;

const NOW: Duration = Duration::from_secs(1_760_000_000);
const LIFE: Duration = Duration::from_secs(60);

struct Dir(tempfile::TempDir);

impl Dir {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("assertion-keys.pem")
    }
}

fn signer(kind: KeyKind) -> Signer {
    let dir = Dir::new();
    let path = dir.path();
    KeyFile(&path).create(kind, NOW).unwrap();
    Signer::new(KeyFile(&path).load().unwrap(), "https://gateway.example.com", LIFE)
}

fn claims<'a>(who: Identified<'a>) -> Claims<'a> {
    Claims { who, audience: "app", method: &Method::POST, origin: "https://www.example.com", path: "/a/b" }
}

fn alice(groups: &[String]) -> Identified<'_> {
    let proven = Proven::User { name: "alice", realm: "Staff" };
    Identified { principal: "alice", groups, method: "mutual", proven }
}

/// What an application does: it looks the key up by its name, and does not look at the clock, since the test has none.
fn check(jwks: &[u8], token: &str, audience: &str) -> Result<Value, jsonwebtoken::errors::Error> {
    let jwks: JwkSet = serde_json::from_slice(jwks).unwrap();
    let head = decode_header(token)?;
    let key = jwks.find(&head.kid.unwrap()).ok_or(jsonwebtoken::errors::ErrorKind::InvalidSignature)?;
    let algorithm = key.common.key_algorithm.unwrap().to_string().parse().unwrap();
    let mut validation = Validation::new(algorithm);
    validation.set_audience(&[audience]);
    validation.set_issuer(&["https://gateway.example.com"]);
    validation.validate_exp = false;
    Ok(decode(token, &DecodingKey::from_jwk(key)?, &validation)?.claims)
}

fn token(signer: &Signer, claims: &Claims<'_>) -> String {
    signer.sign(claims, NOW).unwrap().to_str().unwrap().to_owned()
}

#[test]
fn another_library_accepts_it_and_reads_what_was_said() {
    for (kind, alg) in [(KeyKind::P256, "ES256"), (KeyKind::Ed25519, "EdDSA")] {
        let signer = signer(kind);
        let groups = ["ops".to_owned(), "staff".to_owned()];
        let token = token(&signer, &claims(alice(&groups)));
        let head = decode_header(&token).unwrap();
        assert_eq!((head.typ.as_deref(), head.alg), (Some("JWT"), alg.parse().unwrap()));
        let mut said = check(&signer.jwks(), &token, "app").unwrap();
        let id = said["jti"].take();
        assert_eq!(id.as_str().unwrap().len(), 22);
        let expected = json!({
            "iss": "https://gateway.example.com", "sub": "alice", "aud": "app",
            "iat": 1_760_000_000, "nbf": 1_760_000_000, "exp": 1_760_000_060, "jti": null,
            "method": "mutual", "amr": ["pwd"], "groups": ["ops", "staff"], "user": "alice", "realm": "Staff",
            "htm": "POST", "htu": "https://www.example.com/a/b",
        });
        assert_eq!(said, expected);
    }
}

#[test]
fn the_name_of_a_key_is_its_thumbprint() {
    for kind in [KeyKind::P256, KeyKind::Ed25519] {
        let signer = signer(kind);
        let set: JwkSet = serde_json::from_slice(&signer.jwks()).unwrap();
        let [key] = &set.keys[..] else { panic!("one key") };
        assert_eq!(key.common.key_id.as_deref().unwrap(), key.thumbprint(ThumbprintHash::SHA256).unwrap());
        let raw: Value = serde_json::from_slice(&signer.jwks()).unwrap();
        assert_eq!(raw["keys"][0]["use"], "sig");
        assert_eq!(raw["keys"][0].get("d"), None, "what is published has no secret");
    }
}

#[test]
fn no_two_tokens_are_the_same() {
    let signer = signer(KeyKind::Ed25519);
    assert_ne!(token(&signer, &claims(alice(&[]))), token(&signer, &claims(alice(&[]))));
}

#[test]
fn it_is_bound_to_the_clients_key() {
    let signer = signer(KeyKind::P256);
    let certificate = ClientCertificate::new(b"abc", &[]);
    let proven = Proven::Certificate(&certificate);
    let who = Identified { principal: "partners/dns:device1.example.com", groups: &[], method: "x509", proven };
    let said = check(&signer.jwks(), &token(&signer, &claims(who)), "app").unwrap();
    assert_eq!(said["cnf"], json!({"x5t#S256": "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"}));
    assert_eq!((&said["amr"], &said["sub"]), (&json!(["pop"]), &json!("partners/dns:device1.example.com")));
    assert_eq!((said.get("user"), said.get("realm"), said.get("groups")), (None, None, None));

    use rcgen::PublicKeyData as _;
    let key = RawKey::new(&rcgen::KeyPair::generate().unwrap().subject_public_key_info()).unwrap();
    let who = Identified { principal: "sensor-7", groups: &[], method: "raw-key", proven: Proven::Key(&key) };
    let said = check(&signer.jwks(), &token(&signer, &claims(who)), "app").unwrap();
    assert_eq!(said["cnf"], json!({"jkt": key.thumbprint()}));
}

#[test]
fn the_weaker_proof_can_be_told_from_the_stronger() {
    let signer = signer(KeyKind::P256);
    let who = Identified { method: "password-tls", ..alice(&[]) };
    assert_eq!(check(&signer.jwks(), &token(&signer, &claims(who)), "app").unwrap()["method"], "password-tls");
}

#[test]
fn what_others_made_is_refused() {
    let (ours, theirs) = (signer(KeyKind::P256), signer(KeyKind::P256));
    let good = token(&ours, &claims(alice(&[])));
    check(&ours.jwks(), &good, "app").unwrap();
    assert!(check(&ours.jwks(), &good, "another").is_err(), "another audience");
    assert!(check(&ours.jwks(), &token(&theirs, &claims(alice(&[]))), "app").is_err(), "a key that is not published");

    let parts: Vec<&str> = good.split('.').collect();
    let theirs = token(&theirs, &claims(alice(&[])));
    let signature = theirs.rsplit('.').next().unwrap();
    assert!(check(&ours.jwks(), &[parts[0], parts[1], signature].join("."), "app").is_err(), "another signature");
    let root = base64url(br#"{"iss":"https://gateway.example.com","sub":"root","aud":"app"}"#);
    assert!(check(&ours.jwks(), &[parts[0], &root, parts[2]].join("."), "app").is_err(), "other claims");
    let none = base64url(format!(r#"{{"alg":"none","kid":"{}"}}"#, ours.keys().signing().id()).as_bytes());
    assert!(check(&ours.jwks(), &[&none, parts[1], ""].join("."), "app").is_err(), "no signature");
    // The public key, taken for a secret.
    let head = Header { kid: Some(ours.keys().signing().id().into()), ..Header::default() };
    let hmac = encode(&head, &json!({"aud": "app"}), &EncodingKey::from_secret(&ours.jwks())).unwrap();
    assert!(check(&ours.jwks(), &hmac, "app").is_err(), "HMAC");
}

#[test]
fn tokens_have_a_bound() {
    let signer = signer(KeyKind::P256);
    let path = format!("/{}", "x".repeat(MAX_TOKEN));
    let long = Claims { path: &path, ..claims(alice(&[])) };
    let refused = signer.sign(&long, NOW).unwrap_err();
    assert_eq!(refused.status(), 431);
    let value = signer.sign(&claims(alice(&[])), NOW).unwrap();
    assert!(value.is_sensitive() && value.len() < 1000, "{}", value.len());
}

#[test]
fn a_token_of_the_old_key_is_good_after_a_rotation() {
    let dir = Dir::new();
    let path = dir.path();
    let file = KeyFile(&path);
    let first = file.create(KeyKind::P256, NOW).unwrap();
    let load = || Signer::new(file.load().unwrap(), "https://gateway.example.com", LIFE);
    let old = token(&load(), &claims(alice(&[])));

    let hour = Duration::from_secs(3600);
    let rotated = file.rotate(KeyKind::Ed25519, NOW + hour, Some(hour)).unwrap();
    assert_eq!((rotated.keys, &rotated.dropped[..]), (2, &[][..]), "it has signed until now");
    let signer = load();
    let new = token(&signer, &claims(alice(&[])));
    assert_eq!(decode_header(&new).unwrap().kid.unwrap(), rotated.new);
    for token in [&old, &new] {
        check(&signer.jwks(), token, "app").unwrap();
    }

    let rotated = file.rotate(KeyKind::P256, NOW + 2 * hour, Some(hour)).unwrap();
    assert_eq!((rotated.keys, rotated.dropped), (2, vec![first]));
    assert!(check(&load().jwks(), &old, "app").is_err());
    check(&load().jwks(), &new, "app").unwrap();
    assert_eq!(file.made().unwrap(), [Some(NOW.as_secs() + 7200), Some(NOW.as_secs() + 3600)]);
    assert_eq!(file.rotate(KeyKind::P256, NOW + 9 * hour, None).unwrap().keys, 3, "nothing is dropped unasked");
    assert_eq!(std::fs::read_dir(dir.0.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn a_file_of_the_operators_own_making_is_kept_as_it_is() {
    let dir = Dir::new();
    let path = dir.path();
    let own = rcgen::KeyPair::generate().unwrap().serialize_pem();
    write(&path, &format!("# from the safe\n{own}"));
    let rotated = KeyFile(&path).rotate(KeyKind::P256, NOW, Some(Duration::ZERO)).unwrap();
    assert_eq!(rotated.keys, 2);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("# from the safe\n-----BEGIN PRIVATE KEY-----"), "its own comment goes with it");
    let rotated = KeyFile(&path).rotate(KeyKind::P256, NOW, Some(Duration::ZERO)).unwrap();
    assert_eq!((rotated.keys, rotated.dropped.len()), (2, 1), "now the file says since when it signs no more");
}

fn write(path: &std::path::Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn what_cannot_be_used_is_said() {
    let pem = |algorithm| rcgen::KeyPair::generate_for(algorithm).unwrap().serialize_pem();
    let p256 = pem(&rcgen::PKCS_ECDSA_P256_SHA256);
    let refused = |pem: &str| AssertionKeys::from_pem(pem.as_bytes()).unwrap_err();
    assert_eq!(refused(""), KeysError::None);
    assert_eq!(refused(&(p256.clone() + &pem(&rcgen::PKCS_ECDSA_P384_SHA384))), KeysError::Kind(2));
    assert_eq!(refused(&(p256.clone() + &p256)), KeysError::Twice(2));
    assert_eq!(refused(&p256.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY")), KeysError::Encrypted);
    assert_eq!(refused(&p256.replace("PRIVATE KEY", "EC PRIVATE KEY")), KeysError::Form(1));
    assert_eq!(refused(&p256.replace("PRIVATE KEY", "CERTIFICATE")), KeysError::Stranger(1));
    assert_eq!(refused(&p256.replace("-----END", "-----FIN")), KeysError::Pem(1));
    let many: String = (0..=MAX_KEYS).map(|_| pem(&rcgen::PKCS_ED25519)).collect();
    assert_eq!(refused(&many), KeysError::Many);

    let dir = Dir::new();
    let path = dir.path();
    assert!(matches!(KeyFile(&path).load(), Err(KeyFileError::Read { .. })));
    KeyFile(&path).create(KeyKind::P256, NOW).unwrap();
    assert!(matches!(KeyFile(&path).create(KeyKind::P256, NOW), Err(KeyFileError::Exists(_))));
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let open = KeyFile(&path).load().unwrap_err().to_string();
    assert!(open.contains("chmod 600"), "{open}");
    write(&path, &"#".repeat(70_000));
    assert!(KeyFile(&path).load().unwrap_err().to_string().contains("64 KiB"));
    assert!(matches!(KeyFile(dir.0.path()).load(), Err(KeyFileError::NoKeyFile { .. } | KeyFileError::Mode { .. })));
}

#[test]
fn nothing_shows_a_key() {
    let signer = signer(KeyKind::P256);
    let shown = format!("{signer:?}");
    assert!(shown.contains(signer.keys().signing().id()) && shown.len() < 250, "{shown}");
}

#[test]
fn the_set_is_for_everybody() {
    let signer = signer(KeyKind::P256);
    let response = jwks_response(&signer, &Method::GET);
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/jwk-set+json");
    assert_eq!(response.headers()["cache-control"], "public, max-age=300");
    let refused = jwks_response(&signer, &Method::POST);
    assert_eq!((refused.status().as_u16(), &refused.headers()["allow"]), (405, &"GET, HEAD".parse().unwrap()));
}
