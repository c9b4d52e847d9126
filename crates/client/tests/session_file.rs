//! Sessions between processes.

mod support;

use std::collections::HashSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use support::*;
use tagai_client::{Client, ErrorKind, Proof, SessionFile, SessionFileError};

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// A file with one session of alice at the site.
async fn logged_in(site: &Site, directory: &std::path::Path) -> SessionFile {
    let file = SessionFile::new(directory.join("state/tagai/sessions"));
    assert!(file.lease(4).unwrap().is_empty(), "there is no file yet");
    let client = client(site);
    assert!(client.get(&site.url("/private")).await.unwrap().is_proven());
    file.keep(client.sessions()).unwrap();
    site.take_seen();
    file
}

/// A client without a password, as another process would make it.
fn later(file: &SessionFile, numbers: u32) -> Client {
    let client = Client::builder().build().unwrap();
    for session in file.lease(numbers).unwrap() {
        client.restore(session).unwrap();
    }
    client
}

#[tokio::test]
async fn the_second_process_needs_one_round_trip_and_no_password() {
    let (site, directory) = (http_site().await, tempfile::tempdir().unwrap());
    let file = logged_in(&site, directory.path()).await;
    assert_eq!(mode(file.path()), 0o600);
    assert_eq!(mode(file.path().parent().unwrap()), 0o700);
    for _ in 0..3 {
        let client = later(&file, 2);
        for _ in 0..2 {
            let reply = client.get(&site.url("/private")).await.unwrap();
            assert!(matches!(reply.proof(), Proof::Mutual { session_reused: true, .. }));
        }
        assert_eq!(site.take_seen().len(), 2);
        // Its numbers are used up: it would have to log in, and has nothing to do it with.
        assert_eq!(client.get(&site.url("/private")).await.unwrap_err().kind(), ErrorKind::Login);
        site.take_seen();
        file.keep(client.sessions()).unwrap();
    }
}

#[tokio::test]
async fn https_sessions_keep_their_certificate() {
    let (site, certificate) = https_site(&["h2", "http/1.1"]).await;
    let directory = tempfile::tempdir().unwrap();
    let file = SessionFile::new(directory.path().join("sessions"));
    let client = trusting(builder(&site), &certificate).build().unwrap();
    assert!(client.get(&site.url("/private")).await.unwrap().is_proven());
    file.keep(client.sessions()).unwrap();
    let client = trusting(Client::builder(), &certificate).build().unwrap();
    for session in file.lease(8).unwrap() {
        client.restore(session).unwrap();
    }
    let reply = client.get(&site.url("/private")).await.unwrap();
    assert!(matches!(reply.proof(), Proof::Mutual { session_reused: true, .. }));
}

#[tokio::test]
async fn a_new_login_takes_the_place_of_the_old_one() {
    let (site, directory) = (http_site().await, tempfile::tempdir().unwrap());
    let file = logged_in(&site, directory.path()).await;
    site.sessions.lock().unwrap().clear();
    let again = client(&site);
    for session in file.lease(4).unwrap() {
        again.restore(session).unwrap();
    }
    assert!(again.get(&site.url("/private")).await.unwrap().is_proven());
    file.keep(again.sessions()).unwrap();
    assert!(file.lease_where(4, |session| session.user().as_str() == "bob").unwrap().is_empty());
    let leased = file.lease_where(4, |session| session.user().as_str() == USER).unwrap();
    assert_eq!(leased.len(), 1);
    assert!(leased[0].is_same_session(&again.sessions()[0]));
    assert_eq!(file.logout(&site.realm).unwrap(), 1);
    assert!(file.lease(4).unwrap().is_empty());
    assert!(file.delete().unwrap());
    assert!(!file.delete().unwrap());
}

#[tokio::test]
async fn a_file_that_others_can_read_is_refused() {
    let (site, directory) = (http_site().await, tempfile::tempdir().unwrap());
    let file = logged_in(&site, directory.path()).await;
    for bad in [0o640, 0o604, 0o660] {
        fs::set_permissions(file.path(), Permissions::from_mode(bad)).unwrap();
        let error = file.lease(1).unwrap_err();
        assert!(matches!(error, SessionFileError::Open { mode, .. } if mode == bad), "{error}");
        assert!(error.to_string().contains("chmod 600"), "{error}");
        assert!(file.keep(Vec::new()).is_err());
    }
    fs::set_permissions(file.path(), Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(file.path().parent().unwrap(), Permissions::from_mode(0o777)).unwrap();
    assert!(matches!(file.lease(1).unwrap_err(), SessionFileError::Open { .. }));
}

#[tokio::test]
async fn a_damaged_file_is_said_to_be_one_and_is_left_alone() {
    let (site, directory) = (http_site().await, tempfile::tempdir().unwrap());
    let file = logged_in(&site, directory.path()).await;
    let good = fs::read(file.path()).unwrap();
    let mut changed = good.clone();
    changed[good.len() / 2] ^= 1;
    let longer = [good.as_slice(), b"x"].concat();
    for damaged in [&good[..good.len() - 1], &good[..20], b"", &changed, &longer, &vec![0; 5 << 20]] {
        fs::write(file.path(), damaged).unwrap();
        for error in [file.lease(1).unwrap_err(), file.keep(Vec::new()).unwrap_err()] {
            assert!(matches!(error, SessionFileError::Damaged(_)), "{error}");
            assert!(error.to_string().contains("may be deleted"), "{error}");
        }
        assert_eq!(fs::read(file.path()).unwrap(), damaged, "nothing is lost silently");
    }
    fs::write(file.path(), good).unwrap();
    // What a killed process left behind is in nobody's way.
    fs::write(file.path().with_extension("new"), "half a fi").unwrap();
    assert_eq!(file.lease(1).unwrap().len(), 1);
}

/// Not a test by itself: a process that [`processes_at_the_same_time`] starts.
#[tokio::test]
async fn child() {
    let (Ok(path), Ok(url)) = (std::env::var("TAGAI_TEST_SESSIONS"), std::env::var("TAGAI_TEST_URL")) else { return };
    let client = later(&SessionFile::new(path), 3);
    for _ in 0..3 {
        let reply = client.get(&url).await.unwrap();
        assert!(matches!(reply.proof(), Proof::Mutual { session_reused: true, .. }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_at_the_same_time() {
    let (site, directory) = (http_site().await, tempfile::tempdir().unwrap());
    let file = logged_in(&site, directory.path()).await;
    let children: Vec<_> = (0..8)
        .map(|_| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "child"])
                .env("TAGAI_TEST_SESSIONS", file.path())
                .env("TAGAI_TEST_URL", site.url("/private"))
                .output_later()
        })
        .collect();
    for child in children {
        assert!(tokio::task::spawn_blocking(move || child().status.success()).await.unwrap());
    }
    let nonces = site.nonces.lock().unwrap().clone();
    assert_eq!(nonces.len(), 1 + 8 * 3);
    assert_eq!(nonces.iter().collect::<HashSet<_>>().len(), nonces.len(), "no number twice: {nonces:?}");
}

trait OutputLater {
    fn output_later(&mut self) -> Box<dyn FnOnce() -> std::process::Output + Send>;
}

impl OutputLater for Command {
    fn output_later(&mut self) -> Box<dyn FnOnce() -> std::process::Output + Send> {
        let child = self.stdout(std::process::Stdio::piped()).spawn().unwrap();
        Box::new(move || child.wait_with_output().unwrap())
    }
}
