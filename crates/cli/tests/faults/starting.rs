//! What it needs is not there, or not what it should be: it does not start, and says what to do.

use super::program::{Folder, Ran, command, run};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use tokio::net::TcpListener;

/// `tagai serve` fails with this; `tagai check` finds it as well.
fn refused(folder: &Folder, says: &[&str]) {
    let served: Ran = folder.tagai(&["serve"], "");
    served.failed(1, says);
    let checked = folder.tagai(&["check"], "");
    checked.failed(1, &[]);
    assert!(says.iter().any(|text| checked.stdout.contains(text)), "{says:?}: {}", checked.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_cannot_be_used() {
    let folder = Folder::new().await;
    folder.add("alice").succeeded();
    let file = folder.path("keys/store.keys");
    let good = fs::read_to_string(&file).unwrap();

    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    refused(&folder, &["chmod 600", "store.keys"]);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();

    for text in ["", "no key at all\n", "key-1:c2hvcnQ=\n"] {
        fs::write(&file, text).unwrap();
        refused(&folder, &["KEY-ID:BASE64", "line 1"]);
    }
    // The keys of another installation.
    let other = Folder::new().await;
    fs::copy(other.path("keys/store.keys"), &file).unwrap();
    refused(&folder, &["put the line of this key back"]);
    // Another key under the same name.
    let id = good.lines().last().unwrap().split(':').next().unwrap();
    let wrong = fs::read_to_string(other.path("keys/store.keys")).unwrap();
    let wrong = format!("{id}:{}\n", wrong.lines().last().unwrap().split(':').nth(1).unwrap());
    fs::write(&file, wrong).unwrap();
    refused(&folder, &["is not the one of this name"]);
    for args in [&["user", "list"][..], &["user", "disable", "alice"]] {
        folder.tagai(args, "").failed(1, &["is not the one of this name"]);
    }

    fs::remove_file(&file).unwrap();
    refused(&folder, &["cannot read the key file", "store.keys"]);
    fs::write(&file, good).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    folder.is_sound();
    assert_eq!(folder.users(), ["alice"]);
    let serving = folder.serve();
    assert!(folder.log_in("alice").await.unwrap().is_proven());
    drop(serving);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_used() {
    let folder = Folder::new().await;
    folder.add("alice").succeeded();
    let file = folder.path("tagai.db");
    // With nothing in the write-ahead log, the file is all of it.
    folder.database().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let good = fs::read(&file).unwrap();

    fs::write(&file, b"this is no database, but a text of some length".repeat(200)).unwrap();
    refused(&folder, &["no SQLite database", "restore a backup"]);
    // The beginning is right, and everything behind it is not.
    let mut damaged = good.clone();
    damaged[4096..].fill(0x5a);
    fs::write(&file, &damaged).unwrap();
    refused(&folder, &["damaged", "restore a backup"]);
    folder.tagai(&["user", "list"], "").failed(1, &["damaged"]);
    // A part of it.
    fs::write(&file, &good[..good.len() / 2]).unwrap();
    refused(&folder, &["damaged", "restore a backup"]);
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    refused(&folder, &["folder"]);
    fs::remove_dir(&file).unwrap();
    fs::write(&file, good).unwrap();
    folder.is_sound();
    assert_eq!(folder.users(), ["alice"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_cannot_be_used() {
    let folder = Folder::new().await;
    let [pem_name, key_name] = ["pem", "key"].map(|kind| format!("{}.{kind}", folder.host));
    let [chain, key] = [&pem_name, &key_name].map(|name| folder.path("keys").join(name));
    let (good_chain, good_key) = (fs::read(&chain).unwrap(), fs::read(&key).unwrap());
    let other = rcgen::KeyPair::generate().unwrap();

    fs::write(&key, other.serialize_pem()).unwrap();
    refused(&folder, &[&key_name, &pem_name, "does not"]);
    fs::write(&key, "nothing\n").unwrap();
    refused(&folder, &[&key_name]);
    fs::remove_file(&key).unwrap();
    refused(&folder, &[&key_name, "No such file"]);
    fs::write(&key, &good_key).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&chain, &good_chain[..good_chain.len() / 3]).unwrap();
    refused(&folder, &[&pem_name]);
    fs::remove_file(&chain).unwrap();
    refused(&folder, &[&pem_name, "No such file"]);

    // A key that everybody can read works, and is no key to keep.
    fs::write(&chain, &good_chain).unwrap();
    for (mode, said) in [(0o644, true), (0o640, false)] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        let serving = folder.serve();
        assert_eq!(serving.log().contains("chmod 600"), said, "{mode:o}: {}", serving.log());
        drop(serving);
        let checked = folder.tagai(&["check"], "");
        assert_eq!(
            (checked.code == Some(1), checked.stdout.contains("chmod 600")),
            (said, said),
            "{mode:o}: {checked:?}"
        );
    }
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    fs::remove_file(&chain).unwrap();

    // One that has expired is served all the same: it may be what an operator is about to replace.
    let mut params = rcgen::CertificateParams::new(vec![folder.host.clone()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2020, 2, 1);
    fs::write(&chain, params.self_signed(&other).unwrap().pem()).unwrap();
    fs::write(&key, other.serialize_pem()).unwrap();
    let serving = folder.serve();
    assert!(serving.log().contains("WARN") && serving.log().contains("expired"), "{}", serving.log());
    drop(serving);
    let checked = folder.tagai(&["check"], "").succeeded();
    assert!(checked.stdout.contains("expired"), "{}", checked.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken() {
    let folder = Folder::new().await;
    let taken = TcpListener::bind((folder.host.as_str(), folder.http)).await.unwrap();
    let address = format!("{}:{}", folder.host, folder.http);
    folder.tagai(&["serve"], "").failed(1, &[&address, "another program listens there"]);
    drop(taken);
    drop(folder.serve());
    folder.edit(&format!("address = \"{address}\""), "address = \"192.0.2.1:80\"");
    folder.tagai(&["serve"], "").failed(1, &["192.0.2.1:80", "no interface of this machine"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_is_wrong_or_not_there() {
    let folder = Folder::new().await;
    folder.edit("realm = \"staff\"", "realm = \"stuff\"");
    for command in ["serve", "check"] {
        folder.tagai(&[command], "").failed(2, &["there is no realm \"stuff\"", "did you mean \"staff\"?"]);
    }
    fs::remove_file(folder.config()).unwrap();
    for command in ["serve", "check"] {
        folder.tagai(&[command], "").failed(2, &["cannot be read", "tagai init"]);
    }
    let nowhere = run(command(&[]).arg("serve").current_dir(folder.path("keys")), "");
    if !std::path::Path::new("/etc/tagai/tagai.toml").exists() {
        nowhere.failed(2, &["there is no configuration", "--config"]);
    }
}
