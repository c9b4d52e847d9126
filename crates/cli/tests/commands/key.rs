//! `tagai key`: keys, and what they are known by.

use crate::support::Dir;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn a_key_is_made_shown_and_not_overwritten() {
    let dir = Dir::empty();
    for (file, more, algorithm) in
        [("key.pem", &[][..], "Ed25519"), ("device.pem", &["device.pem", "--algorithm", "p256"], "ECDSA on P-256")]
    {
        let ran = dir.run(&[&["key", "gen"], more].concat()).exits(0);
        let text = dir.read(file);
        assert!(text.starts_with("-----BEGIN PRIVATE KEY-----"), "{file}");
        assert_eq!(std::fs::metadata(dir.path(file)).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(ran.out.contains("-----BEGIN PUBLIC KEY-----") && !ran.out.contains("PRIVATE KEY"), "{ran:?}");
        let pin = dir.run(&["key", "pin", file]).exits(0).out;
        assert!(pin.starts_with("sha256:") && pin.len() == 52, "{pin}");
        assert!(ran.out.contains(&format!("pin        {pin}")), "{ran:?}");

        let shown = dir.run(&["key", "show", file, "--json"]).exits(0).json();
        assert_eq!((&shown["kind"], &shown["algorithm"]), (&"private key".into(), &algorithm.into()));
        assert_eq!(shown["pin"], pin.trim_end());
        dir.write("public.pem", shown["public_key"].as_str().unwrap());
        assert_eq!(dir.run(&["key", "pin", "public.pem"]).exits(0).out, pin);
        let shown = dir.run(&["key", "show", "public.pem"]).exits(0).out;
        assert!(shown.starts_with("file       public.pem: public key\n"), "{shown}");
        dir.run(&[&["key", "gen"], more].concat()).exits(1).says(&[file, "exists already"]);
        assert_eq!(dir.read(file), text);
    }
}

#[test]
fn certificates_have_the_pins_of_their_keys() {
    let dir = Dir::ready();
    let pin = dir.run(&["key", "pin", "keys/localhost.key"]).exits(0).out;
    assert_eq!(dir.run(&["key", "pin", "keys/localhost.pem"]).exits(0).out, pin);
    let shown = dir.run(&["key", "show", "keys/localhost.pem"]).exits(0).out;
    for words in
        ["keys/localhost.pem: certificate", "names      dns:localhost", "subject    \"CN=localhost\"", pin.trim_end()]
    {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let json = dir.run(&["key", "show", "keys/localhost.pem", "--json"]).exits(0).json();
    assert_eq!(json["certificate"]["names"][0], "dns:localhost");
}

#[test]
fn what_is_no_key_is_said() {
    let dir = Dir::empty();
    dir.write("text", "hello\n");
    dir.run(&["key", "pin", "text"]).exits(1).says(&["text holds no key", "BEGIN PRIVATE KEY"]);
    dir.write("locked", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n");
    dir.run(&["key", "show", "locked"]).exits(1).says(&["locked is encrypted", "openssl pkey"]);
    dir.run(&["key", "pin", "none"]).exits(1).says(&["none cannot be read"]);
    dir.write("large", &"a".repeat(70_000));
    dir.run(&["key", "pin", "large"]).exits(1).says(&["longer than 65536"]);
    dir.run(&["key", "pin", "https://example.com"]).exits(2).says(&["openssl s_client"]);
    dir.run(&["key", "gen", "x", "--algorithm", "rsa"]).exits(2).says(&["ed25519 and p256"]);
    dir.run(&["key", "gen", "no/x"]).exits(1).says(&["no/x cannot be written"]);
}
