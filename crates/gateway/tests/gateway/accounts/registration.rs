//! Registration by invitation: once, by its holder, over TLS, and nobody learns anything else.

use super::super::support::*;
use super::*;
use std::sync::Arc;
use tagai_core::algorithm::Algorithm;

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_makes_a_user_whose_password_nobody_has_seen() {
    for sessions in ["memory", "sqlite"] {
        let app = App::start().await;
        let site = Site::start(app.address, Setup { sessions, ..setup() }).await;
        let invitation = invite(&site, "bob", false);
        assert!(!logs_in(&site, "bob", "battery staple").await);
        let body = registration(&site, "staff", "bob", &invitation, "battery staple");
        assert_eq!(code(&register(&site, &body).await), says(204, ""));
        assert!(app.take().is_empty(), "the application sees nothing of it");
        assert!(logs_in(&site, "bob", "battery staple").await);
        assert_eq!(app.take_one().field("tagai-user"), Some("bob"));
        assert_eq!(code(&register(&site, &body).await), says(403, "invitation"), "once");
        let used = |line: &Line| line.reason.as_deref().is_some_and(|reason| reason.contains("used before"));
        let lines = audit(&site, used).await;
        let line = lines.iter().find(|line| line.event == Event::UserRegistered).unwrap();
        assert_eq!(
            (line.user.as_deref(), line.realm.as_deref(), line.by.as_deref()),
            (Some("bob"), Some("staff"), None)
        );
        assert!(line.address.is_some() && line.method.is_none(), "nothing was proven: {line:?}");
        let secret = invitation.expose_text();
        let text = std::fs::read_to_string(site.dir.path().join("audit.log")).unwrap();
        assert!(!text.contains(&*secret) && logged(&secret).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_taken_as_people_type_it() {
    let app = App::start().await;
    let site = start(&app).await;
    let invitation = invite(&site, "bob", false);
    let mut body = registration(&site, "staff", "bob", &invitation, "battery staple");
    let typed = invitation.expose_text().to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
    body["invitation"] = typed.into();
    assert_eq!(code(&register(&site, &body).await), says(204, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_useless_invitation_looks_the_same() {
    let app = App::start().await;
    let site = start(&app).await;
    let made_up = InvitationCode::generate().unwrap();
    let expired = invite_for(&site, "staff", "late", false, -60);
    let bobs = invite(&site, "bob", false);
    let guests = invite_for(&site, "guests", "carol", false, 3600);
    let used = invite(&site, "dora", false);
    let body = registration(&site, "staff", "dora", &used, "battery staple");
    assert_eq!(code(&register(&site, &body).await), says(204, ""));
    let overtaken = invite(&site, "erin", false);
    site.add_user("staff", "erin", "correct horse");
    let mut seen = Vec::new();
    for (name, code) in [
        ("nobody", &made_up),
        ("alice", &made_up),
        ("late", &expired),
        ("alice", &bobs),
        ("nobody", &bobs),
        ("carol", &guests),
        ("dora", &used),
        ("erin", &overtaken),
    ] {
        let response = register(&site, &registration(&site, "staff", name, code, "battery staple")).await;
        assert_eq!(self::code(&response), says(403, "invitation"), "{name}");
        let fields: Vec<_> = response.fields.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("date")).collect();
        seen.push((format!("{fields:?}"), response.body.clone()));
    }
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
    assert!(!logs_in(&site, "alice", "battery staple").await, "nobody's password was changed");
    // The invitations of others are as good as before.
    let body = registration(&site, "staff", "bob", &bobs, "battery staple");
    assert_eq!(code(&register(&site, &body).await), says(204, ""));
    let count = site.metric("tagai_login_events_total{realm=\"staff\",event=\"registration-refused-invitation\"}");
    assert_eq!(count, Some(8));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_at_once_one_wins() {
    for sessions in ["memory", "sqlite"] {
        let app = App::start().await;
        let site = Arc::new(Site::start(app.address, Setup { sessions, ..setup() }).await);
        let invitation = invite(&site, "bob", false);
        let mut tasks = Vec::new();
        for number in 0..6 {
            let body = registration(&site, "staff", "bob", &invitation, &format!("password {number}"));
            let site = Arc::clone(&site);
            tasks.push(tokio::spawn(async move { register(&site, &body).await.status }));
        }
        let mut won = Vec::new();
        for (number, task) in tasks.into_iter().enumerate() {
            match task.await.unwrap() {
                204 => won.push(number),
                status => assert_eq!(status, 403),
            }
        }
        let [winner] = won[..] else { panic!("{won:?}") };
        assert!(logs_in(&site, "bob", &format!("password {winner}")).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_replaces_the_password_and_ends_sessions() {
    for sessions in ["memory", "sqlite"] {
        let app = App::start().await;
        let site = Site::start(app.address, Setup { sessions, ..setup() }).await;
        let (mut user, mut connection) = alice(&site, "correct horse").await;
        let invitation = invite(&site, "alice", true);
        let body = registration(&site, "staff", "alice", &invitation, "battery staple");
        assert_eq!(code(&register(&site, &body).await), says(204, ""));
        user.trace.clear();
        let _ = user.ask(&mut connection, "GET", "/", "").await;
        assert!(user.trace[0].says("reason=stale-session"), "at once: {:?}", user.trace[0]);
        assert!(!logs_in(&site, "alice", "correct horse").await);
        assert!(logs_in(&site, "alice", "battery staple").await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_disabled_is_not_let_in_by_an_invitation() {
    let app = App::start().await;
    let site = start(&app).await;
    let invitation = invite(&site, "alice", true);
    site.store().set_disabled(&site.realm("staff"), &user("alice"), true).unwrap();
    let body = registration(&site, "staff", "alice", &invitation, "battery staple");
    assert_eq!(code(&register(&site, &body).await), says(403, "invitation"));
    site.store().set_disabled(&site.realm("staff"), &user("alice"), false).unwrap();
    assert_eq!(code(&register(&site, &body).await), says(403, "invitation"), "nor later");
    assert!(logs_in(&site, "alice", "correct horse").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_without_tls() {
    let app = App::start().await;
    let site = start(&app).await;
    let invitation = invite(&site, "bob", false);
    let body = registration(&site, "staff", "bob", &invitation, "battery staple").to_string();
    let mut connection = site.connect("http").await;
    let forged = "X-Forwarded-Proto: https\r\nForwarded: proto=https\r\n";
    let response = post(&mut connection, &site, "http", REGISTER, forged, &body).await;
    assert_eq!(code(&response), says(403, "insecure"));
    let mut connection = site.connect("http").await;
    let mut user = User::new(&site.origin("http"), "alice", "correct horse");
    user.get(&mut connection, "/").await;
    let verifier = new_verifier(&site, "alice", "battery staple");
    let channel = connection.channel.clone();
    let (sequence, field, binding) = user.bound_proof(PASSWORD, &channel, &change_of_password(&verifier));
    let line = format!("Authorization: {field}\r\n");
    let response = post(&mut connection, &site, "http", PASSWORD, &line, &change(&verifier, &binding)).await;
    assert_eq!(code(&response), says(403, "insecure"));
    let judged = user.receive(sequence, response, &channel);
    assert!(matches!(judged, Ok(Step::Done(Outcome::AuthSucceed(_)))), "{judged:?}");
    assert!(logs_in(&site, "alice", "correct horse").await);
    // The invitation was not touched.
    let body = registration(&site, "staff", "bob", &invitation, "battery staple");
    assert_eq!(code(&register(&site, &body).await), says(204, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_registration_changes_nothing() {
    let app = App::start().await;
    let site = start(&app).await;
    let invitation = invite(&site, "bob", false);
    let good = registration(&site, "staff", "bob", &invitation, "battery staple");
    let text = good.to_string();
    let mut connection = site.connect("https").await;
    for body in ["", "{}", "[]", "null", &text[1..], &text.replace("\"user\"", "\"usr\""), &format!("{text}x")] {
        let response = post(&mut connection, &site, "https", REGISTER, "", body).await;
        assert_eq!(code(&response), says(400, "malformed"), "{body}");
    }
    // No element of the group, in many ways.
    let j = Base64::decode_vec(good["verifier"].as_str().unwrap()).unwrap();
    let beside = {
        // Some coordinate near by belongs to no point; half of all do not.
        let mut candidates = (0..=255u8).map(|last| {
            let mut octets = j.clone();
            *octets.last_mut().unwrap() = last;
            octets
        });
        candidates.find(|octets| tagai_core::kam3::J::from_octets(Algorithm::EcP256Sha256, octets).is_err()).unwrap()
    };
    let longer = [&j[..], &[0]].concat();
    let other = [&[5], &j[1..]].concat();
    for octets in [&[][..], &[0], &j[..32], &j[1..], &longer, &other, &[0xff; 33], &[0; 256], &beside] {
        let mut body = good.clone();
        body["verifier"] = Base64::encode_string(octets).into();
        assert_eq!(code(&register(&site, &body).await), says(400, "malformed"), "{octets:?}");
    }
    for (member, value) in [("user", ""), ("invitation", "0000"), ("verifier", "*"), ("user", "a\u{7}b")] {
        let mut body = good.clone();
        body[member] = value.into();
        assert_eq!(code(&register(&site, &body).await), says(400, "malformed"), "{member}");
    }
    for (member, value) in [
        ("realm", "Nothing"),
        ("realm", "Closed"),
        ("auth-scope", "*.example.com"),
        ("algorithm", "iso-kam3-ec-p521-sha512"),
        ("algorithm", "none"),
    ] {
        let mut body = good.clone();
        body[member] = value.into();
        assert_eq!(code(&register(&site, &body).await), says(404, "not-found"), "{member} {value}");
    }
    for length in [8192, 70_000] {
        let large = format!("{text}{}", " ".repeat(length));
        let mut connection = site.connect("https").await;
        let response = post(&mut connection, &site, "https", REGISTER, "", &large).await;
        assert_eq!(code(&response), says(413, "too-large"));
    }
    let mut connection = site.connect("https").await;
    let lines = "Transfer-Encoding: chunked\r\n";
    connection.send(head("POST", REGISTER, &site.at("127.0.0.1"), lines)).await;
    let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
    let _ = connection.try_send(chunk.repeat(17)).await;
    assert_eq!(code(&connection.response("POST").await), says(413, "too-large"));
    let mut connection = site.connect("https").await;
    assert_eq!(connection.get(&site.at("127.0.0.1"), REGISTER, "").await.status, 405);
    assert!(!logs_in(&site, "bob", "battery staple").await);
    assert!(app.take().is_empty());
    // After all of it the invitation is as good as before.
    assert_eq!(code(&register(&site, &good).await), says(204, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_codes_has_to_wait() {
    let app = App::start().await;
    let more = "[trust]\nproxies = [\"127.0.0.1/32\"]\n[guessing]\nrecovery = \"1h\"\n".into();
    let site = Site::start(app.address, Setup { more, ..setup() }).await;
    let bobs = invite(&site, "bob", false);
    let made_up = InvitationCode::generate().unwrap();
    let body = registration(&site, "staff", "bob", &made_up, "battery staple").to_string();
    let mut connection = site.connect("https").await;
    let from = |last: u8| format!("X-Forwarded-For: 192.0.2.{last}\r\n");
    for _ in 0..10 {
        let response = post(&mut connection, &site, "https", REGISTER, &from(1), &body).await;
        assert_eq!(code(&response), says(403, "invitation"));
    }
    let good = registration(&site, "staff", "bob", &bobs, "battery staple").to_string();
    for body in [&body, &good] {
        let response = post(&mut connection, &site, "https", REGISTER, &from(1), body).await;
        assert_eq!(code(&response), says(429, "wait"), "a good one does not help either");
        assert!(response.field("retry-after").unwrap().parse::<u64>().unwrap() > 0);
    }
    // Others are not concerned, and nor is a login.
    assert!(logs_in(&site, "alice", "correct horse").await);
    let response = post(&mut connection, &site, "https", REGISTER, &from(2), &good).await;
    assert_eq!(code(&response), says(204, ""));
    // All together have a limit, too.
    let mut waited = false;
    for address in 3..=60u8 {
        for _ in 0..10 {
            let response = post(&mut connection, &site, "https", REGISTER, &from(address), &body).await;
            waited |= response.status == 429;
        }
        if waited {
            break;
        }
    }
    assert!(waited, "everybody together tried hundreds");
    let slowed = site.metric("tagai_login_events_total{realm=\"staff\",event=\"registration-slowed\"}").unwrap();
    assert!(slowed >= 3, "{slowed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_below_the_path_is_an_applications() {
    let app = App::start().await;
    let site = start(&app).await;
    let mut connection = site.connect("https").await;
    for path in ["", "registe", "register/", "register/x", "passwords", "x?y"] {
        let path = format!("/.well-known/tagai/account/{path}");
        let response = post(&mut connection, &site, "https", &path, "", "{}").await;
        assert_eq!(code(&response), says(404, "not-found"), "{path}");
    }
    assert!(app.take().is_empty());
    // Where no realm wants it, there is nothing.
    let app = App::start().await;
    let site = Site::start(app.address, Setup { realms: REALM.into(), ..Setup::default() }).await;
    let mut connection = site.connect("https").await;
    let response = post(&mut connection, &site, "https", REGISTER, "", "{}").await;
    assert_eq!(code(&response), says(404, "not-found"));
    assert!(app.take().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_logged_in_is_answered_with_proof() {
    let app = App::start().await;
    let site = start(&app).await;
    let (mut user, mut connection) = alice(&site, "correct horse").await;
    let channel = connection.channel.clone();
    let invitation = invite(&site, "bob", false);
    let body = registration(&site, "staff", "bob", &invitation, "battery staple").to_string();
    // With credentials that are of no use nothing happens: whoever is told so asks again.
    let (_, stale) = user.proof(REGISTER, &channel);
    let stale = stale.replacen("sid=", "sid=00", 1);
    let response =
        post(&mut connection, &site, "https", REGISTER, &format!("Authorization: {stale}\r\n"), &body).await;
    assert_eq!(response.status, 401);
    for expected in [says(204, ""), says(403, "invitation")] {
        let (sequence, field) = user.proof(REGISTER, &channel);
        let line = format!("Authorization: {field}\r\n");
        let response = post(&mut connection, &site, "https", REGISTER, &line, &body).await;
        assert_eq!(code(&response), expected);
        let judged = user.receive(sequence, response, &channel);
        assert!(matches!(judged, Ok(Step::Done(Outcome::AuthSucceed(_)))), "{judged:?}");
    }
}
