use crate::support::{Dir, active};
use std::os::unix::fs::PermissionsExt as _;

const PASSWORD: &str = "correct horse battery\n";

fn with_alice() -> Dir {
    let dir = Dir::ready();
    dir.run_with(&["user", "add", "alice", "--password-stdin"], PASSWORD).exits(0);
    dir
}

#[test]
fn a_user_from_the_cradle_to_the_grave() {
    let dir = with_alice();
    assert_eq!(dir.users(), active(&["alice"]));
    let shown = dir.run(&["user", "show", "alice", "--json"]).exits(0).json();
    assert_eq!((shown["name"].as_str(), shown["realm"].as_str()), (Some("alice"), Some("staff")));
    assert!(shown["created"].as_str().unwrap().ends_with('Z'), "{shown}");
    let text = dir.run(&["user", "show", "alice"]).exits(0).out;
    assert!(text.contains("active") && text.contains("\"Staff\" at localhost"), "{text}");

    dir.run(&["user", "disable", "alice"]).exits(0);
    assert_eq!(dir.users(), [("alice".to_owned(), true)]);
    let again = dir.run(&["user", "disable", "alice"]).exits(0);
    assert!(again.err.contains("is disabled already"), "{again:?}");
    dir.run(&["user", "enable", "alice"]).exits(0);
    assert_eq!(dir.users(), active(&["alice"]));

    let before = dir.export();
    dir.run_with(&["passwd", "alice", "--password-stdin"], "another one\n").exits(0);
    assert_ne!(dir.export(), before);
    dir.run_with(&["passwd", "alice", "--password-stdin"], PASSWORD).exits(0);
    assert_eq!(dir.export(), before, "the same password makes the same verifier");

    dir.run(&["user", "rm", "alice"]).exits(2).says(&["--yes"]);
    assert_eq!(dir.users(), active(&["alice"]));
    dir.run(&["user", "rm", "alice", "--yes"]).exits(0);
    assert!(dir.users().is_empty());

    let events: Vec<String> = dir.audit().into_iter().map(|(event, _)| event).collect();
    let mut wanted = vec!["user-added", "user-disabled", "user-enabled", "verifier-exported", "password-changed"];
    wanted.extend(["verifier-exported", "password-changed", "verifier-exported", "user-removed"]);
    assert_eq!(events, wanted);
}

#[test]
fn the_audit_log_says_who_did_what_and_no_secret() {
    let dir = with_alice();
    dir.run(&["user", "add", "bob", "--generate"]).exits(0);
    let log = dir.read("audit.log");
    let line: serde_json::Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    assert_eq!(line["event"], "user-added");
    assert_eq!(line["realm"], "staff");
    assert!(!line["by"].as_str().unwrap().is_empty(), "{line}");
    assert!(line["time"].as_str().unwrap().ends_with('Z'), "{line}");
    assert!(!log.contains("correct horse"), "{log}");
    let mode = std::fs::metadata(dir.path("audit.log")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn nothing_is_changed_if_it_cannot_be_noted() {
    let dir = Dir::ready();
    std::fs::create_dir(dir.path("audit.log")).unwrap();
    dir.run_with(&["user", "add", "alice", "--password-stdin"], PASSWORD)
        .exits(1)
        .says(&["the audit log audit.log cannot be written", "nothing was changed"]);
    assert!(dir.users().is_empty());
}

#[test]
fn names_are_prepared_and_checked() {
    let dir = Dir::ready();
    let ran = dir.run_with(&["user", "add", "ａlice", "--password-stdin"], PASSWORD).exits(0);
    assert!(ran.err.contains("is kept as \"alice\""), "{ran:?}");
    dir.run_with(&["user", "add", "alice", "--password-stdin"], PASSWORD)
        .exits(1)
        .says(&["there is a user alice in the realm staff already", "tagai passwd alice"]);
    for bad in ["", " alice", "a\tb", "♚"] {
        dir.run_with(&["user", "add", bad, "--password-stdin"], PASSWORD).exits(2).says(&["cannot be a user name"]);
    }
    for command in ["show", "disable", "enable", "rm"] {
        dir.run(&["user", command, "carol"])
            .exits(1)
            .says(&["there is no user carol", "tagai user list --realm staff"]);
    }
    dir.run_with(&["passwd", "carol", "--password-stdin"], PASSWORD).exits(1).says(&["there is no user carol"]);
}

#[test]
fn passwords_come_from_one_line_or_from_a_terminal() {
    let dir = Dir::ready();
    let add = |input: &str| dir.run_with(&["user", "add", "alice", "--password-stdin"], input);
    add("").exits(1).says(&["there is no password on standard input"]);
    add("\n").exits(1).says(&["there is no password"]);
    add("one\ntwo\n").exits(1).says(&["more than one line"]);
    add("a\tb\n").exits(1).says(&["this password cannot be used", "RFC 8265"]);
    add(&"a".repeat(5000)).exits(1).says(&["it is too long"]);
    assert!(dir.users().is_empty());
    add("with\r\n").exits(0);
    let first = dir.export();
    // An operator may; but it is said.
    dir.run_with(&["passwd", "alice", "--password-stdin"], "with").exits(0).says(&["fewer than 8 characters"]);
    assert_eq!(dir.export(), first, "the end of a line is no part of a password");
}

#[test]
fn no_option_holds_a_password() {
    let dir = Dir::ready();
    for args in [&["user", "add", "alice", "--password", "x"][..], &["passwd", "alice", "--password", "x"]] {
        dir.run(args).exits(2).says(&["unexpected argument '--password'"]);
    }
    dir.run(&["user", "add", "alice", "--password-stdin", "--generate"]).exits(2).says(&["cannot be used with"]);
}

#[test]
fn generated_passwords_are_printed_once_and_work() {
    let dir = Dir::ready();
    let ran = dir.run(&["user", "add", "alice", "--generate"]).exits(0);
    assert_eq!(ran.out.trim().len(), 24, "{ran:?}");
    assert!(!ran.err.contains(ran.out.trim()), "{ran:?}");
    let before = dir.export();
    dir.run_with(&["passwd", "alice", "--password-stdin"], &ran.out).exits(0);
    assert_eq!(dir.export(), before, "it is the password that was printed");
    let other = dir.run(&["passwd", "alice", "--generate"]).exits(0);
    assert_ne!(other.out, ran.out);
}

#[test]
fn realms_are_kept_apart() {
    let dir = with_alice();
    let more = "[[realm]]\nid = \"admins\"\nname = \"Administrators\"\nscope = \"localhost\"\n\n[[site]]";
    dir.edit("tagai.toml", "\n[[site]]", &format!("\n{more}"));
    dir.run(&["user", "show", "alice"]).exits(2).says(&["several realms: staff, admins", "--realm ID"]);
    dir.run(&["user", "show", "alice", "--realm", "admins"])
        .exits(1)
        .says(&["there is no user alice in the realm admins"]);
    dir.run(&["user", "show", "alice", "--realm", "nobody"])
        .exits(2)
        .says(&["there is no realm \"nobody\"", "staff, admins"]);
    dir.run_with(&["user", "add", "alice", "--realm", "admins", "--password-stdin"], PASSWORD).exits(0);
    assert_eq!(dir.users(), active(&["alice", "alice"]));
    let table = dir.run(&["user", "list", "--realm", "admins"]).exits(0).out;
    assert_eq!(table.lines().count(), 2, "{table}");

    // The users of a realm whose name changes are still there, and out of reach.
    dir.edit("tagai.toml", "name = \"Administrators\"", "name = \"Admins\"");
    let ran = dir.run(&["user", "list"]).exits(0);
    assert!(ran.err.contains("1 user in the database is of no realm of this configuration"), "{ran:?}");
}

#[test]
fn users_can_be_changed_while_sessions_are_in_the_database() {
    let dir = with_alice();
    dir.edit("tagai.toml", "# sessions = \"memory\"  ", "sessions = \"sqlite\"  ");
    dir.run(&["user", "disable", "alice"]).exits(0);
    dir.run_with(&["passwd", "alice", "--password-stdin"], PASSWORD).exits(0);
    assert_eq!(dir.users(), [("alice".to_owned(), true)], "another password lets nobody in who was kept out");
}
