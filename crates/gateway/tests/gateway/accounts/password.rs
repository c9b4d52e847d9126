//! Users change their passwords; pages, strangers and replays do not.

use super::super::support::*;
use super::*;
use tagai_store::principal::{DenialTarget, PrincipalKind, PrincipalStore as _, SubjectName};

#[tokio::test(flavor = "multi_thread")]
async fn a_user_changes_the_password() {
    for sessions in ["memory", "sqlite"] {
        let app = App::start().await;
        let site = Site::start(app.address, Setup { sessions, ..setup() }).await;
        let (mut user, mut connection) = alice(&site, "correct horse").await;
        let (mut elsewhere, mut other) = alice(&site, "correct horse").await;
        app.take();
        let verifier = new_verifier(&site, "alice", "battery staple");
        let response = change_by((&mut user, &mut connection), &site, &verifier, |_, _| {}).await;
        assert_eq!(code(&response), says(204, ""));
        assert!(app.take().is_empty(), "the application sees nothing of it");
        for (user, connection) in [(&mut user, &mut connection), (&mut elsewhere, &mut other)] {
            user.trace.clear();
            let _ = user.ask(connection, "GET", "/", "").await;
            assert!(user.trace[0].says("reason=stale-session"), "every session is over: {:?}", user.trace[0]);
        }
        assert!(!logs_in(&site, "alice", "correct horse").await);
        assert!(logs_in(&site, "alice", "battery staple").await);
        let lines = audit(&site, |line| line.event == Event::PasswordChanged).await;
        let line = lines.iter().find(|line| line.event == Event::PasswordChanged).unwrap();
        let by_the_user = (line.user.as_deref(), line.reason.as_deref(), line.by.as_deref());
        assert_eq!(by_the_user, (Some("alice"), Some("by the user"), None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_alone_changes_no_password() {
    let app = App::start().await;
    let site = start(&app).await;
    let (mut user, mut connection) = alice(&site, "correct horse").await;
    let chosen = new_verifier(&site, "alice", "battery staple");
    let another = new_verifier(&site, "alice", "a page's choice");
    // A page's script sends what it likes, and the browser proves the request.
    for binding in [&[][..], &[0; 32], &[0; 31], &[0; 33], &change_of_password(&another)[..]] {
        let response = change_by((&mut user, &mut connection), &site, &chosen, |verifier, sent| {
            *verifier = another.clone();
            *sent = binding.to_vec();
        })
        .await;
        assert_eq!(code(&response), says(403, "binding"), "{binding:?}");
    }
    // A binding of this very request, to another verifier.
    let response = change_by((&mut user, &mut connection), &site, &chosen, |verifier, _| *verifier = another.clone());
    assert_eq!(code(&response.await), says(403, "binding"));
    let response = change_by((&mut user, &mut connection), &site, &chosen, |_, binding| binding[7] ^= 1).await;
    assert_eq!(code(&response), says(403, "binding"));
    let response = change_by((&mut user, &mut connection), &site, &chosen, |_, binding| binding.truncate(31)).await;
    assert_eq!(code(&response), says(403, "binding"));
    // A binding of an earlier request.
    let channel = connection.channel.clone();
    let (_, _, earlier) = user.bound_proof(PASSWORD, &channel, &change_of_password(&chosen));
    let response = change_by((&mut user, &mut connection), &site, &chosen, |_, binding| *binding = earlier).await;
    assert_eq!(code(&response), says(403, "binding"));
    // A binding over the verifier alone, as another use of it would have.
    let (sequence, field, bare) = user.bound_proof(PASSWORD, &channel, &chosen);
    let line = format!("Authorization: {field}\r\n");
    let response = post(&mut connection, &site, "https", PASSWORD, &line, &change(&chosen, &bare)).await;
    assert_eq!(code(&response), says(403, "binding"));
    drop(user.receive(sequence, response, &channel));
    assert!(logs_in(&site, "alice", "correct horse").await);
    assert!(user.get(&mut connection, "/").await.status == 200, "and the session goes on");
    let count = site.metric("tagai_login_events_total{realm=\"staff\",event=\"password-change-refused-binding\"}");
    assert_eq!(count, Some(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_whole_or_nothing() {
    let app = App::start().await;
    let site = start(&app).await;
    let (mut user, mut connection) = alice(&site, "correct horse").await;
    let good = new_verifier(&site, "alice", "battery staple");
    for octets in [&[][..], &good[..32], &[0xff; 33], &[&good[..], &[0]].concat()] {
        let response = change_by((&mut user, &mut connection), &site, octets, |_, _| {}).await;
        assert_eq!(code(&response), says(400, "malformed"), "{octets:?}");
    }
    let channel = connection.channel.clone();
    for (body, expected) in [
        ("{}".to_owned(), says(400, "malformed")),
        (String::new(), says(400, "malformed")),
        (change(&good, &[0; 32]).replace('}', ",\"user\":\"bob\"}"), says(400, "malformed")),
        (" ".repeat(8193), says(413, "too-large")),
    ] {
        // What is too long is not read to its end.
        let mut connection = site.connect("https").await;
        let (sequence, field) = user.proof(PASSWORD, &channel);
        let line = format!("Authorization: {field}\r\n");
        let response = post(&mut connection, &site, "https", PASSWORD, &line, &body).await;
        assert_eq!(code(&response), expected, "{body}");
        let judged = user.receive(sequence, response, &channel);
        assert!(matches!(judged, Ok(Step::Done(Outcome::AuthSucceed(_)))), "{judged:?}");
    }
    // Strangers are asked who they are; a replay is nobody.
    let body = change(&good, &[0; 32]);
    let response = post(&mut connection, &site, "https", PASSWORD, "", &body).await;
    assert!(response.status == 401 && response.says("reason=initial"), "{response:?}");
    assert_eq!(connection.get(&site.at("127.0.0.1"), PASSWORD, "").await.status, 405);
    let (_, field, binding) = user.bound_proof(PASSWORD, &channel, &change_of_password(&good));
    let line = format!("Authorization: {field}\r\n");
    connection.get(&site.at("127.0.0.1"), "/", &line).await;
    let response = post(&mut connection, &site, "https", PASSWORD, &line, &change(&good, &binding)).await;
    assert!(response.status == 401 && response.says("reason=stale-session"), "{response:?}");
    assert!(logs_in(&site, "alice", "correct horse").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proof_of_a_change_may_go_ahead() {
    let app = App::start().await;
    let site = start(&app).await;
    let (mut user, mut connection) = alice(&site, "correct horse").await;
    let channel = connection.channel.clone();
    let verifier = new_verifier(&site, "alice", "battery staple");
    let (sequence, field, binding) = user.bound_proof(PASSWORD, &channel, &change_of_password(&verifier));
    let body = change(&verifier, &binding);
    let lines = format!("Authorization: {field}\r\nExpect: 100-continue\r\nContent-Length: {}\r\n", body.len());
    connection.send(head("POST", PASSWORD, &user.host(), &lines)).await;
    let interim = connection.response("POST").await;
    assert_eq!(interim.status, 100);
    let lines = interim.fields.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let _sequence = sequence.interim(100, lines, channel).unwrap();
    connection.send(body).await;
    let response = connection.response("POST").await;
    assert_eq!((code(&response), response.field("authentication-info")), (says(204, ""), None));
    assert!(logs_in(&site, "alice", "battery staple").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn some_may_not_change_their_passwords() {
    let app = App::start().await;
    let site = start(&app).await;
    // Of a realm without it.
    let mut connection = site.connect("https").await;
    let mut guest = User::new(&site.origin("https"), "guest", "correct horse");
    guest.get(&mut connection, "/guests").await;
    let realm = site.realm("guests");
    let verifier = verifier(&realm, &user("guest"), "battery staple").expose_octets().to_vec();
    let channel = connection.channel.clone();
    let (sequence, field, binding) = guest.bound_proof("/guests", &channel, &change_of_password(&verifier));
    let line = format!("Authorization: {field}\r\n");
    let response = post(&mut connection, &site, "https", PASSWORD, &line, &change(&verifier, &binding)).await;
    assert_eq!(code(&response), says(404, "not-found"));
    drop(guest.receive(sequence, response, &channel));
    // Whom the deny list keeps out, or whose principal is disabled.
    let (mut user, mut connection) = alice(&site, "correct horse").await;
    let name = site.register("alice", PrincipalKind::Person, &["user:staff/alice"]).await;
    site.store().deny(&DenialTarget::Principal(SubjectName::from(&name)), "left", "root").unwrap();
    site.settle().await;
    // Such a change ends the session, so there is another login first.
    let _ = user.ask(&mut connection, "GET", "/", "").await;
    let verifier = new_verifier(&site, "alice", "battery staple");
    let response = change_by((&mut user, &mut connection), &site, &verifier, |_, _| {}).await;
    assert_eq!((code(&response), response.refusal().0), (says(403, "forbidden"), "denied"));
    site.store().allow(&DenialTarget::Principal(SubjectName::from(&name))).unwrap();
    site.store().set_principal_disabled(&name, true).unwrap();
    site.settle().await;
    let _ = user.ask(&mut connection, "GET", "/", "").await;
    let response = change_by((&mut user, &mut connection), &site, &verifier, |_, _| {}).await;
    assert_eq!((code(&response), response.refusal().0), (says(403, "forbidden"), "disabled"));
    site.store().set_principal_disabled(&name, false).unwrap();
    site.settle().await;
    let _ = user.ask(&mut connection, "GET", "/", "").await;
    let response = change_by((&mut user, &mut connection), &site, &verifier, |_, _| {}).await;
    assert_eq!(code(&response), says(204, ""));
}
