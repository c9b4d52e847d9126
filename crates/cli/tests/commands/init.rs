use crate::support::Dir;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

fn mode(dir: &Dir, name: &str) -> u32 {
    std::fs::metadata(dir.path(name)).unwrap().permissions().mode() & 0o777
}

#[test]
fn what_init_writes_passes_the_check() {
    let dir = Dir::empty();
    let ran = dir.run(&["init"]).exits(0);
    for name in ["tagai.toml", "ca.pem", "keys/localhost.pem", "keys/localhost.key", "keys/store.keys", "tagai.db"] {
        assert!(ran.out.contains(name), "{name}: {ran:?}");
        assert!(dir.path(name).exists(), "{name}");
    }
    for secret in ["keys/localhost.key", "keys/store.keys", "tagai.db"] {
        assert_eq!(mode(&dir, secret), 0o600, "{secret}");
    }
    assert_eq!(mode(&dir, "keys"), 0o700);
    assert!(ran.out.contains("tagai user add alice"), "what to do next: {ran:?}");
    let checked = dir.run(&["check"]).exits(0);
    assert_eq!(checked.out.lines().filter(|line| line.starts_with("ok")).count(), 7, "{checked:?}");
    assert_eq!(dir.run(&["check", "--json"]).exits(0).json()["ok"], true);
    assert!(dir.users().is_empty());
}

#[test]
fn init_overwrites_nothing_and_leaves_nothing_half_made() {
    let dir = Dir::ready();
    let before = (dir.read("tagai.toml"), dir.read("keys/store.keys"));
    dir.run(&["init"]).exits(1).says(&["tagai.toml exists already", "help: name another directory"]);
    assert_eq!((dir.read("tagai.toml"), dir.read("keys/store.keys")), before);

    let other = Dir::empty();
    std::fs::create_dir(other.path("keys")).unwrap();
    other.write("keys/store.keys", "precious");
    other.run(&["init"]).exits(1).says(&["keys/store.keys exists already"]);
    assert_eq!(other.read("keys/store.keys"), "precious");
    assert!(!other.path("tagai.toml").exists() && !other.path("ca.pem").exists());

    other.run(&["init", "sub", "--upstream", "nonsense"]).exits(2).says(&["\"nonsense\" is no upstream"]);
    other.run(&["init", "sub", "--host", "a b"]).exits(2).says(&["--host a b"]);
    assert!(!other.path("sub").exists());
}

#[test]
fn init_elsewhere_says_how_to_name_the_configuration() {
    let dir = Dir::empty();
    let args = ["init", "gate", "--host", "WWW.example.com", "--https-port", "443", "--http-port", "80"];
    let ran = dir.run(&args).exits(0);
    assert!(ran.out.contains("tagai serve --config gate/tagai.toml"), "{ran:?}");
    assert!(ran.out.contains("tagai get https://www.example.com/ "), "{ran:?}");
    let text = dir.read("gate/tagai.toml");
    assert!(text.contains("origins = [\"https://www.example.com\", \"http://www.example.com\"]"), "{text}");
    assert!(text.contains("address = \"0.0.0.0:443\""), "{text}");
    dir.run(&["check", "--config", "gate/tagai.toml"]).exits(0);
}

/// Clients that trust `ca.pem` accept the certificate, for the names it is for and for no other.
#[test]
fn the_certificate_is_one_that_clients_accept() {
    let dir = Dir::ready();
    let certificate = |name| CertificateDer::from_pem_file(dir.path(name)).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate("ca.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let leaf = certificate("keys/localhost.pem");
    let accepted = |name: &'static str| {
        let name = ServerName::try_from(name).unwrap();
        verifier.verify_server_cert(&leaf, &[], &name, &[], UnixTime::now()).is_ok()
    };
    assert!(accepted("localhost") && accepted("127.0.0.1") && accepted("::1"));
    assert!(!accepted("example.com"));
}

#[test]
fn check_shows_the_line() {
    let dir = Dir::ready();
    dir.edit("tagai.toml", "\nrealm = \"staff\"", "\nrealm = \"staf\"");
    let line = dir.read("tagai.toml").lines().position(|line| line == "realm = \"staf\"").unwrap() + 1;
    let ran = dir.run(&["check"]).exits(2);
    assert!(ran.err.contains(&format!("--> tagai.toml:{line}:9")), "{ran:?}");
    assert!(
        ran.err.contains("^^^^^^ no [[realm]] has this id") && ran.err.contains("did you mean \"staff\"?"),
        "{ran:?}"
    );
    assert!(!ran.err.contains('\x1b'), "colours are for terminals: {ran:?}");

    let json = dir.run(&["check", "--json"]).exits(2).json();
    assert_eq!((&json["ok"], &json["configuration"][0]["line"]), (&false.into(), &line.into()), "{json}");
    // Every command that needs the configuration says the same.
    dir.run(&["user", "list"]).exits(2).says(&["there is no realm \"staf\""]);
    dir.run(&["serve"]).exits(2).says(&["there is no realm \"staf\""]);
}

#[test]
fn check_names_every_file_that_cannot_be_used() {
    let dir = Dir::ready();
    std::fs::set_permissions(dir.path("keys/store.keys"), std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::set_permissions(dir.path("keys/localhost.key"), std::fs::Permissions::from_mode(0o604)).unwrap();
    std::fs::remove_file(dir.path("keys/localhost.pem")).unwrap();
    let ran = dir.run(&["check"]).exits(1);
    for words in [
        "wrong certificate keys/localhost.pem: it cannot be read",
        "wrong private key keys/localhost.key: everybody on this machine may use it (mode 0604)",
        "chmod 600 keys/localhost.key",
        "chmod 600 keys/store.keys",
        "wrong database tagai.db: it cannot be opened without its keys",
    ] {
        assert!(ran.out.contains(words), "{words}: {ran:#?}");
    }
    dir.run(&["user", "list"]).exits(1).says(&["chmod 600 keys/store.keys"]);
}

#[test]
fn check_finds_a_wrong_key_a_broken_database_and_a_missing_one() {
    let dir = Dir::ready();
    dir.run_with(&["user", "add", "alice", "--password-stdin"], "correct horse\n").exits(0);
    let keys = dir.read("keys/store.keys");
    let other = Dir::ready();
    dir.write("keys/store.keys", &other.read("keys/store.keys"));
    let ran = dir.run(&["check"]).exits(1);
    assert!(ran.out.contains("wrong database tagai.db"), "{ran:?}");
    dir.write("keys/store.keys", &keys);
    dir.run(&["check"]).exits(0);

    std::fs::write(
        dir.path("tagai.db"),
        "this is no database, and longer than a header of one has to be".repeat(200),
    )
    .unwrap();
    let ran = dir.run(&["check"]).exits(1);
    assert!(ran.out.contains("wrong database tagai.db"), "{ran:?}");

    std::fs::remove_file(dir.path("tagai.db")).unwrap();
    let ran = dir.run(&["check"]).exits(1);
    assert!(ran.out.contains("there is no such file"), "{ran:?}");
    dir.run(&["user", "list"]).exits(1).says(&["there is no database tagai.db"]);
    assert!(!dir.path("tagai.db").exists(), "an empty database is not made by looking for one");
}

#[test]
fn without_a_configuration_it_says_how_to_get_one() {
    let dir = Dir::empty();
    if !std::path::Path::new("/etc/tagai/tagai.toml").exists() {
        dir.run(&["check"]).exits(2).says(&["there is no configuration", "tagai init"]);
    }
    dir.run(&["check", "--config", "none.toml"]).exits(2).says(&["cannot be read", "none.toml", "tagai init"]);
}

#[test]
fn keys_can_be_in_a_variable() {
    let dir = Dir::ready();
    dir.edit("tagai.toml", "keys = \"keys/store.keys\"", "keys-env = \"TAGAI_STORE_KEYS\"");
    let ran = dir.run(&["check"]).exits(1);
    assert!(ran.out.contains("wrong sealing keys in the variable TAGAI_STORE_KEYS"), "{ran:?}");
}
