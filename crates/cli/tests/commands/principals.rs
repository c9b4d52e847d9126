use crate::support::{Dir, Ran};
use rcgen::{CertificateParams, DnType, KeyPair, PublicKeyData as _, SanType};

const PIN: &str = "key:sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

fn with(names: &[&str]) -> Dir {
    let dir = Dir::ready();
    for name in names {
        dir.run(&["principal", "add", name]).exits(0);
    }
    dir
}

fn show(dir: &Dir, name: &str) -> serde_json::Value {
    dir.run(&["principal", "show", name, "--json"]).exits(0).json()
}

fn add_user(dir: &Dir, name: &str) -> Ran {
    dir.run_with(&["user", "add", name, "--password-stdin"], "secret\n").exits(0)
}

fn strings(value: &serde_json::Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect()
}

#[test]
fn a_principal_from_the_cradle_to_the_grave() {
    let dir = Dir::ready();
    let add = ["principal", "add", "sensor-7", "--kind", "device", "--group", "sensors", "--attribute", "floor=3"];
    dir.run(&add).exits(0).says(&["sensor-7 is a principal now", "tagai principal bind sensor-7"]);
    dir.run(&add).exits(1).says(&["there is a principal sensor-7 already", "tagai principal show sensor-7"]);
    let shown = show(&dir, "sensor-7");
    assert_eq!((shown["kind"].as_str(), shown["disabled"].as_bool()), (Some("device"), Some(false)));
    assert_eq!((strings(&shown["groups"]), shown["attributes"]["floor"].as_str()), (vec!["sensors"], Some("3")));
    assert!(shown["created"].as_str().unwrap().ends_with('Z'));

    dir.run(&["principal", "group", "add", "sensor-7", "ops", "sensors"])
        .exits(0)
        .says(&["is in the group ops now", "is in the group sensors already"]);
    dir.run(&["principal", "group", "remove", "sensor-7", "sensors", "x"]).exits(0).says(&["is not in the group x"]);
    dir.run(&["principal", "attribute", "set", "sensor-7", "floor=4", "room=a=b c"]).exits(0);
    dir.run(&["principal", "attribute", "unset", "sensor-7", "floor"]).exits(0).says(&["has no floor any more"]);
    dir.run(&["principal", "bind", "sensor-7", PIN]).exits(0);
    let shown = show(&dir, PIN);
    assert_eq!((strings(&shown["groups"]), shown["attributes"]["room"].as_str()), (vec!["ops"], Some("a=b c")));
    assert_eq!((strings(&shown["credentials"]), shown["attributes"].get("floor")), (vec![PIN], None));
    let text = dir.run(&["principal", "show", "sensor-7"]).exits(0).out;
    assert!(text.contains("active") && text.contains(PIN) && text.contains("room=a=b c"), "{text}");

    dir.run(&["principal", "disable", "sensor-7"]).exits(0);
    dir.run(&["principal", "disable", "sensor-7"]).exits(0).says(&["is disabled already"]);
    let table = dir.run(&["principal", "list"]).exits(0).out;
    assert!(table.lines().count() == 2 && table.contains("disabled"), "{table}");
    dir.run(&["principal", "enable", "sensor-7"]).exits(0);
    let listed = |group: &str| dir.run(&["principal", "list", "--group", group, "--json"]).exits(0).json();
    assert_eq!((listed("ops").as_array().unwrap().len(), listed("dev").as_array().unwrap().len()), (1, 0));

    dir.run(&["principal", "remove", "sensor-7"]).exits(2).says(&["--yes"]);
    dir.run(&["principal", "remove", "sensor-7", "--yes"]).exits(0).says(&["belong to nobody now", PIN]);
    dir.run(&["principal", "list"]).exits(0).says(&["there are no principals"]);
    let events = dir.audit_of_principals();
    let told: Vec<String> = events.iter().map(|(event, _, reason)| format!("{event} {reason}")).collect();
    assert_eq!(
        told,
        [
            "principal-added device",
            "principal-changed in the group sensors",
            "principal-changed floor is \"3\"",
            "principal-changed in the group ops",
            "principal-changed not in the group sensors",
            "principal-changed floor is \"4\"",
            "principal-changed room is \"a=b c\"",
            "principal-changed without floor",
            &format!("principal-changed bound {PIN}"),
            "principal-changed disabled",
            "principal-changed enabled",
            "principal-removed ",
        ]
    );
    assert!(events.iter().all(|(_, principal, _)| principal == "sensor-7"));
}

#[test]
fn a_credential_is_one_principals() {
    let dir = with(&["alice", "bob"]);
    add_user(&dir, "al");
    let bound = dir.run(&["principal", "bind", "alice", "user:staff/al"]).exits(0);
    assert!(bound.err.contains("user:staff/al is alice now") && !bound.err.contains("warning"), "{bound:?}");
    dir.run(&["principal", "bind", "alice", "user:staff/al"]).exits(0).says(&["is alice already"]);
    dir.run(&["principal", "bind", "bob", "user:staff/al"])
        .exits(1)
        .says(&["belongs to alice already", "tagai principal unbind alice 'user:staff/al'"]);
    dir.run(&["principal", "unbind", "bob", "user:staff/al"]).exits(1).says(&["does not belong to bob", "to alice"]);
    assert_eq!(show(&dir, "user:staff/al")["name"], "alice");
    dir.run(&["principal", "unbind", "alice", "user:staff/al"]).exits(0).says(&["belongs to nobody now"]);
    dir.run(&["principal", "show", "user:staff/al"]).exits(1).says(&["belongs to no principal", "principal bind"]);
    dir.run(&["principal", "bind", "bob", "user:staff/al"]).exits(0);
}

#[test]
fn what_is_not_there_yet_is_warned_of() {
    let dir = with(&["alice"]);
    let bind = |credential: &str| dir.run(&["principal", "bind", "alice", credential]).exits(0);
    bind("user:staff/nobody").says(&["warning: there is no user nobody in the realm staff yet"]);
    bind("user:staf/al").says(&["warning: there is no realm staf in", "there is staff"]);
    let ran = bind("user:staff/ａlice").says(&["is kept as \"alice\""]);
    assert!(ran.err.contains("user:staff/alice is alice now"), "{ran:?}");
    bind("x509:partners/dns:Device1.Example.COM").says(&["x509:partners/dns:device1.example.com is alice now"]);
    let user = add_user(&dir, "nobody");
    assert!(user.err.contains("logged in, nobody is the principal alice"), "{user:?}");
}

#[test]
fn a_removed_user_leaves_no_credential_to_the_next() {
    let dir = with(&["alice"]);
    add_user(&dir, "al");
    dir.run(&["principal", "bind", "alice", "user:staff/al"]).exits(0);
    dir.run(&["user", "rm", "al", "--yes"])
        .exits(0)
        .says(&["user:staff/al was unbound from the principal alice", "a later user of this name is somebody else"]);
    let next = add_user(&dir, "al");
    assert!(!next.err.contains("principal"), "{next:?}");
    dir.run(&["principal", "show", "user:staff/al"]).exits(1);
    assert!(strings(&show(&dir, "alice")["credentials"]).is_empty());
    let (event, principal, reason) = dir.audit_of_principals().pop().unwrap();
    assert_eq!((&*event, &*principal, &*reason), ("principal-changed", "alice", "unbound user:staff/al"));
    let other = dir.run(&["user", "rm", "al", "--yes"]).exits(0);
    assert!(!other.err.contains("unbound"), "{other:?}");
}

/// A key, its certificate with names of several kinds, and files of them.
fn certificate(dir: &Dir) -> String {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["Device1.example.com".to_owned()]).unwrap();
    params.subject_alt_names.push(SanType::Rfc822Name("ops@Example.com".try_into().unwrap()));
    params.distinguished_name.push(DnType::CommonName, "device one");
    let certificate = params.self_signed(&key).unwrap();
    dir.write("device.pem", &certificate.pem());
    dir.write("key.pem", &key.serialize_pem());
    dir.write("public.pem", &key.public_key_pem());
    format!("key:{}", tagai_store::principal::KeyPin::of_spki(&key.subject_public_key_info()))
}

#[test]
fn keys_and_certificates_are_read_from_files() {
    let dir = with(&["sensor-7"]);
    let pin = certificate(&dir);
    for file in ["public.pem", "key.pem", "device.pem"] {
        dir.run(&["principal", "bind", "sensor-7", "--key", file]).exits(0).says(&[&pin]);
        dir.run(&["principal", "unbind", "sensor-7", "--key", file]).exits(0);
    }
    let bind = ["principal", "bind", "sensor-7", "--certificate", "device.pem", "--client-ca", "partners"];
    dir.run(&bind).exits(0).says(&["x509:partners/dns:device1.example.com is sensor-7 now"]);
    for (names, credential) in
        [("email,dns", "x509:partners/email:ops@example.com"), ("uri,cn", "x509:partners/cn:device one")]
    {
        let ran = dir.run(&[&bind[..], &["--names", names]].concat()).exits(0);
        assert!(ran.err.contains(credential), "{ran:?}");
    }
    dir.run(&[&bind[..], &["--names", "uri"]].concat()).exits(1).says(&["has no name (uri)", "--names"]);
    dir.run(&[&bind[..], &["--names", "ip"]].concat()).exits(2);
    dir.run(&bind[..5]).exits(2).says(&["--client-ca"]);
    dir.write("nothing.pem", "nothing");
    for (file, code) in [("nothing.pem", 1), ("missing.pem", 1), (".", 1)] {
        dir.run(&["principal", "bind", "sensor-7", "--key", file]).exits(code).says(&[file]);
        dir.run(&["principal", "bind", "sensor-7", "--certificate", file, "--client-ca", "p"])
            .exits(code)
            .says(&[file]);
    }
    dir.run(&["principal", "bind", "sensor-7", "--certificate", "key.pem", "--client-ca", "p"])
        .exits(1)
        .says(&["private key"]);
    let log = dir.read("audit.log");
    assert!(!log.contains("PRIVATE"), "{log}");
}

#[test]
fn what_cannot_be_is_refused_with_what_to_do() {
    let dir = with(&["alice"]);
    for (args, says) in [
        (&["add", "staff/alice"][..], "bind user:staff/alice"),
        (&["add", "-x"], "unexpected argument"),
        (&["add", "a b"], "cannot be the name of a principal"),
        (&["add", "bob", "--kind", "robot"], "person, a device or a service"),
        (&["add", "bob", "--group", "a/b"], "cannot be the name of a group"),
        (&["add", "bob", "--attribute", "floor"], "KEY=VALUE"),
        (&["attribute", "set", "alice", "1=2"], "cannot be the key of an attribute"),
        (&["bind", "alice", "alice"], "is no credential"),
        (&["bind", "alice", "user:alice"], "the id of a realm"),
        (&["bind", "alice", "user:staff/"], "cannot be a user name"),
        (&["bind", "alice", "x509:p/dns:*.example.com"], "is a pattern"),
        (&["bind", "alice", "x509:p/ip:127.0.0.1"], "dns:, uri:, email: or cn:"),
        (&["bind", "alice", "key:sha256:AAAA"], "44 characters of base64"),
        (&["bind", "alice"], "required"),
        (&["bind", "alice", PIN, "--key", "x"], "cannot be used with"),
        (&["list", "--group", "a/b"], "the name of a group has"),
    ] {
        dir.run(&[&["principal"], args].concat()).exits(2).says(&[says]);
    }
    dir.run(&["principal", "show", "bob"]).exits(1).says(&["there is no principal bob", "tagai principal list"]);
    for args in [
        &["disable", "bob"][..],
        &["enable", "bob"],
        &["remove", "bob", "--yes"],
        &["group", "add", "bob", "ops"],
        &["group", "remove", "bob", "ops"],
        &["attribute", "set", "bob", "a=b"],
        &["attribute", "unset", "bob", "a"],
        &["bind", "bob", PIN],
        &["unbind", "bob", PIN],
    ] {
        dir.run(&[&["principal"], args].concat()).exits(1).says(&["there is no principal bob"]);
    }
    let list = dir.run(&["principal", "list", "--json"]).exits(0).json();
    assert_eq!(list.as_array().unwrap().len(), 1);
}

#[test]
fn nothing_is_changed_if_it_cannot_be_noted() {
    let dir = Dir::ready();
    std::fs::create_dir(dir.path("audit.log")).unwrap();
    let says = ["the audit log audit.log cannot be written", "nothing was changed"];
    dir.run(&["principal", "add", "alice"]).exits(1).says(&says);
    dir.run(&["deny", "add", "principal", "alice"]).exits(1).says(&says);
    assert_eq!(dir.run(&["principal", "list", "--json"]).exits(0).out.trim(), "[]");
    assert_eq!(dir.run(&["deny", "list", "--json"]).exits(0).out.trim(), "[]");
}
