//! Logins, sessions that are kept, and servers that are not who they say.

use super::program::Home;
use super::site::{PASSWORD, Site};
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn the_second_call_is_one_round_trip_and_needs_no_password() {
    for site in [Site::http(), Site::https()] {
        let home = Home::new();
        let url = site.url("/private/a");
        let trust = site.ca.as_ref().map(|_| home.ca(&site));
        let trust: Vec<&str> = trust.iter().flat_map(|file| ["--cacert", file]).collect();
        let done =
            home.login(&url, PASSWORD, &trust).expect(0, &["proven: ", "knows alice in \"Staff\"", "(logged in)"]);
        assert_eq!(done.text(), "/private/a for alice (0 octets)");
        assert_eq!(site.seen().len(), 3, "401, the key exchange, the proof");
        for user in [&["--user", "alice"][..], &[]] {
            let done = home.get(&url, &[user, &trust].concat()).expect(0, &["(kept session)"]);
            assert_eq!(done.text(), "/private/a for alice (0 octets)");
            let seen = site.seen();
            assert!(seen.len() == 1 && seen[0].with_proof, "{seen:?}");
        }
        assert_eq!(std::fs::metadata(home.sessions()).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn without_sessions_each_call_logs_in() {
    let (site, home) = (Site::http(), Home::new());
    for _ in 0..2 {
        home.login(&site.url("/private"), PASSWORD, &["--no-session"]).expect(0, &["(logged in)"]);
        assert_eq!(site.seen().len(), 3);
    }
    assert!(!home.sessions().exists());
    home.login(&site.url("/private"), PASSWORD, &["--session-file", "here"]).expect(0, &[]);
    assert!(home.path("here").exists() && !home.sessions().exists());
}

#[test]
fn a_login_is_needed_or_refused() {
    let (site, home) = (Site::http(), Home::new());
    let url = site.url("/private");
    home.login(&url, "wrong", &[]).expect(3, &["refused the login of alice to \"Staff\"", "check the user name"]);
    home.login(&url, "", &[]).expect(3, &["no password on standard input"]);
    home.login(&url, "two\nlines", &[]).expect(3, &["more than one line"]);
    home.get(&url, &[]).expect(3, &["asks for a login to \"Staff\"", "help: say who you are with --user NAME"]);
    let done = home.get(&url, &["--user", "alice"]).expect(3, &["no terminal", "--password-stdin"]);
    assert!(done.out.is_empty());
    assert!(!home.sessions().exists());
}

#[test]
fn the_session_of_somebody_else_is_not_used() {
    let (site, home) = (Site::http(), Home::new());
    let url = site.url("/private");
    home.login(&url, PASSWORD, &[]).expect(0, &[]);
    home.get(&url, &["--user", "bob"]).expect(3, &["no terminal"]);
    assert!(site.seen().iter().skip(3).all(|seen| !seen.with_proof));
    let bob = ["get", &url, "--user", "bob", "--password-stdin"];
    let done = home.run(&bob, format!("{PASSWORD}\n").as_bytes()).expect(0, &["bob is proven to it (logged in)"]);
    assert_eq!(done.text(), "/private for bob (0 octets)");
    // One user a realm and server.
    home.get(&url, &[]).expect(0, &["knows bob"]);
    home.get(&url, &["--user", "alice"]).expect(3, &[]);
}

#[test]
fn whoever_takes_the_place_of_a_known_server_says_nothing() {
    let (site, home) = (Site::http(), Home::new());
    let url = site.url("/private");
    home.login(&url, PASSWORD, &[]).expect(0, &[]);
    site.turn_evil();
    for more in [&[][..], &["--user", "alice"], &["-o", "page"], &["-i"], &["-d", "x"], &["-v"]] {
        let done = home.get(&url, more).expect(4, &["is not proven", "status 200", "--no-session"]);
        assert!(done.out.is_empty() && !done.err.contains("evil"), "{done:?}");
        assert!(!home.path("page").exists());
        assert!(home.files(".part").is_empty());
    }
    let done = home.get(&url, &["--json"]).expect(4, &["is not proven"]);
    assert!(!String::from_utf8_lossy(&done.out).contains("evil"));
    assert_eq!(done.json()["error"]["kind"], "not-proven");
    assert_eq!(done.json()["error"]["exit_code"], 4);
    // A stranger has nothing to expect, and is told so.
    let done = home.get(&url, &["--no-session"]).expect(0, &["not proven: ", "asked for no login"]);
    assert_eq!(done.text(), "evil");
    home.get(&url, &["--no-session", "--require-proof"]).expect(4, &["--require-proof"]);
}

#[test]
fn calls_at_the_same_time_share_a_session() {
    let (site, home) = (Site::http(), Home::new());
    let url = site.url("/private");
    home.login(&url, PASSWORD, &[]).expect(0, &[]);
    site.seen();
    let calls: Vec<_> = (0..8).map(|_| home.command(["get", &url]).spawn().unwrap()).collect();
    for call in calls {
        let done = super::program::done(call.wait_with_output().unwrap()).expect(0, &["(kept session)"]);
        assert_eq!(done.text(), "/private for alice (0 octets)");
    }
    assert_eq!(site.seen().len(), 8, "no number was used twice");
}

#[test]
fn a_session_file_that_cannot_be_used_is_an_error() {
    let (site, home) = (Site::http(), Home::new());
    let url = site.url("/private");
    home.login(&url, PASSWORD, &[]).expect(0, &[]);
    std::fs::set_permissions(home.sessions(), std::fs::Permissions::from_mode(0o644)).unwrap();
    home.get(&url, &[]).expect(1, &["is open to other users (mode 0644)", "chmod 600"]);
    std::fs::set_permissions(home.sessions(), std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(home.sessions(), "something else").unwrap();
    home.get(&url, &[]).expect(1, &["damaged", "help: rm '"]);
    home.login(&url, PASSWORD, &["--no-session"]).expect(0, &[]);
}

#[test]
fn redirects_in_a_realm_are_proven_each() {
    let (site, home) = (Site::http(), Home::new());
    let done = home.login(&site.url("/private/moved"), PASSWORD, &["--json"]).expect(0, &[]);
    let object = done.json();
    assert_eq!(object["body"], "/private/here for alice (0 octets)");
    assert_eq!(object["redirects"][0]["status"], 302);
    assert_eq!(object["redirects"][0]["proof"]["kind"], "mutual");
    assert_eq!(object["url"], site.url("/private/here"));
}

#[test]
fn where_a_login_is_offered_users_log_in_and_guests_do_not() {
    let (site, home) = (Site::http(), Home::new());
    let url = site.url("/optional");
    assert_eq!(home.get(&url, &[]).expect(0, &["not proven"]).text(), "/optional for a guest (0 octets)");
    // Whoever names a user does not want to be a guest.
    let done = home.get(&url, &["--user", "alice"]).expect(3, &["offers a login", "--password-stdin"]);
    assert!(done.out.is_empty());
    home.login(&url, "wrong", &[]).expect(3, &["refused the login"]);
    assert_eq!(home.login(&url, PASSWORD, &[]).expect(0, &["proven: "]).text(), "/optional for alice (0 octets)");
    assert_eq!(home.get(&url, &[]).expect(0, &["(kept session)"]).text(), "/optional for alice (0 octets)");
}
