//! `tagai account`: what works, what a server does not let happen, and that nothing changes then.

use super::program::{Folder, PASSWORD, Ran, Serving, command, run};

const NEW: &str = "battery staple";

struct Place {
    folder: Folder,
    https: String,
    _serving: Serving,
}

impl Place {
    /// A gateway with alice, that takes invitations if `registration` says so.
    async fn new(registration: &str) -> Self {
        let folder = Folder::new().await;
        folder.edit("# registration = \"off\"  ", &format!("registration = {registration:?}  "));
        folder.add("alice").succeeded();
        let config = std::fs::read_to_string(folder.config()).unwrap();
        let origins = config.split_once("origins = [\"").unwrap().1;
        let origin = origins.split('"').find(|text| text.starts_with("https://")).unwrap();
        let https = format!("{origin}/");
        let serving = folder.serve();
        Self { folder, https, _serving: serving }
    }

    fn invite(&self, args: &[&str]) -> String {
        let ran = self.folder.tagai(&[&["user", "invite"], args].concat(), "").succeeded();
        ran.stdout.trim_end().to_owned()
    }

    fn account(&self, what: &str, user: &str, lines: [&str; 2]) -> Ran {
        let mut tagai = command(&[]);
        tagai.args(["account", what, &self.https, "--user", user, "--stdin", "--cacert"]);
        run(tagai.arg(self.folder.path("ca.pem")), &format!("{}\n{}\n", lines[0], lines[1]))
    }

    fn logs_in(&self, user: &str, password: &str) -> bool {
        let mut tagai = command(&[]);
        tagai.args(["get", &self.https, "--user", user, "--password-stdin", "--no-session", "--cacert"]);
        let ran = run(tagai.arg(self.folder.path("ca.pem")), &format!("{password}\n"));
        assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
        ran.code == Some(0)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_register_and_change_their_passwords() {
    let place = Place::new("invitation").await;
    let code = place.invite(&["bob"]);
    let ran = place.account("register", "bob", [&code.to_lowercase(), NEW]).succeeded();
    assert!(ran.stderr.contains("bob has this password for \"Staff\"") && ran.stdout.is_empty(), "{ran:?}");
    assert!(place.logs_in("bob", NEW));
    place.account("register", "bob", [&code, "another one"]).failed(3, &["of no use", "ask for a new one"]);
    let ran = place.account("passwd", "bob", [NEW, "only mine"]).succeeded();
    assert!(ran.stderr.contains("is logged out everywhere"), "{ran:?}");
    assert!(place.logs_in("bob", "only mine") && !place.logs_in("bob", NEW));
    let code = place.invite(&["alice", "--reset"]);
    place.account("register", "alice", [&code, NEW]).succeeded();
    assert!(place.logs_in("alice", NEW) && !place.logs_in("alice", PASSWORD));
    for secret in [NEW, "only mine", PASSWORD, code.as_str()] {
        let log = std::fs::read_to_string(place.folder.path("audit.log")).unwrap();
        assert!(!log.contains(secret), "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_changes_nothing() {
    let place = Place::new("invitation").await;
    let code = place.invite(&["bob"]);
    place.account("register", "mallory", [&code, NEW]).failed(3, &["of no use for this name"]);
    place.account("register", "alice", [&code, NEW]).failed(3, &["of no use for this name"]);
    place.account("register", "bob", ["0000-0000", NEW]).failed(2, &["20 letters and digits"]);
    place.account("register", "bob", [&code, "a\tb"]).failed(1, &["cannot be used"]);
    place.account("passwd", "alice", ["wrong", NEW]).failed(3, &["did not accept"]);
    place.account("passwd", "alice", [PASSWORD, "a\tb"]).failed(1, &["cannot be used"]);
    place.account("register", "bob", [&code, "7 chars"]).failed(1, &["at least 8 characters"]);
    place.account("passwd", "alice", [PASSWORD, "７ ｃｈａｒｓ"]).failed(1, &["at least 8 characters"]);
    // Standard input has two lines, and nothing is sent over http.
    let mut tagai = command(&[]);
    tagai.args(["account", "register", &place.https, "--user", "bob", "--stdin"]);
    run(&mut tagai, &code).failed(2, &["two lines"]);
    let mut tagai = command(&[]);
    tagai.args(["account", "passwd", &place.folder.url("/"), "--user", "alice", "--stdin"]);
    run(&mut tagai, &format!("{PASSWORD}\n{NEW}\n")).failed(2, &["over https alone"]);
    // A certificate that nobody vouches for.
    let mut tagai = command(&[]);
    tagai.args(["account", "register", &place.https, "--user", "bob", "--stdin"]);
    run(&mut tagai, &format!("{code}\n{NEW}\n")).failed(5, &["certificate"]);
    assert!(place.logs_in("alice", PASSWORD) && !place.logs_in("bob", NEW));
    place.account("register", "bob", [&code, NEW]).succeeded();
}

#[tokio::test(flavor = "multi_thread")]
async fn where_users_may_not_do_it_they_are_told_so() {
    let place = Place::new("off").await;
    place
        .account("register", "bob", ["0123-4567-89AB-CDEF-GHJK", NEW])
        .failed(3, &["does not let users of this realm do this"]);
    place.account("passwd", "alice", [PASSWORD, NEW]).succeeded();
    assert!(place.logs_in("alice", NEW));
}
