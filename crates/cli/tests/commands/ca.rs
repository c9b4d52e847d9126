//! `tagai ca`: from the first certificate to the last revocation.

use crate::support::{Dir, Ran};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

const SECRET: [&str; 2] = ["--passphrase-file", "secret"];

/// A directory with a CA in it.
fn with_ca(more: &[&str]) -> Dir {
    let dir = Dir::empty();
    private(&dir, "secret", "correct horse\n");
    ca(&dir, &[&["init", "--name", "Example"], more].concat()).exits(0);
    dir
}

fn private(dir: &Dir, name: &str, text: &str) {
    dir.write(name, text);
    std::fs::set_permissions(dir.path(name), std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Runs `tagai ca`, with the passphrase.
fn ca(dir: &Dir, args: &[&str]) -> Ran {
    dir.run(&[&["ca"], args, &SECRET].concat())
}

fn list(dir: &Dir, more: &[&str]) -> Vec<(String, String)> {
    let all = dir.run(&[&["ca", "list", "--json"], more].concat()).exits(0).json();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    all.as_array().unwrap().iter().map(|one| (text(&one["name"]), text(&one["state"]))).collect()
}

fn states(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(name, state)| ((*name).to_owned(), (*state).to_owned())).collect()
}

fn mode(dir: &Dir, name: &str) -> u32 {
    std::fs::metadata(dir.path(name)).unwrap().permissions().mode() & 0o777
}

const OWN: [(&str, &str); 2] = [("root", "valid"), ("intermediate-1", "valid")];

#[test]
fn init_says_what_it_made_and_makes_it_once() {
    let dir = with_ca(&["--permit-dns", "example.com"]);
    let before = dir.read("ca/index.json");
    ca(&dir, &["init"]).exits(1).says(&["ca exists already", "help: name another place"]);
    assert_eq!(dir.read("ca/index.json"), before);
    let ran = ca(&dir, &["init", "other"]).exits(0);
    for words in ["other/root.pem", "keep it elsewhere", "--ca other", "tagai ca crl", "tagai CA ", "every name"] {
        assert!(ran.out.contains(words), "{words}: {ran:?}");
    }
    assert_eq!((mode(&dir, "ca/root.key"), mode(&dir, "ca/index.json")), (0o600, 0o600));
    assert_eq!(list(&dir, &[]), states(&OWN));
    assert!(!dir.read("ca/index.json").contains("correct horse"));
    std::fs::create_dir(dir.path("empty")).unwrap();
    ca(&dir, &["init", "empty"]).exits(0);
    let mut found: Vec<_> =
        std::fs::read_dir(dir.path("empty")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    found.sort();
    let wanted = [
        "crl.pem",
        "index.json",
        "intermediate-1.crl",
        "intermediate-1.key",
        "intermediate-1.pem",
        "issued",
        "lock",
        "root.crl",
        "root.key",
        "root.pem",
    ];
    assert_eq!(found, wanted);
    ca(&dir, &["init", "new", "--crl-url", "https://a/"]).exits(2).says(&["--crl-url", "http://"]);
    ca(&dir, &["init", "new", "--permit-dns", "*.a"]).exits(2).says(&["--permit-dns"]);
    assert!(!dir.path("new").exists());
}

#[test]
fn passphrases_come_from_files_and_variables() {
    let dir = Dir::empty();
    for (text, words) in [("", "not one line"), ("a\nb\n", "not one line"), ("short\n", "fewer than 8")] {
        private(&dir, "secret", text);
        ca(&dir, &["init"]).exits(1).says(&[words]);
    }
    dir.run(&["ca", "init", "--passphrase-env", "TAGAI_NO_SUCH"]).exits(2).says(&["TAGAI_NO_SUCH"]);
    dir.run(&["ca", "init", "--passphrase-file", "none"]).exits(1).says(&["none cannot be read"]);
    assert!(!dir.path("ca").exists());
    private(&dir, "secret", "correct horse\n");
    ca(&dir, &["init"]).exits(0);
    private(&dir, "secret", "correct mouse\n");
    ca(&dir, &["issue", "a", "--client"])
        .exits(1)
        .says(&["does not open ca/intermediate-1.key", "nothing was changed"]);
    assert_eq!(list(&dir, &[]), states(&OWN));
    assert!(!dir.path("a.pem").exists());
    dir.write("loose", "correct horse\n");
    std::fs::set_permissions(dir.path("loose"), std::fs::Permissions::from_mode(0o644)).unwrap();
    dir.run(&["ca", "crl", "--passphrase-file", "loose"]).exits(0).says(&["warning", "chmod 600 loose"]);
    for args in [&["issue", "a", "--client"][..], &["revoke", "a"], &["crl"], &["list"], &["renew", "a"]] {
        ca_elsewhere(&dir, args).exits(1).says(&["there is no CA in nowhere", "tagai ca init"]);
    }
}

/// At a terminal it is asked for: twice where it is new.
#[test]
fn passphrases_are_asked_for_at_a_terminal() {
    let dir = Dir::empty();
    let typed = |args: &str, lines: &[&str]| {
        let command = format!("{} ca {args}", env!("CARGO_BIN_EXE_tagai"));
        let mut terminal = Command::new("script")
            .args(["-qec", &command, "/dev/null"])
            .current_dir(dir.path(""))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        terminal.stdin.take().unwrap().write_all(format!("{}\n", lines.join("\n")).as_bytes()).unwrap();
        let output = terminal.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, shown) = typed("init", &["correct horse", "correct mouse"]);
    assert!(code == Some(1) && shown.contains("the two passphrases are not the same"), "{shown}");
    assert!(!dir.path("ca").exists());
    let (code, shown) = typed("init", &["correct horse", "correct horse"]);
    assert!(code == Some(0) && shown.contains("The same again: "), "{shown}");
    let (code, shown) = typed("crl", &["correct horse"]);
    assert!(code == Some(0) && shown.contains("Passphrase of the CA: "), "{shown}");
}

fn ca_elsewhere(dir: &Dir, args: &[&str]) -> Ran {
    dir.run(&[&["ca"], args, &["--ca", "nowhere"]].concat())
}

#[test]
fn certificates_are_issued_and_nothing_is_overwritten() {
    let dir = with_ca(&["--permit-dns", "example.com"]);
    let ran = ca(&dir, &["issue", "www.example.com", "example.com", "--server"]).exits(0);
    assert!(ran.out.contains("dns:www.example.com dns:example.com"), "{ran:?}");
    let chain = dir.read("www.example.com.pem");
    assert_eq!(CertificateDer::pem_slice_iter(chain.as_bytes()).count(), 2);
    assert_eq!(
        CertificateDer::from_pem_slice(dir.read("ca/intermediate-1.pem").as_bytes()).unwrap(),
        CertificateDer::pem_slice_iter(chain.as_bytes()).nth(1).unwrap().unwrap()
    );
    assert!(matches!(PrivateKeyDer::from_pem_file(dir.path("www.example.com.key")), Ok(PrivateKeyDer::Pkcs8(_))));
    assert_eq!(mode(&dir, "www.example.com.key"), 0o600);
    ca(&dir, &["issue", "www.example.com", "--server"])
        .exits(1)
        .says(&["tagai: www.example.com.pem exists already", "--replace"]);
    assert_eq!(dir.read("www.example.com.pem"), chain);

    let json =
        ca(&dir, &["issue", "alice@example.com", "--client", "--p12", "--p12-generate", "--out", "keys/a", "--json"]);
    let json = json.exits(0).json();
    assert_eq!(
        (json["purpose"].as_str(), json["names"][0].as_str()),
        (Some("client"), Some("email:alice@example.com"))
    );
    assert_eq!(json["p12"], "keys/a/alice@example.com.p12");
    assert!(json["p12_password"].as_str().unwrap().len() > 20);
    assert_eq!(mode(&dir, "keys/a/alice@example.com.p12"), 0o600);
    let days = |json: &serde_json::Value| {
        let time = |name: &str| json[name].as_str().unwrap().get(..10).unwrap().to_owned();
        (time("not_before"), time("not_after"))
    };
    assert!(days(&json).0 < days(&json).1);

    for (args, words) in [
        (&["issue", "", "--client"][..], "it is empty"),
        (&["issue", "a b", "--client"], "a space"),
        (&["issue", "*.example.com", "--client"], "no wildcard"),
        (&["issue", &"a".repeat(64), "--client"], "more than 63"),
        (&["issue", "192.0.2.1", "--client"], "not by where they are"),
        (&["issue", "a.example.com", "--server", "--lifetime", "1s"], "less than a minute"),
        (&["issue", "a.example.com", "--server", "--algorithm", "rsa"], "p256 and ed25519"),
        (&["issue", "--server"], "required"),
        (&["issue", "a"], "required"),
        (&["issue", "a", "--server", "--client"], "cannot be used with"),
    ] {
        ca(&dir, args).exits(2).says(&[words]);
    }
    ca(&dir, &["issue", "example.org", "--server"]).exits(1).says(&["outside of what this CA may sign: example.com"]);
    let long = ca(&dir, &["issue", "a.example.com", "--server", "--days", "5000", "--algorithm", "ed25519"]).exits(0);
    long.says(&["less time than was asked for", "renew --intermediate"]);
    assert_eq!(list(&dir, &[]).len(), 5);
    assert_eq!(list(&dir, &["--expiring", "8d"]), states(&[("alice@example.com", "valid")]));
    let table = dir.run(&["ca", "list"]).exits(0).out;
    assert!(table.starts_with("NAME ") && table.contains("alice@example.com  client "), "{table}");
}

#[test]
fn requests_are_signed_for_their_keys_alone() {
    let dir = with_ca(&[]);
    let key = rcgen::KeyPair::generate().unwrap();
    let mut asked = rcgen::CertificateParams::new(vec!["device1".to_owned(), "device2".to_owned()]).unwrap();
    asked.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    dir.write("device.csr", &asked.serialize_request(&key).unwrap().pem().unwrap());
    let ran = ca(&dir, &["issue", "--client", "--csr", "device.csr"]).exits(0);
    assert!(ran.out.contains("dns:device1 dns:device2") && !dir.path("device1.key").exists(), "{ran:?}");
    ran.says(&["to be a CA", "the names of the request: dns:device1 dns:device2"]);
    let ran = ca(&dir, &["issue", "device3", "--client", "--csr", "device.csr"]).exits(0);
    assert!(ran.out.contains("names    dns:device3\n"), "{ran:?}");
    dir.write("bad.csr", &dir.read("device3.pem"));
    ca(&dir, &["issue", "a", "--client", "--csr", "bad.csr"]).exits(1).says(&["CERTIFICATE REQUEST", "openssl req"]);
    dir.write("large.csr", &"a".repeat(70_000));
    ca(&dir, &["issue", "a", "--client", "--csr", "large.csr"]).exits(1).says(&["longer than 65536"]);
}

#[test]
fn certificates_are_renewed_in_their_place() {
    let dir = with_ca(&[]);
    ca(&dir, &["issue", "www.example.com", "--server"]).exits(0);
    let (chain, key) = (dir.read("www.example.com.pem"), dir.read("www.example.com.key"));
    ca(&dir, &["renew", "www.example.com"]).exits(1).says(&["exists already", "--replace"]);
    ca(&dir, &["renew", "www.example.com", "--replace"]).exits(0);
    assert_ne!(dir.read("www.example.com.pem"), chain);
    let renewed = dir.read("www.example.com.key");
    assert_ne!(renewed, key);
    assert_eq!(list(&dir, &["--expiring", "60d"]).len(), 2, "each has one like it that is over then too");
    ca(&dir, &["renew", "www.example.com.pem", "--replace", "--keep-key", "--revoke", "--days", "90"]).exits(0);
    assert_eq!(dir.read("www.example.com.key"), renewed);
    let all =
        [&OWN[..], &[("www.example.com", "valid"), ("www.example.com", "revoked"), ("www.example.com", "valid")]];
    assert_eq!(list(&dir, &[]), states(&all.concat()));
    assert!(list(&dir, &["--expiring", "60d"]).is_empty(), "there is a newer one");
    // A name that two kinds of certificates have is not enough.
    ca(&dir, &["issue", "www.example.com", "--client", "--out", "client"]).exits(0);
    ca(&dir, &["renew", "www.example.com", "--replace"]).exits(1).says(&["several ways", "serial number"]);
    ca(&dir, &["renew", "root", "--out", "x"]).exits(1).says(&["of the CA itself"]);
    ca(&dir, &["renew", "nobody"]).exits(1).says(&["has issued no certificate nobody", "tagai ca list"]);
}

#[test]
fn revocation_by_name_number_and_file() {
    let dir = with_ca(&[]);
    for name in ["a", "b", "c", "d"] {
        ca(&dir, &["issue", name, "--client"]).exits(0);
    }
    let serial = dir.run(&["ca", "list", "--json"]).json()[3]["serial"].as_str().unwrap().to_owned();
    let crl = dir.read("ca/crl.pem");
    assert_eq!(crl.matches("BEGIN X509 CRL").count(), 2);
    let ran = ca(&dir, &["revoke", "a", &serial, "c.pem", "--reason", "keyCompromise"]).exits(0);
    assert_eq!(ran.out.matches("revoked: keyCompromise").count(), 3, "{ran:?}");
    assert_ne!(dir.read("ca/crl.pem"), crl);
    let wanted = [&OWN[..], &[("a", "revoked"), ("b", "revoked"), ("c", "revoked"), ("d", "valid")]].concat();
    assert_eq!(list(&dir, &[]), states(&wanted));
    ca(&dir, &["revoke", "a"]).exits(0).says(&["was revoked already"]);
    ca(&dir, &["renew", "a", "--replace"]).exits(1).says(&["is revoked (keyCompromise)", "tagai ca issue"]);
    ca(&dir, &["revoke", "a", "--reason", "why not"]).exits(2).says(&["no reason", "keyCompromise"]);
    ca(&dir, &["revoke", "d", "nobody"]).exits(1).says(&["no certificate nobody"]);
    ca(&dir, &["revoke", "root"]).exits(1).says(&["those who trust it"]);
    assert_eq!(list(&dir, &[]), states(&wanted), "all or none");
    let other = with_ca(&[]);
    ca(&other, &["issue", "d", "--client"]).exits(0);
    dir.write("other.pem", &other.read("d.pem"));
    ca(&dir, &["revoke", "other.pem"]).exits(1).says(&["no certificate other.pem"]);

    let json = ca(&dir, &["crl", "--days", "3", "--json"]).exits(0).json();
    assert_eq!((json["number"].as_u64(), json["revoked"].as_u64()), (Some(4), Some(3)));
    assert_eq!(json["files"].as_array().unwrap().len(), 3);
    let text = ca(&dir, &["crl", "--root"]).exits(0).out;
    assert!(text.contains("number   5\nrevoked  3 certificates\n"), "{text}");
}

#[test]
fn the_root_key_is_asked_for_when_it_is_needed() {
    let dir = with_ca(&[]);
    std::fs::rename(dir.path("ca/root.key"), dir.path("away")).unwrap();
    ca(&dir, &["issue", "a", "--client"]).exits(0);
    for args in [&["renew", "--intermediate"][..], &["crl", "--root"], &["revoke", "intermediate-1"]] {
        ca(&dir, args).exits(1).says(&["ca/root.key is not there", "bring it back"]);
    }
    ca(&dir, &["crl"]).exits(0);
    std::fs::rename(dir.path("away"), dir.path("ca/root.key")).unwrap();
    let ran = ca(&dir, &["renew", "--intermediate"]).exits(0);
    assert!(
        ran.out.contains("intermediate-2 signs from now on") && ran.out.contains("intermediate-2.crl"),
        "{ran:?}"
    );
    assert_eq!(dir.read("ca/crl.pem").matches("BEGIN X509 CRL").count(), 3);
    ca(&dir, &["revoke", "intermediate-1", "--reason", "cACompromise"]).exits(0);
    ca(&dir, &["revoke", "intermediate-2", "--reason", "cACompromise"]).exits(0);
    ca(&dir, &["issue", "b", "--client"])
        .exits(1)
        .says(&["intermediate certificate of this CA is revoked", "--intermediate"]);
}

/// Two commands at once are one after the other: none of their certificates is lost.
#[test]
fn commands_at_once_wait_for_one_another() {
    let dir = with_ca(&[]);
    std::thread::scope(|scope| {
        for number in 0..4 {
            let dir = &dir;
            scope.spawn(move || ca(dir, &["issue", &format!("device{number}"), "--client"]).exits(0));
        }
    });
    assert_eq!(list(&dir, &[]).len(), 6);
}
