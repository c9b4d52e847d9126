//! What it needs fails while it runs.

use super::program::{Folder, PASSWORD, command, run, until};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::fs;
use tagai_client::Error;
use tagai_client::core::message::Reason;

/// The client was told that the server has a problem: not that its password is wrong.
fn is_internal(error: &Error) -> bool {
    matches!(error, Error::Login(login) if login.reason == Reason::InternalError)
}

#[tokio::test(flavor = "multi_thread")]
async fn users_that_cannot_be_read_are_nobodys_fault() {
    let folder = Folder::new().await;
    folder.add("alice").succeeded();
    let serving = folder.serve();
    let kept = folder.client("alice");
    assert!(kept.get(&folder.url("/")).await.unwrap().is_proven());
    folder.database().execute_batch("ALTER TABLE users RENAME TO gone").unwrap();
    let error = folder.log_in("alice").await.unwrap_err();
    assert!(is_internal(&error), "{error}");
    let unknown = folder.log_in("nobody").await.unwrap_err();
    assert!(is_internal(&unknown), "{unknown}");
    serving.says("the store failed").await;
    // Who is logged in stays so: the session needs no users.
    assert!(kept.get(&folder.url("/")).await.unwrap().is_proven());
    folder.database().execute_batch("ALTER TABLE gone RENAME TO users").unwrap();
    assert!(folder.log_in("alice").await.unwrap().is_proven());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_database_stops_changes_and_says_who_can_help() {
    let folder = Folder::new().await;
    folder.add("alice").succeeded();
    let serving = folder.serve();
    let other = folder.database();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    // Logins only read.
    assert!(folder.log_in("alice").await.unwrap().is_proven());
    folder.add("bob").failed(1, &["another process has it locked", "try again"]);
    other.execute_batch("COMMIT").unwrap();
    folder.add("bob").succeeded();
    assert!(folder.log_in("bob").await.unwrap().is_proven());
    assert_eq!(folder.users(), ["alice", "bob"]);
    drop(serving);
    folder.is_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_in_a_locked_database_wait_and_fail_and_come_back() {
    let folder = Folder::new().await;
    folder.edit("# sessions = \"memory\"", "sessions = \"sqlite\"");
    folder.add("alice").succeeded();
    let serving = folder.serve();
    let kept = folder.client("alice");
    assert!(kept.get(&folder.url("/")).await.unwrap().is_proven());
    let other = folder.database();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let error = folder.log_in("alice").await.unwrap_err();
    assert!(is_internal(&error), "{error}");
    serving.says("another process has it locked").await;
    other.execute_batch("COMMIT").unwrap();
    until(|| async { folder.log_in("alice").await.is_ok_and(|reply| reply.is_proven()) }).await;
    assert!(kept.get(&folder.url("/")).await.unwrap().is_proven());
}

/// Files cannot grow beyond so many KiB: a disk that is full, as far as one process can see.
fn full(kib: u64) -> String {
    format!("trap '' XFSZ; ulimit -S -f {kib}")
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_changed_on_a_full_disk_or_left_as_they_are() {
    let folder = Folder::new().await;
    folder.add("alice").succeeded();
    let before = folder.users();
    for kib in [0, 4, 16, 64] {
        let mut limited = command(&[&full(kib)]);
        let added = limited.args(["user", "add", "bob", "--password-stdin", "--config"]).arg(folder.config());
        let added = run(added, &format!("{PASSWORD}\n"));
        if added.code == Some(0) {
            // There was room enough.
            assert_eq!(folder.users(), ["alice", "bob"], "{kib} KiB");
            folder.tagai(&["user", "rm", "bob", "--yes"], "").succeeded();
        } else {
            assert_eq!(added.code, Some(1), "{added:?}");
            assert!(added.stderr.contains("disk") || added.stderr.contains("cannot"), "{kib} KiB: {}", added.stderr);
            assert_eq!(folder.users(), before, "{kib} KiB");
        }
        folder.is_sound();
    }
    let serving = folder.serve();
    assert!(folder.log_in("alice").await.unwrap().is_proven());
    drop(serving);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_on_a_full_disk_fail_and_come_back() {
    let folder = Folder::new().await;
    folder.edit("# sessions = \"memory\"", "sessions = \"sqlite\"");
    folder.add("alice").succeeded();
    let serving = folder.serve_under(&full(220));
    let mut failed = None;
    for _ in 0..400 {
        match folder.log_in("alice").await {
            Ok(reply) => assert!(reply.is_proven()),
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    let error = failed.expect("the disk is full some time");
    assert!(is_internal(&error), "{error}");
    serving.says("the store failed").await;
    // "the disk is full", or "does not write": by what the limit is to SQLite.
    serving.says("the disk ").await;
    // There is room again.
    let pid = Pid::from_raw(serving.pid()).unwrap();
    prlimit(Some(pid), Resource::Fsize, Rlimit { current: None, maximum: None }).unwrap();
    until(|| async { folder.log_in("alice").await.is_ok_and(|reply| reply.is_proven()) }).await;
    serving.kill();
    folder.is_sound();
    assert_eq!(folder.users(), ["alice"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_log_on_a_full_disk_stops_no_login() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let folder = Folder::new().await;
    folder.add("alice").succeeded();
    folder.edit("audit = \"audit.log\"", "audit = \"/dev/full\"");
    let serving = folder.serve();
    assert!(folder.log_in("alice").await.unwrap().is_proven());
    serving.says("the audit log cannot be written").await;
    let line =
        serving.log().lines().find(|line| line.contains("the audit log cannot be written")).unwrap().to_owned();
    assert!(line.contains("alice") && line.contains("login"), "the line is not lost: {line}");
    drop(serving);
    // A change of users has happened, and the operator is told.
    let added = folder.add("bob");
    added.failed(1, &["the change was made, but the audit log /dev/full could not be written"]);
    assert_eq!(folder.users(), ["alice", "bob"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_log_that_cannot_be_opened_stops_changes_before_they_happen() {
    let folder = Folder::new().await;
    fs::create_dir(folder.path("audit.log")).unwrap_or_else(|_| {
        fs::remove_file(folder.path("audit.log")).unwrap();
        fs::create_dir(folder.path("audit.log")).unwrap();
    });
    folder.add("bob").failed(1, &["nothing was changed", "audit.log"]);
    assert!(folder.users_by_hand().is_empty());
}
