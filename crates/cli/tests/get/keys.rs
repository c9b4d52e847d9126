//! Keys at both ends of TLS, and the password that is sent.

use super::program::Home;
use super::site::{PASSWORD, Site, USER};
use rcgen::PublicKeyData as _;
use tagai_client::KeyPin;

fn pin(key: &rcgen::KeyPair) -> String {
    KeyPin::of(&key.subject_public_key_info()).to_string()
}

fn pair() -> rcgen::KeyPair {
    rcgen::KeyPair::generate().unwrap()
}

#[test]
fn a_server_is_known_by_its_bare_key() {
    let (site, home, ours) = (Site::bare(), Home::new(), pair());
    let known = site.pin.clone().unwrap();
    home.write("device.key", ours.serialize_pem().as_bytes());
    let with = |pin: &str, more: &[&str]| {
        home.get(&site.url("/public"), &[&["--raw-key", "device.key", "--pin", pin], more].concat())
    };
    let done = with(&known, &[]).expect(0, &["pinned: "]);
    assert_eq!(done.text(), "/public for anybody (0 octets)");
    assert_eq!(site.shown(), [KeyPin::of(&ours.subject_public_key_info())], "and it knows the client by its own");
    let done = with(&known.replace(':', "//"), &["--json", "-v"]).expect(0, &["has the key sha256:"]);
    assert_eq!(done.json()["server_key"], known.as_str());

    let other = pin(&pair());
    with(&other, &[]).expect(5, &[&known, "not one that it is known by", "help: ", "--pin"]);
    with(&other, &["--pin", &known]).expect(0, &[]);
    home.get(&site.url("/public"), &["--raw-key", "device.key"]).expect(5, &["no TLS connection"]);
    home.get(&site.url("/public"), &["--pin", &known]).expect(5, &[]);
}

#[test]
fn a_login_over_bare_keys() {
    let (site, home) = (Site::bare(), Home::new());
    home.write("device.key", pair().serialize_pem().as_bytes());
    let keys = ["--raw-key", "device.key", "--pin", site.pin.as_deref().unwrap()];
    // A session serves other connections, and each proof is bound to its own.
    for session in ["logged in", "kept session"] {
        let done = home.login(&site.url("/private"), PASSWORD, &keys).expect(0, &["proven: ", session]);
        assert_eq!(done.text(), "/private for alice (0 octets)");
    }
    home.login(&site.url("/private"), "wrong", &[&keys[..], &["--no-session"]].concat())
        .expect(3, &["refused the login"]);
}

#[test]
fn a_certificate_is_shown_to_whoever_asks() {
    let (site, home) = (Site::certified(), Home::new());
    home.ca(&site);
    let (certificate, key) = site.client.clone().unwrap();
    home.write("device.pem", certificate.as_bytes());
    home.write("device.key", key.as_bytes());
    home.write("both.pem", format!("{key}{certificate}").as_bytes());
    let get = |more: &[&str]| home.get(&site.url("/public"), &[&["--cacert", "ca.pem"], more].concat());
    get(&["--cert", "device.pem", "--key", "device.key"]).expect(0, &["by certificates: ", "and no more"]);
    get(&["--cert", "both.pem"]).expect(0, &[]);
    get(&[]).expect(5, &["help: ", "--cert"]);
    let stranger = pair();
    let forged = rcgen::CertificateParams::new(vec!["device".into()]).unwrap().self_signed(&stranger).unwrap();
    home.write("forged.pem", format!("{}{}", forged.pem(), stranger.serialize_pem()).as_bytes());
    get(&["--cert", "forged.pem"]).expect(5, &["help: ", "did not accept"]);
    assert_eq!(site.seen().len(), 2);
}

#[test]
fn keys_that_cannot_be_used_are_named_before_anything_is_sent() {
    let (site, home) = (Site::https(), Home::new());
    let url = site.url("/public");
    home.ca(&site);
    let pem = pair().serialize_pem();
    home.write("plain.key", pem.as_bytes());
    home.write("locked.key", pem.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY").as_bytes());
    home.write("large.pem", &vec![b'#'; (1 << 20) + 1]);
    let good = pin(&pair());
    for (arguments, words) in [
        (&["--cert", "missing"][..], "cannot read missing"),
        (&["--cert", "large.pem"], "larger than 1 MiB"),
        (&["--cert", "ca.pem", "--key", "plain.key"], "not that of the first certificate"),
        (&["--cert", "plain.key"], "BEGIN CERTIFICATE"),
        (&["--cert", "ca.pem"], "--key FILE"),
        (&["--key", "plain.key"], "--cert"),
        (&["--raw-key", "locked.key"], "openssl pkcs8"),
        (&["--cert", "ca.pem", "--key", "locked.key"], "openssl pkcs8"),
        (&["--raw-key", "ca.pem"], "BEGIN PRIVATE KEY"),
        (&["--raw-key", "plain.key", "--cert", "ca.pem"], "cannot be used with"),
        (&["--pin", "sha256:AAAA"], "44 characters"),
        (&["--pin", &good, "--cacert", "ca.pem"], "cannot be used with"),
    ] {
        let done = home.get(&url, arguments).expect(2, &[words]);
        assert!(done.out.is_empty() && !done.err.contains("MIGH"), "{done:?}");
    }
    let plain = Site::http();
    home.get(&plain.url("/public"), &["--pin", &good]).expect(2, &["is without"]);
    assert!(site.seen().is_empty() && plain.seen().is_empty());
}

#[test]
fn a_password_is_sent_where_that_is_asked_for_and_nowhere_else() {
    let (site, home) = (Site::https(), Home::new());
    home.ca(&site);
    let url = site.url("/public");
    home.login(&url, PASSWORD, &["--cacert", "ca.pem", "--password-tls"])
        .expect(0, &["not proven: ", "was sent the password"]);
    assert_eq!(site.passwords(), ["Basic YWxpY2U6Y29ycmVjdCBob3JzZQ=="]);
    assert!(!home.sessions().exists(), "there is nothing to be kept");
    // A server that wants the proof of a password gets none.
    home.login(&site.url("/private"), PASSWORD, &["--cacert", "ca.pem", "--password-tls"])
        .expect(3, &["did not accept", "leave out --password-tls"]);

    site.passwords();
    home.login(&site.url("/private"), PASSWORD, &["--cacert", "ca.pem"]).expect(0, &["proven: "]);
    home.login(&site.url("/public/basic"), PASSWORD, &["--cacert", "ca.pem", "--no-session"]).expect(22, &[]);
    assert!(site.passwords().is_empty(), "not even to a server that asks for it");
    let plain = Site::http();
    let done = home.login(&plain.url("/public"), PASSWORD, &["--password-tls"]).expect(2, &["http", "https"]);
    assert!(!done.err.contains(PASSWORD) && plain.seen().is_empty());
    home.get(&url, &["--password-tls"]).expect(2, &["--user"]);
    home.login(&url, PASSWORD, &["--password-tls", "--require-proof"]).expect(2, &["cannot be used with"]);
    assert_eq!(USER, "alice");
}
