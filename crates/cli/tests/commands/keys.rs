//! `tagai keys`: another key, and nothing is lost.

use crate::support::Dir;

#[test]
fn keys_are_changed_in_four_steps() {
    let dir = Dir::ready();
    dir.run_with(&["user", "add", "alice", "--password-stdin"], "correct horse\n").exits(0);
    let old = dir.run(&["keys", "list"]).exits(0).out;
    let old = old.split_whitespace().next().unwrap();
    let new = dir.run(&["keys", "rotate"]).exits(0).says(&["reseal", "anew"]).out;
    let new = new.trim();
    let listed = dir.run(&["keys", "list", "--json"]).exits(0).json();
    assert_eq!(listed[0]["id"], new);
    assert_eq!((&listed[0]["seals"], &listed[1]["seals"]), (&true.into(), &false.into()));
    assert_eq!(listed[1]["id"], old);
    let resealed = dir.run(&["keys", "reseal"]).exits(0);
    assert_eq!(resealed.out, "1 verifiers and 0 sessions were sealed anew\n");

    // The old key is not needed any more, and the new one is.
    let file = dir.read("keys/store.keys");
    let without = |id: &str| {
        file.lines().filter(|line| !line.starts_with(id)).map(|line| format!("{line}\n")).collect::<String>()
    };
    dir.write("keys/store.keys", &without(old));
    dir.run(&["check"]).exits(0);
    dir.run(&["user", "show", "alice"]).exits(0);
    dir.write("keys/store.keys", &without(new));
    dir.run(&["user", "list"]).exits(1).says(&[new]);
}

#[test]
fn a_generated_line_is_one_that_the_variable_takes() {
    let dir = Dir::ready();
    let line = dir.run(&["keys", "generate"]).exits(0).out;
    assert!(line.trim().split_once(':').is_some_and(|(id, key)| !id.is_empty() && key.len() == 44), "{line}");
    dir.edit("tagai.toml", "keys = \"keys/store.keys\"", "keys-env = \"TAGAI_TEST_KEYS\"");
    dir.run(&["keys", "rotate"]).exits(2).says(&["TAGAI_TEST_KEYS", "tagai keys generate"]);
}

#[test]
fn keys_for_assertions_are_made_and_changed() {
    let dir = Dir::empty();
    let keys = ["keys", "assertion"];
    let run = |args: &[&str]| dir.run(&[&keys, args].concat());
    let first = run(&["new", "a.pem"]).exits(0).says(&["[assertion]"]).out;
    let first = first.trim();
    assert_eq!(first.len(), 43, "a thumbprint of SHA-256");
    run(&["new", "a.pem"]).exits(1).says(&["exists already", "rotate"]);
    let text = dir.read("a.pem");
    assert!(text.contains("-----BEGIN PRIVATE KEY-----"));

    let second = run(&["rotate", "a.pem", "--kind", "ed25519"]).exits(0).says(&["2 keys", "reload"]).out;
    let listed = run(&["list", "a.pem", "--json"]).exits(0).json();
    assert_eq!((&listed[0]["kid"], &listed[0]["alg"]), (&second.trim().into(), &"EdDSA".into()));
    assert_eq!((&listed[1]["kid"], &listed[1]["alg"]), (&first.into(), &"ES256".into()));
    assert_eq!((&listed[0]["signs"], &listed[1]["signs"]), (&true.into(), &false.into()));
    let third = run(&["rotate", "a.pem", "--drop-after", "0s"]).exits(0).says(&[first, "taken out", "2 keys"]).out;
    let shown = run(&["list", "a.pem"]).exits(0).out;
    assert!(shown.starts_with(third.trim()) && !shown.contains(first) && shown.contains("0 days old"), "{shown}");

    for time in ["1", "d", "", "1w", "-1d", "99999999999999999d"] {
        run(&["rotate", "a.pem", "--drop-after", time]).exits(2);
    }
    run(&["list", "missing.pem"]).exits(1).says(&["missing.pem"]);
    dir.write("b.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n");
    std::fs::set_permissions(dir.path("b.pem"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    run(&["list", "b.pem"]).exits(1).says(&["encrypted", "openssl pkcs8"]);
}
