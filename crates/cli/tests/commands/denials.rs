use crate::support::Dir;

const PIN: &str = "sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

fn list(dir: &Dir) -> Vec<serde_json::Value> {
    dir.run(&["deny", "list", "--json"]).exits(0).json().as_array().unwrap().clone()
}

#[test]
fn the_deny_list_is_kept_and_taken_back() {
    let dir = Dir::ready();
    dir.run(&["deny", "list"]).exits(0).says(&["nobody is denied"]);
    dir.run(&["principal", "add", "alice"]).exits(0);
    let add = |args: &[&str]| dir.run(&[&["deny", "add"], args].concat()).exits(0);
    let ran = add(&["principal", "alice", "--reason", "laptop stolen"]);
    assert!(ran.err.contains("the principal alice is denied now") && !ran.err.contains("warning"), "{ran:?}");
    add(&["serial", "00:0A:1b", "--client-ca", "partners"])
        .says(&["the serial number 0a1b of partners is denied now"]);
    add(&["serial", "A1B"]).says(&["the serial number 0a1b is denied now"]);
    add(&["key", PIN]);
    add(&["key", &PIN.replacen(':', "//", 1)]).says(&["is denied already"]);
    add(&["principal", "alice"]).says(&["is denied already"]);

    let shown = list(&dir);
    assert_eq!(shown.len(), 4);
    let alice = shown.iter().find(|one| one["principal"] == "alice").unwrap();
    assert_eq!((alice["reason"].as_str(), alice.get("serial")), (Some("laptop stolen"), None));
    assert!(alice["created"].as_str().unwrap().ends_with('Z') && !alice["by"].as_str().unwrap().is_empty());
    assert!(shown.iter().any(|one| one["serial"] == "0a1b" && one["client_ca"] == "partners"));
    assert!(shown.iter().any(|one| one["serial"] == "0a1b" && one.get("client_ca").is_none()));
    assert!(shown.iter().any(|one| one["key"] == PIN));
    let table = dir.run(&["deny", "list"]).exits(0).out;
    assert!(table.contains("principal alice: laptop stolen") && table.contains("serial 0a1b of partners"), "{table}");
    let text = dir.run(&["principal", "show", "alice"]).exits(0).out;
    assert!(text.contains("denied"), "{text}");

    let remove = |args: &[&str]| dir.run(&[&["deny", "remove"], args].concat());
    remove(&["serial", "a1b", "--client-ca", "others"]).exits(1).says(&["not on the deny list", "--client-ca"]);
    remove(&["serial", "a1b", "--client-ca", "partners"]).exits(0).says(&["is not denied any more"]);
    remove(&["serial", "a1b"]).exits(0);
    remove(&["key", PIN]).exits(0);
    remove(&["principal", "alice"]).exits(0);
    remove(&["principal", "alice"]).exits(1).says(&["not on the deny list", "tagai deny list"]);
    assert!(list(&dir).is_empty());

    let told: Vec<String> = dir.audit_of_principals().into_iter().map(|(a, b, c)| format!("{a}|{b}|{c}")).collect();
    assert_eq!(
        told[1..],
        [
            "denied|alice|laptop stolen",
            "denied|serial 0a1b of partners|",
            "denied|serial 0a1b|",
            &format!("denied|key {PIN}|"),
            "denial-removed|serial 0a1b of partners|",
            "denial-removed|serial 0a1b|",
            &format!("denial-removed|key {PIN}|"),
            "denial-removed|alice|",
        ]
    );
}

#[test]
fn principals_that_are_not_registered_are_denied_by_the_names_they_have() {
    let dir = Dir::ready();
    dir.run(&["principal", "add", "robert"]).exits(0);
    dir.run(&["principal", "bind", "robert", "user:staff/bob"]).exits(0);
    let add = |name: &str| dir.run(&["deny", "add", "principal", name]);
    add("staff/bob").exits(0).says(&["belongs to the principal robert", "tagai deny add principal robert"]);
    add("user:staff/al").exits(0).says(&["the principal staff/al is denied now", "there is no user al"]);
    add("x509:partners/dns:A.Example.com").exits(0).says(&["the principal partners/dns:a.example.com is denied now"]);
    add("partners/dns:A.example.com").exits(0).says(&["is denied already"]);
    add("carol").exits(0).says(&["there is no principal carol yet"]);
    add(&format!("key:{PIN}")).exits(2).says(&[&format!("tagai deny add key {PIN}")]);
    add("staf/al").exits(0).says(&["there is no realm staf"]);
    add("a b").exits(2).says(&["cannot be the name of a principal"]);
    assert_eq!(list(&dir).len(), 5);
}

#[test]
fn what_cannot_be_denied_is_refused() {
    let dir = Dir::ready();
    let long = "x".repeat(1025);
    for (args, code, says) in [
        (&["add", "serial", "xyz"][..], 2, "hexadecimal"),
        (&["add", "serial", "0a", "--client-ca", "a/b"], 2, "--client-ca"),
        (&["add", "key", "sha256:AAAA"], 2, "44 characters"),
        (&["add", "key", "missing.pem"], 1, "missing.pem cannot be read"),
        (&["add", "principal", "alice", "--reason", &long], 2, "--reason"),
        (&["add"], 2, "Usage"),
        (&["remove", "serial", ""], 2, "hexadecimal"),
    ] {
        dir.run(&[&["deny"], args].concat()).exits(code).says(&[says]);
    }
    assert!(list(&dir).is_empty());
    dir.run(&["deny", "add", "principal", "alice", "--config", "tagai.toml"]).exits(0);
    dir.run(&["deny", "add", "principal", "bob", "--config", "missing.toml"]).exits(2);
}
