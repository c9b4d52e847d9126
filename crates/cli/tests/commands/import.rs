use crate::support::{Dir, active};

fn import(dir: &Dir, text: &str, more: &[&str]) -> crate::support::Ran {
    dir.run_with(&[&["user", "import", "-"], more].concat(), text)
}

#[test]
fn what_is_exported_can_be_imported() {
    let dir = Dir::ready();
    for name in ["alice", "René of France", "山田太郎"] {
        dir.run_with(&["user", "add", name, "--password-stdin"], "correct horse\n").exits(0);
    }
    dir.run(&["user", "disable", "alice"]).exits(0);
    let lines = dir.export();
    assert_eq!(lines.lines().count(), 3);
    let other = Dir::ready();
    other.write("users.verifiers", &format!("# moved\n\n{lines}"));
    other.run(&["user", "import", "users.verifiers"]).exits(0).says(&["3 users of the realm staff imported"]);
    assert_eq!(other.users(), dir.users());
    assert_eq!(other.export(), lines);

    import(&other, &lines, &[])
        .exits(1)
        .says(&["standard input:2: there is a user alice already", "nothing was imported"]);
    other.run_with(&["passwd", "山田太郎", "--password-stdin"], "another\n").exits(0);
    other.run(&["user", "enable", "alice"]).exits(0);
    import(&other, &lines, &["--replace"]).exits(0);
    assert_eq!(other.export(), lines);
    assert_eq!(other.users(), dir.users());
}

#[test]
fn a_user_can_register_without_showing_the_password() {
    let (dir, elsewhere) = (Dir::ready(), Dir::empty());
    let args = ["user", "add", "alice", "--verifier-only", "--password-stdin"];
    let options = ["--scope", "localhost", "--realm-name", "Staff"];
    let ran = elsewhere.run_with(&[&args[..], &options].concat(), "correct horse\n").exits(0);
    assert_eq!(ran.out.lines().count(), 1);
    assert!(ran.out.starts_with("tagai-verifier:1:iso-kam3-ec-p256-sha256:localhost:Staff:alice:"), "{ran:?}");
    import(&dir, &ran.out, &[]).exits(0);
    assert_eq!(dir.export(), ran.out);
    // It is the verifier of that password.
    dir.run_with(&["passwd", "alice", "--password-stdin"], "correct horse\n").exits(0);
    assert_eq!(dir.export(), ran.out);
    // With a configuration, the realm is that of the configuration, and nothing is added.
    let again = dir.run_with(&["user", "add", "bob", "--verifier-only", "--password-stdin"], "x\n").exits(0);
    assert!(again.out.starts_with("tagai-verifier:1:iso-kam3-ec-p256-sha256:localhost:Staff:bob:"), "{again:?}");
    assert_eq!(dir.users(), active(&["alice"]));

    let generated = [&["user", "add", "carol", "--verifier-only", "--generate"][..], &options].concat();
    let ran = elsewhere.run(&generated).exits(0).says(&["the password of carol: "]);
    assert_eq!(ran.out.lines().count(), 1, "the line alone: {ran:?}");

    elsewhere
        .run(&["user", "add", "a", "--verifier-only", "--generate", "--scope", "localhost"])
        .exits(2)
        .says(&["--realm-name"]);
    let bad = ["user", "add", "a", "--verifier-only", "--generate", "--scope", "Localhost:80", "--realm-name", "x"];
    elsewhere.run(&bad).exits(2).says(&["--scope Localhost:80: not an authentication scope"]);
    elsewhere.run(&[&generated[..], &["--algorithm", "rot13"]].concat()).exits(2).says(&["iso-kam3-ec-p256-sha256"]);
    if !std::path::Path::new("/etc/tagai/tagai.toml").exists() {
        elsewhere
            .run(&["user", "add", "a", "--verifier-only", "--generate"])
            .exits(2)
            .says(&["--scope SCOPE --realm-name NAME"]);
    }
}

#[test]
fn csv_is_imported() {
    let dir = Dir::ready();
    let csv = "user,password,disabled\nalice,correct horse,\n\"bob\",\"with, comma and \"\"quote\"\"\",true\r\ncarol,x,no\n";
    dir.write("users.csv", csv);
    let ran = dir.run(&["user", "import", "users.csv"]).exits(0);
    assert!(!ran.err.contains("correct horse"), "{ran:?}");
    assert_eq!(dir.users(), [("alice".into(), false), ("bob".into(), true), ("carol".into(), false)]);
    let lines = dir.export();
    dir.run_with(&["passwd", "alice", "--password-stdin"], "correct horse\n").exits(0);
    dir.run_with(&["passwd", "bob", "--password-stdin"], "with, comma and \"quote\"\n").exits(0);
    assert_eq!(dir.export(), lines, "the passwords are those of the file");
    // The order of the columns is that of the header.
    import(&dir, "\u{feff}Password,User\npw,dave\n", &[]).exits(0);
    assert_eq!(dir.users().len(), 4);
}

#[test]
fn many_passwords_get_the_right_users() {
    let dir = Dir::ready();
    let rows: String = (0..40).map(|n| format!("user{n},password number {n}\n")).collect();
    import(&dir, &format!("user,password\n{rows}"), &[]).exits(0).says(&["40 users"]);
    let lines = dir.export();
    for n in [0, 7, 39] {
        dir.run_with(&["passwd", &format!("user{n}"), "--password-stdin"], &format!("password number {n}\n"))
            .exits(0);
    }
    assert_eq!(dir.export(), lines);
}

#[test]
fn nothing_is_imported_if_a_line_is_wrong() {
    let dir = Dir::ready();
    let csv =
        "user,password,disabled\nalice,secret one,\n,secret two,\nbob,,\nbob,x,maybe\ncarol,a\nalice,y,\ndave,\"\n";
    let ran = import(&dir, csv, &[]).exits(1).says(&[
        "standard input:3: \"\" cannot be a user name: it is empty",
        "standard input:4: the password of bob cannot be used: it is empty",
        "standard input:5: whether bob is disabled has to be true or false",
        "standard input:6: there are 2 columns, and the header has 3",
        "standard input:7: the user alice stands in the file twice",
        "nothing was imported",
        "--keep-going",
    ]);
    assert!(!ran.err.contains("secret"), "{ran:?}");
    assert!(dir.users().is_empty());
    assert!(!dir.read("audit.log").contains("user-added"));
    import(&dir, csv, &["--keep-going"])
        .exits(1)
        .says(&["1 user of the realm staff imported", "6 lines are wrong and left out"]);
    assert_eq!(dir.users(), active(&["alice"]));
}

/// `/dev/full` can be opened, and never written.
#[test]
#[cfg(target_os = "linux")]
fn an_import_that_fails_in_the_middle_is_taken_back() {
    let dir = Dir::ready();
    dir.run_with(&["user", "add", "alice", "--password-stdin"], "correct horse\n").exits(0);
    dir.run(&["user", "disable", "alice"]).exits(0);
    let before = dir.export();
    dir.edit("tagai.toml", "audit = \"audit.log\"", "audit = \"/dev/full\"");
    let csv = "user,password\nalice,another\nbob,x\n";
    import(&dir, csv, &["--replace"]).exits(1).says(&["/dev/full could not be written", "nothing was imported"]);
    import(&dir, "user,password\nbob,x\n", &[]).exits(1).says(&["nothing was imported"]);
    dir.edit("tagai.toml", "audit = \"/dev/full\"", "audit = \"audit.log\"");
    assert_eq!(dir.users(), [("alice".to_owned(), true)]);
    assert_eq!(dir.export(), before);
}

#[test]
fn hashes_are_refused_with_an_explanation() {
    let dir = Dir::ready();
    for line in [
        "alice:$apr1$kMuBqJXy$mUF4o4lHgqCJnEHsMCFpU0\n",
        "alice:$2y$05$abcdefghijklmnopqrstuuAbCdEfGhIjKlMnOpQrStUvWxYz01234\n",
        "alice:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n",
        "alice:rqXexS6ZhobKA\n",
    ] {
        import(&dir, line, &[]).exits(1).says(&["an htpasswd file: the password of alice is hashed", "new password"]);
    }
    let csv = "user,password\nalice,$2y$05$abcdefghijklmnopqrstuuAbCdEfGhIjKlMnOpQrStUvWxYz01234\n";
    import(&dir, csv, &[]).exits(1).says(&["standard input:2: the password of alice is hashed with bcrypt"]);
    assert!(dir.users().is_empty());
}

#[test]
fn lines_for_another_realm_and_broken_ones_are_refused() {
    let dir = Dir::ready();
    let args = ["user", "add", "alice", "--verifier-only", "--generate", "--realm-name", "Staff", "--scope"];
    let other = dir.run(&[&args[..], &["example.com"]].concat()).exits(0).out;
    let good = dir.run(&[&args[..], &["localhost"]].concat()).exits(0).out;
    let base64 = good.trim().rsplit(':').next().unwrap();
    let text = format!("{good}{other}{}\n{}", good.trim().replace(":1:", ":9:"), good.replace(base64, "AAAA"));
    let ran = import(&dir, &text, &[]).exits(1).says(&[
        "standard input:2: the line of alice is for \"Staff\" at example.com",
        "standard input:3: version \"9\" of the format is not known",
        "standard input:4: the verifier is wrong",
    ]);
    assert!(!ran.err.contains(base64), "{ran:?}");
    assert!(dir.users().is_empty());
}

#[test]
fn what_is_no_list_of_users_is_refused() {
    let dir = Dir::ready();
    import(&dir, "", &[]).exits(1).says(&["there is nothing to import"]);
    let ran = import(&dir, "alice,secret\n", &[]).exits(1).says(&["neither a file of verifier lines nor CSV"]);
    assert!(!ran.err.contains("secret"), "{ran:?}");
    let ran = import(&dir, "alice,secret\n", &["--csv"]).exits(1).says(&["line 1: the 1. column of the header"]);
    assert!(!ran.err.contains("secret"), "{ran:?}");
    import(&dir, "user,user,password\n", &[]).exits(1).says(&["is there twice"]);
    import(&dir, "user,disabled\n", &[]).exits(1).says(&["columns user and password"]);
    dir.run(&["user", "import", "none.csv"]).exits(1).says(&["none.csv cannot be read"]);
    std::fs::write(dir.path("bad.csv"), b"user,password\nalice,\xff\n").unwrap();
    dir.run(&["user", "import", "bad.csv"]).exits(1).says(&["bad.csv:2: this is not UTF-8"]);
}
