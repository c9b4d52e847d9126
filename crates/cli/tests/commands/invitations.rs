use crate::support::{Dir, Ran, active};

/// A directory whose realm takes invitations.
fn ready() -> Dir {
    let dir = Dir::ready();
    dir.edit("tagai.toml", "# registration = \"off\"  ", "registration = \"invitation\"  ");
    dir
}

fn open(dir: &Dir) -> Vec<(String, bool)> {
    let list = dir.run(&["user", "invite", "--list", "--json"]).exits(0).json();
    let one = |one: &serde_json::Value| (one["name"].as_str().unwrap().to_owned(), one["reset"].as_bool().unwrap());
    list.as_array().unwrap().iter().map(one).collect()
}

#[track_caller]
fn code_of(ran: &Ran) -> String {
    let code = ran.out.trim_end().to_owned();
    let groups: Vec<&str> = code.split('-').collect();
    assert!(groups.len() == 5 && groups.iter().all(|group| group.len() == 4), "{ran:?}");
    assert!(
        code.bytes().all(|octet| octet == b'-' || b"0123456789ABCDEFGHJKMNPQRSTVWXYZ".contains(&octet)),
        "{code}"
    );
    code
}

#[test]
fn an_invitation_is_made_once_shown_once_and_taken_back() {
    let dir = ready();
    let ran = dir.run(&["user", "invite", "bob"]).exits(0).says(&["bob can become a user", "realm staff", "once"]);
    let code = code_of(&ran);
    assert!(!ran.err.contains(&code), "standard output is the code's alone");
    assert_eq!(open(&dir), active(&["bob"]));
    assert!(dir.users().is_empty(), "nobody is a user by being invited");
    let shown = dir.run(&["user", "invite", "--list"]).exits(0).out;
    assert!(shown.contains("bob") && shown.contains("new user") && !shown.contains(&code), "{shown}");

    let again =
        dir.run(&["user", "invite", "bob", "--for", "7d"]).exits(0).says(&["had before is of no use any more"]);
    assert_ne!(code_of(&again), code);
    assert_eq!(open(&dir), active(&["bob"]));
    dir.run(&["user", "invite", "--revoke", "bob"]).exits(0).says(&["bob", "of no use any more"]);
    assert!(open(&dir).is_empty());
    dir.run(&["user", "invite", "bob", "--revoke"]).exits(1).says(&["there is no invitation for bob", "--list"]);
    dir.run(&["user", "invite", "--list"]).exits(0).says(&["no invitations are open"]);

    let (made, revoked) = ("invitation-made".to_owned(), "invitation-revoked".to_owned());
    let bob = || "bob".to_owned();
    assert_eq!(dir.audit(), [(made.clone(), bob()), (made, bob()), (revoked, bob())]);
    for file in ["audit.log", "tagai.db", "tagai.db-wal"] {
        let octets = std::fs::read(dir.path(file)).unwrap_or_default();
        for text in [code.clone(), code.replace('-', "")] {
            assert!(!octets.windows(text.len()).any(|window| window == text.as_bytes()), "{file} holds the code");
        }
    }
}

#[test]
fn scripts_get_json() {
    let dir = ready();
    let made = dir.run(&["user", "invite", "bob", "--json", "--for", "1d"]).exits(0);
    let json = made.json();
    assert_eq!(
        (json["name"].as_str(), json["realm"].as_str(), json["reset"].as_bool()),
        (Some("bob"), Some("staff"), Some(false))
    );
    assert_eq!(json["code"].as_str().unwrap().len(), 24);
    assert!(json["expires"].as_str().unwrap().ends_with('Z'));
    let list = dir.run(&["user", "invite", "--list", "--json"]).exits(0).json();
    assert_eq!(list[0]["expires"].as_str().map(|time| &time[..19]), json["expires"].as_str().map(|time| &time[..19]));
    assert!(list[0].get("code").is_none(), "{list}");
}

#[test]
fn an_invitation_fits_its_user() {
    let dir = ready();
    dir.run(&["user", "add", "alice", "--generate"]).exits(0);
    dir.run(&["user", "invite", "alice"]).exits(1).says(&["there is a user alice", "--reset"]);
    dir.run(&["user", "invite", "bob", "--reset"]).exits(1).says(&["there is no user bob"]);
    let ran = dir.run(&["user", "invite", "alice", "--reset"]).exits(0).says(&["alice can choose another password"]);
    code_of(&ran);
    assert_eq!(open(&dir), [("alice".to_owned(), true)]);
    dir.run(&["user", "disable", "alice"]).exits(0);
    assert!(open(&dir).is_empty(), "a change of the user ends the invitation");
    dir.run(&["user", "invite", "alice", "--reset"]).exits(1).says(&["is disabled", "tagai user enable alice"]);
    dir.run(&["user", "invite", "carol"]).exits(0);
    dir.run(&["user", "add", "carol", "--generate"]).exits(0);
    assert!(open(&dir).is_empty());
}

#[test]
fn where_no_invitations_are_taken_none_is_made() {
    let dir = Dir::ready();
    dir.run(&["user", "invite", "bob"]).exits(2).says(&["takes no invitations", "registration = \"invitation\""]);
    assert!(open(&dir).is_empty());
}

#[test]
fn the_command_line_is_checked() {
    let dir = ready();
    dir.run(&["user", "invite"]).exits(2).says(&["NAME"]);
    for bad in ["0h", "24", "1w", "366d", ""] {
        dir.run(&["user", "invite", "bob", "--for", bad]).exits(2).says(&["--for"]);
    }
    dir.run(&["user", "invite", "--list", "bob"]).exits(2).says(&["cannot be used with"]);
    dir.run(&["user", "invite", "bob", "--revoke", "--reset"]).exits(2).says(&["cannot be used with"]);
    dir.run(&["user", "invite", "a\tb"]).exits(2).says(&["cannot be a user name"]);
    dir.run(&["user", "invite", "bob", "--realm", "nobody"]).exits(2).says(&["there is no realm"]);
    assert!(open(&dir).is_empty());
    let ran = dir.run(&["user", "invite", "ｂob"]).exits(0).says(&["is kept as \"bob\""]);
    code_of(&ran);
    assert_eq!(open(&dir), active(&["bob"]));
}

#[test]
fn nothing_is_made_if_it_cannot_be_noted() {
    let dir = ready();
    std::fs::create_dir(dir.path("audit.log")).unwrap();
    dir.run(&["user", "invite", "bob"]).exits(1).says(&["audit log", "nothing was changed"]);
    assert!(open(&dir).is_empty());
}
