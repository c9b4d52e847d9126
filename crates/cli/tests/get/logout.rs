//! `tagai logout`.

use super::program::Home;
use super::site::{LOGOUT, PASSWORD, Site};
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn a_logout_ends_the_session_here_and_there() {
    let (site, home) = (Site::https(), Home::new());
    home.ca(&site);
    let trust = ["--cacert", "ca.pem"];
    home.login(&site.url("/private"), PASSWORD, &trust).expect(0, &[]);
    // A copy of the file, as a thief might have it.
    std::fs::copy(home.sessions(), home.path("copy")).unwrap();
    std::fs::set_permissions(home.path("copy"), std::fs::Permissions::from_mode(0o600)).unwrap();
    site.seen();

    let done = home.run(&["logout", "--realm", "Other", "--cacert", "ca.pem"], b"").expect(0, &[]);
    assert!(done.text().starts_with("no session of the realm \"Other\" is kept"), "{done:?}");
    let done = home
        .run(&["logout", "--realm", "Staff", "--cacert", "ca.pem", "-v"], b"")
        .expect(0, &["has ended the session"]);
    assert_eq!(done.text(), "1 session ended\n");
    let seen = site.seen();
    assert!(seen.len() == 1 && seen[0].path == LOGOUT && seen[0].with_proof, "{seen:?}");

    home.get(&site.url("/private"), &trust).expect(3, &["say who you are"]);
    let stolen = [&trust[..], &["--session-file", "copy"]].concat();
    // The server does not know it any more.
    home.get(&site.url("/private"), &stolen).expect(3, &["the kept session is over: log in again with --user alice"]);
    let done = home.run(&["logout", "--all"], b"").expect(0, &[]);
    assert!(done.text().starts_with("no session is kept"), "{done:?}");
}

#[test]
fn a_server_that_cannot_be_told_is_no_error() {
    let (site, home) = (Site::http(), Home::new());
    let login = || home.login(&site.url("/private"), PASSWORD, &[]).expect(0, &[]);
    let logout = || home.run(&["logout", "--all", "-v"], b"");
    login();
    site.forget_logout();
    let done = logout().expect(0, &["it has no place for that"]);
    assert_eq!(done.text(), "1 session ended here; its server was not told (-v says why)\n");
    login();
    site.turn_evil();
    let done = logout().expect(0, &["answered 200, without a proof"]);
    assert!(!done.err.contains("evil"));
    home.get(&site.url("/private"), &[]).expect(0, &["not proven"]);
}

#[test]
fn a_server_that_is_gone_is_no_error() {
    let (site, home) = (Site::https(), Home::new());
    home.ca(&site);
    home.login(&site.url("/private"), PASSWORD, &["--cacert", "ca.pem"]).expect(0, &[]);
    let port = site.port;
    drop(site);
    // Bound, and nobody listens: no other test gets the port.
    let held = tokio::net::TcpSocket::new_v4().unwrap();
    held.set_reuseaddr(true).unwrap();
    held.bind((std::net::Ipv4Addr::LOCALHOST, port).into()).unwrap();
    home.run(&["logout", "--all", "--cacert", "ca.pem", "-v"], b"").expect(0, &["cannot connect"]);
    home.run(&["logout"], b"").expect(2, &["--realm"]);
    home.run(&["logout", "--all", "--cacert", "missing"], b"").expect(0, &[]);
}
